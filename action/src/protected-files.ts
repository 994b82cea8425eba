/** Hashes of the files that a candidate may not change, taken before and after it ran. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import picomatch from "picomatch";

/** State by path: relative to the checkout, or absolute for a file outside. */
export type Hashes = ReadonlyMap<string, string>;

/**
 * The state of each path: kind, executable bit, size and SHA-256 of the content. A link is its target's name, not the target.
 * @param before the state that they had: a file of another size has changed, and is not read (it may be as large as a disk)
 */
export async function hashFiles(root: string, paths: readonly string[], before?: Hashes): Promise<Hashes> {
  const hashes = new Map<string, string>();
  for (const path of paths) {
    hashes.set(path, await stateOf(isAbsolute(path) ? path : join(root, path), before && (before.get(path) ?? "")));
  }
  return hashes;
}

/** `earlier`: its state before, empty where it was not there; undefined where this is the first look. */
async function stateOf(file: string, earlier: string | undefined): Promise<string> {
  try {
    const status = await lstat(file);
    if (status.isSymbolicLink()) return `link ${await readlink(file)}`;
    if (!status.isFile()) return status.isDirectory() ? "folder" : "special";
    const seen = `file ${status.mode & 0o111 ? "x" : "-"} ${status.size} bytes`;
    if (earlier !== undefined && !earlier.startsWith(`${seen} `)) return seen;
    const hash = createHash("sha256");
    // No more than it had, should it still grow.
    if (status.size > 0) await pipeline(createReadStream(file, { end: status.size - 1 }), hash);
    return `${seen} ${hash.digest("hex")}`;
  } catch (error) {
    return `unreadable ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** The paths whose state differs, in order; those that are in one of the two only among them. */
export function changedPaths(before: Hashes, after: Hashes): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}

/** `~/…` with the home in its place. */
export function expandHome(pattern: string, home: string): string {
  return pattern.startsWith("~/") ? join(home, pattern.slice(2)) : pattern;
}

/** What a pattern says before its first wildcard, to the last whole folder: all that it can match lies in there. */
export function fixedPart(pattern: string): string {
  const { base, isGlob } = picomatch.scan(pattern);
  return isGlob ? base : pattern;
}

/** The files that absolute patterns match now, sorted; a star matches names with a dot, too. No link is followed. */
export async function matchingFiles(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const matches = picomatch(pattern, { dot: true, nonegate: true });
    for (const file of await filesBelow(fixedPart(pattern))) if (file === pattern || matches(file)) found.add(file);
  }
  return [...found].toSorted();
}

/** The path itself where it is no folder, else every file below it; none where there is nothing. */
export async function filesBelow(path: string): Promise<string[]> {
  const status = await lstat(path).catch(() => null);
  if (status === null) return [];
  if (!status.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
