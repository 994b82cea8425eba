/** Bodies of issues, their comments, labels, reactions and events. */
import { roleOf } from "../access.ts";
import type { Core } from "../core.ts";
import type { Comment, Issue, IssueEvent, Label, Reaction, Repository } from "../entities.ts";
import { reactionContents } from "../entities.ts";
import { userOf } from "../finders.ts";
import { indexOf } from "../store.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapeUserById, shapeViaApp } from "./user.ts";

const commentsByIssue = indexOf("comment", (comment) => `${comment.repoId}#${comment.number}`);
const reactionsBySubject = indexOf("reaction", (reaction) => reaction.subject);
const explicitRoles = indexOf("collaborator", (row) => `${row.repoId}:${row.userId}`);

export function shapeLabel(core: Core, repo: Repository, label: Label): Record<string, unknown> {
  return {
    id: label.id,
    node_id: nodeId("Label", label.id),
    url: `${repoApi(core, repo)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: label.default,
    description: label.description,
  };
}

export function labelsOf(core: Core, issue: Issue): Label[] {
  return issue.labelIds.map((id) => core.store.get("label", id)).filter((label) => label !== undefined);
}

/** What GitHub calls the tie between an author and the repository. */
export function authorAssociation(core: Core, repo: Repository, userId: number): string {
  if (repo.ownerId === userId) return "OWNER";
  if (core.store.one(explicitRoles, `${repo.id}:${userId}`) === undefined) return "NONE";
  return roleOf(core.store, repo, userOf(core.store, userId)) === "none" ? "NONE" : "COLLABORATOR";
}

function shapeReactions(core: Core, url: string, subject: string): Record<string, unknown> {
  const reactions = core.store.by(reactionsBySubject, subject);
  const counts = reactionContents.map((content) => [
    content,
    reactions.filter((one) => one.content === content).length,
  ]);
  return { url: `${url}/reactions`, total_count: reactions.length, ...Object.fromEntries(counts) };
}

export function shapeReaction(core: Core, reaction: Reaction): Record<string, unknown> {
  return {
    id: reaction.id,
    node_id: nodeId("Reaction", reaction.id),
    user: shapeUserById(core, reaction.userId),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

/** An issue; a pull request too, as the issue it is. */
export function shapeIssue(core: Core, repo: Repository, issue: Issue): Record<string, unknown> {
  const api = `${repoApi(core, repo)}/issues/${issue.number}`;
  return {
    url: api,
    repository_url: repoApi(core, repo),
    labels_url: `${api}/labels{/name}`,
    comments_url: `${api}/comments`,
    events_url: `${api}/events`,
    timeline_url: `${api}/timeline`,
    html_url: `${repoWeb(core, repo)}/${issue.pull === null ? "issues" : "pull"}/${issue.number}`,
    id: issue.id,
    node_id: nodeId("Issue", issue.id),
    number: issue.number,
    title: issue.title,
    user: shapeUserById(core, issue.userId),
    labels: labelsOf(core, issue).map((label) => shapeLabel(core, repo, label)),
    state: issue.state,
    locked: issue.locked ?? false,
    active_lock_reason: null,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: core.store.count(commentsByIssue, `${repo.id}#${issue.number}`),
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    author_association: authorAssociation(core, repo, issue.userId),
    body: issue.body,
    closed_by: issue.closedById === null ? null : shapeUserById(core, issue.closedById),
    reactions: shapeReactions(core, api, `issue:${issue.id}`),
    performed_via_github_app: shapeViaApp(core, issue.appId),
    state_reason: issue.stateReason,
    ...shapePullKey(core, repo, issue),
  };
}

function shapePullKey(core: Core, repo: Repository, issue: Issue): Record<string, unknown> {
  if (issue.pull === null) return {};
  const web = `${repoWeb(core, repo)}/pull/${issue.number}`;
  return {
    draft: issue.pull.draft,
    pull_request: {
      url: `${repoApi(core, repo)}/pulls/${issue.number}`,
      html_url: web,
      diff_url: `${web}.diff`,
      patch_url: `${web}.patch`,
      merged_at: issue.pull.mergedAt,
    },
  };
}

export function shapeComment(core: Core, repo: Repository, comment: Comment): Record<string, unknown> {
  const url = `${repoApi(core, repo)}/issues/comments/${comment.id}`;
  return {
    url,
    html_url: `${repoWeb(core, repo)}/issues/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${repoApi(core, repo)}/issues/${comment.number}`,
    id: comment.id,
    node_id: nodeId("IssueComment", comment.id),
    user: shapeUserById(core, comment.userId),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: authorAssociation(core, repo, comment.userId),
    reactions: shapeReactions(core, url, `comment:${comment.id}`),
    performed_via_github_app: shapeViaApp(core, comment.appId),
  };
}

export function shapeIssueEvent(core: Core, repo: Repository, event: IssueEvent): Record<string, unknown> {
  return {
    id: event.id,
    node_id: nodeId("IssueEvent", event.id),
    url: `${repoApi(core, repo)}/issues/events/${event.id}`,
    actor: shapeUserById(core, event.actorId),
    event: event.event,
    commit_id: event.commitSha,
    commit_url: event.commitSha === null ? null : `${repoApi(core, repo)}/commits/${event.commitSha}`,
    created_at: event.createdAt,
    ...(event.label === null ? {} : { label: event.label }),
    ...(event.rename === null ? {} : { rename: event.rename }),
    ...(event.event === "closed" ? { state_reason: null } : {}),
    performed_via_github_app: shapeViaApp(core, event.appId),
  };
}
