/**
 * Refs move, and the world follows: webhooks, and what becomes of the pull requests on the branches.
 *
 * Always (called inside `core.alone`): git's compare-and-swap has the last word on every move. The world follows what git
 * says; a move that was made and not followed (the process died between) is followed at the next start.
 */
import { type Core, type Doer } from "./core.ts";
import type { Repository } from "./entities.ts";
import type { RefChange } from "./git-repository.ts";

/** Moves refs together, each only from its `before`; false where one was elsewhere, and then nothing has moved. */
export async function moveRefs(
  core: Core,
  repo: Repository,
  changes: readonly RefChange[],
  doer: Doer,
): Promise<boolean> {
  if (!(await core.git(repo).moveRefs(changes))) {
    await followRefs(core, repo, doer);
    return false;
  }
  await follow(core, repo, changes, doer);
  return true;
}

/** Reads the refs again and follows what moved: after a push, and after whatever else writes to the repository. */
export async function followRefs(core: Core, repo: Repository, doer: Doer): Promise<void> {
  await follow(core, repo, await core.git(repo).readRefs(), doer);
}

async function follow(core: Core, repo: Repository, changes: readonly RefChange[], _doer: Doer): Promise<void> {
  for (const change of changes) core.signals.emit("change", { kind: "ref", repoId: repo.id, ...change });
}
