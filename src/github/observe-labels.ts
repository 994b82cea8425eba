/**
 * Who put the trigger label on and off, and by which event. Events have rising ids of GitHub's: what was put on after a state
 * was written is told by them, and no clock is asked (ours and GitHub's need not agree).
 */
import { triggerLabel } from "../domain/names.ts";
import type { Client } from "./client.ts";
import { labelEventSchema } from "./facts.ts";
import { type View, repoOf } from "./view.ts";

/** Who gave the issue another title, and when. */
export type Renaming = { readonly by: string; readonly atMs: number };

/** Reads the events of the issue into the view; gives who renamed it. */
export async function readLabelling(client: Client, view: View): Promise<Renaming[]> {
  const at = { ...repoOf(view), issue_number: view.key.issue };
  const listed = await client.readAll("GET /repos/{owner}/{repo}/issues/{issue_number}/events", at);
  const told = listed.flatMap((event) => {
    const parsed = labelEventSchema.safeParse(event);
    return parsed.success ? [parsed.data] : [];
  });
  const events = told.filter((event) => event.label?.name === triggerLabel);
  const on = events.findLast((event) => event.event === "labeled");
  const off = events.findLast((event) => event.event === "unlabeled");
  view.labelled =
    on?.actor == null || on.created_at === undefined
      ? null
      : { event: on.id, by: on.actor.login, atMs: Date.parse(on.created_at) };
  view.unlabelledBy = off?.actor?.login ?? null;
  return told
    .filter((event) => event.event === "renamed")
    .map((event) => ({ by: event.actor?.login ?? "ghost", atMs: Date.parse(event.created_at ?? "") }));
}
