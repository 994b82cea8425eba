/**
 * The buttons on the bot's own check. A press is heard of in a webhook alone; it is written down at once, as a comment of
 * the bot's that says who pressed what, and is from then on an order like any other.
 */
import type { CommandWord } from "./command.ts";
import { marker } from "./words.ts";

/** A button as the Checks API takes it: label and identifier of at most 20 characters, description of at most 40. */
export type Button = { readonly label: string; readonly description: string; readonly identifier: string };

type Pressable = Extract<CommandWord, "rerun" | "keep" | "stop">;

const rerun: Button = { label: "Re-run", description: "Measure this commit once more", identifier: "rerun" };
const keep: Button = { label: "Keep", description: "Keep it, unless it is worse", identifier: "keep" };
const stop: Button = { label: "Stop the session", description: "End it and cancel what trains", identifier: "stop" };

/** What can be pressed while an experiment is measured, when it waits for a person, and when it is over. */
export const buttons = {
  measuring: [keep, stop],
  question: [rerun, keep, stop],
  over: [rerun, keep, stop],
  merged: [stop],
} as const;

/** The command that a button stands for, or null. */
export function commandOfButton(identifier: string): Pressable | null {
  return ([rerun, keep, stop].find((each) => each.identifier === identifier)?.identifier as Pressable) ?? null;
}

export type Press = { readonly what: Pressable; readonly by: string };

/** The hidden line of the comment that holds a press; `delivery` tells a doubled webhook from a second press. */
export function pressMark(press: Press, delivery: string): string {
  return marker(`press ${press.what} ${press.by} ${delivery.replace(/[^\w-]/g, "")}`);
}

/** The press that a comment of the bot's own holds, with its hidden line, or null. */
export function parsePress(body: string): (Press & { readonly mark: string }) | null {
  const match = /<!-- autoresearch:press (rerun|keep|stop) ([\w-]+) [\w-]* -->/.exec(body);
  return match === null ? null : { what: match[1] as Pressable, by: match[2]!, mark: match[0] };
}

/** The comment that keeps a press. */
export function pressComment(press: Press, delivery: string): string {
  const { label } = [rerun, keep, stop].find((each) => each.identifier === press.what)!;
  return `${press.by} pressed **${label}** on the check.\n\n${pressMark(press, delivery)}`;
}
