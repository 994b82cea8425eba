/**
 * Comments: one listing for the issue and all pull requests of the session. A command counts until the bot's own reaction
 * is on its comment: a lost delivery, or a process that died before the receipt, leaves it to the next look.
 *
 * Only comments as they were first written count for the receipt: editing an answered comment gives no new command.
 */
import { z } from "zod";
import { parsePress } from "../domain/buttons.ts";
import { type Command, parseCommands } from "../domain/command.ts";
import { historyOf } from "../domain/history.ts";
import type { Client } from "./client.ts";
import { type CommentFact, commentSchema, numberOf, permissionSchema, reactionSchema } from "./facts.ts";
import { type Identity, type View, repoOf } from "./view.ts";

const dayMs = 86_400_000;
/** A comment may be listed later than one that is younger: the next look begins this much earlier. */
const overlapMs = 60_000;
/** How much our clock may be ahead of GitHub's. */
const clockSkewMs = 600_000;

/** An order that was read and not obeyed is read again, with its author's access and its receipt, from the comment as it is. */
export function distrustOrders(view: View): void {
  view.orders = [];
  view.commentsSince = null;
  view.old.add("comments");
}

export async function readComments(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  const first = view.commentsSince === null;
  const comments: CommentFact[] = [];
  if (first) {
    const at = { ...repoOf(view), issue_number: view.key.issue };
    const own = await client.readAll("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", at, 3);
    comments.push(...z.array(commentSchema).parse(own));
  }
  const since = view.commentsSince ?? new Date(firstLook(view, nowMs)).toISOString();
  const listed = await client.readAll("GET /repos/{owner}/{repo}/issues/comments", {
    ...repoOf(view),
    since,
    sort: "updated",
    direction: "asc",
  });
  comments.push(...z.array(commentSchema).parse(listed));

  const numbers = numbersOf(view);
  for (const comment of comments.filter((each) => numbers.has(numberOf(each))))
    await take(client, view, identity, comment);
  const newest = comments.reduce(
    (latest, comment) => Math.max(latest, Date.parse(comment.updated_at)),
    Date.parse(since),
  );
  view.commentsSince =
    first && comments.length === 0 ? since : new Date(Math.max(Date.parse(since), newest - overlapMs)).toISOString();
}

/**
 * A day before the last change of state: what was asked before that has its receipt. GitHub's times are whole seconds, so
 * that what was said in the second of the start has its beginning.
 */
export function firstLook(view: Pick<View, "record">, nowMs: number): number {
  if (view.record === null) return nowMs - dayMs;
  const from = Math.max(Date.parse(view.record.startedAt) - clockSkewMs, Date.parse(view.record.since) - dayMs);
  return Math.floor(from / 1_000) * 1_000;
}

function numbersOf(view: View): Set<number> {
  return historyOf(view.rows).pullRequests.union(new Set([view.key.issue, ...view.pulls.keys()]));
}

async function take(client: Client, view: View, identity: Identity, comment: CommentFact): Promise<void> {
  const own = comment.user?.login === identity.login;
  if (own) view.ownComments.set(comment.id, comment);
  if (view.handled.has(comment.id) || view.orders.some((order) => order.comment === comment.id)) return;
  const said = own ? pressed(comment, view) : written(comment);
  if (said === null || said.commands.length === 0) return;
  if (await hasReceipt(client, view, identity, comment)) {
    view.handled.add(comment.id);
    return;
  }
  const mayWrite = await readMayWrite(client, view, said.author);
  const order = {
    comment: comment.id,
    on: numberOf(comment),
    author: said.author,
    mayWrite,
    commands: said.commands,
    at: comment.created_at,
  };
  view.orders = [...view.orders, order].sort((a, b) => a.comment - b.comment);
}

type Said = { readonly author: string; readonly commands: readonly Command[] };

/** What a person says; bots have no voice. */
function written({ user, body }: CommentFact): Said | null {
  return user === null || user.type === "Bot" ? null : { author: user.login, commands: parseCommands(body) };
}

/** A press of a button, which the bot wrote down in a comment of its own; a second copy, about to be deleted, says nothing. */
function pressed({ id, body }: CommentFact, { ownComments }: View): Said | null {
  const press = parsePress(body);
  if (press === null || ownComments.values().some((other) => other.id < id && other.body.includes(press.mark)))
    return null;
  return { author: press.by, commands: [{ kind: press.what }] };
}

async function hasReceipt(client: Client, view: View, identity: Identity, comment: CommentFact): Promise<boolean> {
  if (comment.reactions?.total_count === 0) return false;
  const at = { ...repoOf(view), comment_id: comment.id };
  const reactions = await client.readAll("GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", at, 3);
  return z
    .array(reactionSchema)
    .parse(reactions)
    .some((reaction) => reaction.user?.login === identity.login);
}

/**
 * Whether the person may write to the repository: the API's word, not the author's association with it. It is asked each
 * time, for who may write changes; an answer that is the same as before is free.
 */
export async function readMayWrite(client: Client, view: View, login: string): Promise<boolean> {
  const at = { ...repoOf(view), username: login };
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/collaborators/{username}/permission", at);
  const permission = answer === null ? "none" : permissionSchema.parse(answer).permission;
  return permission === "admin" || permission === "write" || permission === "maintain";
}
