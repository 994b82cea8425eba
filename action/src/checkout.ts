/**
 * Makes the folders of a trial: what is trained in (the base commit's files with the candidate's mutable files laid over
 * them) and what judges it (the base's protected files alone).
 *
 * Always: a protected file is the base's by construction. Each folder is composed in git's index from tree entries and
 * written by git in one go, so no path of a candidate is ever followed through a link; and it holds no `.git`.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Git, gitAt } from "./git.ts";
import { holds } from "./machine.ts";
import { foldersAbove } from "./made-things.ts";
import { parseDiffTree, type PrivateSurface, refusalOf, type TreeChange } from "./surface.ts";

export type CheckoutRequest = {
  readonly serverUrl: string;
  /** `owner/repo` */
  readonly repository: string;
  readonly token: string;
  readonly base: string;
  readonly commit: string;
  readonly isMutable: (path: string) => boolean;
  /** Files for the evaluate command alone. */
  readonly isPrivate: (path: string) => boolean;
  /** An empty folder of ours. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

/** The two commits, fetched, and what the candidate changes. */
export type Fetched = {
  readonly git: Git;
  readonly changes: readonly TreeChange[];
  /** Every protected path of the base, relative to the top. */
  readonly protectedPaths: readonly string[];
  /** Why the candidate must not be trained; null when it may. */
  readonly refusal: string | null;
};

/** Where the trial is: the real paths of its folders. */
export type Folders = {
  readonly trial: string;
  /** What is trained in; for the evaluation it becomes `trained`, and what judges takes its place. */
  readonly checkout: string;
  readonly trained: string;
  readonly judge: string;
  /** What `trial.private` names, while it must not be seen. */
  readonly hidden: string;
};

export function foldersIn(trial: string): Folders {
  const of = (name: string) => join(trial, name);
  return { trial, checkout: of("checkout"), trained: of("trained"), judge: of("judge"), hidden: of("hidden") };
}

/** Fetches exactly the two commits; writes no file of theirs. */
export async function fetchCommits(request: CheckoutRequest): Promise<Fetched> {
  const { checkout } = foldersIn(request.folder);
  await mkdir(checkout);
  const git = gitAt({ ...request, gitDir: join(request.folder, "git"), workTree: checkout });
  await git.run(["init", "--quiet", "--template="]);
  const remote = `${request.serverUrl}/${request.repository}.git`;
  const wanted = [...new Set([request.base, request.commit])];
  await git.run(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", remote, ...wanted]);
  const changes = parseDiffTree(
    await git.run(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", request.base, request.commit]),
  );
  await git.run(["read-tree", request.base]);
  const tracked = await pathsOf(git);
  return {
    git,
    changes,
    protectedPaths: tracked.filter((path) => !request.isMutable(path)),
    refusal: refusalOf(changes, request.isMutable),
  };
}

/** Writes the base's own files into the checkout, for `trial.setup` to run in. */
export async function writeBase({ git }: Fetched): Promise<void> {
  await git.run(["checkout-index", "--all", "--force"]);
}

/**
 * What lies in the checkout beside the base's files: the outermost paths of it, relative. Made by `trial.setup`. A folder
 * with private files in it is told by its parts.
 */
export async function madePaths(
  fetched: Fetched,
  { checkout }: Folders,
  { isPrivate, isMixed }: PrivateSurface,
): Promise<string[]> {
  const files = new Set(await pathsOf(fetched.git));
  const parents = new Set([...files].flatMap(foldersAbove));
  const look = async (folder: string): Promise<string[]> => {
    const made: string[] = [];
    for (const entry of await readdir(join(checkout, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const isOpen = entry.isDirectory() && (parents.has(path) || (isMixed(path) && !isPrivate(path)));
      if (!isOpen && files.has(path)) continue;
      const parts = isOpen ? await look(path) : [];
      const isTold = isOpen && (parents.has(path) || parts.some(isPrivate));
      for (const part of isTold ? parts : [path]) made.push(part);
    }
    return made;
  };
  return (await look("")).toSorted();
}

/**
 * Writes what is trained in and, for an evaluation, what judges it; moves what the set-up made there, and the private
 * files out of sight. Removes the git folder.
 * @returns why the candidate must not be trained; null when it may
 */
export async function writeTrial(
  fetched: Fetched,
  folders: Folders,
  request: CheckoutRequest,
  made: readonly string[],
): Promise<string | null> {
  const { git, changes } = fetched;
  const base = await pathsOf(git);
  const fromSetup = join(folders.trial, "base");
  await rename(folders.checkout, fromSetup);
  for (const folder of [folders.checkout, folders.judge, folders.hidden]) await mkdir(folder);
  await write(
    git,
    folders.judge,
    base.filter((path) => !request.isMutable(path) && !request.isPrivate(path)),
  );
  await write(
    git,
    folders.hidden,
    base.filter((path) => request.isPrivate(path) && !request.isMutable(path)),
  );
  await overlay(git, changes);
  await write(
    git,
    folders.checkout,
    (await pathsOf(git)).filter((path) => !request.isPrivate(path)),
  );
  // Its own place, something in it, or a file where a folder above it is to be: a deletion is in nothing's way.
  const taken = changes.find(
    ({ path, newMode }) => newMode !== "000000" && made.some((own) => holds(own, path) || holds(path, own)),
  );
  if (taken !== undefined) return `changes ${taken.path}, which the set-up makes`;
  for (const path of made) {
    await move(join(fromSetup, path), join(request.isPrivate(path) ? folders.hidden : folders.checkout, path));
  }
  await rm(fromSetup, { recursive: true, force: true });
  await rm(join(request.folder, "git"), { recursive: true, force: true });
  return null;
}

/** Renames, with the folders above it made where they are not. */
export async function move(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

async function pathsOf(git: Git): Promise<string[]> {
  return (await git.run(["ls-files", "-z"])).split("\0").filter((path) => path !== "");
}

/** Into git's index alone. A deletion is mode 0; they go first, so that a file may become a folder. */
async function overlay(git: Git, changes: readonly TreeChange[]): Promise<void> {
  const entries = changes
    .toSorted((a, b) => a.newMode.localeCompare(b.newMode))
    .map((change) => `${change.newMode === "000000" ? "0" : change.newMode} ${change.newObject}\t${change.path}\0`);
  await git.run(["update-index", "-z", "--index-info"], entries.join(""));
}

async function write(git: Git, folder: string, paths: readonly string[]): Promise<void> {
  const list = paths.map((path) => `${path}\0`).join("");
  await git.run(["checkout-index", "--force", `--prefix=${folder}/`, "-z", "--stdin"], list);
}
