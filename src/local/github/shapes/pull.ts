/** Bodies of pull requests. */
import type { Core } from "../core.ts";
import { pullFiles } from "../differences.ts";
import type { PullRequest, Repository } from "../entities.ts";
import { repositoryOf, userOf } from "../finders.ts";
import { indexOf } from "../store.ts";
import { authorAssociation, labelsOf, shapeLabel } from "./issue.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapeRepository } from "./repository.ts";
import { shapeUserById } from "./user.ts";

const commentsByIssue = indexOf("comment", (comment) => `${comment.repoId}#${comment.number}`);

/** The pull request as lists give it; nothing is asked of git. */
export function shapePullSimple(core: Core, repo: Repository, pull: PullRequest): Record<string, unknown> {
  const api = repoApi(core, repo);
  const url = `${api}/pulls/${pull.number}`;
  const issueUrl = `${api}/issues/${pull.number}`;
  const web = `${repoWeb(core, repo)}/pull/${pull.number}`;
  const { headSha } = pull.pull;
  return {
    url,
    id: pull.pull.id,
    node_id: nodeId("PullRequest", pull.pull.id),
    html_url: web,
    diff_url: `${web}.diff`,
    patch_url: `${web}.patch`,
    issue_url: issueUrl,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: shapeUserById(core, pull.userId),
    body: pull.body,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.pull.mergedAt,
    merge_commit_sha: pull.pull.mergeCommitSha,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    // The description has a label's text here never null, other than for labels elsewhere.
    labels: labelsOf(core, pull).map((label) =>
      shapeLabel(core, repo, { ...label, description: label.description ?? "" }),
    ),
    milestone: null,
    draft: pull.pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: `${api}/statuses/${headSha}`,
    head: shapeSide(core, headRepo(core, repo, pull), pull.pull.head, headSha),
    base: shapeSide(core, repo, pull.pull.base, pull.pull.baseSha),
    _links: {
      self: { href: url },
      html: { href: web },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: `${api}/statuses/${headSha}` },
    },
    author_association: authorAssociation(core, repo, pull.userId),
    auto_merge: null,
    active_lock_reason: null,
  };
}

function headRepo(core: Core, repo: Repository, { pull: { forkId } }: PullRequest): Repository {
  return forkId === undefined ? repo : repositoryOf(core.store, forkId);
}

function shapeSide(core: Core, repo: Repository, branch: string, sha: string): Record<string, unknown> {
  return {
    label: `${userOf(core.store, repo.ownerId).login}:${branch}`,
    ref: branch,
    sha,
    user: shapeUserById(core, repo.ownerId),
    repo: shapeRepository(core, repo),
  };
}

/** The whole pull request: git says what it changes and whether it can be merged. */
export async function shapePull(core: Core, repo: Repository, pull: PullRequest): Promise<Record<string, unknown>> {
  const simple = shapePullSimple(core, repo, pull);
  const git = core.git(repo);
  const { headSha, baseSha, mergedAt, mergedById, base } = pull.pull;
  const files = await pullFiles(git, baseSha, headSha);
  const commits = await git.commitsBetween(baseSha, headSha);
  const tip = git.branch(base);
  const mergeable = pull.state === "closed" || tip === null ? null : (await git.mergeTree(tip, headSha)) !== null;
  return {
    ...simple,
    merged: mergedAt !== null,
    mergeable,
    rebaseable: mergeable === null ? null : false,
    mergeable_state: mergeable === null ? "unknown" : mergeable ? "clean" : "dirty",
    merged_by: mergedById === null ? null : shapeUserById(core, mergedById),
    comments: core.store.count(commentsByIssue, `${repo.id}#${pull.number}`),
    review_comments: 0,
    maintainer_can_modify: false,
    commits: commits.length,
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    changed_files: files.length,
  };
}

/** The few facts of a pull request that checks and runs carry. */
export function shapePullMinimal(core: Core, repo: Repository, pull: PullRequest): Record<string, unknown> {
  const brief = { id: repo.id, url: repoApi(core, repo), name: repo.name };
  return {
    url: `${brief.url}/pulls/${pull.number}`,
    id: pull.pull.id,
    number: pull.number,
    head: { ref: pull.pull.head, sha: pull.pull.headSha, repo: brief },
    base: { ref: pull.pull.base, sha: pull.pull.baseSha, repo: brief },
  };
}
