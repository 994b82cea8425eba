import { describe, expect, it } from "vitest";
import type { Action } from "../../src/domain/action.ts";
import { decide } from "../../src/domain/decide.ts";
import type { Experiment, Session } from "../../src/domain/session.ts";
import {
  base,
  baselineRow,
  crashRow,
  experimentWith,
  measurementWith,
  minuteMs,
  nowMs,
  orderWith,
  preparedWith,
  rowWith,
  sessionWith,
  shaOf,
  startedMs,
  trial,
  unmeasuredFrontier,
} from "../support/session.ts";

/** What is decided, as a line: the action and why. */
function next(session: Session): string {
  const decision = decide(session);
  return decision.kind === "wait" ? `wait: ${decision.because}` : `${decision.action.kind}: ${decision.because}`;
}

function actionIn<K extends Action["kind"]>(session: Session, kind: K): Extract<Action, { kind: K }> {
  const decision = decide(session);
  if (decision.kind !== "do" || decision.action.kind !== kind) throw new Error(`decided ${next(session)}`);
  return decision.action as Extract<Action, { kind: K }>;
}

/** A session with one experiment, whose runner is the only one, and an idea less on the desk. */
function withExperiment(given: Partial<Experiment>, session: Parameters<typeof sessionWith>[0] = {}) {
  return sessionWith({ desk: { kind: "thinking" }, experiments: [experimentWith(given)], ...session });
}

const other = shaOf(20);
const onOther = { tip: other, value: 1, trials: 1 };

describe("the frontier", () => {
  const unmeasured = (given = {}) =>
    sessionWith({ rows: [], desk: { kind: "thinking" }, frontier: unmeasuredFrontier(given) });

  it("dispatch: the frontier has no value yet", () => {
    expect(next(unmeasured())).toBe("dispatch: the frontier has no value yet");
    expect(actionIn(unmeasured(), "dispatch")).toMatchObject({
      experiment: 0,
      attempt: 1,
      firstAttempt: 1,
      commit: base,
      check: null,
      frontierValue: null,
    });
  });

  it("is measured keep.baseline_trials times, one after the other on one runner", () => {
    const one = unmeasured({ ownTrials: [trial.training()], nextAttempt: 2, check: 9 });
    expect(next(one)).toMatch(/^showDashboard|^wait/);
    const two = unmeasured({ ownTrials: [trial.measured(1)], nextAttempt: 2, check: 9 });
    expect(actionIn(two, "dispatch")).toMatchObject({ attempt: 2, firstAttempt: 1, check: 9 });
    const three = [trial.measured(1), trial.measured(1, 2), trial.training(3)];
    expect(next(unmeasured({ ownTrials: three, nextAttempt: 4 }))).not.toContain("dispatch");
  });

  it("is measured at the same time where there are runners", () => {
    const record = { config: sessionWith().record.config };
    const config = { ...record.config, runner: { ...record.config.runner, concurrency: 2 } };
    const session = sessionWith({
      rows: [],
      record: { config },
      frontier: unmeasuredFrontier({ ownTrials: [trial.training()], nextAttempt: 2 }),
    });
    expect(actionIn(session, "dispatch")).toMatchObject({ experiment: 0, attempt: 2 });
  });

  it("record: the frontier is measured, and its value is the mean", () => {
    const ownTrials = [trial.measured(1), trial.measured(1.02, 2), trial.measured(0.98, 3)];
    const { row, noise } = actionIn(unmeasured({ ownTrials }), "record");
    expect(row).toMatchObject({
      experiment: 0,
      value: 1,
      outcome: "keep",
      description: "baseline",
      because: "mean of 3 trials",
    });
    expect(noise.degrees).toBe(2);
    expect(noise.sumOfSquares).toBeCloseTo(0.0008, 10);
  });

  it("is measured once where a person moved it", () => {
    const session = sessionWith({ frontier: unmeasuredFrontier({ tip: other, ownTrials: [trial.measured(0.97)] }) });
    expect(actionIn(session, "record").row).toMatchObject({
      experiment: 0,
      commit: "0000020",
      value: 0.97,
      description: "frontier moved by a person",
      because: "measured once",
    });
  });

  it("is measured again when a runner was lost", () => {
    const session = unmeasured({ ownTrials: [trial.lost()], nextAttempt: 2 });
    expect(actionIn(session, "dispatch")).toMatchObject({ attempt: 2 });
  });

  it("setState: the runner was lost 3 times while the frontier was measured", () => {
    const ownTrials = [trial.lost(), trial.lost(2), trial.lost(3)];
    expect(next(unmeasured({ ownTrials }))).toBe(
      "setState: the runner was lost 3 times while the frontier was measured",
    );
  });

  it("setState: the frontier itself can't be measured", () => {
    const session = unmeasured({ ownTrials: [trial.measured(1), trial.crashed("no data on this machine", 2)] });
    expect(next(session)).toBe("setState: the frontier itself can't be measured: no data on this machine");
    expect(actionIn(session, "setState")).toMatchObject({ change: { state: "blocked", by: null } });
  });

  it("is measured anew when a person said resume after it had failed", () => {
    const atMs = nowMs - 10 * minuteMs;
    const session = sessionWith({
      rows: [],
      desk: { kind: "thinking" },
      record: { since: new Date(atMs + 1).toISOString(), by: "ada", because: "resumed by @ada" },
      frontier: unmeasuredFrontier({ ownTrials: [trial.crashed("no data", 1, atMs)], nextAttempt: 2 }),
    });
    expect(actionIn(session, "dispatch")).toMatchObject({ experiment: 0, attempt: 2 });
  });
});

