/**
 * Who may do what in a repository. An installation needs a permission (403 without), a person a role; a repository that
 * a token can't see is 404 for it.
 */
import { ApiError, notFound } from "./answer.ts";
import type { Actor } from "./auth.ts";
import type { CollaboratorPermission, PermissionLevel, Permissions, Repository, User } from "./entities.ts";
import { indexOf, type Store } from "./store.ts";

/** `["issues:write", "pull_requests:write"]`: any one of them is enough for an app. */
export type AnyPermission = readonly `${string}:${PermissionLevel}`[];

/** What a route asks of who calls it. */
export type Access = {
  /** null: the route is not for apps. */
  readonly app: AnyPermission | null;
  /** The least role of a person; `read` on a public repository is everybody's. */
  readonly person: CollaboratorPermission;
};

const levels: readonly PermissionLevel[] = ["read", "write", "admin"];
const roles: readonly CollaboratorPermission[] = ["none", "read", "triage", "write", "maintain", "admin"];

/** True when the permissions hold `name` at `level` or more. */
export function holds(permissions: Permissions, name: string, level: PermissionLevel): boolean {
  const held = name === "metadata" ? (permissions[name] ?? "read") : permissions[name];
  return held !== undefined && levels.indexOf(held) >= levels.indexOf(level);
}

export function holdsAny(permissions: Permissions, wanted: AnyPermission): boolean {
  return wanted.some((one) => {
    const [name, level] = one.split(":") as [string, PermissionLevel];
    return holds(permissions, name, level);
  });
}

export function atLeast(role: CollaboratorPermission, least: CollaboratorPermission): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

const collaborators = indexOf("collaborator", (row) => `${row.repoId}:${row.userId}`);

/** The role of an account in a repository: its own, the owner's, or what everybody may. */
export function roleOf(store: Store, repo: Repository, user: User): CollaboratorPermission {
  if (repo.ownerId === user.id) return "admin";
  const own = store.one(collaborators, `${repo.id}:${user.id}`)?.permission;
  return own ?? (repo.private ? "none" : "read");
}

/** The role of who asks; an installation has none, its permissions count. */
export function roleOfActor(store: Store, repo: Repository, actor: Actor): CollaboratorPermission {
  if (actor.kind === "person") return roleOf(store, repo, actor.user);
  return repo.private ? "none" : "read";
}

/** Throws 404 where the actor can't see the repository at all. */
function checkVisible(store: Store, repo: Repository, actor: Actor): void {
  const seen =
    actor.kind === "installation"
      ? actor.repositoryIds.includes(repo.id) || !repo.private
      : actor.kind === "app"
        ? true
        : atLeast(roleOfActor(store, repo, actor), "read");
  if (!seen) throw notFound();
}

export function notAccessible(wanted: AnyPermission): ApiError {
  const accepted = wanted.map((one) => one.replace(":", "=")).join("; ");
  return new ApiError(403, "Resource not accessible by integration", {
    headers: { "x-accepted-github-permissions": accepted },
  });
}

/** Throws what GitHub answers to who may not: 401, 403 or 404. */
export function checkAccess(store: Store, repo: Repository, actor: Actor, access: Access): void {
  checkVisible(store, repo, actor);
  switch (actor.kind) {
    case "anonymous":
      if (access.person !== "read") throw new ApiError(401, "Requires authentication");
      return;
    case "app":
      throw new ApiError(401, "A JSON web token could not be used here: an installation access token is needed");
    case "installation": {
      const wanted = access.app;
      if (wanted === null) throw notAccessible([]);
      const reading = wanted.every((one) => one.endsWith(":read"));
      if (!actor.repositoryIds.includes(repo.id)) {
        // A public repository that the app is not installed on: everybody's reading is the app's too.
        if (reading) return;
        throw notAccessible(wanted);
      }
      if (wanted.length > 0 && !holdsAny(actor.permissions, wanted)) throw notAccessible(wanted);
      return;
    }
    case "person":
      if (!atLeast(roleOf(store, repo, actor.user), access.person)) {
        // GitHub hides what a reader may not write to where the repository is public too.
        throw access.person === "admin" || access.person === "write" || access.person === "triage"
          ? new ApiError(403, "Must have admin rights to Repository.")
          : notFound();
      }
  }
}
