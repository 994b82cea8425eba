/** The end of a command's folder. Always: it answers. What can't be removed costs a little disk, and no proposal that was paid for. */
import { constants } from "node:fs";
import { open, readdir, rm } from "node:fs/promises";
import path from "node:path";

/** Removes a folder with all that is in it, as far as the bot's user can. */
export async function clearAway(dir: string): Promise<void> {
  // What got away from the command's group may still be writing.
  const remove = () => rm(dir, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 });
  const insist = async () => {
    await openUp(dir);
    await remove();
  };
  await remove()
    .catch(insist)
    .catch(() => {});
}

/** Makes the folders writable for their owner: Go's module cache, say, is not. No link is followed: what one leads to is not ours. */
async function openUp(dir: string): Promise<void> {
  try {
    const handle = await open(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await handle.chmod(0o700);
    } finally {
      await handle.close();
    }
    for (const entry of await readdir(dir, { withFileTypes: true }))
      if (entry.isDirectory()) await openUp(path.join(dir, entry.name));
  } catch {
    // It is another user's, or gone: the others may be ours.
  }
}
