import { describe, expect, it } from "vitest";
import type { Experiment } from "../../src/domain/session.ts";
import { actionIn, next } from "../support/decided.ts";
import {
  base,
  baselineRow,
  experimentWith,
  measurementWith,
  minuteMs,
  nowMs,
  rowWith,
  sessionWith,
  shaOf,
  trial,
  unmeasuredFrontier,
} from "../support/session.ts";

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

  it("record: its seconds are those of the trials that gave it a value", () => {
    const crash = measurementWith({ status: "crash", because: "exit status 1", seconds: 600 });
    const ownTrials = [trial.ended(crash, 1, 0), trial.measured(1, 2), trial.measured(1, 3), trial.measured(1, 4)];
    expect(actionIn(unmeasured({ ownTrials }), "record").row.seconds).toBe(3 * 326);
  });

  it("is not recorded any more after an end", () => {
    const ownTrials = [trial.measured(1), trial.measured(1.02, 2), trial.measured(0.98, 3)];
    const session = sessionWith({
      rows: [],
      record: { state: "stopped" },
      frontier: unmeasuredFrontier({ ownTrials }),
    });
    expect(next(session)).toMatch(/^wait/);
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
    const session = withExperiment({
      parent: onOther,
      conflict: "the frontier moved and changed the same lines of train.py",
    });
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

  it.each(["merged", "open"] as const)(
    "is recorded as kept where another commit is on top; its pull request: %s",
    (pull) => {
      for (const tip of [
        { ...unmeasuredFrontier({ tip: other, ownTrials: [trial.training()], nextAttempt: 2 }) },
        { tip: other, value: 0.98, trials: 1, experiment: 2 },
      ]) {
        const session = withExperiment({ ...winner, pull, mergedValue: 0.99 }, { frontier: tip });
        expect(actionIn(session, "record").row).toMatchObject({
          experiment: 1,
          outcome: "keep",
          value: 0.99,
          because: "lower than the frontier by 0.0100",
        });
      }
    },
  );

  it("is merged in a pause too, and nothing is started", () => {
    const second = experimentWith({ number: 2 });
    const experiments = [experimentWith({ number: 1, ...winner }), second];
    expect(next(sessionWith({ record: { state: "paused" }, experiments }))).toBe(
      "advance: lower than the frontier by 0.0100",
    );
    expect(next(sessionWith({ record: { state: "paused" }, experiments: [second] }))).toMatch(/^wait/);
  });
});
