/** Ways to find rows by what people and URLs call them. */
import { ApiError, movedTo, notFound } from "./answer.ts";
import type { Issue, PullRequest, Repository, User } from "./entities.ts";
import { indexOf, type Store } from "./store.ts";

const usersByLogin = indexOf("user", (user) => user.login.toLowerCase());
const reposByName = indexOf("repository", (repo) => `${repo.ownerId}/${repo.name.toLowerCase()}`);
const issuesByNumber = indexOf("issue", (issue) => `${issue.repoId}#${issue.number}`);
const issuesByRepo = indexOf("issue", (issue) => String(issue.repoId));
const pullsByHead = indexOf("issue", (issue) => `${issue.pull?.forkId ?? issue.repoId}:${issue.pull?.head ?? ""}`);
const issuesByState = indexOf("issue", (issue) => `${issue.repoId}:${issue.state}`);
const openPulls = indexOf("issue", (issue) => `${issue.repoId}:${issue.pull !== null && issue.state === "open"}`);

export function findUser(store: Store, login: string): User | undefined {
  return store.one(usersByLogin, login.toLowerCase());
}

export function userOf(store: Store, id: number): User {
  const user = store.get("user", id);
  if (user === undefined) throw new Error(`no user ${id}`);
  return user;
}

export function findRepository(store: Store, owner: string, name: string): Repository | undefined {
  const account = findUser(store, owner);
  return account === undefined ? undefined : store.one(reposByName, `${account.id}/${name.toLowerCase()}`);
}

/** The repository that had this name once, and has another now. */
export function findRenamed(store: Store, owner: string, name: string): Repository | undefined {
  const account = findUser(store, owner);
  const former = name.toLowerCase();
  return store
    .all("repository")
    .find((repo) => repo.ownerId === account?.id && repo.formerNames?.includes(former) === true);
}

export function repositoryOf(store: Store, id: number): Repository {
  const repo = store.get("repository", id);
  if (repo === undefined) throw new Error(`no repository ${id}`);
  return repo;
}

/** `owner/name` */
export function fullName(store: Store, repo: Repository): string {
  return `${userOf(store, repo.ownerId).login}/${repo.name}`;
}

/** The issue or pull request of this number; 404 where there is none, 410 where it was deleted, 301 where it was moved. */
export function issueOf(store: Store, repo: Repository, number: number): Issue {
  const issue = store.one(issuesByNumber, `${repo.id}#${number}`);
  if (issue === undefined) throw notFound();
  if (issue.gone === undefined) return issue;
  const { to } = issue.gone;
  if (to === null) throw new ApiError(410, "This issue was deleted");
  throw movedTo(`/repos/${fullName(store, repositoryOf(store, to.repoId))}/issues/${to.number}`);
}

export function isPull(issue: Issue): issue is PullRequest {
  return issue.pull !== null;
}

/** The pull request of this number; 404 where there is none or it is a plain issue. */
export function pullOf(store: Store, repo: Repository, number: number): PullRequest {
  const issue = issueOf(store, repo, number);
  if (!isPull(issue)) throw notFound();
  return issue;
}

/** Issues and pull requests, oldest first. */
export function issuesOf(store: Store, repo: Repository): Issue[] {
  return store.by(issuesByRepo, String(repo.id)).filter((issue) => issue.gone === undefined);
}

export function openPullsOf(store: Store, repo: Repository): PullRequest[] {
  return store.by(openPulls, `${repo.id}:true`).filter(isPull);
}

/** Those of a branch of the repository; a fork's branch of that name is another one. */
export function pullsWithHead(store: Store, repo: Repository, branch: string): PullRequest[] {
  return store.by(pullsByHead, `${repo.id}:${branch}`).filter(isPull);
}

/** The next number of issues and pull requests: one sequence, and none is ever deleted. */
export function nextNumber(store: Store, repo: Repository): number {
  return store.count(issuesByRepo, String(repo.id)) + 1;
}

export function openIssueCount(store: Store, repo: Repository): number {
  return store.count(issuesByState, `${repo.id}:open`);
}
