/** Comments on issues and pull requests, and their reactions. */
import { z } from "zod";
import { created, noContent, notFound, ok } from "../answer.ts";
import { createComment, deleteComment, editComment, react } from "../comment-changes.ts";
import { doerOf } from "../core.ts";
import { type Comment, reactionContents } from "../entities.ts";
import { issueOf } from "../finders.ts";
import { pageOf } from "../pagination.ts";
import { bodyOf, choiceOf, numberOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeComment, shapeReaction } from "../shapes/issue.ts";
import { indexOf } from "../store.ts";
import {
  checkBody,
  checkLock,
  checkPerson,
  issueToRead,
  issueToWrite,
  readIssues,
  writeIssues,
} from "./issue-rules.ts";
import { sinceOf } from "./issues.ts";

const commentsByIssue = indexOf("comment", (comment) => `${comment.repoId}#${comment.number}`);
const commentsByRepo = indexOf("comment", (comment) => String(comment.repoId));
const reactionsBySubject = indexOf("reaction", (reaction) => reaction.subject);

const commentBody = z.object({ body: z.string().refine((text) => text.trim() !== "", "is empty") });

export const commentRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/issues/comments", readIssues, (call) => {
    const sort = choiceOf(call, "sort", ["created", "updated"], "created");
    const direction = choiceOf(call, "direction", ["asc", "desc"], "asc");
    const all = sinceFilter(call, call.core.store.by(commentsByRepo, String(call.repo.id)));
    const key = (comment: Comment): string => (sort === "updated" ? comment.updatedAt : comment.createdAt);
    all.sort((a, b) => key(a).localeCompare(key(b)) || a.id - b.id);
    return listOf(call, direction === "asc" ? all : all.reverse());
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/comments/{comment_id}", readIssues, (call) =>
    ok(shapeComment(call.core, call.repo, commentOf(call))),
  ),

  repoRoute("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", writeIssues, (call) => {
    const { body } = bodyOf(call, commentBody);
    checkBody("IssueComment", body);
    const comment = commentOf(call);
    checkPerson(call, comment.userId, { role: "write", author: true });
    checkLock(call, issueOf(call.core.store, call.repo, comment.number), "update comment");
    return ok(shapeComment(call.core, call.repo, editComment(call.core, call.repo, comment, body, doerOf(call.actor))));
  }),

  repoRoute("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", writeIssues, (call) => {
    const comment = commentOf(call);
    checkPerson(call, comment.userId, { role: "write", author: true });
    deleteComment(call.core, call.repo, comment, doerOf(call.actor));
    return noContent();
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", readIssues, (call) => {
    const issue = issueToRead(call);
    const all = call.core.store.by(commentsByIssue, `${call.repo.id}#${issue.number}`);
    return listOf(call, sinceFilter(call, all));
  }),

  repoRoute("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", writeIssues, (call) => {
    const { body } = bodyOf(call, commentBody);
    checkBody("IssueComment", body);
    const issue = issueToWrite(call, { role: "read", author: true });
    checkLock(call, issue, "create comment");
    return created(
      shapeComment(call.core, call.repo, createComment(call.core, call.repo, issue, body, doerOf(call.actor))),
    );
  }),

  repoRoute("GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", readIssues, (call) => {
    const all = call.core.store.by(reactionsBySubject, `comment:${commentOf(call).id}`);
    const content = call.query.get("content");
    const { items, headers } = pageOf(call, content === null ? all : all.filter((one) => one.content === content));
    return ok(
      items.map((reaction) => shapeReaction(call.core, reaction)),
      headers,
    );
  }),

  repoRoute("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", writeIssues, (call) => {
    const { content } = bodyOf(call, z.object({ content: z.enum(reactionContents) }));
    const comment = commentOf(call);
    checkLock(call, issueOf(call.core.store, call.repo, comment.number), "create reaction");
    const subject = `comment:${comment.id}`;
    const { reaction, fresh } = react(call.core, call.repo, subject, content, doerOf(call.actor));
    return { status: fresh ? 201 : 200, body: shapeReaction(call.core, reaction) };
  }),
];

function commentOf(call: RepoCall): Comment {
  const comment = call.core.store.get("comment", numberOf(call, "comment_id"));
  if (comment === undefined || comment.repoId !== call.repo.id) throw notFound();
  return comment;
}

function sinceFilter(call: RepoCall, comments: Comment[]): Comment[] {
  const since = sinceOf(call);
  return since === null ? comments : comments.filter((comment) => Date.parse(comment.updatedAt) >= since);
}

function listOf(call: RepoCall, comments: readonly Comment[]) {
  const { items, headers } = pageOf(call, comments);
  return ok(
    items.map((comment) => shapeComment(call.core, call.repo, comment)),
    headers,
  );
}
