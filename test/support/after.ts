/** The session after an action was carried out, as GitHub and `act` would leave it: a model of the world, on values. */
import type { Action } from "../../src/domain/action.ts";
import { renewed } from "../../src/domain/ledger.ts";
import { withAppeal } from "../../src/domain/appeal.ts";
import type { Sha } from "../../src/domain/names.ts";
import { untold } from "../../src/domain/proposal.ts";
import { withRow } from "../../src/domain/results.ts";
import { type Experiment, type Session, type SessionRecord, trialsOfFrontier } from "../../src/domain/session.ts";
import type { Trial } from "../../src/domain/trial.ts";
import { experimentWith, frontierWith, recordWith, shaOf, unmeasuredFrontier } from "./session.ts";

type ActionOf<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** Ids that were never given before in this session. */
function freshSha(session: Session): Sha {
  const used = [session.frontier?.tip, session.resultsTip, ...session.experiments.map((each) => each.head)];
  const numbers = used.map((id) => Number(id?.slice(0, 7) ?? 0));
  return shaOf(Math.max(100_000, ...numbers) + 1);
}

export function after(session: Session, action: Action): Session {
  switch (action.kind) {
    case "refuseStart":
      return { ...withLabels(session, [], ["autoresearch"]), start: null };
    case "start":
      return started(session, action);
    case "obey": {
      const orders = session.orders.filter((order) => order.comment !== action.comment);
      const heard = withRecord({ ...session, orders }, action.steer ?? {});
      return appealed(action.change === null ? heard : inState(heard, action.change), action);
    }
    case "setState":
      return { ...inState(session, { ...action.restart, ...action.change }), start: null };
    case "completeCheck":
      return { ...session, looseChecks: session.looseChecks.filter(({ check }) => check !== action.check) };
    case "cancelRun":
      return { ...session, cancelled: new Set([...session.cancelled, action.run]) };
    case "dispatch":
      return dispatched(session, action);
    case "advance":
      // The pull request is still open: GitHub marks it as merged some time later.
      return {
        ...session,
        frontier: frontierWith({
          tip: freshSha(session),
          value: action.value,
          trials: action.trials,
          experiment: action.experiment,
        }),
      };
    case "carry":
      return carried(session, action);
    case "record":
      return recorded(session, action);
    case "ask":
      return withCheck(session, action.experiment, action.check);
    case "conclude":
      return { ...session, experiments: session.experiments.filter((each) => each.number !== action.experiment) };
    case "propose":
      return { ...session, desk: { kind: "thinking" } };
    case "open":
      return opened(session, action);
    case "finish":
      return {
        ...inState(session, { state: "done", by: null, because: action.because }),
        report: action.report === null ? null : 900,
      };
    case "mend":
      return mended(session, action);
    case "fillPurse":
      return withRecord({ ...session, desk: { kind: "idle" } }, {});
    case "dropTry": {
      const steering = session.record!.steering.map((asked) =>
        asked.comment === action.comment ? { ...asked, dropped: action.because } : asked,
      );
      return withRecord({ ...session, desk: { kind: "idle" } }, { steering });
    }
    case "heedEdit": {
      const { by, at, digest, text } = action.edit;
      const taken = action.refusal === null;
      const edit = { by, at, taken, from: action.from };
      const patch = { issueDigest: digest, edit, ...(taken ? { program: text } : {}) };
      return withRecord({ ...session, edit: null }, patch);
    }
    case "describe": {
      const experiments = session.experiments.map((each) =>
        each.pullRequest === action.pullRequest ? { ...each, body: action.body } : each,
      );
      return { ...session, experiments };
    }
    case "tellMoved":
      return { ...session, gone: { ...session.gone!, to: { ...action.to, told: true } } };
    case "followBranch":
      return inState(session, {
        state: session.record!.state,
        by: null,
        because: action.because,
        baseBranch: action.branch,
      });
    case "label":
      return withLabels(session, action.add, action.remove);
    case "showDashboard":
      return { ...session, dashboard: action.body };
  }
}

/** Every write of session.json books what was spent. */
function withRecord(session: Session, patch: Partial<SessionRecord>): Session {
  if (session.record === null) return session;
  const { ledger, config, state } = session.record;
  const booked = renewed(ledger, session.account, config.limits.cost_usd, state === "running");
  // The desk sees what is booked.
  const { purse } = booked;
  const mine = purse !== null && purse.desk === session.account.desk;
  const { counted, countedProposals } = mine ? purse : session.account;
  const account = { ...session.account, counted, countedProposals };
  return { ...session, account, record: { ...session.record, ledger: booked, ...patch } };
}

function mended(session: Session, { prepared, attemptsBefore }: ActionOf<"mend">): Session {
  const { number, key, proposal, repair } = prepared;
  const before = session.experiments.find((each) => each.number === number)!;
  const { attempt, failure } = repair!;
  const idea = {
    ...before.idea!,
    key,
    attemptsBefore,
    repair: { attempt, failure, description: proposal.description },
  };
  const head = freshSha(session);
  const desk = { kind: "idle" } as const;
  return withExperiment({ ...session, desk }, number, { head, key, idea, trials: [], check: null });
}

