/** Bodies of commits, trees, refs, files and differences. */
import type { Core } from "../core.ts";
import type { Repository } from "../entities.ts";
import { findUser } from "../finders.ts";
import type { FileDifference } from "../differences.ts";
import type { Commit, Signature } from "../git-forms.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapeUser } from "./user.ts";

const unsigned = { verified: false, reason: "unsigned", signature: null, payload: null, verified_at: null };

export function isoOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

function shapeSignature(who: Signature): Record<string, unknown> {
  return { name: who.name, email: who.email, date: isoOf(who.date) };
}

export function shapeRef(
  core: Core,
  repo: Repository,
  ref: string,
  object: { readonly sha: string; readonly type: string },
): Record<string, unknown> {
  const api = `${repoApi(core, repo)}/git`;
  return {
    ref,
    node_id: nodeId("Ref", `${repo.id}:${ref}`),
    url: `${api}/${ref}`,
    object: { sha: object.sha, type: object.type, url: `${api}/${object.type}s/${object.sha}` },
  };
}

/** The commit as the git data routes give it. */
export function shapeGitCommit(core: Core, repo: Repository, sha: string, commit: Commit): Record<string, unknown> {
  const api = `${repoApi(core, repo)}/git`;
  const web = repoWeb(core, repo);
  return {
    sha,
    node_id: nodeId("Commit", `${repo.id}:${sha}`),
    url: `${api}/commits/${sha}`,
    html_url: `${web}/commit/${sha}`,
    author: shapeSignature(commit.author),
    committer: shapeSignature(commit.committer),
    tree: { url: `${api}/trees/${commit.tree}`, sha: commit.tree },
    message: commit.message,
    parents: commit.parents.map((id) => ({ url: `${api}/commits/${id}`, sha: id, html_url: `${web}/commit/${id}` })),
    verification: unsigned,
  };
}

/** The commit as the commits routes give it. */
export function shapeCommit(core: Core, repo: Repository, sha: string, commit: Commit): Record<string, unknown> {
  const api = repoApi(core, repo);
  const web = repoWeb(core, repo);
  return {
    sha,
    node_id: nodeId("Commit", `${repo.id}:${sha}`),
    commit: {
      author: shapeSignature(commit.author),
      committer: shapeSignature(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      url: `${api}/git/commits/${sha}`,
      comment_count: 0,
      verification: unsigned,
    },
    url: `${api}/commits/${sha}`,
    html_url: `${web}/commit/${sha}`,
    comments_url: `${api}/commits/${sha}/comments`,
    author: shapeAccountOf(core, commit.author),
    committer: shapeAccountOf(core, commit.committer),
    parents: commit.parents.map((id) => ({ sha: id, url: `${api}/commits/${id}`, html_url: `${web}/commit/${id}` })),
  };
}

/** The account behind `123+login@users.noreply.github.com`, as GitHub finds it; null for another address. */
function shapeAccountOf(core: Core, who: Signature): Record<string, unknown> | null {
  const login = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(who.email)?.[1];
  const user = login === undefined ? undefined : findUser(core.store, login);
  return user === undefined ? null : shapeUser(core, user);
}

/** The address that GitHub gives an account's commits. */
export function noReplyAddress(user: { readonly id: number; readonly login: string }): string {
  return `${user.id}+${user.login}@users.noreply.github.com`;
}

/** A changed file, between any two commits of which `at` is the newer. */
export function shapeFile(core: Core, repo: Repository, at: string, file: FileDifference): Record<string, unknown> {
  const path = encodeURI(file.path);
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${repoWeb(core, repo)}/blob/${at}/${path}`,
    raw_url: `${repoWeb(core, repo)}/raw/${at}/${path}`,
    contents_url: `${repoApi(core, repo)}/contents/${path}?ref=${at}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
  };
}
