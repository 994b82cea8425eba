/**
 * Where an experiment stands in its life, in the order of that life. One place derives it; `decide` answers each phase.
 */
import { type Appeal, appealOf, heldMeasurements, isOwed } from "./appeal.ts";
import type { Measurement } from "./measurement.ts";
import { type Failure, mendingOf } from "./repair.ts";
import type { Row } from "./results.ts";
import { type Experiment, type Running, noiseOf, rowOf } from "./session.ts";
import { holdToBudget, isOvertime, ownSecondsOf } from "./overtime.ts";
import { preferShorter } from "./simpler.ts";
import { type Trial, isActive, lostInARow } from "./trial.ts";
import { type Judgement, type Outcome, isSound, judge, sigmaOf } from "./verdict.ts";

export type Phase =
  /** Opened, waiting for its first trial or for the next one. `lost`: how many of its trials went lost in a row. */
  | { readonly kind: "waiting"; readonly lost: number; readonly because: string }
  /** A trial is dispatched. */
  | { readonly kind: "trial"; readonly trial: Trial }
  /** Won against the frontier that is still the frontier: to be merged. */
  | { readonly kind: "won"; readonly value: number; readonly trials: number; readonly because: string }
  /** Its own code crashed, and whoever wrote it is to mend it; runners go on with other experiments. */
  | { readonly kind: "crashed"; readonly failure: Failure; readonly attempt: number }
  /** Measured, but no value that can be believed: a person keeps it, has it measured again, or closes it. */
  | { readonly kind: "unknown"; readonly value: number | null; readonly because: string }
  /** The outcome is certain and not written yet. */
  | { readonly kind: "decided"; readonly outcome: Outcome; readonly value: number | null; readonly because: string }
  /** The row is written; the pull request is not cleaned up yet. */
  | { readonly kind: "recorded"; readonly row: Row }
  | { readonly kind: "settled" };

/** A runner may vanish this often before a person is asked; the idea is not at fault. */
export const lostLimit = 3;

export function phaseOf(experiment: Experiment, session: Running): Phase {
  const row = rowOf(session, experiment.number);
  if (row !== null) return recordedPhase(experiment, row);
  // GitHub marks a pull request as merged some time after the frontier moved; the frontier knows first.
  const value = valueOfMerge(experiment, session);
  if (experiment.pull === "merged" || value !== null) return mergedPhase(experiment, value, session);
  if (experiment.pull === "closed") {
    return { kind: "decided", outcome: "withdrawn", value: null, because: "closed by a person" };
  }
  if (experiment.elsewhere !== null) {
    const because = `a person pointed its pull request at ${experiment.elsewhere}`;
    return { kind: "decided", outcome: "withdrawn", value: null, because };
  }

  const active = experiment.trials.find((trial) => isActive(trial) || trial.phase.kind === "reporting");
  if (active !== undefined) return { kind: "trial", trial: active };
  if (experiment.conflict !== null) {
    const because = experiment.conflict;
    return { kind: "decided", outcome: "discard", value: null, because };
  }
  const measurements = measurementsFor(experiment, session);
  const { parent } = experiment;
  const appeal = appealFor(experiment, session);
  const lost = lostInARow(experiment.trials, Date.parse(session.record.since));
  if (measurements.length === 0 || parent.value === null) {
    return { kind: "waiting", lost, because: "opened, not measured yet" };
  }
  if (isOwed(experiment.trials, appeal)) {
    return { kind: "waiting", lost, because: `@${appeal!.by} asked for another measurement` };
  }

  const judgement = judgementOf(experiment, measurements, { ...parent, value: parent.value }, session);
  const stale = parent.tip !== session.frontier.tip;
  if (judgement.kind === "repeat") return { kind: "waiting", lost, because: judgement.because };
  if (judgement.kind === "unknown") return judgement;
  if (judgement.outcome === "crash") {
    const mending = mendingOf(experiment, measurements.at(-1)!, session);
    const attempt = (experiment.idea?.repair?.attempt ?? 0) + 1;
    if ("failure" in mending) return { kind: "crashed", failure: mending.failure, attempt };
    return { ...judgement, kind: "decided", because: `${judgement.because}${mending.over}` };
  }
  if (judgement.outcome !== "keep") return { ...judgement, kind: "decided" };
  if (stale) return { kind: "waiting", lost, because: "the frontier moved: carried onto it and measured again" };
  return { kind: "won", value: judgement.value!, trials: measurements.length, because: judgement.because };
}

function appealFor(experiment: Experiment, session: Running): Appeal | null {
  return appealOf(session.record.appeals, experiment.number);
}

/** The measurements of an experiment that count. */
export function measurementsFor(experiment: Experiment, session: Running): Measurement[] {
  const { config } = session.record;
  const { value } = experiment.parent;
  const ownSeconds = ownSecondsOf(session.rows, session.record);
  const sound = (each: Measurement) =>
    value === null || (isSound(each, value, config) && !isOvertime(each, { value, ownSeconds }, config));
  return heldMeasurements(experiment.trials, appealFor(experiment, session), sound);
}

function judgementOf(
  experiment: Experiment,
  measurements: readonly Measurement[],
  reference: { readonly value: number; readonly trials: number },
  session: Running,
): Judgement {
  const { config } = session.record;
  const sigma = sigmaOf(noiseOf(session), config);
  const appeal = appealFor(experiment, session);
  const keptBy = appeal?.what === "keep" ? appeal.by : null;
  const judgement = judge(measurements, reference, sigma, config, keptBy);
  const lines = experiment.idea?.lines ?? null;
  const preferred = preferShorter(judgement, { lines, trials: measurements.length, reference, sigma }, config);
  return keptBy === null
    ? holdToBudget(preferred, measurements, ownSecondsOf(session.rows, session.record), config)
    : preferred;
}

function recordedPhase(experiment: Experiment, row: Row): Phase {
  // What a person pointed elsewhere is theirs, and stays open.
  const clean = experiment.label !== null && (experiment.pull !== "open" || experiment.elsewhere !== null);
  return clean ? { kind: "settled" } : { kind: "recorded", row };
}

/** The value that the bot's merge of an experiment says; null: it did not merge it. */
function valueOfMerge({ number, mergedValue }: Experiment, { frontier }: Running): number | null {
  return frontier.experiment === number ? frontier.value : mergedValue;
}

/** Merged: by the bot, if the frontier's commits say so; else by a person, whose word counts, but makes no number. */
function mergedPhase(experiment: Experiment, value: number | null, session: Running): Phase {
  const measurements = measurementsFor(experiment, session);
  const { parent } = experiment;
  if (value !== null && parent.value !== null) {
    const reference = { value: parent.value, trials: parent.trials };
    const because =
      measurements.length === 0 ? "merged" : judgementOf(experiment, measurements, reference, session).because;
    return { kind: "decided", outcome: "keep", value, because };
  }
  const because = "merged by a person; the frontier is measured as it is now";
  return { kind: "decided", outcome: "withdrawn", value: null, because };
}

/** The experiments that are not settled, with their phases. */
export function openExperiments(session: Running): { experiment: Experiment; phase: Phase }[] {
  return session.experiments
    .map((experiment) => ({ experiment, phase: phaseOf(experiment, session) }))
    .filter(({ phase }) => phase.kind !== "settled");
}

/** Every trial that may hold a runner now: of the experiments and of the frontier itself. */
export function activeTrials(session: Running): Trial[] {
  const candidates = session.experiments.flatMap((experiment) => experiment.trials);
  return [...session.frontier.ownTrials, ...candidates].filter(isActive);
}
