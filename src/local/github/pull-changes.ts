/**
 * What is done to pull requests. Called inside `core.alone` where refs matter, so that a branch does not move between the
 * look and the deed.
 *
 * Always: `refs/pull/N/head` keeps the head reachable when its branch is gone, or is a fork's. A fork is a repository of
 * this name that shares history; what is pushed to it after a pull request was opened is not followed.
 */
import { validationFailed } from "./answer.ts";
import { type Core, type Doer, timestamp } from "./core.ts";
import type { Issue, PullPart, PullRequest, Repository } from "./entities.ts";
import { findRepository, isPull, nextNumber, pullsWithHead, userOf } from "./finders.ts";
import { noteEvent, tellOfIssue } from "./issue-changes.ts";

export type NewPull = {
  readonly title: string;
  readonly body: string | null;
  /** A branch, also as `owner:branch`. */
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
};

function refusal(message: string, field?: string): Error {
  return validationFailed({
    resource: "PullRequest",
    ...(field === undefined ? {} : { field }),
    code: "custom",
    message,
  });
}

/** Opens a pull request; 422 as GitHub says it. */
export async function openPull(core: Core, repo: Repository, wanted: NewPull, doer: Doer): Promise<PullRequest> {
  const git = core.git(repo);
  const head = await headOf(core, repo, wanted.head);
  const baseSha = git.branch(wanted.base);
  if (head === null) throw validationFailed({ resource: "PullRequest", field: "head", code: "invalid" });
  const { source, branch, headSha } = head;
  if (baseSha === null) throw validationFailed({ resource: "PullRequest", field: "base", code: "invalid" });
  const twin = pullsWithHead(core.store, source, branch).some(
    (pull) => pull.state === "open" && pull.repoId === repo.id && pull.pull.base === wanted.base,
  );
  if (twin) throw refusal(`A pull request already exists for ${userOf(core.store, source.ownerId).login}:${branch}.`);
  if ((await git.commitsBetween(baseSha, headSha)).length === 0) {
    throw refusal(`No commits between ${wanted.base} and ${branch}`);
  }
  const pullId = core.store.nextId();
  const number = nextNumber(core.store, repo);
  // The ref may be there from a process that died before it wrote the row.
  const ref = `refs/pull/${number}/head`;
  await git.moveRefs([{ ref, before: git.refs.get(ref) ?? null, after: headSha }]);
  const now = timestamp(core);
  const issue = core.store.put("issue", {
    id: core.store.nextId(),
    repoId: repo.id,
    number,
    title: wanted.title,
    body: wanted.body,
    state: "open",
    stateReason: null,
    userId: doer.userId,
    appId: doer.appId,
    labelIds: [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedById: null,
    pull: {
      id: pullId,
      head: branch,
      ...(source.id === repo.id ? {} : { forkId: source.id }),
      headSha,
      base: wanted.base,
      baseSha,
      draft: wanted.draft,
      mergedAt: null,
      mergedById: null,
      mergeCommitSha: null,
    },
  }) as PullRequest;
  tellOfIssue(core, repo, issue, { action: "opened", doer });
  return issue;
}

type Head = { readonly source: Repository; readonly branch: string; readonly headSha: string };

/** The branch that is meant by its name, also as `owner:branch`; the objects of a fork's are fetched. */
async function headOf(core: Core, repo: Repository, wanted: string): Promise<Head | null> {
  const colon = wanted.indexOf(":");
  const branch = wanted.slice(colon + 1);
  const source = colon === -1 ? repo : findRepository(core.store, wanted.slice(0, colon), repo.name);
  const headSha = source === undefined ? null : core.git(source).branch(branch);
  if (source === undefined || headSha === null) return null;
  const { directory } = core.git(source);
  const fetch = ["fetch", "--quiet", "--no-write-fetch-head", directory, `refs/heads/${branch}`];
  if (source.id !== repo.id) await core.git(repo).run(fetch);
  return { source, branch, headSha };
}

function withPull(core: Core, pull: PullRequest, part: Partial<PullPart>, rest: Partial<Issue>): PullRequest {
  const changed = { ...pull, ...rest, updatedAt: timestamp(core), pull: { ...pull.pull, ...part } };
  return core.store.put("issue", changed) as PullRequest;
}

/** Closes without merging. */
export function closePull(core: Core, repo: Repository, pull: PullRequest, doer: Doer): PullRequest {
  if (pull.state === "closed") return pull;
  const closed = withPull(core, pull, {}, { state: "closed", closedAt: timestamp(core), closedById: doer.userId });
  noteEvent(core, closed, doer, { event: "closed" });
  tellOfIssue(core, repo, closed, { action: "closed", doer });
  return closed;
}

/** Opens a closed one again; 422 where its branch is gone or was rewritten, or another took its place. */
export async function reopenPull(core: Core, repo: Repository, pull: PullRequest, doer: Doer): Promise<PullRequest> {
  if (pull.state === "open") return pull;
  const git = core.git(repo);
  const { head, base, headSha } = pull.pull;
  const no = (why: string): Error => refusal(`state cannot be changed. ${why}`, "state");
  if (pull.pull.mergedAt !== null) throw no("The pull request cannot be reopened.");
  const tip = pull.pull.forkId === undefined ? git.branch(head) : headSha;
  if (tip === null) throw no(`The ${head} branch has been deleted.`);
  if (git.branch(base) === null) throw no(`The ${base} branch has been deleted.`);
  if (!(await git.isAncestor(headSha, tip))) throw no(`The ${head} branch was force-pushed or recreated.`);
  const twin = pullsWithHead(core.store, repo, head).some((one) => one.state === "open" && one.pull.base === base);
  if (twin) throw no(`There is already an open pull request from ${head} to ${base}.`);
  const opened = withPull(core, pull, { headSha: tip }, { state: "open", closedAt: null, closedById: null });
  noteEvent(core, opened, doer, { event: "reopened" });
  tellOfIssue(core, repo, opened, { action: "reopened", doer });
  return opened;
}

/** Says that the head is in the base now: through the merge button, or because somebody's push carried it there. */
export function markMerged(
  core: Core,
  repo: Repository,
  pull: PullRequest,
  mergeCommitSha: string,
  doer: Doer,
): PullRequest {
  const now = timestamp(core);
  const merged = withPull(
    core,
    pull,
    { mergedAt: now, mergedById: doer.userId, mergeCommitSha },
    { state: "closed", closedAt: now, closedById: doer.userId },
  );
  noteEvent(core, merged, doer, { event: "merged", commitSha: mergeCommitSha });
  noteEvent(core, merged, doer, { event: "closed", commitSha: mergeCommitSha });
  tellOfIssue(core, repo, merged, { action: "closed", doer });
  return merged;
}

/** The head branch has moved: `synchronize`. */
export async function synchronizePull(
  core: Core,
  repo: Repository,
  pull: PullRequest,
  headSha: string,
  doer: Doer,
): Promise<PullRequest> {
  const git = core.git(repo);
  const before = pull.pull.headSha;
  const ref = `refs/pull/${pull.number}/head`;
  await git.moveRefs([{ ref, before: git.refs.get(ref) ?? null, after: headSha }]);
  const moved = withPull(core, pull, { headSha, baseSha: git.branch(pull.pull.base) ?? pull.pull.baseSha }, {});
  tellOfIssue(core, repo, moved, { action: "synchronize", doer, more: { before, after: headSha } });
  return moved;
}

/** Points the pull request at another base. */
export async function retargetPull(
  core: Core,
  repo: Repository,
  pull: PullRequest,
  base: string,
  doer: Doer,
): Promise<PullRequest> {
  if (base === pull.pull.base) return pull;
  const git = core.git(repo);
  const baseSha = git.branch(base);
  if (baseSha === null) throw validationFailed({ resource: "PullRequest", field: "base", code: "invalid" });
  if ((await git.commitsBetween(baseSha, pull.pull.headSha)).length === 0) {
    throw refusal(`There are no new commits between base branch '${base}' and head branch '${pull.pull.head}'`, "base");
  }
  const changes = { base: { ref: { from: pull.pull.base }, sha: { from: pull.pull.baseSha } } };
  const moved = withPull(core, pull, { base, baseSha }, {});
  tellOfIssue(core, repo, moved, { action: "edited", doer, more: { changes } });
  return moved;
}

/** The pull request's row as it is now. */
export function freshPull(core: Core, pull: PullRequest): PullRequest {
  const now = core.store.get("issue", pull.id);
  return now !== undefined && isPull(now) ? now : pull;
}