function withLabels(session: Session, add: readonly string[], remove: readonly string[]): Session {
  const { issue } = session;
  const labels = issue.labels.filter((label) => !remove.includes(label));
  return { ...session, issue: { ...issue, labels: [...labels, ...add] } };
}

function started(session: Session, { start }: ActionOf<"start">): Session {
  const at = new Date(session.nowMs).toISOString();
  const { base, baseBranch, config, program, by } = start;
  const record = recordWith({ base, baseBranch, config, program, by, startedBy: by, startedAt: at, since: at });
  return { ...session, start: null, record, frontier: unmeasuredFrontier({ tip: base }), resultsTip: shaOf(2) };
}

function inState(session: Session, change: Partial<SessionRecord>): Session {
  const before = session.record!;
  const since = new Date(session.nowMs).toISOString();
  const rowsBefore = change.state === "running" ? session.rows.length : before.rowsBefore;
  const record: SessionRecord = { ...before, ...change, since, rowsBefore };
  const moved = record.base !== before.base;
  return { ...session, record, frontier: moved ? unmeasuredFrontier({ tip: record.base }) : session.frontier };
}

export function withExperiment(session: Session, number: number, change: Partial<Experiment>): Session {
  const experiments = session.experiments.map((each) => (each.number === number ? { ...each, ...change } : each));
  return { ...session, experiments };
}

function dispatched(session: Session, action: ActionOf<"dispatch">): Session {
  const { attempt, experiment } = action;
  const run = 1_000_000 + experiment * 1_000 + attempt;
  const url = `https://github.test/ada/nano/actions/runs/${run}`;
  const trial: Trial = { attempt, run: { id: run, url }, phase: { kind: "queued", sinceMs: session.nowMs } };
  if (experiment === 0) {
    const frontier = session.frontier!;
    const ownTrials = [...frontier.ownTrials, trial];
    return { ...session, frontier: { ...frontier, ownTrials, nextAttempt: attempt + 1, check: 77 } };
  }
  const before = session.experiments.find((each) => each.number === experiment)!;
  return withExperiment(session, experiment, {
    trials: [...before.trials, trial],
    nextAttempt: attempt + 1,
    check: { id: 7_000 + experiment, completed: false },
  });
}

function carried(session: Session, action: ActionOf<"carry">): Session {
  const { tip, value, trials } = session.frontier!;
  return withExperiment(session, action.experiment, {
    head: freshSha(session),
    parent: { tip, value, trials },
    trials: [],
    check: null,
  });
}

function recorded(session: Session, { row, key, noise }: ActionOf<"record">): Session {
  const before = session.record!;
  const { frontier } = session;
  const record = { ...before, noise, tried: key === null ? before.tried : [...before.tried, key] };
  const folded = { ...session, record, rows: withRow(session.rows, row), resultsTip: freshSha(session) };
  if (row.experiment !== 0 || frontier === null) return folded;
  const trials = trialsOfFrontier(before, frontier.tip);
  // Who is built on it is held against the value from now on.
  const experiments = session.experiments.map((each) =>
    each.parent.tip === frontier.tip ? { ...each, parent: { tip: frontier.tip, value: row.value, trials } } : each,
  );
  return { ...folded, experiments, frontier: { ...frontier, value: row.value, trials, ownTrials: [] } };
}

function opened(session: Session, { prepared }: ActionOf<"open">): Session {
  const { number, parent, key, proposal } = prepared;
  const frontier = session.frontier!;
  // The parent's value is the frontier's, unless the frontier moved while the researcher thought.
  const known = parent === frontier.tip ? frontier : { value: null, trials: 1 };
  const experiment: Experiment = {
    number,
    pullRequest: 100 + number,
    description: proposal.description,
    key,
    idea: { ...untold, ...proposal, key },
    head: freshSha(session),
    parent: { tip: parent, value: known.value, trials: known.trials },
    pull: "open",
    label: null,
    body: `**Hypothesis.** ${proposal.hypothesis}`,
    trials: [],
    nextAttempt: 1,
    check: null,
    elsewhere: null,
    mergedValue: null,
    conflict: null,
  };
  return { ...session, experiments: [...session.experiments, experiment], desk: { kind: "idle" } };
}

function withCheck(session: Session, experiment: number, check: number): Session {
  return withExperiment(session, experiment, { check: { id: check, completed: true } });
}

/** The appeal is in the record; a settled experiment is open again, and has its row no more. */
function appealed(session: Session, { appeal, reopen }: ActionOf<"obey">): Session {
  if (appeal === null) return session;
  const record = { ...session.record!, appeals: withAppeal(session.record!.appeals, appeal) };
  const rows = session.rows.filter((row) => row.experiment !== appeal.experiment);
  const { tip, value, trials } = session.frontier!;
  const there = session.experiments.some((each) => each.number === appeal.experiment);
  const reopened = experimentWith({
    number: appeal.experiment,
    pullRequest: reopen ?? 0,
    head: freshSha(session),
    parent: { tip, value, trials },
  });
  const experiments = there || reopen === null ? session.experiments : [...session.experiments, reopened];
  const opened = experiments.map((each) =>
    each.pullRequest === reopen ? { ...each, pull: "open" as const, label: null } : each,
  );
  return { ...session, record, rows, experiments: opened };
}
