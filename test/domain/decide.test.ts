import { describe, expect, it } from "vitest";
import type { Experiment } from "../../src/domain/session.ts";
import { actionIn, next } from "../support/decided.ts";
import {
  base,
  baselineRow,
  configWith,
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
} from "../support/session.ts";

/** A session with one experiment, whose runner is the only one, and an idea less on the desk. */
function withExperiment(given: Partial<Experiment>, session: Parameters<typeof sessionWith>[0] = {}) {
  return sessionWith({ desk: { kind: "thinking" }, experiments: [experimentWith(given)], ...session });
}

const other = shaOf(20);

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
    const session = sessionWith({ rows, desk: { kind: "ready", prepared: preparedWith({ number: 5 }) } });
    expect(next(session)).toBe("open: an idea is ready");
    expect(actionIn(session, "open").prepared).toMatchObject({ number: 5, parent: base, key: "keyready" });
  });

  it("a check that its experiment has outlived is completed with the outcome", () => {
    const session = sessionWith({
      rows: [baselineRow, rowWith({ experiment: 1 })],
      looseChecks: [{ check: 9, experiment: 1 }],
    });
    const ended = { ...session, desk: { kind: "thinking" } as const };
    expect(actionIn(ended, "completeCheck")).toMatchObject({ check: 9, outcome: "discard" });
  });

  it("an idea that another bot opened meanwhile is thought of anew; another idea keeps, for the next number", () => {
    const prepared = preparedWith({ number: 1 });
    const desk = { kind: "ready", prepared } as const;
    const opened = (description: string) =>
      sessionWith({ desk, experiments: [experimentWith({ number: 1, description, trials: [trial.training()] })] });
    expect(actionIn(opened(prepared.proposal.description), "propose").number).toBe(2);
    expect(actionIn(opened("something else"), "open").prepared).toEqual({ ...prepared, number: 2 });
  });

  it("one idea more than there are runners is kept open", () => {
    const desk = { kind: "ready", prepared: preparedWith({ number: 2 }) } as const;
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
    expect(actionIn(withExperiment(opened, { rows }), "conclude")).toMatchObject({ check: 31, close: true });
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

  it("cancelRun: its run is stuck, where everything in it has had its time and nothing ended it", () => {
    // Half an hour to set up, ten minutes to train, ten to evaluate, ten for the rest.
    const config = configWith({ trial: { evaluate: "python3 evaluate.py" } });
    const after = (minutes: number) =>
      withExperiment({ trials: [trial.training(1, nowMs - minutes * minuteMs, 42)] }, { record: { config } });
    expect(next(after(59))).not.toContain("cancelRun");
    expect(actionIn(after(60), "cancelRun").run).toBe(42);
    expect(next(after(60))).toBe("cancelRun: its run is stuck: after 1h nothing ended it");
    expect(next({ ...after(60), cancelled: new Set([42]) })).not.toContain("cancelRun");
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
