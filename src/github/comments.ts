/** The bot's own comments: found by a hidden mark, edited when they differ, removed when there are two. */
import { marker } from "../domain/words.ts";
import type { Context } from "./act.ts";
import type { Client } from "./client.ts";
import { isStatus } from "./errors.ts";
import { type CommentFact, commentSchema, numberOf } from "./facts.ts";
import { type Repo, type View, repoOf } from "./view.ts";

/** One comment with this mark on the issue or pull request: edited when it is there, removed when there are two. */
export async function upsertComment(
  number: number,
  isIt: (body: string) => boolean,
  body: string,
  { client, view }: Context,
): Promise<void> {
  const copies = [...view.ownComments.values()].filter((comment) => numberOf(comment) === number && isIt(comment.body));
  const [first, ...others] = copies.sort((a, b) => a.id - b.id);
  for (const copy of others) await removeComment(copy, { client, view });
  if (first?.body === body) return;
  const answer = await orSilence(
    async () =>
      (first === undefined ? null : await editComment(first, body, { client, view })) ??
      (await client.write("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
        ...repoOf(view),
        issue_number: number,
        body,
      })),
    view,
  );
  if (answer === null) return;
  const comment = commentSchema.parse(answer);
  view.ownComments.set(comment.id, comment);
}

/**
 * What the work gives, or null where the conversation is locked: apps may not speak there, whatever they may write. What was to
 * be said is not said; the dashboard catches up when the lock is off. https://docs.github.com/en/communities/moderating-comments-and-conversations/locking-conversations
 */
export async function orSilence<T>(work: () => Promise<T>, view: View): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!isStatus(error, 403) || !/is locked/i.test(error instanceof Error ? error.message : "")) throw error;
    view.old.add("issue");
    return null;
  }
}

/** The edited comment, or null when a person deleted it. */
async function editComment(
  comment: CommentFact,
  body: string,
  { client, view }: Pick<Context, "client" | "view">,
): Promise<unknown> {
  try {
    return await client.write("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", {
      ...repoOf(view),
      comment_id: comment.id,
      body,
    });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    view.ownComments.delete(comment.id);
    return null;
  }
}

async function removeComment({ id }: CommentFact, { client, view }: Pick<Context, "client" | "view">): Promise<void> {
  await deleteComment(client, repoOf(view), id);
  view.ownComments.delete(id);
}

/** Deletes a comment of the bot's own, which may be gone already. */
export async function deleteComment(client: Client, repo: Repo, id: number): Promise<void> {
  try {
    await client.write("DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}", { ...repo, comment_id: id });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}

/** How a comment with this name is told, and how its text is given the mark. */
export function marked(name: string): { is: (body: string) => boolean; put: (text: string) => string } {
  const mark = marker(name);
  return { is: (body) => body.includes(mark), put: (text) => `${text}\n\n${mark}` };
}