describe("an experiment's life", () => {
  it("propose: a runner will be free for it", () => {
    const session = sessionWith();
    expect(next(session)).toBe("propose: a runner will be free for it");
    expect(actionIn(session, "propose").number).toBe(1);
  });

  it("is numbered above every row and every open experiment", () => {
    const rows = [baselineRow, rowWith({ experiment: 7 })];
    expect(actionIn(sessionWith({ rows }), "propose").number).toBe(8);
    const training = experimentWith({ number: 9, trials: [trial.training()] });
    expect(actionIn(sessionWith({ rows, experiments: [training] }), "propose").number).toBe(10);
  });

  it("wait: the researcher is thinking", () => {
    expect(next(sessionWith({ desk: { kind: "thinking" } }))).toBe("wait: running: nothing to do now");
  });

  it("open: an idea is ready", () => {
    const rows = [baselineRow, rowWith({ experiment: 4 })];
    const session = sessionWith({ rows, desk: { kind: "ready", prepared: preparedWith({ number: 3 }) } });
    expect(next(session)).toBe("open: an idea is ready");
    expect(actionIn(session, "open").prepared).toMatchObject({ number: 5, parent: base, key: "keyready" });
  });

  it("one idea more than there are runners is kept open", () => {
    const desk = { kind: "ready", prepared: preparedWith() } as const;
    const training = experimentWith({ number: 1, trials: [trial.training()] });
    const waiting = experimentWith({ number: 2 });
    expect(next(sessionWith({ desk, experiments: [training] }))).toBe("open: an idea is ready");
    expect(next(sessionWith({ desk, experiments: [training, waiting] }))).toBe("wait: running: nothing to do now");
  });

  it("dispatch: opened, not measured yet", () => {
    const session = withExperiment({ number: 1 });
    expect(next(session)).toBe("dispatch: opened, not measured yet");
    expect(actionIn(session, "dispatch")).toMatchObject({
      experiment: 1,
      attempt: 1,
      firstAttempt: 1,
      commit: shaOf(1001),
      check: null,
      frontierValue: 1,
    });
  });

  it("waits for a free runner, the oldest first", () => {
    const training = experimentWith({ number: 1, trials: [trial.training()] });
    const [second, third] = [experimentWith({ number: 2 }), experimentWith({ number: 3 })];
    const desk = { kind: "thinking" } as const;
    expect(next(sessionWith({ desk, experiments: [training, second, third] }))).toMatch(/^wait/);
    expect(actionIn(sessionWith({ desk, experiments: [second, third] }), "dispatch").experiment).toBe(2);
  });

  it.each([
    ["intended", trial.intended()],
    ["queued", trial.queued()],
    ["training", trial.training()],
    ["reporting", trial.reporting()],
  ])("is waited for while its trial is %s", (_name, going) => {
    expect(next(withExperiment({ trials: [going] }))).toBe("wait: running: nothing to do now");
  });

  it("a runner that only reports is free for the next", () => {
    const reporting = experimentWith({ number: 1, trials: [trial.reporting()] });
    const session = sessionWith({
      desk: { kind: "thinking" },
      experiments: [reporting, experimentWith({ number: 2 })],
    });
    expect(actionIn(session, "dispatch").experiment).toBe(2);
  });

  it("dispatch: again when its runner was lost, and not for ever", () => {
    const lost = withExperiment({ trials: [trial.lost()], check: { id: 31, completed: false } });
    expect(actionIn(lost, "dispatch")).toMatchObject({ attempt: 2, firstAttempt: 1, check: 31 });
    const often = withExperiment({ trials: [trial.lost(), trial.lost(2), trial.lost(3)] });
    expect(next(often)).toBe("setState: the runner was lost 3 times in experiment 1");
    const resumed = withExperiment(
      { trials: [trial.lost(), trial.lost(2), trial.lost(3)] },
      { record: { since: new Date(nowMs - minuteMs).toISOString() } },
    );
    expect(actionIn(resumed, "dispatch").attempt).toBe(4);
  });

  it("advance: lower than the frontier by 0.0100", () => {
    const session = withExperiment({ trials: [trial.measured(0.99)] });
    expect(next(session)).toBe("advance: lower than the frontier by 0.0100");
    expect(actionIn(session, "advance")).toMatchObject({
      experiment: 1,
      pullRequest: 101,
      head: shaOf(1001),
      tip: base,
      value: 0.99,
      trials: 1,
    });
  });

  it("dispatch: a gain of 0.0010 (0.9 σ) may be luck: measured again", () => {
    const noise = { sumOfSquares: 2e-6, degrees: 2 };
    const session = withExperiment({ trials: [trial.measured(0.999)] }, { record: { noise } });
    expect(next(session)).toBe("dispatch: a gain of 0.0010 (0.9 σ) may be luck: measured again");
    expect(actionIn(session, "dispatch").attempt).toBe(2);
  });

  it("record: higher than the frontier by 0.0100", () => {
    const session = withExperiment({ trials: [trial.measured(1.01)] });
    expect(next(session)).toBe("record: higher than the frontier by 0.0100");
    expect(actionIn(session, "record")).toMatchObject({
      key: "key1",
      row: {
        commit: "0001001",
        value: 1.01,
        outcome: "discard",
        experiment: 1,
        pullRequest: 101,
        parent: "0000001",
        seconds: 326,
        description: "idea 1",
      },
    });
  });

  it("the row adds up its trials, and their spread is learnt from", () => {
    const session = withExperiment({ trials: [trial.measured(1.01), trial.measured(1.03, 2)] });
    const { row, noise } = actionIn(session, "record");
    expect(row).toMatchObject({ value: 1.02, seconds: 652 });
    expect(row.memoryGb).toBeCloseTo(44, 1);
    expect(noise).toEqual({ sumOfSquares: expect.closeTo(0.0002, 10), degrees: 1 });
  });

  it.each(["crash", "timeout", "rejected"] as const)("record: %s in the trial's own words, with no value", (status) => {
    const ended = trial.ended(measurementWith({ status, because: "it broke" }));
    const session = withExperiment({ trials: [ended] });
    expect(next(session)).toBe("record: it broke");
    expect(actionIn(session, "record").row).toMatchObject({ outcome: status, value: null });
  });

  it("conclude: higher than the frontier by 0.0100", () => {
    const rows = [baselineRow, rowWith()];
    const session = withExperiment({ trials: [trial.measured(1.01)] }, { rows });
    expect(next(session)).toBe("conclude: higher than the frontier by 0.0100");
    const action = actionIn(session, "conclude");
    expect(action).toMatchObject({
      experiment: 1,
      pullRequest: 101,
      head: shaOf(1001),
      check: 501,
      outcome: "discard",
      title: "discard: val_bpb 1.0100 (+0.0100)",
      close: true,
      labels: ["autoresearch", "discard"],
    });
    expect(action.body).toContain("**Verdict: discard** — higher than the frontier by 0.0100.");
  });

  it("is settled once it is closed and labelled", () => {
    const rows = [baselineRow, rowWith()];
    const settled = { trials: [trial.measured(1.01)], pull: "closed", label: "discard" } as const;
    expect(next(withExperiment(settled, { rows }))).toBe("wait: running: nothing to do now");
  });

  it("is cleaned up again when a person opens it again", () => {
    const rows = [baselineRow, rowWith()];
    const opened = { pull: "open", label: "discard", check: { id: 31, completed: true } } as const;
    expect(actionIn(withExperiment(opened, { rows }), "conclude")).toMatchObject({ check: null, close: true });
  });
});

