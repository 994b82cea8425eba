/** Bodies of repositories. */
import { type CollaboratorPermission, type Repository } from "../entities.ts";
import type { Core } from "../core.ts";
import { fullName, openIssueCount, userOf } from "../finders.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapeUser } from "./user.ts";

/** Templates of addresses below the repository's own: name of the field → rest of the address. */
const addresses: Readonly<Record<string, string>> = {
  archive_url: "/{archive_format}{/ref}",
  assignees_url: "/assignees{/user}",
  blobs_url: "/git/blobs{/sha}",
  branches_url: "/branches{/branch}",
  collaborators_url: "/collaborators{/collaborator}",
  comments_url: "/comments{/number}",
  commits_url: "/commits{/sha}",
  compare_url: "/compare/{base}...{head}",
  contents_url: "/contents/{+path}",
  contributors_url: "/contributors",
  deployments_url: "/deployments",
  downloads_url: "/downloads",
  events_url: "/events",
  forks_url: "/forks",
  git_commits_url: "/git/commits{/sha}",
  git_refs_url: "/git/refs{/sha}",
  git_tags_url: "/git/tags{/sha}",
  hooks_url: "/hooks",
  issue_comment_url: "/issues/comments{/number}",
  issue_events_url: "/issues/events{/number}",
  issues_url: "/issues{/number}",
  keys_url: "/keys{/key_id}",
  labels_url: "/labels{/name}",
  languages_url: "/languages",
  merges_url: "/merges",
  milestones_url: "/milestones{/number}",
  notifications_url: "/notifications{?since,all,participating}",
  pulls_url: "/pulls{/number}",
  releases_url: "/releases{/id}",
  stargazers_url: "/stargazers",
  statuses_url: "/statuses/{sha}",
  subscribers_url: "/subscribers",
  subscription_url: "/subscription",
  tags_url: "/tags",
  teams_url: "/teams",
  trees_url: "/git/trees{/sha}",
};

const shaped = new WeakMap<Repository, { openIssues: number; body: Record<string, unknown> }>();

/** The repository as other bodies hold it; twice in every pull request, so it is kept while nothing in it changes. */
export function shapeRepository(core: Core, repo: Repository): Record<string, unknown> {
  const openIssues = openIssueCount(core.store, repo);
  const known = shaped.get(repo);
  if (known?.openIssues === openIssues) return known.body;
  const body = shapeAfresh(core, repo, openIssues);
  shaped.set(repo, { openIssues, body });
  return body;
}

function shapeAfresh(core: Core, repo: Repository, openIssues: number): Record<string, unknown> {
  const api = repoApi(core, repo);
  const web = repoWeb(core, repo);
  return {
    id: repo.id,
    node_id: nodeId("Repository", repo.id),
    name: repo.name,
    full_name: fullName(core.store, repo),
    private: repo.private,
    owner: shapeUser(core, userOf(core.store, repo.ownerId)),
    html_url: web,
    description: repo.description,
    fork: false,
    url: api,
    ...Object.fromEntries(Object.entries(addresses).map(([name, rest]) => [name, `${api}${rest}`])),
    created_at: repo.createdAt,
    updated_at: repo.updatedAt,
    pushed_at: repo.pushedAt,
    git_url: `git:${web.replace(/^https?:/, "")}.git`,
    ssh_url: `git@${web.replace(/^https?:\/\//, "")}.git`,
    clone_url: `${web}.git`,
    svn_url: web,
    homepage: null,
    size: 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    has_pull_requests: true,
    pull_request_creation_policy: "all",
    forks_count: 0,
    mirror_url: null,
    archived: repo.archived ?? false,
    disabled: false,
    open_issues_count: openIssues,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repo.private ? "private" : "public",
    forks: 0,
    open_issues: openIssues,
    watchers: 0,
    default_branch: repo.defaultBranch,
  };
}

/** What `GET /repos/{owner}/{repo}` gives. */
export function shapeFullRepository(
  core: Core,
  repo: Repository,
  role: CollaboratorPermission,
): Record<string, unknown> {
  return {
    ...shapeRepository(core, repo),
    temp_clone_token: null,
    permissions: shapeRole(role),
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: false,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    allow_update_branch: false,
    use_squash_pr_title_as_default: false,
    squash_merge_commit_message: "COMMIT_MESSAGES",
    squash_merge_commit_title: "COMMIT_OR_PR_TITLE",
    merge_commit_message: "PR_TITLE",
    merge_commit_title: "MERGE_MESSAGE",
    network_count: 0,
    subscribers_count: 0,
  };
}

export function shapeRole(role: CollaboratorPermission): Record<string, boolean> {
  const order: readonly CollaboratorPermission[] = ["none", "read", "triage", "write", "maintain", "admin"];
  const has = (least: CollaboratorPermission): boolean => order.indexOf(role) >= order.indexOf(least);
  return {
    admin: has("admin"),
    maintain: has("maintain"),
    push: has("write"),
    triage: has("triage"),
    pull: has("read"),
  };
}
