/**
 * Appeals: what a person wants of one experiment, whatever its verdict. `rerun`: it is measured once more, and the new
 * value counts beside the old ones; `keep`: it is kept if it is not worse than the frontier, however small or large the gain.
 *
 * Always: an appeal stands in `session.json` from the moment it is heard, and speaks of what was asked for before and after
 * its own time, both by GitHub's clock. It never makes a worse value win: whoever wants that merges the pull request.
 */
import { z } from "zod";
import type { Measurement } from "./measurement.ts";
import type { Trial } from "./trial.ts";

export const appealSchema = z.object({
  experiment: z.int(),
  what: z.enum(["rerun", "keep"]),
  by: z.string(),
  /** When the comment was written. */
  at: z.string(),
});

export type Appeal = z.output<typeof appealSchema>;

/** Older ones speak of experiments that were settled long ago. */
const appealsAtMost = 50;

/** The appeals with one more; an experiment has one at a time. */
export function withAppeal(appeals: readonly Appeal[], appeal: Appeal): Appeal[] {
  return [...appeals.filter((each) => each.experiment !== appeal.experiment), appeal].slice(-appealsAtMost);
}

export function appealOf(appeals: readonly Appeal[], experiment: number): Appeal | null {
  return appeals.find((each) => each.experiment === experiment) ?? null;
}

/**
 * The measurements that count: all, but for those that made a person ask for another one because they are no value, or
 * none that anybody would believe (`isSound` says no).
 */
export function heldMeasurements(
  trials: readonly Trial[],
  appeal: Appeal | null,
  isSound: (measurement: Measurement) => boolean,
): Measurement[] {
  return trials.flatMap(({ phase }) => {
    if (phase.kind !== "measured") return [];
    const dismissed = appeal?.what === "rerun" && phase.atMs < Date.parse(appeal.at) && !isSound(phase.measurement);
    return dismissed ? [] : [phase.measurement];
  });
}

/** Whether the measurement that the appeal asks for is still to come. */
export function isOwed(trials: readonly Trial[], appeal: Appeal | null): boolean {
  if (appeal?.what !== "rerun") return false;
  const askedMs = Date.parse(appeal.at);
  return !trials.some(({ phase }) => phase.kind === "measured" && phase.atMs >= askedMs);
}
