/**
 * The command line of bubblewrap for one command. Pure but for looking at what kinds of files there are, and where links lead.
 *
 * Always: own user, PID, IPC, UTS, network and cgroup namespace; no capabilities and no way to new ones; the whole file
 * system is read-only but the place's writable folders and its scratch; it dies with the action.
 *
 * Later binds lie on top of earlier ones, so the order is: the system, what is hidden of it, home, what is shown, what is
 * hidden of that, the trial's own folders, single files that are hidden.
 */
import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import { join, relative } from "node:path";
import { holds, type Machine, realOf } from "./machine.ts";
import type { Place } from "./sandbox.ts";

/** What not every version can; without it all else holds. */
export type Extras = {
  /** No user namespaces within: the kernel's larger doors stay shut. Since bubblewrap 0.8. */
  readonly forbidsNesting: boolean;
  /** `/dev/shm` gets a quarter of the memory, and not the half that is the kernel's default. Since bubblewrap 0.7. */
  readonly boundsSharedMemory: boolean;
};

const merged = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/**
 * Of `/proc` what a process of uid 0 may write by ownership alone. A runner that is root maps to 0 inside, too; the
 * kernel asks for no capability there, and `core_pattern` would run a program outside.
 */
const kernelSettings = ["sys", "bus", "irq", "fs", "acpi", "scsi", "mtrr", "pressure", "sysrq-trigger"];

/** Everything before `--`, but for the descriptor that the status goes to. */
export function bubblewrapArguments(machine: Machine, place: Place, extras: Extras): string[] {
  const { system, shown, hiddenFolders } = machine;
  const hidden = { inSystem: placesOf(hiddenFolders, system), inShown: placesOf(hiddenFolders, shown) };
  const files = placesOf(
    [...machine.hiddenFiles, ...place.hidden],
    [...system, ...merged.filter(isRealFolder), ...shown],
  );
  const tmp = join(place.scratch, "tmp");
  const size = extras.boundsSharedMemory ? ["--size", String(Math.floor(totalmem() / 4))] : [];
  return [
    ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"],
    extras.forbidsNesting ? ["--disable-userns"] : [],
    ["--cap-drop", "ALL", "--hostname", "trial"],
    system.flatMap((path) => ["--ro-bind", path, path]),
    merged.flatMap(systemFolder),
    hidden.inSystem.flatMap((folder) => ["--tmpfs", folder]),
    ["--proc", "/proc"],
    kernelSettings.flatMap((name) => roBind(join("/proc", name))),
    ["--dev", "/dev"],
    machine.devices.flatMap((device) => ["--dev-bind-try", device, device]),
    [...size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
    ["--ro-bind-try", "/sys", "/sys"],
    ["--bind", tmp, "/tmp", "--bind", tmp, "/var/tmp", "--bind", join(place.scratch, "home"), machine.home],
    shown.flatMap((path) => ["--ro-bind", path, path]),
    hidden.inShown.flatMap((folder) => ["--tmpfs", folder]),
    place.writable.flatMap((path) => ["--bind", path, path]),
    place.readable.flatMap((path) => ["--ro-bind", path, path]),
    files.flatMap((path) => covered(path, machine.emptyFile)),
    [...hidden.inSystem, ...hidden.inShown].flatMap((folder) => ["--remount-ro", folder]),
    ["--remount-ro", "/", "--chdir", place.cwd],
  ].flat();
}

/**
 * Under which names these are seen inside, where the roots are bound at their own: a root that is a link shows what lies
 * where it leads to, and a link in a root may lead to another.
 */
function placesOf(paths: readonly string[], roots: readonly string[]): string[] {
  const ends = roots.map((root) => [root, realOf(root)] as const);
  const places = paths.flatMap((path) => {
    const real = realOf(path);
    return ends.filter(([, end]) => holds(end, real)).map(([root, end]) => join(root, relative(end, real)));
  });
  return [...new Set(places)];
}

function covered(path: string, emptyFile: string): string[] {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? ["--tmpfs", path, "--remount-ro", path] : ["--ro-bind", emptyFile, path];
}

function isRealFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function roBind(path: string): string[] {
  return existsSync(path) ? ["--ro-bind", path, path] : [];
}

/** `/lib` is a link into `/usr` on most systems, and a folder on others. */
function systemFolder(path: string): string[] {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return [];
  return status.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}
