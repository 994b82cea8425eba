/**
 * What the set-up made and the evaluation moves: after the training it must still be what it was, at its own place.
 *
 * Always: nothing is moved out of a folder that the candidate put a link in the place of, and nothing is moved that is not
 * the set-up's own.
 */
import { chmod, lstat, readdir, readlink, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Hashes } from "./protected-files.ts";

/**
 * Which file or folder stands at each path below the root: its device, its number and when it was made (another in its
 * place may be given its number). Of a link, which is read-only in no sandbox, its target's name. Through a link there is nothing.
 */
export async function identitiesOf(root: string, paths: readonly string[]): Promise<Hashes> {
  const identities = new Map<string, string>();
  for (const path of paths) identities.set(path, await identityOf(root, path));
  return identities;
}

async function identityOf(root: string, path: string): Promise<string> {
  for (const folder of wayTo(root, path)) {
    if ((await lstat(folder).catch(() => null))?.isDirectory() !== true) return "gone";
  }
  const status = await lstat(join(root, path), { bigint: true }).catch(() => null);
  if (status?.isSymbolicLink()) return `link ${await readlink(join(root, path)).catch(() => "gone")}`;
  return status === null ? "gone" : `${status.dev}:${status.ino} of ${status.birthtimeNs}`;
}

/** `a` and `a/b` of `a/b/c`. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === "." ? [] : [...foldersAbove(above), above];
}

/** The root, and what leads from there to the path. */
function wayTo(root: string, path: string): string[] {
  return [root, ...foldersAbove(path).map((folder) => join(root, folder))];
}

/** Takes back what the candidate did to the modes of the folders that paths are moved out of, and of those paths. */
export async function openForMoving(root: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    for (const folder of [...wayTo(root, path), join(root, path)]) await openFolder(folder);
  }
}

async function openFolder(folder: string): Promise<boolean> {
  const status = await lstat(folder).catch(() => null);
  if (status?.isDirectory() !== true) return false;
  if ((status.mode & 0o700) !== 0o700) await chmod(folder, status.mode | 0o700).catch(() => {});
  return true;
}

/** Removes a folder with all that is in it, also where the candidate closed folders of it. @throws where it can't be */
export async function removeAll(folder: string): Promise<void> {
  const remove = async () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    await remove();
  } catch {
    await openAll(folder);
    await remove();
  }
}

async function openAll(top: string): Promise<void> {
  const waiting = [top];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (!(await openFolder(folder))) continue;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) waiting.push(join(folder, entry.name));
  }
}
