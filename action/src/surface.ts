/**
 * The mutable surface: which paths a candidate may change, and which changes are refused. Pure.
 *
 * Always: what is not matched is protected. A pattern that begins with `!` is a name, not a negation (a negation would
 * open everything else), and `*` does not reach names that begin with a dot unless the pattern names the dot.
 */
import picomatch from "picomatch";
import { fixedPart } from "./protected-files.ts";

/** One entry of `git diff-tree -r --raw` between the base and the candidate. */
export type TreeChange = {
  readonly path: string;
  /** `100644`, `100755`, `120000` (symlink), `160000` (submodule) or `000000` (deleted). */
  readonly newMode: string;
  /** Object of the new content; forty zeros when deleted. */
  readonly newObject: string;
};

/** Says of a path (relative to the top, `/` between folders) whether it is in the mutable surface. */
export function mutableMatcher(globs: readonly string[]): (path: string) => boolean {
  const matchers = globs.map((glob) => {
    const exact = glob.replace(/\/+$/, "");
    const match = picomatch(glob, { nonegate: true });
    return (path: string) => path === exact || match(path);
  });
  return (path) => matchers.some((matches) => matches(path));
}

/** What `trial.private` names inside the checkout; the other patterns are absolute. */
export type PrivateSurface = {
  /** A file, or a folder with all that is in it. */
  readonly isPrivate: (path: string) => boolean;
  /** A folder that is not private itself may hold what is. */
  readonly isMixed: (path: string) => boolean;
};

export function privateSurface(globs: readonly string[]): PrivateSurface {
  const exact = globs.map((glob) => glob.replace(/\/+$/, ""));
  const matches = mutableMatcher(globs);
  const folders = globs.map((glob) => ({ base: fixedPart(glob), isGlob: fixedPart(glob) !== glob }));
  return {
    isPrivate: (path) => matches(path) || exact.some((folder) => path.startsWith(`${folder}/`)),
    isMixed: (path) =>
      folders.some(({ base, isGlob }) => {
        const isAbove = base === "" || base === "." || base.startsWith(`${path}/`);
        return isAbove || (isGlob && (path === base || path.startsWith(`${base}/`)));
      }),
  };
}

/** Parses `git diff-tree -r -z --raw --no-renames`; throws a TypeError on anything else, since a guess could let a change through. */
export function parseDiffTree(output: string): TreeChange[] {
  const fields = output.split("\0");
  if (fields.pop() !== "") throw new TypeError("git diff-tree ended in the middle of an entry");
  const changes: TreeChange[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const match = /^:\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]+) [AMDT]$/.exec(fields[index]!);
    const path = fields[index + 1];
    if (match === null || path === undefined) throw new TypeError(`not an entry of git diff-tree: ${fields[index]}`);
    changes.push({ path, newMode: match[1]!, newObject: match[2]! });
  }
  return changes;
}

const plainModes = new Set(["100644", "100755", "000000"]);

/** Why the candidate's changes may not be trained, in one phrase that names the files; null when they may. */
export function refusalOf(changes: readonly TreeChange[], isMutable: (path: string) => boolean): string | null {
  const outside = changes.filter((change) => !isMutable(change.path)).map((change) => change.path);
  if (outside.length > 0) return `changes ${listOf(outside)}, outside the mutable surface`;
  const unnamed = changes.filter((change) => change.path.includes("\ufffd")).map((change) => change.path);
  if (unnamed.length > 0) return `gives ${listOf(unnamed)} a name that is not UTF-8`;
  const special = changes.filter((change) => !plainModes.has(change.newMode));
  const links = special.filter((change) => change.newMode === "120000").map((change) => change.path);
  if (links.length > 0) return `makes ${listOf(links)} a symbolic link`;
  if (special.length > 0) return `makes ${listOf(special.map((change) => change.path))} a submodule`;
  return null;
}

/** `a.py, b.py and 3 more`; names longer than 120 characters are cut. */
export function listOf(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).map((path) => (path.length > 120 ? `${path.slice(0, 117)}…` : path));
  const rest = paths.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
