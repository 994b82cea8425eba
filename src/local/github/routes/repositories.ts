/** Repositories and their collaborators. */
import { z } from "zod";
import { roleOf, roleOfActor } from "../access.ts";
import { notFound, ok } from "../answer.ts";
import { doerOf } from "../core.ts";
import { findUser } from "../finders.ts";
import { editRepository } from "../repository-changes.ts";
import { bodyOf, repoRoute } from "../route.ts";
import { shapeFullRepository, shapeRole } from "../shapes/repository.ts";
import { shapeUser } from "../shapes/user.ts";

/** The API says `write` for maintainers and `read` for triagers; `role_name` says it exactly. */
const broad = {
  admin: "admin",
  maintain: "write",
  write: "write",
  triage: "read",
  read: "read",
  none: "none",
} as const;

const repositoryEdit = z.object({
  name: z.string().min(1).optional(),
  archived: z.boolean().optional(),
  default_branch: z.string().min(1).optional(),
});

export const repositoryRoutes = [
  repoRoute("GET /repos/{owner}/{repo}", { app: ["metadata:read"], person: "read" }, (call) =>
    ok(shapeFullRepository(call.core, call.repo, roleOfActor(call.core.store, call.repo, call.actor))),
  ),

  repoRoute("PATCH /repos/{owner}/{repo}", { app: ["administration:write"], person: "admin" }, (call) => {
    const wish = bodyOf(call, repositoryEdit);
    const repo = editRepository(call.core, call.repo, wish, doerOf(call.actor));
    return ok(shapeFullRepository(call.core, repo, roleOfActor(call.core.store, repo, call.actor)));
  }),

  repoRoute(
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    { app: ["metadata:read"], person: "read" },
    (call) => {
      const user = findUser(call.core.store, call.params["username"]!);
      if (user === undefined) throw notFound();
      const role = roleOf(call.core.store, call.repo, user);
      const shaped = { ...shapeUser(call.core, user), permissions: shapeRole(role), role_name: role };
      return ok({ permission: broad[role], user: shaped, role_name: role });
    },
  ),
];