describe("a frontier that moved", () => {
  it("carry: the frontier moved", () => {
    const session = withExperiment({ parent: onOther });
    expect(next(session)).toBe("carry: the frontier moved");
    expect(actionIn(session, "carry")).toMatchObject({ experiment: 1, head: shaOf(1001), parent: other, tip: base });
  });

  it("makes a winner stale: it is carried onto it and measured again", () => {
    expect(next(withExperiment({ parent: onOther, trials: [trial.measured(0.99)] }))).toBe("carry: the frontier moved");
  });

  it("leaves a loser a loser", () => {
    const session = withExperiment({ parent: onOther, trials: [trial.measured(1.01)] });
    expect(next(session)).toBe("record: higher than the frontier by 0.0100");
  });

  it("record: the frontier moved and changed the same lines of train.py", () => {
    const session = withExperiment({ parent: onOther, conflict: "train.py" });
    expect(next(session)).toBe("record: the frontier moved and changed the same lines of train.py");
    expect(actionIn(session, "record").row).toMatchObject({ outcome: "discard", value: null });
  });

  it("is measured before anything is carried onto it", () => {
    const session = withExperiment({}, { frontier: unmeasuredFrontier({ tip: other }) });
    expect(actionIn(session, "dispatch").experiment).toBe(0);
  });
});

