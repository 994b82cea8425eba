/** What is done to a repository as a whole: another name, another default branch, no more writing. */
import { unprocessable, validationFailed } from "./answer.ts";
import { type Core, type Doer, timestamp } from "./core.ts";
import type { Repository } from "./entities.ts";
import { findRepository, openPullsOf, repositoryOf, userOf } from "./finders.ts";
import { followRefs } from "./ref-changes.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { shapeUserById } from "./shapes/user.ts";

export type RepositoryEdit = {
  readonly name?: string | undefined;
  readonly archived?: boolean | undefined;
  readonly default_branch?: string | undefined;
};

export function editRepository(core: Core, repo: Repository, edit: RepositoryEdit, doer: Doer): Repository {
  const { name, archived, default_branch: branch } = edit;
  let edited = repo;
  const put = (change: Partial<Repository>, action: string, changes?: Record<string, unknown>) => {
    edited = core.store.put("repository", { ...edited, ...change, updatedAt: timestamp(core) });
    tell(core, edited, action, changes, doer);
  };
  if (name !== undefined && name !== repo.name) {
    const taken = findRepository(core.store, userOf(core.store, repo.ownerId).login, name);
    if (taken !== undefined && taken.id !== repo.id) {
      throw validationFailed({ resource: "Repository", field: "name", code: "custom", message: "name already exists" });
    }
    const formerNames = [...(repo.formerNames ?? []), repo.name.toLowerCase()].filter(
      (each) => each !== name.toLowerCase(),
    );
    put({ name, formerNames }, "renamed", { repository: { name: { from: repo.name } } });
  }
  if (branch !== undefined && branch !== repo.defaultBranch) {
    if (core.git(repo).branch(branch) === null) throw unprocessable(`The branch ${branch} was not found.`);
    put({ defaultBranch: branch }, "edited", { default_branch: { from: repo.defaultBranch } });
  }
  if (archived !== undefined && archived !== (repo.archived ?? false))
    put({ archived }, archived ? "archived" : "unarchived");
  return edited;
}

/** Gives a branch another name: pull requests into it follow, and so does the default branch. */
export async function renameBranch(core: Core, repo: Repository, from: string, to: string, doer: Doer): Promise<void> {
  const git = core.git(repo);
  await git.run(["update-ref", `refs/heads/${to}`, git.branch(from)!, ""]);
  for (const pull of openPullsOf(core.store, repo).filter((each) => each.pull.base === from)) {
    core.store.put("issue", { ...pull, pull: { ...pull.pull, base: to } });
  }
  if (repo.defaultBranch === from) {
    await git.run(["symbolic-ref", "HEAD", `refs/heads/${to}`]);
    await git.readRefs();
    editRepository(core, repositoryOf(core.store, repo.id), { default_branch: to }, doer);
  }
  await git.run(["update-ref", "-d", `refs/heads/${from}`]);
  await followRefs(core, repositoryOf(core.store, repo.id), doer);
}

function tell(
  core: Core,
  repo: Repository,
  action: string,
  changes: Record<string, unknown> | undefined,
  doer: Doer,
): void {
  core.webhooks.emit({
    event: "repository",
    action,
    repo,
    payload: () => ({
      action,
      ...(changes === undefined ? {} : { changes }),
      repository: shapeRepository(core, repo),
      sender: shapeUserById(core, doer.userId),
    }),
  });
}
