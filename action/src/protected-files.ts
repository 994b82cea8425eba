/** Hashes of the files that a candidate may not change, taken before and after it ran. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, realpath, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { pipeline } from "node:stream/promises";
import picomatch from "picomatch";

/** State by path: relative to the checkout, or absolute for a file outside. */
export type Hashes = ReadonlyMap<string, string>;

/**
 * The state of each path: kind, executable bit, size and SHA-256 of the content. A link in the checkout is its target's name,
 * not the target, which is hashed by its own; one outside is both, because nobody else looks at what it leads to.
 * @param before the state that they had: a file of another size has changed, and is not read (it may be as large as a disk)
 */
export async function hashFiles(root: string, paths: readonly string[], before?: Hashes): Promise<Hashes> {
  const hashes = new Map<string, string>();
  // Of a cache many names may lead to one large file.
  const seen = new Map<string, string>();
  for (const path of paths) {
    const earlier = before && (before.get(path) ?? "");
    hashes.set(path, isAbsolute(path) ? await endOf(path, seen, earlier) : await stateOf(join(root, path), earlier));
  }
  return hashes;
}

async function endOf(file: string, seen: Map<string, string>, earlier: string | undefined): Promise<string> {
  const real = await realpath(file).catch(() => file);
  const name = await readlink(file).catch(() => null);
  const prefix = name === null ? "" : `link ${name} to `;
  // Where it leads elsewhere now, what it led to says nothing of the size.
  const state = earlier?.startsWith(prefix) === false ? "" : earlier?.slice(prefix.length);
  if (!seen.has(real)) seen.set(real, await stateOf(real, state));
  return `${prefix}${seen.get(real)!}`;
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

/**
 * The files that absolute patterns match now, by the names that match, sorted; a star matches names with a dot, too, and a
 * folder is all that is in it. Links are followed: a cache may be one, and in a cache links may lead to the content.
 */
export async function matchingFiles(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const exact = pattern.replace(/\/+$/, "");
    const matches = picomatch(pattern, { dot: true, nonegate: true });
    const isInside = fixedPart(pattern) === pattern ? (file: string) => file.startsWith(`${exact}/`) : () => false;
    for (const { path } of await filesThrough(fixedPart(exact))) {
      if (path === exact || matches(path) || isInside(path)) found.add(path);
    }
  }
  return [...found].toSorted();
}

export type Found = {
  readonly path: string;
  /** It is a link, or was come to by one. */
  readonly isLinked: boolean;
};

/** Every file below the path, or the path itself; a folder that a link leads back into is not entered again. */
export async function filesThrough(path: string): Promise<Found[]> {
  const found: Found[] = [];
  const look = async (file: string, isLinked: boolean, above: readonly string[]): Promise<void> => {
    const status = await stat(file).catch(() => null);
    const id = `${status?.dev} ${status?.ino}`;
    if (!status?.isDirectory() || above.includes(id)) return void found.push({ path: file, isLinked });
    for (const entry of await readdir(file, { withFileTypes: true }).catch(() => [])) {
      const inside = join(file, entry.name);
      const isAlsoLinked = isLinked || entry.isSymbolicLink();
      if (entry.isDirectory() || entry.isSymbolicLink()) await look(inside, isAlsoLinked, [...above, id]);
      else found.push({ path: inside, isLinked });
    }
  };
  const start = await lstat(path).catch(() => null);
  if (start !== null) await look(path, start.isSymbolicLink(), []);
  return found;
}

/** The path itself where it is no folder, else every file below it; none where there is nothing. No link is followed. */
export async function filesBelow(path: string): Promise<string[]> {
  const status = await lstat(path).catch(() => null);
  if (status === null) return [];
  if (!status.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
