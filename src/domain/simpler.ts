/**
 * Equal and shorter wins: a candidate whose gain is none or may be luck, and whose code is shorter than the frontier's, is
 * kept. Never one that measured worse, so that the frontier's value never gets worse, however often the rule is used;
 * docs/decisions/0008-equal-and-shorter.md says what that means for the values behind the noise.
 */
import type { Config } from "./config.ts";
import { type Judgement, type Reference, gainOf } from "./verdict.ts";

/** The judgement, where code that is `lines` longer than the frontier's (below zero: shorter) was measured `trials` times. */
export function preferShorter(
  judgement: Judgement,
  facts: {
    readonly lines: number | null;
    readonly trials: number;
    readonly reference: Reference;
    readonly sigma: number | null;
  },
  config: Config,
): Judgement {
  const { lines, trials, reference, sigma } = facts;
  if (!config.keep.simpler || lines === null || lines >= 0 || judgement.kind !== "outcome") return judgement;
  const { value, outcome } = judgement;
  if (value === null || (outcome !== "discard" && outcome !== "within_noise")) return judgement;
  if (gainOf(value, reference.value, config.metric.direction) < 0) return judgement;
  // What may be luck is measured as often as any gain.
  if (sigma !== null && sigma > 0 && trials < config.keep.trials) {
    return { kind: "repeat", because: `equal to the frontier and shorter, if it is no luck: measured again` };
  }
  const shorter = lines === -1 ? "1 line" : `${-lines} lines`;
  return { ...judgement, outcome: "keep", because: `equal to the frontier and ${shorter} shorter` };
}
