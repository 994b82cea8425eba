/** Issues, and pull requests as the issues they are. */
import { z } from "zod";
import { roleOf, atLeast } from "../access.ts";
import { created, noContent, ok, validationFailed } from "../answer.ts";
import { doerOf } from "../core.ts";
import { type Issue, reactionContents } from "../entities.ts";
import { findUser, isPull, issuesOf } from "../finders.ts";
import { lockIssue } from "../issue-moves.ts";
import { editIssue, openIssue, putLabels, setIssueState } from "../issue-changes.ts";
import { pageOf } from "../pagination.ts";
import { closePull, reopenPull } from "../pull-changes.ts";
import { bodyOf, choiceOf, type RepoCall, repoRoute } from "../route.ts";
import { labelsOf, shapeIssue, shapeIssueEvent, shapeReaction } from "../shapes/issue.ts";
import { indexOf } from "../store.ts";
import { react } from "../comment-changes.ts";
import { checkBody, issueToRead, issueToWrite, readIssues, writeIssues } from "./issue-rules.ts";

const eventsByIssue = indexOf("issueEvent", (event) => `${event.repoId}#${event.number}`);
const reactionsBySubject = indexOf("reaction", (reaction) => reaction.subject);

const labelNames = z
  .array(z.union([z.string(), z.object({ name: z.string() }).transform((label) => label.name)]))
  .transform((names) => names.filter((name) => name !== ""));

const title = z.union([z.string(), z.number()]).transform(String);
const newIssue = z.object({
  title: title.refine((text) => text.trim() !== "", "is empty"),
  body: z.string().nullish(),
  labels: labelNames.optional(),
});
const issueEdit = z.object({
  title: title.nullish(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.enum(["completed", "not_planned", "duplicate", "reopened"]).nullish(),
  labels: labelNames.optional(),
});

export const issueRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/issues", readIssues, (call) => {
    const { items, headers } = pageOf(call, listed(call));
    return ok(
      items.map((issue) => shapeIssue(call.core, call.repo, issue)),
      headers,
    );
  }),

  repoRoute("POST /repos/{owner}/{repo}/issues", { app: ["issues:write"], person: "read" }, (call) => {
    const body = bodyOf(call, newIssue);
    checkBody("Issue", body.body);
    // Labels of those who may not label are dropped without a word, as GitHub does.
    const labels = mayLabel(call) ? (body.labels ?? []) : [];
    const issue = openIssue(
      call.core,
      call.repo,
      { title: body.title, body: body.body ?? null, labels },
      doerOf(call.actor),
    );
    return created(shapeIssue(call.core, call.repo, issue));
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}", readIssues, (call) =>
    ok(shapeIssue(call.core, call.repo, issueToRead(call))),
  ),

  repoRoute("PATCH /repos/{owner}/{repo}/issues/{issue_number}", writeIssues, async (call) => {
    const body = bodyOf(call, issueEdit);
    checkBody("Issue", body.body);
    const issue = issueToWrite(call, { role: body.labels === undefined ? "write" : "triage", author: true });
    const changed = await editedAll(call, issue, body);
    return ok(shapeIssue(call.core, call.repo, changed));
  }),

  repoRoute("PUT /repos/{owner}/{repo}/issues/{issue_number}/lock", writeIssues, (call) => {
    const issue = issueToWrite(call, { role: "write", author: false });
    lockIssue(call.core, call.repo, issue, true, doerOf(call.actor));
    return noContent();
  }),

  repoRoute("DELETE /repos/{owner}/{repo}/issues/{issue_number}/lock", writeIssues, (call) => {
    const issue = issueToWrite(call, { role: "write", author: false });
    lockIssue(call.core, call.repo, issue, false, doerOf(call.actor));
    return noContent();
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/events", readIssues, (call) => {
    const issue = issueToRead(call);
    const { items, headers } = pageOf(call, call.core.store.by(eventsByIssue, `${call.repo.id}#${issue.number}`));
    return ok(
      items.map((event) => shapeIssueEvent(call.core, call.repo, event)),
      headers,
    );
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/reactions", readIssues, (call) => {
    const all = call.core.store.by(reactionsBySubject, `issue:${issueToRead(call).id}`);
    const content = call.query.get("content");
    const { items, headers } = pageOf(call, content === null ? all : all.filter((one) => one.content === content));
    return ok(
      items.map((reaction) => shapeReaction(call.core, reaction)),
      headers,
    );
  }),

  repoRoute("POST /repos/{owner}/{repo}/issues/{issue_number}/reactions", writeIssues, (call) => {
    const { content } = bodyOf(call, z.object({ content: z.enum(reactionContents) }));
    const issue = issueToWrite(call, { role: "read", author: true });
    const { reaction, fresh } = react(call.core, call.repo, `issue:${issue.id}`, content, doerOf(call.actor));
    return { status: fresh ? 201 : 200, body: shapeReaction(call.core, reaction) };
  }),
];

function mayLabel(call: RepoCall): boolean {
  return call.actor.kind !== "person" || atLeast(roleOf(call.core.store, call.repo, call.actor.user), "triage");
}

async function editedAll(call: RepoCall, issue: Issue, body: z.output<typeof issueEdit>): Promise<Issue> {
  const { core, repo } = call;
  const doer = doerOf(call.actor);
  const edit = {
    ...(typeof body.title === "string" ? { title: body.title } : {}),
    ...(body.body === undefined ? {} : { body: body.body }),
  };
  let changed = editIssue(core, repo, issue, edit, doer);
  if (body.labels !== undefined && mayLabel(call)) {
    changed = putLabels(core, repo, changed, { names: body.labels, keep: false }, doer);
  }
  if (body.state === undefined) return changed;
  if (!isPull(changed)) {
    return setIssueState(core, repo, changed, { state: body.state, reason: body.state_reason ?? null }, doer);
  }
  const pull = changed;
  if (body.state === "closed") return closePull(core, repo, pull, doer);
  return core.alone(repo, () => reopenPull(core, repo, pull, doer));
}

function listed(call: RepoCall): Issue[] {
  const { core, repo, query } = call;
  const state = choiceOf(call, "state", ["open", "closed", "all"], "open");
  const sort = choiceOf(call, "sort", ["created", "updated", "comments"], "created");
  const direction = choiceOf(call, "direction", ["asc", "desc"], "desc");
  const wanted = (query.get("labels") ?? "").split(",").filter((name) => name !== "");
  const creator = query.get("creator");
  const creatorId = creator === null ? null : (findUser(core.store, creator)?.id ?? -1);
  const since = sinceOf(call);
  const found = issuesOf(core.store, repo).filter((issue) => {
    if (state !== "all" && issue.state !== state) return false;
    if (creatorId !== null && issue.userId !== creatorId) return false;
    if (since !== null && Date.parse(issue.updatedAt) < since) return false;
    const names = wanted.length === 0 ? [] : labelsOf(core, issue).map((label) => label.name.toLowerCase());
    return wanted.every((name) => names.includes(name.toLowerCase()));
  });
  const key = (issue: Issue): string => (sort === "updated" ? issue.updatedAt : issue.createdAt);
  found.sort((a, b) => key(a).localeCompare(key(b)) || a.id - b.id);
  return direction === "asc" ? found : found.reverse();
}

/** The `since` parameter in milliseconds; 422 where it is no time. */
export function sinceOf(call: RepoCall): number | null {
  const text = call.query.get("since");
  if (text === null) return null;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw validationFailed({ resource: "Issue", field: "since", code: "invalid" });
  return ms;
}
