/** An issue is locked, deleted, or moved to another repository. */
import { type Core, type Doer, timestamp } from "./core.ts";
import type { Issue, Repository } from "./entities.ts";
import { nextNumber } from "./finders.ts";
import { findLabel, tellOfIssue } from "./issue-changes.ts";
import { shapeIssue } from "./shapes/issue.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { indexOf } from "./store.ts";

const commentsByIssue = indexOf("comment", (comment) => `${comment.repoId}#${comment.number}`);
const eventsByIssue = indexOf("issueEvent", (event) => `${event.repoId}#${event.number}`);

export function lockIssue(core: Core, repo: Repository, issue: Issue, locked: boolean, doer: Doer): void {
  if ((issue.locked ?? false) === locked) return;
  const changed = core.store.put("issue", { ...issue, locked, updatedAt: timestamp(core) });
  tellOfIssue(core, repo, changed, { action: locked ? "locked" : "unlocked", doer });
}

/** What is left is the number, which no other issue gets. */
export function deleteIssue(core: Core, repo: Repository, issue: Issue, doer: Doer): void {
  for (const comment of core.store.by(commentsByIssue, `${repo.id}#${issue.number}`)) {
    core.store.remove("comment", comment.id);
  }
  core.store.put("issue", { ...issue, state: "closed", gone: { to: null } });
  tellOfIssue(core, repo, issue, { action: "deleted", doer });
}

/**
 * Moves an issue to another repository of the same owner, with its comments, and with those of its labels that are there by
 * name. Its events stay what they were. https://docs.github.com/en/issues/tracking-your-work-with-issues/administering-issues/transferring-an-issue-to-another-repository
 */
export function transferIssue(core: Core, repo: Repository, issue: Issue, to: Repository, doer: Doer): Issue {
  const number = nextNumber(core.store, to);
  const names = issue.labelIds.map((id) => core.store.get("label", id)?.name ?? "");
  const labels = names.map((name) => findLabel(core, to, name)).filter((label) => label !== undefined);
  const moved = core.store.put("issue", {
    ...issue,
    id: core.store.nextId(),
    repoId: to.id,
    number,
    labelIds: labels.map((label) => label.id),
    updatedAt: timestamp(core),
  });
  for (const comment of core.store.by(commentsByIssue, `${repo.id}#${issue.number}`)) {
    core.store.put("comment", { ...comment, repoId: to.id, number });
  }
  for (const event of core.store.by(eventsByIssue, `${repo.id}#${issue.number}`)) {
    core.store.put("issueEvent", { ...event, repoId: to.id, number });
  }
  core.store.put("issue", { ...issue, state: "closed", gone: { to: { repoId: to.id, number } } });
  const changes = () => ({ new_issue: shapeIssue(core, to, moved), new_repository: shapeRepository(core, to) });
  tellOfIssue(core, repo, issue, { action: "transferred", doer, more: { changes: changes() } });
  const origin = { old_issue: shapeIssue(core, repo, issue), old_repository: shapeRepository(core, repo) };
  tellOfIssue(core, to, moved, { action: "opened", doer, more: { changes: origin } });
  return moved;
}
