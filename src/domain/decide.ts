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
import { decideEnd, limitReached } from "./ending.ts";
import { activeTrials, lostLimit, openExperiments } from "./experiment.ts";
import { type Sha, frontierBranch, triggerLabel } from "./names.ts";
import { obey } from "./order.ts";
import { type Row, baselineOf } from "./results.ts";
import { conclude, record as recordRow, recordFrontier } from "./settle.ts";
import type { Frontier, Running, Session, SessionRecord } from "./session.ts";
import { hasStarted, isEnded, trialsOfFrontier } from "./session.ts";
import { isActive, lostInARow, measurementsOf } from "./trial.ts";
import { showDashboard, syncLabels } from "./show.ts";
import type { Outcome } from "./verdict.ts";
import { wakeAt } from "./wake.ts";
import { startRefusal } from "./words.ts";

/** A branch that was just made may not be seen yet. */
const unseenWithinMs = 60_000;

type Rule<S> = (session: S) => Decision | null;

/** The next thing to do, or until when to wait. */
export function decide(session: Session): Decision {
  const rules: Rule<Session>[] = [obey];
  const early = firstOf(rules, session);
  if (early !== null) return early;
  if (session.record === null) return decideStart(session);
  if (!hasStarted(session)) return decideWithoutFrontier(session, session.record);

  const { state } = session.record;
  const always: Rule<Running>[] = [stopByHand, startAgain, cancelRuns];
  const running: Rule<Running>[] = [advance, measureFrontier, dispatchNext];
  const booking: Rule<Running>[] = [recordFrontier, recordRow, conclude];
  const feeding: Rule<Running>[] = [decideEnd, blockOnFailure, open, propose];
  const showing: Rule<Running>[] = [syncLabels, showDashboard];

  const inState = {
    running: [...running, ...booking, ...feeding],
    paused: [advance, ...booking],
    blocked: [advance, ...booking],
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

function decideStart(session: Session): Decision {
  const labelled = session.issue.open && session.issue.labels.includes(triggerLabel);
  if (!labelled) return { kind: "wait", untilMs: null, because: "the label is not on" };
  if (session.start === null) return { kind: "wait", untilMs: session.nowMs + 5_000, because: "not all is read yet" };
  if (session.start.kind === "refused") {
    return { kind: "do", action: { kind: "refuseStart", text: session.start.problem }, because: session.start.problem };
  }
  return { kind: "do", action: { kind: "start", start: session.start }, because: `labelled by ${session.start.by}` };
}

/** Somebody deleted the frontier's branch: before the end a person is asked, after it there is nothing to go on with. */
function decideWithoutFrontier(session: Session, record: SessionRecord): Decision {
  const { nowMs, key, start } = session;
  const branch = `\`${frontierBranch(key.issue)}\``;
  const settledMs = Date.parse(record.since) + unseenWithinMs;
  const frontier = frontierByRows(session.rows, record.base);
  const gone: Running = { ...session, record, frontier };
  const early = firstOf([stopByHand, cancelRuns], gone);
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
    firstOf([...booking, syncLabels, showDashboard], gone) ?? {
      kind: "wait",
      untilMs: isEnded(record.state) ? wakeAt(gone) : null,
      because: `${branch} is gone`,
    }
  );
}

/** What the rows still say of a frontier whose branch is gone. */
function frontierByRows(rows: readonly Row[], tip: Sha): Frontier {
  const value = rows.findLast((row) => row.outcome === "keep")?.value ?? null;
  return { tip, value, trials: 1, experiment: null, ownTrials: [], nextAttempt: 1, check: null };
}

/** Closing the issue or taking the label off is `stop` by other means. */
function stopByHand(session: Running): Decision | null {
  if (isEnded(session.record.state)) return null;
  const closed = !session.issue.open;
  if (!closed && session.issue.labels.includes(triggerLabel)) return null;
  const by = closed ? session.issue.closedBy : session.unlabelledBy;
  const because = closed ? "the issue was closed" : `the label ${triggerLabel} was taken off`;
  return {
    kind: "do",
    action: { kind: "setState", change: { state: "stopped", by, because }, restart: null },
    because,
  };
}

/** The label put on again after an end (or a block) goes on with the same session, with what the issue says now. */
function startAgain(session: Running): Decision | null {
  const { record, start } = session;
  if (!isLabelledAgain(session, record) || start === null) return null;
  if (start.kind === "refused") {
    return { kind: "do", action: { kind: "refuseStart", text: start.problem }, because: start.problem };
  }
  // What makes values comparable stays as it was, unless nothing was measured yet: then all is read anew.
  const { config, base, baseBranch } = session.record;
  const { mutable, metric, trial } = config;
  const fresh = baselineOf(session.rows) === null;
  const restart = {
    startedAt: new Date(session.nowMs).toISOString(),
    program: start.program,
    base: fresh ? start.base : base,
    baseBranch: fresh ? start.baseBranch : baseBranch,
    config: fresh ? start.config : { ...start.config, mutable, metric, trial },
  };
  const change = { state: "running", by: start.by, because: `the label ${triggerLabel} was put on again` } as const;
  return { kind: "do", action: { kind: "setState", change, restart }, because: change.because };
}

function isLabelledAgain({ labelled, issue }: Session, record: SessionRecord): boolean {
  if (record.state === "running" || record.state === "paused" || !issue.open) return false;
  return labelled !== null && labelled.atMs > Date.parse(record.since);
}

/** Cancels what holds a runner for nothing: after an end, or for a pull request that a person closed or merged. */
function cancelRuns(session: Running): Decision | null {
  const ended = isEnded(session.record.state);
  const idle = session.experiments.filter((experiment) => ended || experiment.pull !== "open");
  const trials = [...(ended ? session.frontier.ownTrials : []), ...idle.flatMap((experiment) => experiment.trials)];
  const run = trials.filter(isActive).find((trial) => trial.run !== null && !session.cancelled.has(trial.run.id))?.run;
  if (run === null || run === undefined) return null;
  const because = ended ? session.record.because : "its pull request is closed";
  return { kind: "do", action: { kind: "cancelRun", run: run.id }, because };
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

function block(because: string): Decision {
  return {
    kind: "do",
    action: { kind: "setState", change: { state: "blocked", by: null, because }, restart: null },
    because,
  };
}

/** Ends that may be the set-up's fault. What a person closed, or what met a conflict, says nothing of it. */
const failed: readonly Outcome[] = ["crash", "timeout", "rejected"];

/** So many experiments in a row without a value are the set-up's fault, not the ideas'. */
function blockOnFailure(session: Running): Decision | null {
  const { config, rowsBefore } = session.record;
  const { failures } = config.limits;
  const last = session.rows
    .slice(rowsBefore)
    .filter((row) => row.experiment > 0 && (row.value !== null || failed.includes(row.outcome)))
    .slice(-failures);
  if (last.length < failures || last.some((row) => row.value !== null)) return null;
  return block(`${failures} experiments in a row gave no value; the last: ${last.at(-1)!.because}`);
}

/** One experiment more than there are runners is kept ready, so that a runner never waits for an idea. */
function wantsMore(session: Running): boolean {
  const open = openExperiments(session).filter(({ phase }) => phase.kind !== "recorded");
  return open.length < session.record.config.runner.concurrency + 1 && limitReached(session) === null;
}

function nextNumber(session: Running): number {
  const numbers = [...session.rows.map((row) => row.experiment), ...session.experiments.map((each) => each.number)];
  return numbers.reduce((most, number) => Math.max(most, number), 0) + 1;
}

function open(session: Running): Decision | null {
  if (session.desk.kind !== "ready" || !wantsMore(session)) return null;
  const { prepared } = session.desk;
  return {
    kind: "do",
    action: { kind: "open", prepared: { ...prepared, number: nextNumber(session) } },
    because: "an idea is ready",
  };
}

function propose(session: Running): Decision | null {
  const { desk, frontier, nowMs } = session;
  const free =
    desk.kind === "idle" ||
    (desk.kind === "failed" && desk.retryAtMs <= nowMs) ||
    (desk.kind === "exhausted" && desk.parent !== frontier.tip);
  if (!free || !wantsMore(session)) return null;
  return {
    kind: "do",
    action: { kind: "propose", number: nextNumber(session) },
    because: "a runner will be free for it",
  };
}
