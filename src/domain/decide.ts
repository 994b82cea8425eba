/**
 * What to do next, given everything that is known: pure, total, and the only place that decides. The rules stand in the
 * order of a session's life, but for the first: stop is a level, and nothing comes before it. The first rule that has
 * something to do wins; `reconcile` carries it out, folds the answer in, and asks again.
 *
 * Always:
 * - nothing is opened or dispatched in any state but `running`, and nothing is merged after an end; a pause lets what is
 *   in training be measured and settled;
 * - a winner advances before it is recorded, a loser is recorded before it is closed, so that from the frontier's tip,
 *   results.tsv and the open pull requests a later pass can finish whatever a dead one began;
 * - a runner that is free gets its next trial before any book is kept (the GPU is the dear part);
 * - every decision says why.
 *
 * Races: two winners on one frontier: the first advances, the second is then stale and waits (`phaseOf`). A person stops
 * while a candidate is being opened or merged: `act` looks again right before, and the next round meets the first rule.
 */
import type { Decision } from "./action.ts";
import { formatDuration } from "./config.ts";
import { decideEnd } from "./ending.ts";
import { activeTrials, lostLimit, openExperiments } from "./experiment.ts";
import { askPerson } from "./question.ts";
import { block, blockOnFailure, blockOnHelpless, dropTry, fillPurse, mend, open, propose } from "./feeding.ts";
import { type Sha, frontierBranch } from "./names.ts";
import { answerOthers, obey } from "./order.ts";
import type { Row } from "./results.ts";
import { conclude, record as recordRow, recordFrontier } from "./settle.ts";
import type { Frontier, Running, Session, SessionRecord } from "./session.ts";
import { attemptsOf, hasStarted, isEnded, trialsOfFrontier } from "./session.ts";
import { decideStart, isLabelledAgain, startAgain, stopByHand } from "./starting.ts";
import { isActive, lostInARow, measurementsOf, stuckAtMs } from "./trial.ts";
import { completeChecks, heedEdit, refuseEdit, showDashboard, showRepairs, syncLabels, tellMoved } from "./show.ts";
import { wakeAt } from "./wake.ts";
import { startRefusal } from "./words.ts";

/** A branch that was just made may not be seen yet. */
const unseenWithinMs = 60_000;

type Rule<S> = (session: S) => Decision | null;

/** The next thing to do, or until when to wait. */
export function decide(session: Session): Decision {
  const order = obey(session);
  if (order !== null) return order;
  if (session.record === null) return answerOthers(session) ?? decideStart(session);
  if (!hasStarted(session)) return decideWithoutFrontier(session, session.record);

  const { state } = session.record;
  const always: Rule<Running>[] = [stopByHand, startAgain, followDefaultBranch, cancelRuns, heedEdit];
  const running: Rule<Running>[] = [advance, measureFrontier, dispatchNext];
  const booking: Rule<Running>[] = [recordFrontier, recordRow, conclude];
  const asking: Rule<Running>[] = [askPerson];
  const feeding: Rule<Running>[] = [
    decideEnd,
    blockOnFailure,
    blockOnHelpless,
    fillPurse,
    dropTry,
    mend,
    open,
    propose,
  ];
  const showing: Rule<Running>[] = [
    completeChecks,
    answerOthers,
    refuseEdit,
    showRepairs,
    showDashboard,
    syncLabels,
    tellMoved,
  ];

  const inState = {
    running: [...running, ...booking, ...asking, ...feeding],
    paused: [advance, ...booking, ...asking],
    blocked: [advance, ...booking, ...asking],
    stopped: booking,
    done: booking,
  }[state];
  return (
    firstOf([...always, ...inState, ...showing], session) ?? {
      kind: "wait",
      untilMs: wakeAt(session),
      because: `${state}: nothing to do now`,
    }
  );
}

function firstOf<S>(rules: readonly Rule<S>[], session: S): Decision | null {
  for (const rule of rules) {
    const decision = rule(session);
    if (decision !== null) return decision;
  }
  return null;
}

/** Somebody deleted the frontier's branch: before the end a person is asked, after it there is nothing to go on with. */
function decideWithoutFrontier(session: Session, record: SessionRecord): Decision {
  const { nowMs, key, start } = session;
  const branch = `\`${frontierBranch(key.issue)}\``;
  const settledMs = Date.parse(record.since) + unseenWithinMs;
  const frontier = frontierByRows(session.rows, record.base);
  const gone: Running = { ...session, record, frontier };
  const early = firstOf([stopByHand, followDefaultBranch, cancelRuns], gone);
  if (early !== null) return early;
  if (record.state === "running" || record.state === "paused") {
    if (nowMs < settledMs) return { kind: "wait", untilMs: settledMs, because: `${branch} is not seen yet` };
    return block(`the branch ${branch} was deleted; restore it (its tip is in the pull request that was merged last)`);
  }
  if (isLabelledAgain(session, record) && start !== null) {
    const problem = `the branch ${branch} was deleted, so there is nothing to go on with. Restore it, or open a new issue.`;
    return { kind: "do", action: { kind: "refuseStart", text: startRefusal(problem) }, because: problem };
  }
  const booking: Rule<Running>[] = isEnded(record.state) ? [recordRow, conclude] : [];
  return (
    firstOf([...booking, showDashboard, syncLabels, tellMoved], gone) ?? {
      kind: "wait",
      untilMs: isEnded(record.state) ? wakeAt(gone) : null,
      because: `${branch} is gone`,
    }
  );
}

