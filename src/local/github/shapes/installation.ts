/** Bodies of installations. */
import type { Core } from "../core.ts";
import type { Installation } from "../entities.ts";
import { userOf } from "../finders.ts";
import { shapePermissions, shapeUser } from "./user.ts";

export function shapeInstallation(core: Core, row: Installation): Record<string, unknown> {
  const app = core.store.get("app", row.appId)!;
  const account = userOf(core.store, row.accountId);
  return {
    id: row.id,
    client_id: app.clientId,
    account: shapeUser(core, account),
    repository_selection: "selected",
    access_tokens_url: `${core.apiUrl}/app/installations/${row.id}/access_tokens`,
    repositories_url: `${core.apiUrl}/installation/repositories`,
    html_url: `${core.url}/settings/installations/${row.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: shapePermissions(app.permissions),
    events: [...app.events],
    created_at: row.createdAt,
    updated_at: row.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: row.suspendedAt == null ? null : shapeUser(core, account),
    suspended_at: row.suspendedAt ?? null,
  };
}

/**
 * An installation as lists give it. For lists the description wants of every account what an enterprise has as well
 * (`allOf`, where a single installation has `anyOf`): it gets it.
 */
export function shapeListedInstallation(core: Core, row: Installation): Record<string, unknown> {
  const account = userOf(core.store, row.accountId);
  const asEnterprise = {
    name: account.name ?? account.login,
    slug: account.login,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  };
  return { ...shapeInstallation(core, row), account: { ...shapeUser(core, account), ...asEnterprise } };
}
