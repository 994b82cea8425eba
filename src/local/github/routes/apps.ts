/** The app itself (by JWT), its installations and their tokens. */
import { z } from "zod";
import { holds } from "../access.ts";
import { ApiError, created, notFound, ok, unprocessable } from "../answer.ts";
import { mintToken } from "../auth.ts";
import type { App, Installation, PermissionLevel, Permissions } from "../entities.ts";
import { findRenamed, findRepository, repositoryOf } from "../finders.ts";
import { pageOf } from "../pagination.ts";
import { accountRoute, bodyOf, type Call, numberOf } from "../route.ts";
import { shapeInstallation, shapeListedInstallation } from "../shapes/installation.ts";
import { shapeRepository, shapeRole } from "../shapes/repository.ts";
import { shapeApp, shapePermissions } from "../shapes/user.ts";
import { indexOf } from "../store.ts";

const installationsByApp = indexOf("installation", (row) => String(row.appId));
const hourMs = 3_600_000;

const tokenWish = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.number().int()).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write", "admin"])).optional(),
});

export const appRoutes = [
  accountRoute("GET /app", (call) => {
    const app = appOf(call);
    const count = call.core.store.count(installationsByApp, String(app.id));
    return ok({ ...shapeApp(call.core, app), installations_count: count });
  }),

  accountRoute("GET /app/installations", (call) => {
    const { items, headers } = pageOf(call, call.core.store.by(installationsByApp, String(appOf(call).id)));
    return ok(
      items.map((row) => shapeListedInstallation(call.core, row)),
      headers,
    );
  }),

  accountRoute("GET /app/installations/{installation_id}", (call) => ok(shapeInstallation(call.core, ownOf(call)))),

  accountRoute("POST /app/installations/{installation_id}/access_tokens", (call) => {
    const app = appOf(call);
    const installation = ownOf(call);
    if (installation.suspendedAt != null) throw new ApiError(403, "This installation has been suspended");
    const wish = bodyOf(call, tokenWish);
    const permissions = permitted(app, wish.permissions);
    const repositoryIds = chosen(call, installation, wish);
    const expiresAt = `${new Date(call.core.now().getTime() + hourMs).toISOString().slice(0, 19)}Z`;
    const grant = {
      kind: "installation",
      installationId: installation.id,
      permissions,
      repositoryIds,
      job: false,
    } as const;
    const token = mintToken(call.core.store, grant, expiresAt);
    const repositories = repositoryIds?.map((id) => ({
      ...shapeRepository(call.core, repositoryOf(call.core.store, id)),
      permissions: shapeRole("write"),
    }));
    return created({
      token,
      expires_at: expiresAt,
      permissions: shapePermissions(permissions),
      repository_selection: "selected",
      ...(repositories === undefined ? {} : { repositories }),
    });
  }),

  accountRoute("GET /repos/{owner}/{repo}/installation", (call) => {
    const app = appOf(call);
    const { store } = call.core;
    const [owner, name] = [call.params["owner"]!, call.params["repo"]!];
    // GitHub leads on from a former name, and who asks follows.
    const repo = findRepository(store, owner, name) ?? findRenamed(store, owner, name);
    const installation =
      repo === undefined
        ? undefined
        : call.core.store.by(installationsByApp, String(app.id)).find((row) => row.repositoryIds.includes(repo.id));
    if (installation === undefined) throw notFound();
    return ok(shapeInstallation(call.core, installation));
  }),

  accountRoute("GET /installation/repositories", (call) => {
    const { actor } = call;
    if (actor.kind === "anonymous") throw new ApiError(401, "Requires authentication");
    if (actor.kind !== "installation") {
      throw new ApiError(
        403,
        "You must authenticate with an installation access token in order to list repositories for an installation.",
      );
    }
    const { items, headers } = pageOf(call, actor.repositoryIds);
    const repositories = items.map((id) => ({
      ...shapeRepository(call.core, repositoryOf(call.core.store, id)),
      permissions: shapeRole(holds(actor.permissions, "contents", "write") ? "write" : "read"),
    }));
    const body = { total_count: actor.repositoryIds.length, repository_selection: "selected", repositories };
    return ok(body, headers);
  }),
];

/** The app whose JWT it is; 401 for everybody else. */
export function appOf(call: Call): App {
  if (call.actor.kind === "app") return call.actor.app;
  throw new ApiError(401, "A JSON web token could not be decoded");
}

function ownOf(call: Call): Installation {
  const app = appOf(call);
  const installation = call.core.store.get("installation", numberOf(call, "installation_id"));
  if (installation === undefined || installation.appId !== app.id) throw notFound();
  return installation;
}

/** What is asked for, where the app has it all; 422 for more. */
function permitted(app: App, wanted: Record<string, PermissionLevel> | undefined): Permissions {
  if (wanted === undefined) return app.permissions;
  for (const [name, level] of Object.entries(wanted)) {
    if (!holds(app.permissions, name, level)) {
      throw unprocessable("The permissions requested are not granted to this installation.");
    }
  }
  return wanted;
}

function chosen(call: Call, installation: Installation, wish: z.output<typeof tokenWish>): number[] | null {
  if (wish.repositories === undefined && wish.repository_ids === undefined) return null;
  const rows = installation.repositoryIds.map((id) => repositoryOf(call.core.store, id));
  const byName = (wish.repositories ?? []).map((name) => rows.find((repo) => repo.name === name)?.id);
  const ids = [...(wish.repository_ids ?? []), ...byName];
  const found = ids.filter((id) => id !== undefined && installation.repositoryIds.includes(id)) as number[];
  if (found.length === ids.length) return found;
  throw unprocessable(
    "There is at least one repository that does not exist or is not accessible to the parent installation.",
  );
}
