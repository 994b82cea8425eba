/**
 * The brief in words: what a good researcher would want on the desk, and nothing that an outsider could have written but as
 * data in a fence. Pure.
 *
 * Always: its parts stand in the order in which they change, so that what a vendor caches stays the same as long as it can.
 * It has a bound (`briefTokens`), however long the session.
 */
import type { Brief } from "../../domain/proposal.ts";
import { frontierText, listingTokens, mutableTokens } from "./frontier.ts";
import { historyOf } from "./history.ts";
import { nowText, nowTokens } from "./now.ts";
import { fenced, keepTail } from "./quote.ts";
import { type Workplace, programTokens, rulesOf } from "./rules.ts";
import { type Shelf, shelfTokens } from "./shelf.ts";

export type BriefText = {
  /** The same for the whole session, as long as nobody edits the program. */
  readonly rules: string;
  /** The same until something is kept. */
  readonly frontier: string;
  /** The same for about ten experiments. */
  readonly history: string;
  /** New each time. */
  readonly now: string;
};

const historyTokens = 18_000;
const rulesTokens = 3_000;
const headingTokens = 1_500;

/** The most that a brief has, in estimated tokens, whatever the session. */
export const briefTokens =
  rulesTokens + programTokens + listingTokens + shelfTokens + mutableTokens + historyTokens + nowTokens + headingTokens;

export function briefTextOf(brief: Brief, shelf: Shelf, workplace: Workplace): BriefText {
  const { settled, newest } = historyOf(brief.rows, brief.config.metric.direction);
  const shown = settled === "" ? "(none yet)" : keepTail(settled, historyTokens);
  return {
    rules: rulesOf(brief.config, brief.program, workplace),
    frontier: frontierText(brief, shelf, workplace),
    history: `# The experiments so far\n\nOldest first: number, outcome, value with the difference to the frontier of its time, peak memory, description.\n\n${fenced(shown)}`,
    now: nowText(brief, newest, workplace),
  };
}

/** All of it as one text. */
export function wholeBrief({ rules, frontier, history, now }: BriefText): string {
  return [rules, frontier, history, now].join("\n\n");
}
