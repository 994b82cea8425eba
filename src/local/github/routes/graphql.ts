/**
 * GraphQL, as far as the bot asks it: an issue's text with its last editor, which REST does not say. Whatever else is asked
 * is answered as GitHub answers a field that it does not have.
 */
import { z } from "zod";
import { checkAccess } from "../access.ts";
import { ApiError, notFound, ok } from "../answer.ts";
import { findRepository, issueOf, userOf } from "../finders.ts";
import { accountRoute, bodyOf, type Call } from "../route.ts";

const asked = z.object({ query: z.string(), variables: z.record(z.string(), z.unknown()).default({}) });
const place = z.object({ owner: z.string(), repo: z.string(), number: z.int() });

export const graphqlRoutes = [
  accountRoute("POST /graphql", (call) => {
    if (call.actor.kind === "anonymous") throw new ApiError(401, "This endpoint requires you to be authenticated.");
    const { query, variables } = bodyOf(call, asked);
    const named = /^\s*query\s+(\w+)/.exec(query)?.[1];
    const at = place.safeParse(variables);
    if (named !== "IssueText" || !at.success) {
      return ok({
        errors: [{ type: "undefinedField", message: `The local GitHub does not know the query ${named}.` }],
      });
    }
    return ok({ data: { repository: { issue: issueText(call, at.data) } } });
  }),
];

function issueText(call: Call, at: z.output<typeof place>) {
  const { core, actor } = call;
  const repo = findRepository(core.store, at.owner, at.repo);
  if (repo === undefined) throw notFound();
  checkAccess(core.store, repo, actor, { app: ["issues:read"], person: "read" });
  const issue = issueOf(core.store, repo, at.number);
  if (issue.pull !== null) return null;
  const { title, body, edited } = issue;
  const editor = edited === undefined ? null : userOf(core.store, edited.byId);
  return {
    title,
    body: body ?? "",
    lastEditedAt: edited?.at ?? null,
    // A bot's login has no `[bot]` here.
    editor: editor === null ? null : { __typename: editor.type, login: editor.login.replace(/\[bot\]$/, "") },
  };
}
