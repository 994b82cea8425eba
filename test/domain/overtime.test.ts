import { describe, expect, it } from "vitest";
import { measurementsFor, phaseOf } from "../../src/domain/experiment.ts";
import { ownSecondsOf } from "../../src/domain/overtime.ts";
import {
  baselineRow,
  configWith,
  experimentWith,
  measurementWith,
  nowMs,
  rowWith,
  sessionWith,
  trial,
} from "../support/session.ts";

/** What becomes of one experiment with trials of so many seconds, where the baseline took 326 of a budget of 300. */
function phaseAfter(seconds: readonly number[], value = 0.95, given: Parameters<typeof sessionWith>[0] = {}) {
  const trials = seconds.map((each, index) => trial.ended(measurementWith({ value, seconds: each }), index + 1));
  const experiment = experimentWith({ trials });
  return phaseOf(experiment, sessionWith({ experiments: [experiment], rows: [baselineRow], ...given }));
}

describe("a gain that took longer than others had", () => {
  it("is put to a person, with the times", () => {
    expect(phaseAfter([590])).toMatchObject({ kind: "unknown", value: 0.95 });
    expect(phaseAfter([590])).toHaveProperty(
      "because",
      expect.stringMatching(/but it took 9m50s, where the frontier's own trials took 5m26s \(trial\.budget is 5m\)$/),
    );
  });

  it.each([326, 386])("is kept where it took %d s: start-up and noise have their room", (seconds) => {
    expect(phaseAfter([seconds])).toMatchObject({ kind: "won" });
  });

  it.each([[[387]], [[326, 387]]])("is asked about where one trial of %j s did", (seconds) => {
    expect(phaseAfter(seconds)).toMatchObject({ kind: "unknown" });
  });

  it("is no question where it is worse anyway", () => {
    expect(phaseAfter([590], 1.2)).toMatchObject({ kind: "decided", outcome: "discard" });
  });

  it("is held against the budget while no frontier's trial is known", () => {
    expect(phaseAfter([361], 0.95, { rows: [] })).toMatchObject({ kind: "unknown" });
    expect(phaseAfter([360], 0.95, { rows: [] })).toMatchObject({ kind: "won" });
  });

  it("leaves half a minute to a budget of seconds", () => {
    const record = { config: configWith({ trial: { budget: "2s", timeout: "60s" } }) };
    const rows = [{ ...baselineRow, seconds: 9 }];
    expect(phaseAfter([33], 0.95, { record, rows })).toMatchObject({ kind: "won" });
    expect(phaseAfter([34], 0.95, { record, rows })).toMatchObject({ kind: "unknown" });
  });

  it("is kept by whoever says so, and measured anew without the long trial where that is asked", () => {
    const appeal = { experiment: 1, by: "ada", at: new Date(nowMs - 5 * 60_000).toISOString() };
    const kept = { record: { appeals: [{ ...appeal, what: "keep" as const }] } };
    expect(phaseAfter([590], 0.95, kept)).toMatchObject({ kind: "won" });
    const experiment = experimentWith({
      trials: [
        trial.ended(measurementWith({ value: 0.95, seconds: 590 }), 1),
        trial.ended(measurementWith({ value: 0.97, seconds: 326 }), 2, nowMs - 60_000),
      ],
    });
    const session = sessionWith({
      experiments: [experiment],
      rows: [baselineRow],
      record: { appeals: [{ ...appeal, what: "rerun" as const }] },
    });
    expect(measurementsFor(experiment, session)).toMatchObject([{ value: 0.97 }]);
    expect(phaseOf(experiment, session)).toMatchObject({ kind: "won", value: 0.97 });
  });
});

describe("the seconds of the frontier's own trials", () => {
  it("are those of the last frontier that was measured as it is, of one trial", () => {
    const { record } = sessionWith({ record: { config: configWith({ keep: { baseline_trials: 3 } }) } });
    expect(ownSecondsOf([], record)).toBeNull();
    const slowWinner = rowWith({ outcome: "keep", seconds: 380 });
    expect(ownSecondsOf([baselineRow, slowWinner], record)).toBe(326);
    const ofPerson = { ...baselineRow, commit: "fedcba9", seconds: 400, because: "measured once" };
    expect(ownSecondsOf([baselineRow, slowWinner, ofPerson], record)).toBe(400);
  });
});