/** Trials are dispatched on the default branch: when it has another name, or is another one, the session goes along. */
function followDefaultBranch({ record, defaultBranch }: Running): Decision | null {
  const goesOn = record.state === "running" || record.state === "paused";
  if (!goesOn || record.baseBranch === defaultBranch) return null;
  const because = `the default branch is ${defaultBranch} now, and was ${record.baseBranch}`;
  return { kind: "do", action: { kind: "followBranch", branch: defaultBranch, because }, because };
}

/** What the rows still say of a frontier whose branch is gone. */
function frontierByRows(rows: readonly Row[], tip: Sha): Frontier {
  const value = rows.findLast((row) => row.outcome === "keep")?.value ?? null;
  return { tip, value, trials: 1, experiment: null, ownTrials: [], nextAttempt: 1, check: null };
}

/** Cancels what holds a runner for nothing: after an end, for a pull request that is no longer open, astray, or stuck. */
function cancelRuns(session: Running): Decision | null {
  const ended = isEnded(session.record.state);
  const idle = session.experiments.filter(({ pull, elsewhere }) => ended || pull !== "open" || elsewhere !== null);
  const trials = [...(ended ? session.frontier.ownTrials : []), ...idle.flatMap((experiment) => experiment.trials)];
  const unwanted = trials.filter(isActive).flatMap(({ run }) => (run === null ? [] : [run.id]));
  const isNew = (id: number) => !session.cancelled.has(id);
  const run = unwanted.find(isNew) ?? session.strays.find(isNew);
  if (run === undefined) return cancelStuck(session, isNew);
  const open = unwanted.includes(run) ? "its pull request is closed" : "nothing waits for what it measures";
  const because = ended ? session.record.because : open;
  return { kind: "do", action: { kind: "cancelRun", run }, because };
}

function cancelStuck(session: Running, isNew: (id: number) => boolean): Decision | null {
  const { nowMs, record } = session;
  for (const { run, phase } of activeTrials(session)) {
    if (run === null || !isNew(run.id) || phase.kind !== "training" || nowMs < stuckAtMs(phase, record.config))
      continue;
    const because = `its run is stuck: after ${formatDuration((nowMs - phase.seenMs) / 1_000)} nothing ended it`;
    return { kind: "do", action: { kind: "cancelRun", run: run.id }, because };
  }
  return null;
}

function advance(session: Running): Decision | null {
  for (const { experiment, phase } of openExperiments(session)) {
    if (phase.kind !== "won") continue;
    const { number, pullRequest, head, description } = experiment;
    const { value, trials } = phase;
    const tip = session.frontier.tip;
    return {
      kind: "do",
      action: { kind: "advance", experiment: number, pullRequest, head, tip, description, value, trials },
      because: phase.because,
    };
  }
  return null;
}

function freeSlots(session: Running): number {
  return session.record.config.runner.concurrency - activeTrials(session).length;
}

/** A frontier without a value of its own (the base, or a commit that a person pushed) is measured first. */
function measureFrontier(session: Running): Decision | null {
  const { frontier, record } = session;
  if (frontier.value !== null) return null;
  const sinceMs = Date.parse(record.since);
  const failed = frontier.ownTrials.filter((trial) =>
    measurementsOf([trial]).some((each) => each.status !== "measured"),
  );
  // What failed before a person said `resume` is theirs to have mended.
  const fresh = failed.flatMap(({ phase }) => (phase.kind === "measured" && phase.atMs >= sinceMs ? [phase] : []))[0];
  if (fresh !== undefined) return block(`the frontier itself can't be measured: ${fresh.measurement.because}`);
  if (lostInARow(frontier.ownTrials, sinceMs) >= lostLimit) {
    return block(`the runner was lost ${lostLimit} times while the frontier was measured`);
  }
  const counted = frontier.ownTrials.filter((trial) => trial.phase.kind !== "lost" && !failed.includes(trial));
  if (counted.length >= trialsOfFrontier(record, frontier.tip) || freeSlots(session) <= 0) return null;
  const attempt = frontier.nextAttempt;
  return {
    kind: "do",
    action: {
      kind: "dispatch",
      experiment: 0,
      attempt,
      firstAttempt: frontier.ownTrials[0]?.attempt ?? attempt,
      commit: frontier.tip,
      check: frontier.check,
      frontierValue: null,
    },
    because: "the frontier has no value yet",
  };
}

function dispatchNext(session: Running): Decision | null {
  const { frontier } = session;
  if (frontier.value === null || freeSlots(session) <= 0) return null;
  for (const { experiment, phase } of openExperiments(session)) {
    if (phase.kind !== "waiting") continue;
    const { number, head, parent, description } = experiment;
    if (phase.lost >= lostLimit) return block(`the runner was lost ${phase.lost} times in experiment ${number}`);
    if (parent.tip !== frontier.tip) {
      const action = {
        kind: "carry",
        experiment: number,
        head,
        parent: parent.tip,
        tip: frontier.tip,
        description,
        attemptsBefore: attemptsOf(experiment),
      } as const;
      return { kind: "do", action, because: "the frontier moved" };
    }
    const attempt = experiment.nextAttempt;
    return {
      kind: "do",
      action: {
        kind: "dispatch",
        experiment: number,
        attempt,
        firstAttempt: experiment.trials[0]?.attempt ?? attempt,
        commit: head,
        check: experiment.check?.id ?? null,
        frontierValue: frontier.value,
      },
      because: phase.because,
    };
  }
  return null;
}
