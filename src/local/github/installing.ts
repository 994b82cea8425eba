/** Apps come to repositories: installations, and the webhooks that tell the app. */
import { type Core, timestamp } from "./core.ts";
import type { Installation, Repository } from "./entities.ts";
import { fullName } from "./finders.ts";
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

function tell(core: Core, row: Installation, repo: Repository, fresh: boolean): void {
  const brief = {
    id: repo.id,
    node_id: nodeId("Repository", repo.id),
    name: repo.name,
    full_name: fullName(core.store, repo),
    private: repo.private,
  };
  const action = fresh ? "created" : "added";
  const common = (): Record<string, unknown> => ({
    action,
    installation: shapeInstallation(core, row),
    requester: null,
    sender: shapeUserById(core, row.accountId),
  });
  core.webhooks.emit({
    event: fresh ? "installation" : "installation_repositories",
    action,
    repo: null,
    onlyApp: row.appId,
    payload: () =>
      fresh
        ? { ...common(), repositories: [brief] }
        : {
            ...common(),
            repository_selection: "selected",
            repositories_added: [brief],
            repositories_removed: [],
          },
  });
}
