/**
 * What a command in the sandbox sees of the machine: an allow-list. What is not named here is not there: homes, the
 * runner's folders and credentials, sockets of the system (`/run`), other people's data.
 *
 * Always: everything here is read-only inside, but devices; a folder that holds a home or the runner is never shown whole.
 */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";

export type Machine = {
  /** The search path for programs. */
  readonly path: string;
  readonly home: string;
  /** Of the system: programs, libraries, settings. */
  readonly system: readonly string[];
  /** Caches, toolchains in homes, and what the trial names: shown read-only at their places. */
  readonly shown: readonly string[];
  /** Folders that are emptied, files that are made empty, though they lie in what is shown. */
  readonly hiddenFolders: readonly string[];
  readonly hiddenFiles: readonly string[];
  readonly devices: readonly string[];
  /** An empty file of ours, to lay over the hidden ones. */
  readonly emptyFile: string;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Of Nix the store alone: beside it lies the socket of a daemon, which a read-only bind keeps nobody from. */
export const systemRoots = [
  "/usr",
  "/etc",
  "/opt",
  "/nix/store",
  "/gnu/store",
  "/run/opengl-driver",
  "/run/current-system",
];
/** Below a home: no credentials lie in these (but for `secretInCaches`). */
const shownInHome = [
  ".cache/autoresearch",
  ".cache/huggingface",
  ".cache/torch",
  ".cache/uv",
  ".local/bin",
  ".local/lib",
  ".local/share/uv/python",
  ".local/share/uv/tools",
  ".pyenv",
  ".rustup",
  "miniconda3",
  "miniforge3",
  "mambaforge",
  "anaconda3",
  ".conda/envs",
  ".conda/pkgs",
];
const cacheVariables = [
  "HF_HOME",
  "HF_HUB_CACHE",
  "HF_DATASETS_CACHE",
  "UV_CACHE_DIR",
  "UV_PYTHON_INSTALL_DIR",
  "TORCH_HOME",
];
const secretInCaches = ["token", "stored_tokens"];
/** Of a program's own folder in a home, `~/.docker` say, what its programs need: settings and tokens lie beside that. */
const toolchainParts = /^(?:bin|sbin|shims|condabin|lib.*|share|include|installs|plugins|versions?)$/;
const systemSecrets = {
  files: ["shadow", "shadow-", "gshadow", "gshadow-", "krb5.keytab"].map((name) => join("/etc", name)),
  folders: ["/etc/ssh", "/etc/ssl/private", "/etc/sudoers.d"],
};

/**
 * @param folder the trial's own folder, inside the runner's temporary one
 * @param named paths outside the checkout that the trial names (`trial.protect`): they are shown
 */
export function readMachine(own: Environment, folder: string, named: readonly string[], emptyFile: string): Machine {
  const path = own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
  const home = homeOf(own);
  const runner = runnerFolders(own);
  const homes = [home, ...accountHome()];
  const narrow = [...homes, folder, ...runner];
  const isWide = (entry: string): boolean => narrow.some((inside) => holds(entry, inside) || reaches(entry, inside));
  const caches = cacheVariables.flatMap((name) => own[name] ?? []);
  const xdg = own["XDG_CACHE_HOME"];
  const shown = [
    ...shownInHome.map((name) => join(home, name)),
    ...(xdg === undefined ? [] : ["autoresearch", "huggingface", "torch", "uv"].map((name) => join(xdg, name))),
    ...caches,
    ...path.split(delimiter).flatMap((entry) => toolchainOf(entry, homes, isWide)),
    own["RUNNER_TOOL_CACHE"] ?? "",
    ...named,
  ].filter((entry) => isPlainPath(entry) && existsSync(entry) && !isWide(entry));
  const hubs = [...shown.filter((entry) => basename(entry) === "huggingface"), own["HF_HOME"] ?? ""];
  return {
    path,
    home,
    system: systemRoots.filter((root) => existsSync(root)),
    shown: outermost([...new Set(shown)]),
    hiddenFolders: outermost([
      ...new Set([...runner, ...otherRunners("/opt"), ...otherRunners("/usr/local"), ...systemSecrets.folders]),
    ]).filter((entry) => existsSync(entry)),
    hiddenFiles: [
      ...systemSecrets.files,
      ...hubs.flatMap((hub) => secretInCaches.map((name) => join(hub, name))),
      own["HF_TOKEN_PATH"] ?? "",
    ].filter((file) => isPlainPath(file) && existsSync(file)),
    devices: devicesOf(existsSync("/dev") ? readdirSync("/dev") : []),
    emptyFile,
  };
}

/** The home that the job was given: what `~` in the trial's paths stands for. */
export function homeOf(own: Environment): string {
  const told = own["HOME"] ?? homedir();
  return isPlainPath(told) ? told : "/tmp/home";
}

/** The home of the user's account, which may be another; a container's user may have none. */
function accountHome(): string[] {
  try {
    return [userInfo().homedir].filter(isPlainPath);
  } catch {
    return [];
  }
}

/** `/a` holds `/a` and `/a/b`. */
export function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

function isPlainPath(path: string): boolean {
  return path.startsWith("/") && path !== "/" && !path.split("/").includes("..");
}

/** Drops what lies in another entry. */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && holds(other, path)));
}

