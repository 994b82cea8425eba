/**
 * The end of an experiment's life: the row, then the pull request. A winner is on the frontier before its row is written;
 * a loser's row is written before its pull request is closed; the outcome's label is the very last thing.
 */
import type { Decision } from "./action.ts";
import { buttons } from "./buttons.ts";
import { type Phase, measurementsFor, openExperiments } from "./experiment.ts";
import { shortSha, triggerLabel } from "./names.ts";
import type { Measurement } from "./measurement.ts";
import type { Row } from "./results.ts";
import { type Experiment, type Running, isEnded, noiseOf, trialsOfFrontier } from "./session.ts";
import { measurementsOf } from "./trial.ts";
import { meanOf, pool, valuesOf } from "./verdict.ts";
import { closedAgainText, concludedBody, verdictLine, verdictTitle } from "./words.ts";

/** The row of the frontier itself, once it was measured often enough: the baseline is row one. */
export function recordFrontier(session: Running): Decision | null {
  const { frontier, record } = session;
  if (frontier.value !== null || isEnded(record.state)) return null;
  const measurements = measurementsOf(frontier.ownTrials);
  const values = valuesOf(measurements);
  if (values.length < trialsOfFrontier(record, frontier.tip)) return null;
  const baseline = frontier.tip === record.base;
  const row: Row = {
    commit: shortSha(frontier.tip),
    value: meanOf(values),
    // What ended otherwise is no measure of how long a trial takes.
    ...costOf(measurements.filter(({ status }) => status === "measured")),
    description: baseline ? "baseline" : "frontier moved by a person",
    outcome: "keep",
    experiment: 0,
    pullRequest: null,
    parent: "",
    because: values.length === 1 ? "measured once" : `mean of ${values.length} trials`,
  };
  return {
    kind: "do",
    action: { kind: "record", row, key: null, noise: pool(noiseOf(session), values), idea: null },
    because: `the frontier is measured: ${row.value}`,
  };
}

/** The row of an experiment whose outcome is certain; after an end, of every experiment that has none. */
export function record(session: Running): Decision | null {
  for (const { experiment, phase } of openExperiments(session)) {
    const decided = decidedIn(phase, session);
    if (decided === null) continue;
    const measurements = measurementsFor(experiment, session);
    const row: Row = {
      commit: shortSha(experiment.head),
      value: decided.value,
      ...costOf(measurements),
      description: experiment.description,
      outcome: decided.outcome,
      experiment: experiment.number,
      pullRequest: experiment.pullRequest,
      parent: shortSha(experiment.parent.tip),
      because: decided.because,
    };
    const values = decided.value === null ? [] : valuesOf(measurements);
    const noise = pool(noiseOf(session), values);
    const { key, idea } = experiment;
    return { kind: "do", action: { kind: "record", row, key, noise, idea }, because: decided.because };
  }
  return null;
}

function decidedIn(phase: Phase, session: Running): Pick<Row, "outcome" | "value" | "because"> | null {
  if (phase.kind === "decided") return phase;
  if (phase.kind === "recorded" || !isEnded(session.record.state)) return null;
  if (phase.kind === "unknown") {
    return { outcome: "withdrawn", value: null, because: `${phase.because}; nobody answered before the end` };
  }
  return { outcome: "withdrawn", value: null, because: session.record.because };
}

function costOf(measurements: readonly Measurement[]): Pick<Row, "memoryGb" | "seconds"> {
  const peakMb = measurements.map((each) => each.metrics["peak_vram_mb"] ?? 0);
  const seconds = measurements.reduce((sum, each) => sum + each.seconds, 0);
  return { memoryGb: Math.max(0, ...peakMb) / 1024, seconds };
}

/** Cleans up the pull request of a recorded experiment. A run that is not listed yet is waited for, to be cancelled. */
export function conclude(session: Running): Decision | null {
  for (const { experiment, phase } of openExperiments(session)) {
    if (phase.kind !== "recorded") continue;
    if (experiment.trials.some((trial) => trial.phase.kind === "intended")) continue;
    return concludeOne(experiment, phase.row, session);
  }
  return null;
}

function concludeOne(experiment: Experiment, row: Row, session: Running): Decision {
  const measurements = measurementsFor(experiment, session);
  return {
    kind: "do",
    action: {
      kind: "conclude",
      experiment: experiment.number,
      pullRequest: experiment.pullRequest,
      head: experiment.head,
      check: experiment.check?.id ?? null,
      buttons: experiment.pull === "merged" || row.outcome === "keep" ? buttons.merged : buttons.over,
      outcome: row.outcome,
      title: verdictTitle(row, experiment.parent.value, session.record.config),
      verdict: verdictLine(row),
      close: experiment.pull === "open" && experiment.elsewhere === null,
      // The label was the last word on it: somebody opened it again.
      remark: experiment.pull === "open" && experiment.label !== null ? closedAgainText(row) : null,
      body: concludedBody({ experiment, row, measurements, session }),
      labels: [triggerLabel, row.outcome],
    },
    because: row.because,
  };
}
