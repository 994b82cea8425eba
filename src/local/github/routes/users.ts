/** Accounts, and what is left of the rate limit. */
import { ApiError, notFound, ok } from "../answer.ts";
import { findUser } from "../finders.ts";
import { accountRoute } from "../route.ts";
import { shapePublicUser } from "../shapes/user.ts";

export const userRoutes = [
  accountRoute("GET /user", (call) => {
    const { actor } = call;
    if (actor.kind === "anonymous") throw new ApiError(401, "Requires authentication");
    if (actor.kind !== "person") throw new ApiError(403, "Resource not accessible by integration");
    return ok(shapePublicUser(call.core, actor.user));
  }),

  accountRoute("GET /users/{username}", (call) => {
    const user = findUser(call.core.store, call.params["username"]!);
    if (user === undefined) throw notFound();
    return ok(shapePublicUser(call.core, user));
  }),

  accountRoute("GET /rate_limit", (call) => {
    const core = call.core.limits.state(call.actor);
    const idle = { limit: 30, used: 0, remaining: 30, reset: core.reset };
    const graphql = { limit: 5_000, used: 0, remaining: 5_000, reset: core.reset, resource: "graphql" };
    return ok({ resources: { core, search: { ...idle, resource: "search" }, graphql }, rate: core });
  }),
];
