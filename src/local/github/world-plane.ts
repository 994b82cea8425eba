/** The admin's plane with the core bound: what `LocalGitHub.world` is. */
import type { Core } from "./core.ts";
import type { CollaboratorPermission, Permissions, Repository, User } from "./entities.ts";
import { findRepository, issueOf } from "./finders.ts";
import { install, removeRepository, suspend, uninstall } from "./installing.ts";
import { deleteIssue, transferIssue } from "./issue-moves.ts";
import { renameBranch } from "./repository-changes.ts";
import { followRefs, followWhileAway } from "./ref-changes.ts";
import {
  askForRerun,
  type AppCredentials,
  createApp,
  createRepository,
  createUser,
  jobToken,
  type NewApp,
  type NewRepository,
  personalToken,
  pressButton,
  setPermission,
  setWebhookUrl,
} from "./world.ts";

export type World = {
  readonly createUser: (login: string, type?: User["type"]) => User;
  readonly createRepo: (wanted: NewRepository) => Promise<Repository>;
  readonly createApp: (wanted: NewApp) => AppCredentials;
  readonly setWebhookUrl: (appId: number, url: string | null) => void;
  /** Gives the id of the installation. `repo` is `owner/name`. */
  readonly install: (appId: number, repo: string) => number;
  /** Takes the repository away from the app's installation. */
  readonly removeFromInstallation: (appId: number, repo: string) => void;
  /** Removes the app from the account. */
  readonly uninstall: (appId: number, owner: string) => void;
  readonly suspend: (appId: number, owner: string, suspended: boolean) => void;
  /** Moves an issue to another repository; gives its number there. */
  readonly transferIssue: (repo: string, number: number, to: string, login: string) => number;
  readonly deleteIssue: (repo: string, number: number, login: string) => void;
  readonly renameBranch: (repo: string, from: string, to: string, login: string) => Promise<void>;
  readonly setPermission: (repo: string, login: string, permission: CollaboratorPermission) => void;
  readonly personalToken: (login: string) => string;
  /** A job's GITHUB_TOKEN. */
  readonly jobToken: (repo: string, permissions: Permissions) => string;
  /** Presses a button of a check: `check_run.requested_action` to the app that posted it. */
  readonly requestedAction: (checkRunId: number, identifier: string, login: string) => void;
  /** Asks for a check run once more: `check_run.rerequested` to the app that posted it. */
  readonly rerequested: (checkRunId: number, login: string) => void;
  /** The row of `owner/name`; throws where there is none. Its `directory` is the bare repository. */
  readonly repo: (name: string) => Repository;
  readonly hasRepo: (name: string) => boolean;
  /** Looks at the refs again, after something else than the API or a push wrote to the bare repository. */
  readonly followRefs: (repo: string, login: string) => Promise<void>;
};

/** Binds the core, and follows what moved in the repositories while no process served them. */
export async function worldOf(core: Core): Promise<World> {
  const repo = (name: string): Repository => {
    const found = find(core, name);
    if (found === undefined) throw new Error(`no repository ${name}`);
    return found;
  };
  const doer = (login: string) => ({ userId: createUser(core, login).id, appId: null });
  for (const row of core.store.all("repository")) await core.alone(row, () => followWhileAway(core, row));
  return {
    createUser: (login, type) => createUser(core, login, type),
    createRepo: (wanted) => createRepository(core, wanted),
    createApp: (wanted) => createApp(core, wanted),
    setWebhookUrl: (appId, url) => setWebhookUrl(core, appId, url),
    install: (appId, name) => install(core, appId, repo(name)),
    removeFromInstallation: (appId, name) => removeRepository(core, appId, repo(name)),
    uninstall: (appId, owner) => uninstall(core, appId, createUser(core, owner).id),
    suspend: (appId, owner, suspended) => suspend(core, appId, createUser(core, owner).id, suspended),
    transferIssue: (name, number, to, login) => {
      const from = repo(name);
      return transferIssue(core, from, issueOf(core.store, from, number), repo(to), doer(login)).number;
    },
    deleteIssue: (name, number, login) => {
      const from = repo(name);
      deleteIssue(core, from, issueOf(core.store, from, number), doer(login));
    },
    renameBranch: (name, from, to, login) => {
      const row = repo(name);
      return core.alone(row, () => renameBranch(core, row, from, to, doer(login)));
    },
    setPermission: (name, login, permission) => setPermission(core, repo(name), login, permission),
    personalToken: (login) => personalToken(core, login),
    jobToken: (name, permissions) => jobToken(core, repo(name), permissions),
    requestedAction: (checkRunId, identifier, login) => pressButton(core, checkRunId, identifier, login),
    rerequested: (checkRunId, login) => askForRerun(core, checkRunId, login),
    repo,
    hasRepo: (name) => find(core, name) !== undefined,
    followRefs: (name, login) => {
      const row = repo(name);
      return core.alone(row, () => followRefs(core, row, doer(login)));
    },
  };
}

function find(core: Core, name: string): Repository | undefined {
  const [owner = "", short = ""] = name.split("/");
  return findRepository(core.store, owner, short);
}
