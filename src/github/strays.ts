/** What other processes, or a pass that died, left under way: runs that nobody waits for, and checks that nobody completed. */
import { historyOf } from "../domain/history.ts";
import { parseRunName } from "../domain/names.ts";
import type { Session } from "../domain/session.ts";
import type { RunFact, Trial } from "../domain/trial.ts";
import { isOwnCheck, valueAt } from "./tracked.ts";
import type { Identity, View } from "./view.ts";

/** Runs of ours that nobody waits for: of an attempt that was given up, or of a commit that was replaced. */
export function straysIn(view: View, expected: readonly Trial[], identity: Identity): number[] {
  const waitedFor = new Set(expected.map((trial) => trial.run?.id));
  return (
    [...view.runs.values()]
      .filter((run) => run.status !== "completed" && run.actor === identity.login && !waitedFor.has(run.id))
      // A run that was heard as a witness has measured, and is only winding up.
      .filter((run) => !view.jobs.has(run.id) && !isUnheardOf(view, run, identity))
      .map((run) => run.id)
  );
}

/**
 * Whether a run is of an attempt whose intent we do not know: another process beside this one dispatched it, and what we know
 * of its commit is out of date. An experiment that has its row, or a frontier that has its value, wants no more attempts.
 */
export function isUnheardOf(view: View, run: RunFact, identity: Identity): boolean {
  const id = parseRunName(run.name);
  if (id === null || id.issue !== view.key.issue) return false;
  const settled =
    id.experiment === 0
      ? view.frontier != null && valueAt(view, view.frontier) !== null
      : historyOf(view.rows).byExperiment.has(id.experiment);
  return !settled && id.attempt > lastIntended(view, id.experiment, identity);
}

/** The last attempt of an experiment, on whichever commit, whose intent is known; 0: none. */
function lastIntended(view: View, experiment: number, identity: Identity): number {
  const prefix = `${view.key.issue}:${experiment}:`;
  const own = [...view.checks.values()].flat().filter((check) => isOwnCheck(check, identity));
  const attempts = own
    .filter((check) => check.externalId.startsWith(prefix))
    .map((check) => Number(check.externalId.split(":")[2]));
  return Math.max(0, ...attempts);
}

/** How much earlier than ours GitHub's clock may be. */
const clockSkewMs = 120_000;

/** Trials that the stop cut off. From the rows and the runs alone, so that every process says the same. */
export function cutOffIn({ key, record, rows, runs }: View): number {
  if (record?.state !== "stopped") return 0;
  const ended = rows.slice(record.rowsBefore).filter((row) => row.outcome === "withdrawn");
  const experiments = new Set([0, ...ended.map((row) => row.experiment)]);
  const afterMs = Date.parse(record.since) - clockSkewMs;
  return [...runs.values()].filter((run) => {
    const trial = parseRunName(run.name);
    const isOurs = trial?.issue === key.issue && experiments.has(trial.experiment);
    return isOurs && run.conclusion === "cancelled" && run.updatedMs >= afterMs;
  }).length;
}

export function looseIn(view: View, open: ReadonlySet<number>, identity: Identity): Session["looseChecks"] {
  const recorded = historyOf(view.rows).byExperiment;
  return [...view.checks].flatMap(([commit, checks]) =>
    checks
      .filter((check) => check.status !== "completed" && isOwnCheck(check, identity))
      .flatMap((check) => {
        const [issue, experiment] = check.externalId.split(":").map(Number);
        if (issue !== view.key.issue || experiment === undefined) return [];
        const settled =
          experiment === 0 ? valueAt(view, commit) !== null : recorded.has(experiment) && !open.has(experiment);
        return settled ? [{ check: check.id, experiment }] : [];
      }),
  );
}
