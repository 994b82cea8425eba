/**
 * Trials: what became of each run of the training that the bot asked for, derived from what GitHub shows (runs, jobs,
 * checks) and from nothing else.
 *
 * Always: a number counts only when `believe` says so; absence is not evidence (a check that is not there yet is not a
 * crash), only ages and terminal states conclude.
 *
 * Races: a run may be dispatched and not be listed yet (the process died in between, or the list lags): the intent, which
 * is written before the dispatch, is waited on for `visibleWithinMs`, then the attempt is given up as lost and never
 * dispatched again. A run may be completed before its check is listed: `reportWithinMs`. Two processes without a lease may
 * dispatch an attempt twice: the run and the check that were made first count, for both of them; the other run is astray.
 */
import { type Config, timeoutSeconds } from "./config.ts";
import { type Measurement, parseMeasurement, setupLimitSeconds } from "./measurement.ts";
import { type Sha, type TrialId, formatReportJobName, formatRunName, formatTrialId, workflowFile } from "./names.ts";

/** A check run, as far as it concerns us. `digest` is the SHA-256 of `json`, both null where there is no measurement in it. */
export type CheckFact = {
  readonly id: number;
  readonly name: string;
  readonly head: Sha;
  readonly externalId: string;
  readonly app: string;
  readonly status: string;
  readonly json: string | null;
  readonly digest: string | null;
  readonly startedMs: number;
};

/** A workflow run. */
export type RunFact = {
  readonly id: number;
  readonly name: string;
  readonly path: string;
  readonly event: string;
  readonly branch: string;
  readonly actor: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly createdMs: number;
  readonly startedMs: number;
  readonly updatedMs: number;
  /** When we first saw it in progress, by our clock; 0: we did not. (GitHub's start of a run is when it was asked for.) */
  readonly seenStartMs: number;
  /** When we first saw it completed, by our clock; 0: we did not. */
  readonly seenEndMs: number;
  readonly url: string;
};

/** A job of a run. */
export type JobFact = { readonly name: string; readonly conclusion: string | null; readonly runner: string | null };

/** That an attempt was about to be dispatched: written on the commit before the dispatch. */
export type Intent = { readonly attempt: number; readonly firstAttempt: number; readonly atMs: number };

export type Trial = {
  readonly attempt: number;
  readonly run: { readonly id: number; readonly url: string } | null;
  readonly phase:
    | { readonly kind: "intended"; readonly untilMs: number }
    | { readonly kind: "queued"; readonly sinceMs: number }
    /** `seenMs`: since when we see it train, which is later than it began where this process is younger. */
    | { readonly kind: "training"; readonly sinceMs: number; readonly seenMs: number }
    | { readonly kind: "reporting"; readonly untilMs: number }
    /** `atMs`: when its run was asked for. */
    | { readonly kind: "measured"; readonly measurement: Measurement; readonly atMs: number }
    | { readonly kind: "lost"; readonly atMs: number; readonly because: string };
};

/** How long a dispatched run may stay unlisted. */
export const visibleWithinMs = 60_000;
/** How long after the end of a run its check may stay unlisted. */
export const reportWithinMs = 60_000;

/** What a trial is held against: who we are and what was dispatched. */
export type Expected = {
  readonly id: TrialId;
  readonly commit: Sha;
  readonly base: Sha;
  readonly metric: string;
  readonly defaultBranch: string;
  /** Names that the default branch had earlier in this session: only the bot dispatches, and it did so there. */
  readonly formerBranches?: readonly string[];
  /** Login of the bot, `name[bot]`: nobody else's dispatch counts. */
  readonly bot: string;
};

/** What GitHub shows about one commit. */
export type TrialFacts = {
  readonly checks: readonly CheckFact[];
  readonly runs: readonly RunFact[];
  readonly jobs: ReadonlyMap<number, readonly JobFact[]>;
};

/**
 * The measurement of a check, if every part of its story holds: the Actions app posted it on the commit under the trial's
 * id, and a run which the bot dispatched for this trial, of the workflow on the default branch, vouches in the name of a
 * job of its own for the digest of what the check says. (A token of any workflow of the repository can post such a check,
 * and GitHub keeps no link from it to its run; but only the run itself can name its jobs.)
 */
export function believe(
  check: CheckFact,
  facts: TrialFacts,
  expected: Expected,
): { measurement: Measurement } | { refused: string } {
  const { id } = expected;
  if (check.name !== expected.metric) return { refused: `the check is named ${check.name}` };
  if (check.app !== "github-actions") return { refused: `the check was posted by ${check.app}, not by Actions` };
  if (check.head !== expected.commit) return { refused: "the check is on another commit" };
  if (check.externalId !== formatTrialId(id)) return { refused: `the check is of trial ${check.externalId}` };
  if (check.status !== "completed") return { refused: "the check is not completed" };

  if (check.json === null || check.digest === null) return { refused: "the check holds no measurement" };
  const named = facts.runs.filter((run) => run.name === formatRunName(id));
  const ours = named.filter((run) => wrongRun(run, expected) === null);
  if (ours.length === 0) {
    const [other] = named;
    return { refused: (other === undefined ? null : wrongRun(other, expected)) ?? "no run of the trial is known" };
  }
  const vouched = formatReportJobName(check.digest);
  if (!ours.some((run) => (facts.jobs.get(run.id) ?? []).some((job) => job.name === vouched))) {
    return { refused: "the run does not vouch for what the check says" };
  }

  const measurement = parseMeasurement(check.json);
  if (measurement === null) return { refused: "the measurement is not of the agreed form" };
  if (
    measurement.trial !== formatTrialId(id) ||
    measurement.commit !== expected.commit ||
    measurement.base !== expected.base
  ) {
    return { refused: "the measurement is of another trial" };
  }
  return { measurement };
}

