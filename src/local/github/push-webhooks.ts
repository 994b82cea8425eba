/** The webhooks of refs: `push`, `create` and `delete`. */
import type { Core, Doer } from "./core.ts";
import { filesBetween } from "./differences.ts";
import type { Repository } from "./entities.ts";
import { userOf } from "./finders.ts";
import type { GitRepository, RefChange } from "./git-repository.ts";
import { noObject } from "./git-repository.ts";
import { repoWeb } from "./shapes/links.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { isoOf } from "./shapes/commit.ts";
import { shapeUser, shapeUserById } from "./shapes/user.ts";

/** Commits that a payload lists at most. */
const listed = 20;

/** Tells what is subscribed to this ref's move. */
export async function tellOfPush(core: Core, repo: Repository, change: RefChange, doer: Doer): Promise<void> {
  const match = /^refs\/(heads|tags)\/(.+)$/.exec(change.ref);
  if (match === null) return;
  const [, kind, name = ""] = match;
  const refType = kind === "heads" ? "branch" : "tag";
  const common = (): Record<string, unknown> => ({
    repository: shapeRepository(core, repo),
    sender: shapeUserById(core, doer.userId),
  });
  core.webhooks.emit({ event: "push", action: null, repo, payload: () => pushPayload(core, repo, change, doer) });
  if (change.before !== null && change.after !== null) return;
  const made = change.after !== null;
  core.webhooks.emit({
    event: made ? "create" : "delete",
    action: null,
    repo,
    payload: () => ({
      ref: name,
      ref_type: refType,
      ...(made ? { master_branch: repo.defaultBranch, description: repo.description } : {}),
      pusher_type: "user",
      ...common(),
    }),
  });
}

async function pushPayload(
  core: Core,
  repo: Repository,
  { ref, before, after }: RefChange,
  doer: Doer,
): Promise<Record<string, unknown>> {
  const git = core.git(repo);
  const user = userOf(core.store, doer.userId);
  const pusher = { name: user.login, email: `${user.id}+${user.login}@users.noreply.github.com` };
  const ids = await freshCommits(git, repo, before, after);
  const commits = await Promise.all(ids.slice(-listed).map((id) => shapePushCommit(core, repo, git, id)));
  const forced = before !== null && after !== null && !(await git.isAncestor(before, after));
  const owner = userOf(core.store, repo.ownerId);
  const shaped = shapeRepository(core, repo);
  const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000);
  return {
    ref,
    before: before ?? noObject,
    after: after ?? noObject,
    repository: {
      ...shaped,
      owner: { ...shapeUser(core, owner), name: owner.login, email: null },
      created_at: seconds(repo.createdAt),
      pushed_at: seconds(repo.pushedAt),
      stargazers: 0,
      master_branch: repo.defaultBranch,
    },
    pusher,
    sender: shapeUser(core, user),
    created: before === null,
    deleted: after === null,
    forced,
    base_ref: null,
    compare: `${repoWeb(core, repo)}/compare/${(before ?? noObject).slice(0, 12)}...${(after ?? noObject).slice(0, 12)}`,
    commits,
    head_commit: after === null ? null : await shapePushCommit(core, repo, git, after),
  };
}

/** Commits that came with this move; for a new branch, those that the default branch has not. */
async function freshCommits(
  git: GitRepository,
  repo: Repository,
  before: string | null,
  after: string | null,
): Promise<readonly string[]> {
  const from = before ?? git.branch(repo.defaultBranch);
  if (after === null || from === null) return [];
  return git.commitsBetween(from, after);
}

async function shapePushCommit(
  core: Core,
  repo: Repository,
  git: GitRepository,
  id: string,
): Promise<Record<string, unknown> | null> {
  const commit = await git.commit(id);
  if (commit === null) return null;
  const files = await filesBetween(git, commit.parents[0] ?? null, id);
  const pathsWith = (status: string): string[] => files.filter((one) => one.status === status).map((one) => one.path);
  return {
    id,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: isoOf(commit.committer.date),
    url: `${repoWeb(core, repo)}/commit/${id}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: pathsWith("added"),
    removed: pathsWith("removed"),
    modified: pathsWith("modified"),
  };
}
