/**
 * From the commands `rerun` and `keep` to an appeal, or to the sentence that says why there is none. They are meant for the
 * experiment on whose pull request they stand. One that is settled is opened again: its row goes, until there is a new one.
 */
import type { Appeal } from "./appeal.ts";
import { measurementsFor, phaseOf } from "./experiment.ts";
import { formatAmount } from "./numbers.ts";
import type { Row } from "./results.ts";
import { type Experiment, type Order, type Running, type Session, hasStarted, isEnded } from "./session.ts";
import { gainOf, meanOf, valuesOf } from "./verdict.ts";

export type Appealing = {
  /** Null: there is nothing to be done, and `reply` says why. */
  readonly appeal: Appeal | null;
  /** The pull request of a settled experiment, to be opened again. */
  readonly reopen: number | null;
  readonly reply: string | null;
  readonly refused: boolean;
};

const refuse = (reply: string): Appealing => ({ appeal: null, reopen: null, reply, refused: true });

/** What becomes of an order's `rerun` or `keep`. */
export function appealing(what: Appeal["what"], order: Order, session: Session): Appealing {
  if (!hasStarted(session))
    return refuse("The frontier's branch is gone: there is nothing to hold an experiment against.");
  const { state } = session.record;
  if (isEnded(state)) return refuse(`This session is ${state}. Put the label \`autoresearch\` on again first.`);
  const open = session.experiments.find((each) => each.pullRequest === order.on);
  const row = session.rows.findLast((each) => each.experiment > 0 && each.pullRequest === order.on);
  const accept = (experiment: number, reopen: number | null): Appealing => {
    const reply = `Experiment ${experiment} ${what === "keep" ? "is kept unless it is worse than the frontier" : "is measured once more"}.`;
    return { appeal: { experiment, what, by: order.author, at: order.at }, reopen, reply, refused: false };
  };
  if (row !== undefined) {
    const problem = what === "rerun" ? rerunProblem(row) : keepProblem(row, session);
    return problem === null ? accept(row.experiment, order.on) : refuse(problem);
  }
  if (open === undefined)
    return refuse(`Say \`/autoresearch ${what}\` on the pull request of the experiment that you mean.`);
  const problem = openProblem(what, open, session);
  return problem === null ? accept(open.number, null) : refuse(problem);
}

function rerunProblem(row: Row): string | null {
  return row.outcome === "keep"
    ? `Experiment ${row.experiment} is part of the frontier, and can't be measured apart from it.`
    : null;
}

function keepProblem(row: Row, session: Running): string | null {
  if (row.outcome === "keep") return `Experiment ${row.experiment} is kept already.`;
  return valueProblem(row.value, session);
}

/** Why a value can't be kept: there is none, or it is worse than the frontier is now. */
function valueProblem(value: number | null, session: Running): string | null {
  const frontier = session.frontier.value;
  if (value === null) return "There is no value to keep it for. `/autoresearch rerun` measures it once more.";
  const { direction, name } = session.record.config.metric;
  if (frontier === null || gainOf(value, frontier, direction) >= 0) return null;
  return `Its ${name} of ${formatAmount(value)} is worse than the frontier's ${formatAmount(frontier)}. If you want it all the same, merge the pull request: the frontier is then measured as it is.`;
}

function openProblem(what: Appeal["what"], experiment: Experiment, session: Running): string | null {
  const phase = phaseOf(experiment, session);
  if (experiment.pull !== "open") return "Its pull request is closed: open it first.";
  switch (phase.kind) {
    case "waiting":
    case "trial":
      return what === "rerun" ? "It is about to be measured already." : null;
    case "crashed":
      return what === "rerun" ? "It crashed, and is being mended." : valueProblem(null, session);
    case "won":
      return "It won, and is being merged.";
    case "unknown":
      return what === "rerun" ? null : valueProblem(phase.value, session);
    case "decided": {
      const values = valuesOf(measurementsFor(experiment, session));
      return what === "rerun" ? null : valueProblem(values.length === 0 ? null : meanOf(values), session);
    }
    case "recorded":
    case "settled":
      return null;
  }
}
