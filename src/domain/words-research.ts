/** What the bot says of its researcher: steering, edits of the program, repairs. Foreign texts go through `inline`. */
import { formatUsd } from "./ledger.ts";
import type { Idea } from "./proposal.ts";
import type { Edit, Session } from "./session.ts";
import { type Asked, triesAtMost } from "./steering.ts";
import { inline, marker } from "./words.ts";

/** A quote of what somebody asked for. */
function quoted(text: string, most = 100): string {
  const short = Array.from(text).length > most ? `${Array.from(text).slice(0, most).join("")}…` : text;
  return `“${inline(short, most + 1)}”`;
}

export function nothingSaid(kind: "note" | "try" | "model"): string {
  const examples = { note: "note keep the batch size", try: "try weight tying", model: "model NAME" } as const;
  return `Say what after the word: \`/autoresearch ${examples[kind]}\`.`;
}

export function readsNoWords(kind: string): string {
  return `The researcher of this session (\`${kind}\`) reads no words, so that there is nobody to tell.`;
}

export function oneTryOnly(): string {
  return "One `try` in a comment, please: each of them becomes an experiment of its own.";
}

export function tooManyTries(): string {
  return `${triesAtMost} ideas are waiting to be tried; more can be asked for when some of them were.`;
}

export function notAModel(): string {
  return "That is no name of a model: letters, digits and `. _ : / @ -` make one.";
}

/** Said on the issue when nothing comes of what somebody asked for. */
export function tryDropped(asked: Asked | null, because: string): string {
  const what = asked === null ? "What was asked for" : `@${asked.by}, ${quoted(asked.text)}`;
  return `${what} came to nothing: ${inline(because)}. The session goes on without it; put in other words it can be asked for again.`;
}

export function editNotTaken(edit: Edit): string {
  return `@${edit.by} edited the text of this issue. Only people with write access change the program, so the session goes on with what it was.`;
}

export function emptyProgram(edit: Edit): string {
  return `@${edit.by} left the text of this issue without a word, so the session goes on with the program as it was.`;
}

/** The steering as the dashboard has it, newest last; "" where nobody asked for anything. */
export function steeringText({ record }: Session, steering: readonly Asked[]): string {
  if (record === null) return "";
  const lines = steering
    .slice(-shownAsked)
    .map((asked) => `${inline(`@${asked.by}`)} ${asked.kind} ${quoted(asked.text)}${fate(asked)}`);
  const { edit, model } = record;
  if (model !== null) lines.push(`model \`${model}\``);
  if (edit !== null) {
    const what = edit.taken
      ? `edited the program → from exp ${edit.from} on`
      : "edited the issue’s text; not taken, without write access";
    lines.push(`${inline(`@${edit.by}`)} ${what}`);
  }
  return lines.length === 0 ? "" : `Steering: ${lines.join(" · ")}`;
}

const shownAsked = 8;

function fate(asked: Asked): string {
  if (asked.dropped !== null) return " (dropped)";
  if (asked.takenUpIn !== null) return ` → exp ${asked.takenUpIn}`;
  return asked.kind === "try" ? " (next)" : "";
}

/** The body with a line for the repair that the experiment's last commit is; the same where it has it already. */
export function withRepair(body: string, repair: NonNullable<Idea["repair"]>, idea: Idea): string {
  const mark = marker(`repair ${repair.attempt}`);
  if (body.includes(mark)) return body;
  const cost = idea.spent === null || idea.spent.usd === 0 ? "" : ` · ${formatUsd(idea.spent.usd)} up to here`;
  const line = `**Repair ${repair.attempt}.** It crashed with ${inline(repair.failure, 200)}; mended: ${inline(repair.description)}${cost}.\n\n${mark}`;
  const verdict = marker("verdict");
  return body.includes(verdict) ? body.replace(verdict, () => `${line}\n\n${verdict}`) : `${body}\n\n${line}`;
}