function wrongRun(run: RunFact, expected: Expected): string | null {
  if (run.name !== formatRunName(expected.id)) return "the run has another name";
  if (run.path !== `.github/workflows/${workflowFile}`) return "the run is of another workflow";
  if (run.event !== "workflow_dispatch") return "the run was not dispatched";
  if (run.branch !== expected.defaultBranch && expected.formerBranches?.includes(run.branch) !== true)
    return "the run used a workflow that is not the default branch's";
  if (run.actor !== expected.bot) return `the run was dispatched by ${run.actor}`;
  return null;
}

/**
 * The trials of one commit, by attempt. `intent` is the last one written on it (null: nothing was ever dispatched for it):
 * attempts below it that left no measurement are lost.
 */
export function trialsOf(
  intent: Intent | null,
  facts: TrialFacts,
  expected: Omit<Expected, "id"> & { id: Omit<TrialId, "attempt"> },
  nowMs: number,
): Trial[] {
  if (intent === null) return [];
  const count = intent.attempt - intent.firstAttempt + 1;
  return Array.from({ length: count }, (_, index) => {
    const attempt = intent.firstAttempt + index;
    const id = { ...expected.id, attempt };
    const run = elder(facts.runs.filter((each) => wrongRun(each, { ...expected, id }) === null));
    for (const check of facts.checks.toSorted((a, b) => a.id - b.id)) {
      const belief = believe(check, facts, { ...expected, id });
      if (!("measurement" in belief)) continue;
      return trialOf(attempt, run, measuredPhase(belief.measurement, run?.createdMs ?? check.startedMs));
    }
    if (run !== undefined) return trialOf(attempt, run, phaseOfRun(run, nowMs));
    const untilMs = intent.atMs + visibleWithinMs;
    const waiting = attempt === intent.attempt && nowMs < untilMs;
    return trialOf(
      attempt,
      undefined,
      waiting ? { kind: "intended", untilMs } : { kind: "lost", atMs: intent.atMs, because: "its run never appeared" },
    );
  });
}

/** The one that was made first: what was doubled is told alike by everybody who looks. */
function elder(runs: readonly RunFact[]): RunFact | undefined {
  return runs.toSorted((a, b) => a.id - b.id)[0];
}

function trialOf(attempt: number, run: RunFact | undefined, phase: Trial["phase"]): Trial {
  return { attempt, run: run === undefined ? null : { id: run.id, url: run.url }, phase };
}

function measuredPhase(measurement: Measurement, atMs: number): Trial["phase"] {
  if (measurement.status === "cancelled") return { kind: "lost", atMs, because: "its run was cancelled" };
  return { kind: "measured", measurement, atMs };
}

function phaseOfRun(run: RunFact, nowMs: number): Trial["phase"] {
  if (run.status === "in_progress") return { kind: "training", sinceMs: run.startedMs, seenMs: run.seenStartMs };
  if (run.status !== "completed") return { kind: "queued", sinceMs: run.createdMs };
  // By one clock: GitHub's may differ from ours by more than a check takes.
  const untilMs = run.seenEndMs + reportWithinMs;
  if (run.conclusion === "success" && nowMs < untilMs) return { kind: "reporting", untilMs };
  return {
    kind: "lost",
    atMs: run.createdMs,
    because: `its run ended without a measurement (${run.conclusion ?? "no conclusion"})`,
  };
}

/** True while the trial may hold a runner: its run is asked for and has not ended. */
export function isActive(trial: Trial): boolean {
  return trial.phase.kind === "intended" || trial.phase.kind === "queued" || trial.phase.kind === "training";
}

/** What a runner takes for the rest: the fetch, the report, and to end what is over its time. */
const windingUpSeconds = 10 * 60;

/** When a training is stuck: everything in it has had its time, and nothing ended it. */
export function stuckAtMs(phase: Extract<Trial["phase"], { kind: "training" }>, config: Config): number {
  const commands = timeoutSeconds(config) * (config.trial.evaluate === null ? 1 : 2);
  return phase.seenMs + (setupLimitSeconds + commands + windingUpSeconds) * 1_000;
}

/** How many trials at the end of the list went lost in a row, counting those after `sinceMs` (a person said `resume`). */
export function lostInARow(trials: readonly Trial[], sinceMs: number): number {
  // GitHub's times are whole seconds.
  const fromMs = Math.floor(sinceMs / 1000) * 1000;
  let lost = 0;
  for (const { phase } of trials.toReversed()) {
    if (phase.kind !== "lost" || phase.atMs < fromMs) break;
    lost += 1;
  }
  return lost;
}

/** The measurements of the trials that gave one, in order of attempt. */
export function measurementsOf(trials: readonly Trial[]): Measurement[] {
  return trials.flatMap((trial) => (trial.phase.kind === "measured" ? [trial.phase.measurement] : []));
}
