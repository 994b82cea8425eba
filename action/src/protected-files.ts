/** Hashes of the files that a candidate may not change, taken before and after it ran. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export type Hashes = ReadonlyMap<string, string>;

/** The state of each path: kind, executable bit and SHA-256 of the content. A link is its target's name, not the target. */
export async function hashFiles(root: string, paths: readonly string[]): Promise<Hashes> {
  const hashes = new Map<string, string>();
  for (const path of paths) hashes.set(path, await stateOf(join(root, path)));
  return hashes;
}

async function stateOf(file: string): Promise<string> {
  try {
    const status = await lstat(file);
    if (status.isSymbolicLink()) return `link ${await readlink(file)}`;
    if (!status.isFile()) return status.isDirectory() ? "folder" : "special";
    const hash = createHash("sha256");
    await pipeline(createReadStream(file), hash);
    return `file ${status.mode & 0o111 ? "x" : "-"} ${hash.digest("hex")}`;
  } catch (error) {
    return `unreadable ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** The paths whose state differs, in order. */
export function changedPaths(before: Hashes, after: Hashes): string[] {
  return [...before.keys()].filter((path) => before.get(path) !== after.get(path));
}
