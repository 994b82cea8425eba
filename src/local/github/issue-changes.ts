/**
 * What is done to issues (and to pull requests as the issues they are), with the events and webhooks that follow.
 *
 * Always: a change is made in one go, with no waiting between reading the row and putting the new one, so that two
 * requests at once never undo each other.
 */
import { type Core, type Doer, timestamp } from "./core.ts";
import type { Issue, IssueEvent, Label, Repository } from "./entities.ts";
import { isPull, nextNumber } from "./finders.ts";
import { shapeIssue, shapeLabel } from "./shapes/issue.ts";
import { shapePull } from "./shapes/pull.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { shapeUserById } from "./shapes/user.ts";
import { indexOf } from "./store.ts";

const labelsByName = indexOf("label", (label) => `${label.repoId}:${label.name.toLowerCase()}`);

export function findLabel(core: Core, repo: Repository, name: string): Label | undefined {
  return core.store.one(labelsByName, `${repo.id}:${name.toLowerCase()}`);
}

export type NewLabel = { readonly name: string; readonly color?: string; readonly description?: string | null };

export function createLabel(core: Core, repo: Repository, wanted: NewLabel): Label {
  return core.store.put("label", {
    id: core.store.nextId(),
    repoId: repo.id,
    name: wanted.name,
    color: (wanted.color ?? "ededed").replace(/^#/, "").toLowerCase(),
    description: wanted.description ?? null,
    default: false,
  });
}

/** Tells what happened to an issue or pull request: `issues.*` or `pull_request.*`, to apps and to those who look on. */
export function tellOfIssue(
  core: Core,
  repo: Repository,
  issue: Issue,
  told: { readonly action: string; readonly doer: Doer; readonly more?: Record<string, unknown> },
): void {
  const { action, doer, more } = told;
  const pull = isPull(issue) ? issue : null;
  core.signals.emit("change", {
    kind: pull === null ? "issue" : "pull",
    repoId: repo.id,
    number: issue.number,
    action,
  });
  const common = (): Record<string, unknown> => ({
    ...more,
    repository: shapeRepository(core, repo),
    sender: shapeUserById(core, doer.userId),
  });
  core.webhooks.emit({
    event: pull === null ? "issues" : "pull_request",
    action,
    repo,
    payload: async () =>
      pull === null
        ? { action, issue: shapeIssue(core, repo, issue), ...common() }
        : { action, number: issue.number, pull_request: await shapePull(core, repo, pull), ...common() },
  });
}

/** Writes what the issue's events list. */
export function noteEvent(
  core: Core,
  issue: Issue,
  doer: Doer,
  event: Pick<IssueEvent, "event"> & Partial<Pick<IssueEvent, "label" | "rename" | "commitSha">>,
): void {
  core.store.put("issueEvent", {
    id: core.store.nextId(),
    repoId: issue.repoId,
    number: issue.number,
    event: event.event,
    actorId: doer.userId,
    appId: doer.appId,
    label: event.label ?? null,
    rename: event.rename ?? null,
    commitSha: event.commitSha ?? null,
    createdAt: timestamp(core),
  });
}

export type NewIssue = { readonly title: string; readonly body: string | null; readonly labels: readonly string[] };

/** Opens an issue; its labels are made where they are missing. */
export function openIssue(core: Core, repo: Repository, wanted: NewIssue, doer: Doer): Issue {
  const now = timestamp(core);
  const issue = core.store.put("issue", {
    id: core.store.nextId(),
    repoId: repo.id,
    number: nextNumber(core.store, repo),
    title: wanted.title,
    body: wanted.body,
    state: "open",
    stateReason: null,
    userId: doer.userId,
    appId: doer.appId,
    labelIds: [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedById: null,
    pull: null,
  });
  // Labels given at the birth are in the `opened` payload already, and each is told once more by itself.
  const { labels, added } = withLabels(core, repo, issue, wanted.labels);
  const labelled = core.store.put("issue", { ...issue, labelIds: labels });
  tellOfIssue(core, repo, labelled, { action: "opened", doer });
  for (const label of added) tellOfLabel(core, repo, labelled, { action: "labeled", label, doer });
  return labelled;
}

/** Title and body; a field not given stays. */
export function editIssue(
  core: Core,
  repo: Repository,
  issue: Issue,
  edit: { readonly title?: string; readonly body?: string | null },
  doer: Doer,
): Issue {
  const title = edit.title ?? issue.title;
  const body = edit.body === undefined ? issue.body : edit.body;
  const changes: Record<string, { from: string }> = {};
  if (title !== issue.title) changes["title"] = { from: issue.title };
  if (body !== issue.body) changes["body"] = { from: issue.body ?? "" };
  if (Object.keys(changes).length === 0) return issue;
  const now = timestamp(core);
  const mark = body === issue.body ? {} : { edited: { byId: doer.userId, at: now } };
  const edited = core.store.put("issue", { ...issue, title, body, ...mark, updatedAt: now });
  if (title !== issue.title)
    noteEvent(core, issue, doer, { event: "renamed", rename: { from: issue.title, to: title } });
  tellOfIssue(core, repo, edited, { action: "edited", doer, more: { changes } });
  return edited;
}

/** Closes or reopens a plain issue; pull requests have rules of their own (pull-changes.ts). */
export function setIssueState(
  core: Core,
  repo: Repository,
  issue: Issue,
  to: { readonly state: Issue["state"]; readonly reason: Issue["stateReason"] },
  doer: Doer,
): Issue {
  const reason = to.state === "closed" ? (to.reason ?? "completed") : "reopened";
  if (issue.state === to.state) {
    if (to.state === "open" || reason === issue.stateReason) return issue;
    return core.store.put("issue", { ...issue, stateReason: reason, updatedAt: timestamp(core) });
  }
  const now = timestamp(core);
  const closing = to.state === "closed";
  const changed = core.store.put("issue", {
    ...issue,
    state: to.state,
    stateReason: reason,
    updatedAt: now,
    closedAt: closing ? now : null,
    closedById: closing ? doer.userId : null,
  });
  noteEvent(core, changed, doer, { event: closing ? "closed" : "reopened" });
  tellOfIssue(core, repo, changed, { action: closing ? "closed" : "reopened", doer });
  return changed;
}

/** Gives the issue exactly these labels, or adds them to those it has. */
export function putLabels(
  core: Core,
  repo: Repository,
  issue: Issue,
  wanted: { readonly names: readonly string[]; readonly keep: boolean },
  doer: Doer,
): Issue {
  const { labels, added } = withLabels(core, repo, issue, wanted.names);
  const kept = wanted.keep ? [...new Set([...issue.labelIds, ...labels])] : labels;
  const removed = issue.labelIds.filter((id) => !kept.includes(id));
  if (added.length === 0 && removed.length === 0) return issue;
  const changed = core.store.put("issue", { ...issue, labelIds: kept, updatedAt: timestamp(core) });
  for (const label of added) tellOfLabel(core, repo, changed, { action: "labeled", label, doer });
  for (const id of removed) {
    const label = core.store.get("label", id);
    if (label !== undefined) tellOfLabel(core, repo, changed, { action: "unlabeled", label, doer });
  }
  return changed;
}

export function removeLabel(core: Core, repo: Repository, issue: Issue, label: Label, doer: Doer): Issue {
  const labelIds = issue.labelIds.filter((id) => id !== label.id);
  const changed = core.store.put("issue", { ...issue, labelIds, updatedAt: timestamp(core) });
  tellOfLabel(core, repo, changed, { action: "unlabeled", label, doer });
  return changed;
}

/** The ids of the named labels, made where they are missing, and which of them the issue had not. */
function withLabels(
  core: Core,
  repo: Repository,
  issue: Issue,
  names: readonly string[],
): { labels: number[]; added: Label[] } {
  const found = names.map((name) => findLabel(core, repo, name) ?? createLabel(core, repo, { name }));
  const labels = [...new Set(found.map((label) => label.id))];
  const added = [...new Set(found)].filter((label) => !issue.labelIds.includes(label.id));
  return { labels, added };
}

function tellOfLabel(
  core: Core,
  repo: Repository,
  issue: Issue,
  told: { readonly action: "labeled" | "unlabeled"; readonly label: Label; readonly doer: Doer },
): void {
  const { action, label, doer } = told;
  noteEvent(core, issue, doer, { event: action, label: { name: label.name, color: label.color } });
  tellOfIssue(core, repo, issue, { action, doer, more: { label: shapeLabel(core, repo, label) } });
}
