/** What is done with comments, and the webhooks that follow. */
import { type Core, type Doer, timestamp } from "./core.ts";
import type { Comment, Issue, Reaction, ReactionContent, Repository } from "./entities.ts";
import { issueOf } from "./finders.ts";
import { shapeComment, shapeIssue } from "./shapes/issue.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { shapeUserById } from "./shapes/user.ts";
import { indexOf } from "./store.ts";

const reactionsByUser = indexOf("reaction", (reaction) => `${reaction.subject} ${reaction.userId} ${reaction.content}`);

export function createComment(core: Core, repo: Repository, issue: Issue, body: string, doer: Doer): Comment {
  const now = timestamp(core);
  const comment = core.store.put("comment", {
    id: core.store.nextId(),
    repoId: repo.id,
    number: issue.number,
    body,
    userId: doer.userId,
    appId: doer.appId,
    createdAt: now,
    updatedAt: now,
  });
  core.store.put("issue", { ...issue, updatedAt: now });
  tell(core, repo, comment, { action: "created", doer });
  return comment;
}

export function editComment(core: Core, repo: Repository, comment: Comment, body: string, doer: Doer): Comment {
  if (body === comment.body) return comment;
  const edited = core.store.put("comment", { ...comment, body, updatedAt: timestamp(core) });
  tell(core, repo, edited, { action: "edited", doer, changes: { body: { from: comment.body } } });
  return edited;
}

export function deleteComment(core: Core, repo: Repository, comment: Comment, doer: Doer): void {
  tell(core, repo, comment, { action: "deleted", doer });
  core.store.remove("comment", comment.id);
}

/** A reaction, one of a kind per person; `fresh` is false where it was there. */
export function react(
  core: Core,
  repo: Repository,
  subject: string,
  content: ReactionContent,
  doer: Doer,
): { reaction: Reaction; fresh: boolean } {
  const known = core.store.one(reactionsByUser, `${subject} ${doer.userId} ${content}`);
  if (known !== undefined) return { reaction: known, fresh: false };
  const reaction = core.store.put("reaction", {
    id: core.store.nextId(),
    repoId: repo.id,
    subject,
    userId: doer.userId,
    content,
    createdAt: timestamp(core),
  });
  return { reaction, fresh: true };
}

function tell(
  core: Core,
  repo: Repository,
  comment: Comment,
  told: { readonly action: string; readonly doer: Doer; readonly changes?: Record<string, unknown> },
): void {
  const { action, doer, changes } = told;
  core.signals.emit("change", {
    kind: "comment",
    repoId: repo.id,
    number: comment.number,
    commentId: comment.id,
    action,
  });
  core.webhooks.emit({
    event: "issue_comment",
    action,
    repo,
    payload: () => ({
      action,
      ...(changes === undefined ? {} : { changes }),
      issue: shapeIssue(core, repo, issueOf(core.store, repo, comment.number)),
      comment: shapeComment(core, repo, comment),
      repository: shapeRepository(core, repo),
      sender: shapeUserById(core, doer.userId),
    }),
  });
}
