/** Apps come to repositories: installations, and the webhooks that tell the app. */
import { type Core, timestamp } from "./core.ts";
import type { Installation, Repository } from "./entities.ts";
import { fullName, repositoryOf } from "./finders.ts";
import { shapeInstallation } from "./shapes/installation.ts";
import { nodeId } from "./shapes/links.ts";
import { shapeUserById } from "./shapes/user.ts";
import { indexOf } from "./store.ts";

const installations = indexOf("installation", (row) => `${row.appId}:${row.accountId}`);

/** Installs an app on a repository; gives the id of the installation, one for all repositories of an owner. */
export function install(core: Core, appId: number, repo: Repository): number {
  const known = core.store.one(installations, `${appId}:${repo.ownerId}`);
  if (known?.repositoryIds.includes(repo.id) === true) return known.id;
  const row = core.store.put("installation", {
    id: known?.id ?? core.store.nextId(),
    appId,
    accountId: repo.ownerId,
    repositoryIds: [...(known?.repositoryIds ?? []), repo.id],
    createdAt: known?.createdAt ?? timestamp(core),
  });
  tell(core, row, repo, known === undefined);
  return row.id;
}

/** Takes one repository away from an installation; tells the app. */
export function removeRepository(core: Core, appId: number, repo: Repository): void {
  const row = installationOf(core, appId, repo.ownerId);
  const repositoryIds = row.repositoryIds.filter((id) => id !== repo.id);
  const smaller = core.store.put("installation", { ...row, repositoryIds });
  const payload = {
    repository_selection: "selected",
    repositories_added: [],
    repositories_removed: [brief(core, repo)],
  };
  emit(core, smaller, "installation_repositories", "removed", payload);
}

/** Removes the app from an account, and with it every token that it had there; tells the app. */
export function uninstall(core: Core, appId: number, ownerId: number): void {
  const row = installationOf(core, appId, ownerId);
  emit(core, row, "installation", "deleted", { repositories: briefs(core, row) });
  core.store.remove("installation", row.id);
}

/** Puts an installation to sleep, or wakes it; tells the app. */
export function suspend(core: Core, appId: number, ownerId: number, suspended: boolean): void {
  const row = installationOf(core, appId, ownerId);
  const changed = core.store.put("installation", { ...row, suspendedAt: suspended ? timestamp(core) : null });
  emit(core, changed, "installation", suspended ? "suspend" : "unsuspend", { repositories: briefs(core, changed) });
}

function installationOf(core: Core, appId: number, ownerId: number): Installation {
  const row = core.store.one(installations, `${appId}:${ownerId}`);
  if (row === undefined) throw new Error(`app ${appId} is not installed there`);
  return row;
}

function tell(core: Core, row: Installation, repo: Repository, fresh: boolean): void {
  if (fresh) emit(core, row, "installation", "created", { requester: null, repositories: [brief(core, repo)] });
  else {
    const payload = {
      repository_selection: "selected",
      repositories_added: [brief(core, repo)],
      repositories_removed: [],
    };
    emit(core, row, "installation_repositories", "added", payload);
  }
}

function briefs(core: Core, row: Installation): Record<string, unknown>[] {
  return row.repositoryIds.map((id) => brief(core, repositoryOf(core.store, id)));
}

function brief(core: Core, repo: Repository): Record<string, unknown> {
  return {
    id: repo.id,
    node_id: nodeId("Repository", repo.id),
    name: repo.name,
    full_name: fullName(core.store, repo),
    private: repo.private,
  };
}

function emit(
  core: Core,
  row: Installation,
  event: "installation" | "installation_repositories",
  action: string,
  more: Record<string, unknown>,
): void {
  core.webhooks.emit({
    event,
    action,
    repo: null,
    onlyApp: row.appId,
    payload: () => ({
      action,
      installation: shapeInstallation(core, row),
      ...(event === "installation_repositories" ? { requester: null } : {}),
      sender: shapeUserById(core, row.accountId),
      ...more,
    }),
  });
}
