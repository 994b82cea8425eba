/** Labels of the repository and of its issues. */
import { z } from "zod";
import { created, noContent, notFound, ok, validationFailed } from "../answer.ts";
import { doerOf } from "../core.ts";
import type { Issue, Label } from "../entities.ts";
import { createLabel, findLabel, putLabels, removeLabel } from "../issue-changes.ts";
import { issuesOf } from "../finders.ts";
import { pageOf } from "../pagination.ts";
import { bodyOf, type RepoCall, repoRoute } from "../route.ts";
import { labelsOf, shapeLabel } from "../shapes/issue.ts";
import { indexOf } from "../store.ts";
import { issueToRead, issueToWrite, readIssues } from "./issue-rules.ts";

const labelsByRepo = indexOf("label", (label) => String(label.repoId));

const writeLabels = { app: ["issues:write", "pull_requests:write"], person: "triage" } as const;
const manageLabels = { app: ["issues:write", "pull_requests:write"], person: "write" } as const;

const color = z.string().regex(/^#?[0-9a-fA-F]{6}$/, "is not a colour of six hexadecimal digits");
const newLabel = z.object({
  name: z.string().min(1).max(50),
  color: color.optional(),
  description: z.string().max(100).nullish(),
});
const labelEdit = z.object({
  new_name: z.string().min(1).max(50).optional(),
  color: color.optional(),
  description: z.string().max(100).nullish(),
});
const oneLabel = z.union([z.string(), z.object({ name: z.string() }).transform((label) => label.name)]);
/** `{labels: [...]}`, and the bare list that GitHub takes too. */
const names = z.union([
  z.object({ labels: z.array(oneLabel).default([]) }).transform((body) => body.labels),
  z.array(oneLabel),
]);

export const labelRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/labels", readIssues, (call) =>
    listOf(call, call.core.store.by(labelsByRepo, String(call.repo.id))),
  ),

  repoRoute("POST /repos/{owner}/{repo}/labels", manageLabels, (call) => {
    const body = bodyOf(call, newLabel);
    if (findLabel(call.core, call.repo, body.name) !== undefined) {
      throw validationFailed({ resource: "Label", code: "already_exists", field: "name" });
    }
    const label = createLabel(call.core, call.repo, {
      name: body.name,
      ...(body.color === undefined ? {} : { color: body.color }),
      description: body.description ?? null,
    });
    return created(shapeLabel(call.core, call.repo, label));
  }),

  repoRoute("GET /repos/{owner}/{repo}/labels/{name}", readIssues, (call) =>
    ok(shapeLabel(call.core, call.repo, labelOf(call))),
  ),

  repoRoute("PATCH /repos/{owner}/{repo}/labels/{name}", manageLabels, (call) => {
    const body = bodyOf(call, labelEdit);
    const label = labelOf(call);
    const twin = body.new_name === undefined ? undefined : findLabel(call.core, call.repo, body.new_name);
    if (twin !== undefined && twin.id !== label.id) {
      throw validationFailed({ resource: "Label", code: "already_exists", field: "name" });
    }
    const edited = call.core.store.put("label", {
      ...label,
      name: body.new_name ?? label.name,
      color: body.color?.replace(/^#/, "").toLowerCase() ?? label.color,
      description: body.description === undefined ? label.description : body.description,
    });
    return ok(shapeLabel(call.core, call.repo, edited));
  }),

  repoRoute("DELETE /repos/{owner}/{repo}/labels/{name}", manageLabels, (call) => {
    const label = labelOf(call);
    for (const issue of issuesOf(call.core.store, call.repo)) {
      if (issue.labelIds.includes(label.id)) removeLabel(call.core, call.repo, issue, label, doerOf(call.actor));
    }
    call.core.store.remove("label", label.id);
    return noContent();
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", readIssues, (call) =>
    listOf(call, labelsOf(call.core, issueToRead(call))),
  ),

  repoRoute("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", writeLabels, (call) =>
    put(call, { names: bodyOf(call, names), keep: true }),
  ),

  repoRoute("PUT /repos/{owner}/{repo}/issues/{issue_number}/labels", writeLabels, (call) =>
    put(call, { names: bodyOf(call, names), keep: false }),
  ),

  repoRoute("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels", writeLabels, (call) => {
    put(call, { names: [], keep: false });
    return noContent();
  }),

  repoRoute("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", writeLabels, (call) => {
    const issue = issueToWrite(call, { role: "triage", author: false });
    const label = findLabel(call.core, call.repo, call.params["name"]!);
    if (label === undefined || !issue.labelIds.includes(label.id)) throw notFound("Label does not exist");
    const changed = removeLabel(call.core, call.repo, issue, label, doerOf(call.actor));
    return ok(shapedLabels(call, changed));
  }),
];

function put(call: RepoCall, wanted: { readonly names: readonly string[]; readonly keep: boolean }) {
  const issue = issueToWrite(call, { role: "triage", author: false });
  return ok(shapedLabels(call, putLabels(call.core, call.repo, issue, wanted, doerOf(call.actor))));
}

function shapedLabels(call: RepoCall, issue: Issue): Record<string, unknown>[] {
  return labelsOf(call.core, issue).map((label) => shapeLabel(call.core, call.repo, label));
}

function listOf(call: RepoCall, labels: readonly Label[]) {
  const { items, headers } = pageOf(call, labels);
  return ok(
    items.map((label) => shapeLabel(call.core, call.repo, label)),
    headers,
  );
}

function labelOf(call: RepoCall): Label {
  const label = findLabel(call.core, call.repo, call.params["name"]!);
  if (label === undefined) throw notFound();
  return label;
}