describe("a winner on the frontier", () => {
  const winner = { trials: [trial.measured(0.99)] };
  const frontier = { tip: other, value: 0.99, trials: 1, experiment: 1 };

  it.each(["merged", "open", "closed"] as const)("is recorded as kept, though its pull request is still %s", (pull) => {
    const session = withExperiment({ ...winner, pull }, { frontier });
    expect(next(session)).toBe("record: lower than the frontier by 0.0100");
    expect(actionIn(session, "record").row).toMatchObject({ outcome: "keep", value: 0.99 });
  });

  it.each([
    ["merged", false],
    ["open", true],
  ] as const)("is concluded; a pull request that is %s: closed by the bot: %s", (pull, close) => {
    const rows = [baselineRow, rowWith({ outcome: "keep", value: 0.99, because: "lower than the frontier by 0.0100" })];
    expect(actionIn(withExperiment({ ...winner, pull }, { frontier, rows }), "conclude")).toMatchObject({
      outcome: "keep",
      close,
      title: "keep: val_bpb 0.9900 (−0.0100)",
    });
  });

  it("is merged in a pause too, and nothing is started", () => {
    const second = experimentWith({ number: 2 });
    const experiments = [experimentWith({ number: 1, ...winner }), second];
    expect(next(sessionWith({ record: { state: "paused" }, experiments }))).toBe(
      "advance: lower than the frontier by 0.0100",
    );
    expect(next(sessionWith({ record: { state: "paused" }, experiments: [second] }))).toMatch(/^wait/);
  });
});