/** As `holds`, of where the two really are: a link may lead to what it must not show. */
function reaches(outer: string, inner: string): boolean {
  return holds(realOf(outer), realOf(inner));
}

/** Without links in it; as it is where it is not there. */
export function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/**
 * Of `X/bin` on the search path all of X (its libraries lie beside it), unless X holds more than a toolchain: below a
 * folder of the home that begins with a dot only X's programs and libraries, if it is no Python environment.
 */
function toolchainOf(entry: string, homes: readonly string[], isWide: (entry: string) => boolean): string[] {
  const parent = dirname(entry);
  if (!["bin", "shims", "condabin"].includes(basename(entry))) return [entry];
  if (parent === "/" || [".local", ".cargo"].includes(basename(parent)) || isWide(parent)) return [entry];
  const isHidden = homes.some((home) => [parent, realOf(parent)].some((name) => isBelowDotFolder(home, name)));
  if (!isHidden || ["pyvenv.cfg", "conda-meta"].some((name) => existsSync(join(parent, name)))) return [parent];
  return namesIn(parent)
    .filter((name) => toolchainParts.test(name))
    .map((name) => join(parent, name));
}

function isBelowDotFolder(home: string, path: string): boolean {
  return [home, realOf(home)].some((name) => path.startsWith(`${name}/.`));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Where the runner lives and works, as its environment and its own node tell: `_work` holds what other jobs left. */
function runnerFolders(own: Environment): string[] {
  const temp = own["RUNNER_TEMP"];
  const work = temp !== undefined && basename(temp) === "_temp" ? dirname(temp) : null;
  const externals = process.execPath.indexOf("/externals/");
  const candidates = [
    ...(work === null ? [] : [work]),
    ...(work !== null && existsSync(join(dirname(work), ".runner")) ? [dirname(work)] : []),
    ...(externals > 0 ? [process.execPath.slice(0, externals)] : []),
  ];
  return candidates.filter((folder) => folder !== "/" && existsSync(folder)).map((folder) => realpathSync(folder));
}

/** Of the folders at most three levels below this one those that hold the credentials of a runner. */
export function otherRunners(folder: string, levels = 3): string[] {
  if (levels === 0) return [];
  return namesIn(folder).flatMap((name) => {
    const inside = join(folder, name);
    return existsSync(join(inside, ".credentials")) ? [inside] : otherRunners(inside, levels - 1);
  });
}

/** GPUs, by what is in `/dev`: NVIDIA's, AMD's, Direct Rendering, and those of WSL. */
export function devicesOf(names: readonly string[]): string[] {
  return names.filter((name) => /^nvidia|^(?:dri|kfd|dxg)$/.test(name)).map((name) => join("/dev", name));
}
