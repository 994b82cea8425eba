/**
 * How the code under trial is kept apart from the rest of the machine: by bubblewrap where the machine can, or not at all.
 *
 * Always: a trial that requires a sandbox never runs without one; where there is none, the reason is in its name, which
 * the check shows.
 */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { bubblewrapArguments, type Extras } from "./bubblewrap.ts";
import type { Machine } from "./machine.ts";

/** What one command sees of the files of its trial. Real paths. */
export type Place = {
  /** Where the command starts. */
  readonly cwd: string;
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** Made empty, wherever they lie. */
  readonly hidden: readonly string[];
  /** A folder of its own that holds what it writes to `/tmp` (in `tmp`) and to its home (in `home`). */
  readonly scratch: string;
};

export type Sandbox = {
  /** As the measurement says it: `bubblewrap`, or `none (why)`. */
  readonly name: string;
  /** Commands have namespaces of their own: what is killed takes all that it started with it. */
  readonly isolates: boolean;
  /** The program and arguments that run `argv` inside; it reports its process on the file descriptor `statusFd`. */
  readonly wrap: (argv: readonly string[], place: Place, statusFd: number) => readonly string[];
};

const probeMs = 10_000;

/** From bubblewrap 0.8 on; 0.7; before that. The first that works is taken. */
const versions: readonly Extras[] = [
  { forbidsNesting: true, boundsSharedMemory: true },
  { forbidsNesting: false, boundsSharedMemory: true },
  { forbidsNesting: false, boundsSharedMemory: false },
];

/** For what is not kept apart, and why. */
export function noSandbox(why: string): Sandbox {
  return { name: `none (${why})`.slice(0, 100), isolates: false, wrap: (argv) => argv };
}

/**
 * The sandbox for a trial: tried out before it is trusted.
 * @throws Error with the remedy when one is required and cannot be had.
 */
export async function chooseSandbox(
  wish: "auto" | "required" | "off",
  machine: Machine,
  place: Place,
): Promise<Sandbox> {
  if (wish === "off") return noSandbox("switched off");
  const found = await findBubblewrap(machine, place);
  if (typeof found !== "string") return found;
  if (wish === "auto") return noSandbox(found);
  throw new Error(
    `\`sandbox: required\` cannot be kept on this runner: ${found}. ${remedyFor(found)} Nothing was run.`,
  );
}

/** The sandbox, or why there is none. */
async function findBubblewrap(machine: Machine, place: Place): Promise<Sandbox | string> {
  if (process.platform !== "linux") return `bubblewrap is for Linux, this is ${process.platform}`;
  const program = programOnPath("bwrap", machine.path);
  if (program === null) return "bwrap is not installed";
  // Of the last and plainest call: an option that is not known says nothing of the machine.
  let reason = "";
  for (const extras of versions) {
    const wrap: Sandbox["wrap"] = (argv, where, statusFd) => [
      program,
      ...bubblewrapArguments(machine, where, extras),
      "--json-status-fd",
      String(statusFd),
      "--",
      ...argv,
    ];
    const failure = await tryOut(wrap(["true"], place, 2), machine.path);
    if (failure === null) return { name: "bubblewrap", isolates: true, wrap };
    reason = failure;
  }
  return `bwrap does not work: ${reason}`;
}

/** Null when it works, else the last line of what it said. */
async function tryOut([program, ...args]: readonly string[], path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program!, args, { env: { PATH: path }, timeout: probeMs, cwd: "/" }, (error, _out, said) => {
      const lines = said.split("\n").filter((line) => line.startsWith("bwrap:"));
      resolve(error === null ? null : (lines.at(-1)?.slice(7, 80) ?? `exit status ${error.code ?? "unknown"}`));
    });
  });
}

function remedyFor(reason: string): string {
  if (reason.includes("not installed")) return "Install it (`apt-get install bubblewrap`, `dnf install bubblewrap`).";
  if (/uid map|namespace|Permission denied|Operation not permitted/.test(reason)) {
    return (
      "Unprivileged user namespaces are forbidden here: allow them (Ubuntu 24.04: an AppArmor profile for bwrap, or " +
      "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container: allow `unshare`, `mount` and an unmasked /proc)."
    );
  }
  return "Run runner-setup/doctor.sh on the machine.";
}

function programOnPath(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      if (folder.startsWith("/")) {
        accessSync(file, constants.X_OK);
        return file;
      }
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
