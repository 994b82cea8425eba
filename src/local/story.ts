/**
 * The story in the terminal: what happened since the last look, as lines, and what is going on, as bars that are drawn anew.
 * Derived from what is seen, so that a session that goes on after a kill tells its story on from there.
 */
import { historyOf } from "../domain/history.ts";
import { formatAmount, formatDelta } from "../domain/numbers.ts";
import type { Row } from "../domain/results.ts";
import type { ExperimentSeen, SessionSeen, TrialSeen } from "./reading.ts";

/** What was told already. */
export type Told = {
  readonly opened: Set<number>;
  /** `experiment:attempt` of trainings that were told to have begun. */
  readonly training: Set<string>;
  rows: number;
  state: string;
};

export function nothingTold(): Told {
  return { opened: new Set(), training: new Set(), rows: 0, state: "" };
}

const nameWidth = 12;
const ideaWidth = 34;

/** Lines about what is new; `told` takes note. With `quiet` only settled things make lines (bars show the rest). */
export function newLines(seen: SessionSeen, told: Told, quiet: boolean): string[] {
  const lines: string[] = [];
  if (seen.record !== null && seen.record.state !== told.state) {
    if (told.state !== "" || seen.record.state !== "running")
      lines.push(`session     ${seen.record.state}: ${seen.record.because}`);
    told.state = seen.record.state;
  }
  for (const experiment of seen.experiments) {
    if (told.opened.has(experiment.number)) continue;
    told.opened.add(experiment.number);
    if (!quiet) lines.push(`${label(experiment)}pull request opened`);
  }
  for (const [name, trial] of [...trialsOf(seen)].filter(([, { status }]) => status !== "queued")) {
    if (told.training.has(name)) continue;
    told.training.add(name);
    const experiment = seen.experiments.find((each) => each.number === Number(name.split(":")[0]));
    const again = trial.attempt > 1 && experiment !== undefined ? ` (trial ${trial.attempt})` : "";
    if (!quiet && trial.status === "in_progress")
      lines.push(`${experiment === undefined ? baselineLabel() : label(experiment)}training${again}`);
  }
  for (const row of seen.rows.slice(told.rows)) lines.push(rowLine(row, seen));
  told.rows = seen.rows.length;
  return lines;
}

function* trialsOf(seen: SessionSeen): Generator<[string, TrialSeen]> {
  for (const trial of seen.baseline) yield [`0:${trial.attempt}`, trial];
  for (const experiment of seen.experiments)
    for (const trial of experiment.trials) yield [`${experiment.number}:${trial.attempt}`, trial];
}

function baselineLabel(): string {
  return "baseline".padEnd(nameWidth + ideaWidth + 2);
}

function label(experiment: Pick<ExperimentSeen, "number" | "pullRequest" | "description">): string {
  const name = `exp ${experiment.number}`.padEnd(7) + `#${experiment.pullRequest}`.padEnd(nameWidth - 7);
  const { description } = experiment;
  const idea = description.length > ideaWidth ? `${description.slice(0, ideaWidth - 1)}…` : description;
  return `${name}${idea.padEnd(ideaWidth)}  `;
}

function rowLine(row: Row, seen: SessionSeen): string {
  const seconds = `${row.seconds.toFixed(1)} s`.padStart(7);
  const metric = seen.record?.config.metric.name ?? "";
  if (row.experiment === 0) {
    const name = row.description === "baseline" ? baselineLabel() : row.description.padEnd(nameWidth + ideaWidth + 2);
    return `${name}${seconds}   ${metric} ${row.value === null ? "?" : formatAmount(row.value)}  (${row.because})`;
  }
  const before = historyOf(seen.rows).before.get(row) ?? null;
  const value = (row.value === null ? "" : formatAmount(row.value)).padStart(8);
  const delta = (row.value === null || before === null ? "" : formatDelta(row.value - before)).padStart(8);
  const head = label({ number: row.experiment, pullRequest: row.pullRequest ?? 0, description: row.description });
  const end = row.outcome === "keep" ? `merged (${row.because})` : row.because;
  return `${head}${seconds} ${value} ${delta}  ${row.outcome.replace("_", " ").padEnd(12)} ${end}`;
}

const barWidth = 20;

/** One line for everything that trains or waits now: elapsed against the budget. */
export function liveLines(seen: SessionSeen, nowMs: number): string[] {
  const budget = seen.record?.config.trial.budget ?? 0;
  const line = (head: string, trial: TrialSeen): string => {
    if (trial.status !== "in_progress") return `${head}queued`;
    const elapsed = Math.max(0, (nowMs - trial.startedMs) / 1000);
    const filled = Math.min(barWidth, Math.round((elapsed / budget) * barWidth));
    return `${head}${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ${elapsed.toFixed(1)} s of ${budget} s`;
  };
  const active = (trials: readonly TrialSeen[]) => trials.findLast((trial) => trial.status !== "completed");
  const baseline = active(seen.baseline);
  const settled = new Set(seen.rows.map((row) => row.experiment));
  return [
    ...(baseline === undefined ? [] : [line(baselineLabel(), baseline)]),
    ...seen.experiments
      .filter((experiment) => !settled.has(experiment.number))
      .map((experiment) => {
        const trial = active(experiment.trials);
        return trial === undefined
          ? `${label(experiment)}${experiment.trials.length === 0 ? "waiting" : "…"}`
          : line(label(experiment), trial);
      }),
  ];
}
