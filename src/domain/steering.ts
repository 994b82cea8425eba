/**
 * Steering: what people with write access ask of the researcher. It stands in session.json, written by the order that its
 * comment is; which experiment took it up stands in that experiment's commit, and from its row on in session.json too.
 */
import { z } from "zod";
import type { Steering } from "./proposal.ts";

export const steeringSchema = z.object({
  comment: z.int(),
  kind: z.enum(["note", "try"]),
  by: z.string(),
  text: z.string(),
  at: z.string(),
  takenUpIn: z.int().nullable().default(null),
  /** Why it will not be taken up; null: it may be, or it was. */
  dropped: z.string().nullable().default(null),
});

export type Asked = z.output<typeof steeringSchema>;

/** So many `try` may wait at a time, and so many notes are heeded. */
export const triesAtMost = 10;
export const notesAtMost = 20;
/** Of what was tried, so many are remembered. */
const overAtMost = 40;

/** Names it in a commit; of one comment there is at most one `try`. */
export function steeringKey({ kind, comment }: Pick<Steering, "kind" | "comment">): string {
  return `${kind} ${comment}`;
}

/** A `try` that no experiment took up yet. */
export function isWaiting(asked: Asked): boolean {
  return asked.kind === "try" && asked.takenUpIn === null && asked.dropped === null;
}

/** The list with more: what waits is never dropped, of the rest the oldest go first. */
export function withAsked(list: readonly Asked[], more: readonly Asked[]): Asked[] {
  const all = [...list, ...more];
  const notes = all.filter((each) => each.kind === "note").slice(-notesAtMost);
  const over = all.filter((each) => each.kind === "try" && !isWaiting(each)).slice(-overAtMost);
  const kept = new Set([...notes, ...over]);
  return all.filter((each) => isWaiting(each) || kept.has(each));
}

type Taker = { readonly number: number; readonly idea: { readonly heeded: readonly string[] } | null };

/** The list as the experiments' commits complete it: each is taken up by the first that names it. */
export function withTakers(list: readonly Asked[], experiments: readonly Taker[]): Asked[] {
  const first = experiments.toSorted((a, b) => a.number - b.number);
  return list.map((asked) => {
    if (asked.takenUpIn !== null) return asked;
    const taker = first.find(({ idea }) => idea?.heeded.includes(steeringKey(asked)) === true);
    return taker === undefined ? asked : { ...asked, takenUpIn: taker.number };
  });
}

/** What is on the researcher's desk: every note, and the oldest `try` that waits. */
export function onDesk(list: readonly Asked[]): Steering[] {
  const next = list.find(isWaiting);
  return list
    .filter((each) => each.kind === "note" || each === next)
    .map(({ comment, kind, by, text, at, takenUpIn }) => ({ comment, kind, by, text, at, takenUpIn }));
}
