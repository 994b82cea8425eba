/**
 * The budget: a trial is as long as every other, or its value says nothing of the idea. The command keeps to it by itself, and
 * the time-out lets it train twice as long; so what gains by more training is put to a person.
 *
 * It is held against the frontier's own trials, which have the same start-up, compilation and evaluation in them: those of
 * the untouched code, or of what a person put there. Not against the last winner's: each winner may be a little slower, and
 * a night of them would train for twice the budget. Without such a row the budget is what there is to go by.
 *
 * The slack is a fifth of the budget, and half a minute at least: what a cold cache, a busy machine or a longer compilation
 * takes. Of a budget of seconds that is more than the time-out lets pass, and nobody is asked.
 */
import { type Config, formatDuration } from "./config.ts";
import { historyOf } from "./history.ts";
import type { Measurement } from "./measurement.ts";
import { shortSha } from "./names.ts";
import type { Row } from "./results.ts";
import type { SessionRecord } from "./session.ts";
import { type Judgement, gainOf } from "./verdict.ts";

const slackOfBudget = 0.2;
const leastSlackSeconds = 30;

/** Seconds of one trial of the frontier, by the last row of its own; null where there is none. */
export function ownSecondsOf(
  rows: readonly Row[],
  { base, config }: Pick<SessionRecord, "base" | "config">,
): number | null {
  const row = historyOf(rows).ofFrontier.at(-1);
  if (row === undefined || row.seconds === 0) return null;
  return row.seconds / (row.commit === shortSha(base) ? config.keep.baseline_trials : 1);
}

/** Seconds beyond which a trial took longer than its idea explains. */
function mostSeconds(ownSeconds: number | null, config: Config): number {
  const { budget } = config.trial;
  return Math.max(ownSeconds ?? budget, budget) + Math.max(slackOfBudget * budget, leastSlackSeconds);
}

/** Whether a measurement is a gain for which more time was taken than others had. */
export function isOvertime(
  measurement: Measurement,
  reference: { readonly value: number; readonly ownSeconds: number | null },
  config: Config,
): boolean {
  if (measurement.status !== "measured" || measurement.seconds <= mostSeconds(reference.ownSeconds, config))
    return false;
  return gainOf(measurement.value, reference.value, config.metric.direction) >= 0;
}

/** The judgement, where none of the trials took longer than it may; else a winner is a question. */
export function holdToBudget(
  judgement: Judgement,
  measurements: readonly Measurement[],
  ownSeconds: number | null,
  config: Config,
): Judgement {
  if (judgement.kind !== "outcome" || judgement.outcome !== "keep") return judgement;
  const longest = Math.max(...measurements.map((each) => each.seconds));
  if (longest <= mostSeconds(ownSeconds, config)) return judgement;
  const shown = (seconds: number) => formatDuration(Math.max(1, seconds));
  const usual = ownSeconds === null ? "" : `, where the frontier's own trials took ${shown(ownSeconds)}`;
  const because = `${judgement.because}, but it took ${shown(longest)}${usual} (trial.budget is ${shown(config.trial.budget)})`;
  return { kind: "unknown", value: judgement.value, because };
}