describe("people's hands", () => {
  it("record: closed by a person", () => {
    const session = withExperiment({ pull: "closed", trials: [trial.measured(0.9)] });
    expect(next(session)).toBe("record: closed by a person");
    expect(actionIn(session, "record").row).toMatchObject({ outcome: "withdrawn", value: null });
  });

  it("cancelRun: its pull request is closed", () => {
    const closed = { pull: "closed", trials: [trial.training(1, startedMs, 42)] } as const;
    expect(actionIn(withExperiment(closed), "cancelRun").run).toBe(42);
    expect(next(withExperiment(closed))).toBe("cancelRun: its pull request is closed");
    expect(next(withExperiment(closed, { cancelled: new Set([42]) }))).toBe("record: closed by a person");
  });

  it("record: merged by a person; the frontier is measured as it is now", () => {
    const measured = { tip: other, value: 0.97, trials: 1 };
    const session = withExperiment({ pull: "merged", trials: [trial.measured(0.97)] }, { frontier: measured });
    expect(next(session)).toBe("record: merged by a person; the frontier is measured as it is now");
    expect(actionIn(session, "record").row).toMatchObject({ outcome: "withdrawn", value: null });
  });

  it("obey comes before everything", () => {
    const session = withExperiment({ trials: [trial.measured(0.9)] }, { orders: [orderWith("/autoresearch stop")] });
    expect(next(session)).toBe("obey: @ada said stop");
  });
});

describe("a person is asked", () => {
  const failures = 3;
  const config = sessionWith().record.config;
  const record = { config: { ...config, limits: { ...config.limits, failures } } };
  const crashes = [crashRow(1), crashRow(2), crashRow(3)];
  const desk = { kind: "thinking" } as const;

  it("setState: 3 experiments in a row gave no value; the last: out of memory", () => {
    const session = sessionWith({ desk, record, rows: [baselineRow, ...crashes] });
    expect(next(session)).toBe("setState: 3 experiments in a row gave no value; the last: out of memory");
    expect(actionIn(session, "setState").change).toMatchObject({ state: "blocked", by: null });
  });

  it.each([
    ["a value in between", [crashRow(1), rowWith({ experiment: 2 }), crashRow(3), crashRow(4)], 0],
    ["too few", crashes.slice(1), 0],
    ["that a person has seen and resumed", crashes, 4],
    ["that were withdrawn", crashes.map((row) => ({ ...row, outcome: "withdrawn" as const })), 0],
    ["that met a conflict", crashes.map((row) => ({ ...row, outcome: "discard" as const })), 0],
  ])("not for failures with %s", (_name, rows, rowsBefore) => {
    const session = sessionWith({ desk, record: { ...record, rowsBefore }, rows: [baselineRow, ...rows] });
    expect(next(session)).toBe("wait: running: nothing to do now");
  });

  it("does not count what a conflict or a person ended between two failures", () => {
    const rows = [baselineRow, crashRow(1), crashRow(2, { outcome: "withdrawn" }), crashRow(3), crashRow(4)];
    expect(next(sessionWith({ desk, record, rows }))).toContain("3 experiments in a row gave no value");
  });

  it("is blocked until a person says resume: what was measured is settled, nothing is begun", () => {
    const blocked = { state: "blocked", because: "3 experiments in a row gave no value" } as const;
    const experiments = [experimentWith({ trials: [trial.measured(1.01)] }), experimentWith({ number: 2 })];
    expect(next(sessionWith({ record: blocked, experiments }))).toBe("record: higher than the frontier by 0.0100");
    expect(next(sessionWith({ record: blocked, experiments: experiments.slice(1) }))).toBe(
      "wait: blocked: nothing to do now",
    );
  });
});

describe("what people see", () => {
  it("label: the session is running", () => {
    const issue = { open: true, title: "", labels: ["autoresearch", "bug", "autoresearch:paused"], closedBy: null };
    const session = sessionWith({ desk: { kind: "thinking" }, issue });
    expect(next(session)).toBe("label: the session is running");
    expect(actionIn(session, "label")).toEqual({
      kind: "label",
      add: ["autoresearch:running"],
      remove: ["autoresearch:paused"],
    });
  });

  it("showDashboard: the dashboard is out of date", () => {
    const session = sessionWith({ desk: { kind: "thinking" }, dashboard: "something else" });
    expect(next(session)).toBe("showDashboard: the dashboard is out of date");
    const { body } = actionIn(session, "showDashboard");
    expect(next({ ...session, dashboard: body })).toBe("wait: running: nothing to do now");
    expect(next({ ...session, dashboard: body.replaceAll("\n", "\r\n"), nowMs: nowMs + 90_000 })).toMatch(/^wait/);
  });
});
