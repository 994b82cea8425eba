/** The merge button: a merge commit or a squash, made by git, with the statuses and sentences of GitHub. */
import { ApiError } from "./answer.ts";
import { signatureOf } from "./author.ts";
import { doerOf } from "./core.ts";
import type { PullRequest } from "./entities.ts";
import { fullName } from "./finders.ts";
import { freshPull, markMerged } from "./pull-changes.ts";
import { moveRefs } from "./ref-changes.ts";
import type { RepoCall } from "./route.ts";
import { checkWorkflows } from "./workflow-guard.ts";

export type MergeWish = {
  readonly commit_title?: string | undefined;
  readonly commit_message?: string | undefined;
  readonly sha?: string | undefined;
  readonly merge_method: "merge" | "squash" | "rebase";
};

/** Merges (inside `core.alone`) and gives the new commit. 405: can't be merged; 409: the head is another. */
export async function mergePull(call: RepoCall, pull: PullRequest, wish: MergeWish): Promise<string> {
  const { core, repo, git } = call;
  const doer = doerOf(call.actor);
  const { head, headSha, base } = pull.pull;
  const tip = git.branch(base);
  if (pull.state === "closed" || pull.pull.draft || tip === null)
    throw new ApiError(405, "Pull Request is not mergeable");
  if (wish.sha !== undefined && wish.sha !== headSha) {
    throw new ApiError(409, "Head branch was modified. Review and try the merge again.");
  }
  if (wish.merge_method === "rebase") throw new ApiError(405, "Rebase merges are not allowed on this repository.");
  const tree = await git.mergeTree(tip, headSha);
  if (tree === null) throw new ApiError(405, "Pull Request is not mergeable");
  const squash = wish.merge_method === "squash";
  const owner = fullName(core.store, repo).split("/")[0]!;
  const title =
    wish.commit_title ??
    (squash ? `${pull.title} (#${pull.number})` : `Merge pull request #${pull.number} from ${owner}/${head}`);
  const text = wish.commit_message ?? (squash ? await subjects(call, pull) : pull.title);
  const author = signatureOf(call, undefined);
  const sha = await git.writeCommit({
    tree,
    parents: squash ? [tip] : [tip, headSha],
    author,
    committer: author,
    message: text === "" ? title : `${title}\n\n${text}`,
  });
  const change = { ref: `refs/heads/${base}`, before: tip, after: sha };
  await checkWorkflows(call, change);
  if (!(await moveRefs(core, repo, [change], doer))) {
    throw new ApiError(405, "Base branch was modified. Review and try the merge again.");
  }
  // A merge commit has carried the head in; a squash has not, and is marked by hand.
  const now = freshPull(core, pull);
  if (now.pull.mergedAt === null) markMerged(core, repo, now, sha, doer);
  return sha;
}

async function subjects(call: RepoCall, pull: PullRequest): Promise<string> {
  const ids = await call.git.commitsBetween(pull.pull.baseSha, pull.pull.headSha);
  const lines = await Promise.all(ids.map(async (id) => (await call.git.commit(id))?.message.split("\n", 1)[0] ?? ""));
  return lines.length > 1 ? lines.map((line) => `* ${line}`).join("\n\n") : "";
}
