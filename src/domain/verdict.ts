/**
 * The verdict: what a candidate's measurements say against the frontier it was trained on. Pure arithmetic on values,
 * their number, and the noise of the metric.
 *
 * A gain counts when it is at least `keep.sigmas` standard errors, the error being sigma * sqrt(1/n + 1/m) for the mean of
 * n trials of the candidate against m of the frontier. A candidate that gains, but less than that, is measured again
 * while `keep.trials` allows. (With a plain "lower wins", 125 changes without any effect give about 4 false keeps at
 * karpathy's noise; see docs/decisions/0004-verdict.md.)
 */
import type { Config } from "./config.ts";
import type { Measurement } from "./measurement.ts";
import { formatAmount } from "./numbers.ts";

/** How an experiment ended; docs/design.md, section 2. */
export const outcomes = ["keep", "discard", "within_noise", "crash", "timeout", "rejected", "withdrawn"] as const;
export type Outcome = (typeof outcomes)[number];

/** What a candidate is held against: the mean of `trials` measurements. */
export type Reference = { readonly value: number; readonly trials: number };

/** Pooled variance of repeated trials: sum of squared deviations from each group's mean, and degrees of freedom. */
export type Noise = { readonly sumOfSquares: number; readonly degrees: number };

export const noNoise: Noise = { sumOfSquares: 0, degrees: 0 };

export type Judgement =
  | { readonly kind: "outcome"; readonly outcome: Outcome; readonly value: number | null; readonly because: string }
  | { readonly kind: "repeat"; readonly because: string }
  /** No value, or one beyond belief: neither a win nor a loss before a person has said so. */
  | { readonly kind: "unknown"; readonly value: number | null; readonly because: string };

/** Arithmetic mean; NaN of none. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The noise with one more group of equal trials pooled in. */
export function pool(noise: Noise, values: readonly number[]): Noise {
  if (values.length < 2) return noise;
  const mean = meanOf(values);
  const sumOfSquares = values.reduce((sum, value) => sum + (value - mean) ** 2, noise.sumOfSquares);
  return { sumOfSquares, degrees: noise.degrees + values.length - 1 };
}

/** Standard deviation of one trial: as configured, else as measured; null while nothing is known. */
export function sigmaOf(noise: Noise, config: Config): number | null {
  if (config.keep.noise !== null) return config.keep.noise;
  return noise.degrees === 0 ? null : Math.sqrt(noise.sumOfSquares / noise.degrees);
}

/** How much better `value` is than `reference`, in the metric's unit; negative when it is worse. */
export function gainOf(value: number, reference: number, direction: Config["metric"]["direction"]): number {
  return direction === "lower" ? reference - value : value - reference;
}

/** The values of the trials that were measured. */
export function valuesOf(measurements: readonly Measurement[]): number[] {
  return measurements.flatMap((each) => (each.status === "measured" ? [each.value] : []));
}

/** Whether a measurement is a value that can be believed without asking anybody. */
export function isSound(measurement: Measurement, reference: number, config: Config): boolean {
  return measurement.status === "measured" && beyondBelief(measurement.value, reference, config) === null;
}

/**
 * Judges at least one measurement of a candidate against the frontier that it was trained on. `keptBy`: the login of whoever
 * asked to keep it; then any value that is not worse is believed and is enough.
 */
export function judge(
  measurements: readonly Measurement[],
  reference: Reference,
  sigma: number | null,
  config: Config,
  keptBy: string | null = null,
): Judgement {
  const failed = measurements.find((each) => each.status !== "measured");
  if (failed?.status === "unknown") return { kind: "unknown", value: null, because: failed.because };
  if (failed !== undefined)
    return { kind: "outcome", outcome: outcomeOf(failed), value: null, because: failed.because };

  const values = valuesOf(measurements);
  const strange = values.map((value) => beyondBelief(value, reference.value, config)).find((each) => each !== null);
  const value = meanOf(values);
  if (strange !== undefined && keptBy === null) return { kind: "unknown", value, because: strange };

  const gain = gainOf(value, reference.value, config.metric.direction);
  const better = config.metric.direction === "lower" ? "lower" : "higher";
  const worse = config.metric.direction === "lower" ? "higher" : "lower";
  const outcome = (kind: Outcome, because: string): Judgement => ({ kind: "outcome", outcome: kind, value, because });

  if (keptBy !== null && gain >= 0) return outcome("keep", `kept by @${keptBy}: ${better} by ${formatAmount(gain)}`);
  if (gain === 0) return outcome("discard", "equal to the frontier");
  if (gain < 0) return outcome("discard", `${worse} than the frontier by ${formatAmount(-gain)}`);
  if (gain < config.keep.min_gain) {
    return outcome("discard", `the gain of ${formatAmount(gain)} is below keep.min_gain (${config.keep.min_gain})`);
  }
  if (sigma === null || sigma === 0) return outcome("keep", `${better} than the frontier by ${formatAmount(gain)}`);

  const error = sigma * Math.sqrt(1 / values.length + 1 / reference.trials);
  const sigmas = gain / error;
  const shown = `${formatAmount(gain)} (${sigmas.toFixed(1)} σ)`;
  if (sigmas >= config.keep.sigmas) return outcome("keep", `${better} than the frontier by ${shown}`);
  if (values.length < config.keep.trials) {
    return { kind: "repeat", because: `a gain of ${shown} may be luck: measured again` };
  }
  return outcome("within_noise", `the gain of ${shown} is within the noise (${config.keep.sigmas} σ are needed)`);
}

function outcomeOf(measurement: Exclude<Measurement, { status: "unknown" }>): Outcome {
  switch (measurement.status) {
    case "timeout":
      return "timeout";
    case "rejected":
      return "rejected";
    case "crash":
    case "cancelled":
    case "measured":
      return "crash";
  }
}

/** Why nobody should believe the value, or null. Such a value is unknown: never zero, never a win. */
function beyondBelief(value: number, reference: number, config: Config): string | null {
  if (!Number.isFinite(value)) return `${config.metric.name} is not a number`;
  if (value <= 0 && reference > 0)
    return `${config.metric.name} of ${value} is beyond belief: it can't be zero or below`;
  const jump = gainOf(value, reference, config.metric.direction) / Math.abs(reference);
  if (reference === 0 || jump <= config.metric.max_gain) return null;
  const percent = (fraction: number) => `${(fraction * 100).toFixed(0)} %`;
  return `a gain of ${percent(jump)} in one step is beyond belief (metric.max_gain is ${percent(config.metric.max_gain)})`;
}
