/**
 * Refs move, and the world follows: webhooks, and what becomes of the pull requests on the branches.
 *
 * Always (called inside `core.alone`): git's compare-and-swap has the last word on every move. The world follows what git
 * says; a move that was made and not followed (the process died between) is followed at the next start.
 * Race "a push and an API call move the same ref": git refuses the second; who lost reads the refs again.
 */
import type { Core, Doer } from "./core.ts";
import { timestamp } from "./core.ts";
import type { PullRequest, Repository } from "./entities.ts";
import { openPullsOf, repositoryOf } from "./finders.ts";
import type { RefChange } from "./git-repository.ts";
import { closePull, freshPull, markMerged, synchronizePull } from "./pull-changes.ts";
import { tellOfPush } from "./push-webhooks.ts";

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

/**
 * Follows what moved while no process served the repository: heads of open pull requests that are elsewhere now, and
 * merges that were not marked.
 */
export async function followWhileAway(core: Core, repo: Repository): Promise<void> {
  const git = core.git(repo);
  await git.readRefs();
  for (const pull of openPullsOf(core.store, repo)) {
    const doer = { userId: pull.userId, appId: pull.appId };
    const { head, headSha, base } = pull.pull;
    const baseTip = git.branch(base);
    if (baseTip !== null && (await git.isAncestor(headSha, baseTip))) {
      markMerged(core, repo, pull, await mergingCommit(core, repo, null, baseTip, headSha), doer);
      continue;
    }
    const after = pull.pull.forkId === undefined ? git.branch(head) : headSha;
    await followHead(core, repo, pull, { before: headSha, after }, doer);
    if (baseTip === null) closePull(core, repo, freshPull(core, pull), doer);
  }
}

async function follow(core: Core, repo: Repository, changes: readonly RefChange[], doer: Doer): Promise<void> {
  const told = changes.filter(({ ref }) => !ref.startsWith("refs/pull/"));
  if (told.length === 0) return;
  const now = timestamp(core);
  const row = core.store.put("repository", { ...repositoryOf(core.store, repo.id), pushedAt: now, updatedAt: now });
  for (const change of told) {
    core.signals.emit("change", { kind: "ref", repoId: repo.id, ...change });
    await tellOfPush(core, row, change, doer);
  }
  // Merges first: a push that moves the base and deletes the head has merged, not abandoned.
  for (const change of told) await followBase(core, row, change, doer);
  for (const pull of openPullsOf(core.store, row).filter((each) => each.pull.forkId === undefined)) {
    const change = told.find(({ ref }) => ref === `refs/heads/${pull.pull.head}`);
    if (change !== undefined) await followHead(core, row, pull, change, doer);
  }
}

/** What becomes of the open pull requests into a branch that moved. */
async function followBase(core: Core, repo: Repository, change: RefChange, doer: Doer): Promise<void> {
  const pulls = openPullsOf(core.store, repo).filter(({ pull }) => `refs/heads/${pull.base}` === change.ref);
  if (pulls.length === 0) return;
  if (change.after === null) {
    // Deleting a base branch through git or the API closes what was to go into it.
    for (const pull of pulls) closePull(core, repo, pull, doer);
    return;
  }
  for (const pull of pulls) {
    const { headSha } = pull.pull;
    if (!(await core.git(repo).isAncestor(headSha, change.after))) continue;
    markMerged(core, repo, pull, await mergingCommit(core, repo, change.before, change.after, headSha), doer);
  }
}

async function followHead(
  core: Core,
  repo: Repository,
  pull: PullRequest,
  change: { readonly before: string | null; readonly after: string | null },
  doer: Doer,
): Promise<void> {
  if (change.after === pull.pull.headSha) return;
  if (change.after === null) {
    closePull(core, repo, pull, doer);
    return;
  }
  const moved = await synchronizePull(core, repo, pull, change.after, doer);
  const baseTip = core.git(repo).branch(pull.pull.base);
  // A head that was reset into its base has nothing left to merge: GitHub closes it.
  if (baseTip !== null && (await core.git(repo).isAncestor(change.after, baseTip))) closePull(core, repo, moved, doer);
}

/** The commit on the base that brought the head in: the merge that has it as a parent, or the head itself. */
async function mergingCommit(
  core: Core,
  repo: Repository,
  before: string | null,
  after: string,
  head: string,
): Promise<string> {
  const git = core.git(repo);
  const tip = await git.commit(after);
  if (tip?.parents.includes(head) === true) return after;
  const range = before === null ? [after] : [after, `^${before}`];
  const lines = (await git.run(["rev-list", "--parents", ...range])).split("\n");
  return lines.find((line) => line.slice(41).split(" ").includes(head))?.slice(0, 40) ?? head;
}
