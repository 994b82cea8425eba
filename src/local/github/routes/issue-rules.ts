/** Who may do what to an issue or pull request, beyond what the route asks. */
import { type AnyPermission, atLeast, holdsAny, notAccessible, roleOf } from "../access.ts";
import { ApiError, validationFailed } from "../answer.ts";
import type { CollaboratorPermission, Issue } from "../entities.ts";
import { issueOf } from "../finders.ts";
import { numberOf, type RepoCall } from "../route.ts";

/** Reading an issue or pull request. */
export const readIssues = { app: ["issues:read", "pull_requests:read"], person: "read" } as const;
/** Writing to one, where every reader may (comments, reactions); finer rules are the route's. */
export const writeIssues = { app: ["issues:write", "pull_requests:write"], person: "read" } as const;

/** The issue in the path, for reading. */
export function issueToRead(call: RepoCall): Issue {
  const issue = issueOf(call.core.store, call.repo, numberOf(call, "issue_number"));
  checkKind(call, issue, "read");
  return issue;
}

/** The issue in the path, for writing: its author may (where `author` is true), and people with this role. */
export function issueToWrite(
  call: RepoCall,
  least: { readonly role: CollaboratorPermission; readonly author: boolean },
): Issue {
  const issue = issueOf(call.core.store, call.repo, numberOf(call, "issue_number"));
  checkKind(call, issue, "write");
  checkPerson(call, issue.userId, least);
  return issue;
}

/** Throws 403 unless the person has the role or, where that is enough, is the author. */
export function checkPerson(
  call: RepoCall,
  authorId: number,
  least: { readonly role: CollaboratorPermission; readonly author: boolean },
): void {
  if (call.actor.kind !== "person") return;
  if (least.author && call.actor.user.id === authorId) return;
  if (atLeast(roleOf(call.core.store, call.repo, call.actor.user), least.role)) return;
  throw new ApiError(403, "Must have admin rights to Repository.");
}

/** An app that may touch pull requests alone may not touch plain issues. */
function checkKind(call: RepoCall, issue: Issue, level: "read" | "write"): void {
  if (call.actor.kind !== "installation" || !call.actor.repositoryIds.includes(call.repo.id)) return;
  const wanted: AnyPermission =
    issue.pull === null ? [`issues:${level}`] : [`issues:${level}`, `pull_requests:${level}`];
  if (!holdsAny(call.actor.permissions, wanted)) throw notAccessible(wanted);
}

/** Throws 403 where the conversation is locked: people with write access may speak, apps may not. */
export function checkLock(call: RepoCall, issue: Issue, what: string): void {
  if (issue.locked !== true) return;
  if (call.actor.kind === "person" && atLeast(roleOf(call.core.store, call.repo, call.actor.user), "write")) return;
  throw new ApiError(403, `Unable to ${what} because issue is locked.`);
}

/** Longest text of a body, in UTF-8 bytes, whatever the error says of characters. */
const mostBodyBytes = 262_144;

/** 422 where a body is too long. */
export function checkBody(resource: string, body: string | null | undefined): void {
  if (body === null || body === undefined || Buffer.byteLength(body) <= mostBodyBytes) return;
  throw validationFailed({
    resource,
    field: "body",
    code: "custom",
    message: "body is too long (maximum is 65536 characters)",
  });
}
