import { describe, expect, it } from "vitest";
import { decide } from "../../src/domain/decide.ts";
import { decideEnd, limitReached } from "../../src/domain/ending.ts";
import type { Running } from "../../src/domain/session.ts";
import {
  base,
  baselineRow,
  configWith,
  experimentWith,
  preparedWith,
  rowWith,
  sessionWith,
  shaOf,
  startedMs,
  trial,
  unmeasuredFrontier,
} from "../support/session.ts";

const tip = shaOf(20);
const hourMs = 3_600_000;

function withLimits(limits: object, given: Parameters<typeof sessionWith>[0] = {}, metric: object = {}): Running {
  return sessionWith({ ...given, record: { config: configWith({ limits, metric }), ...given.record } });
}

describe("a limit is reached", () => {
  it.each<[string, Running]>([
    [
      "3 experiments were made",
      withLimits(
        { experiments: 3 },
        { rows: [baselineRow, ...[1, 2, 3].map((experiment) => rowWith({ experiment }))] },
      ),
    ],
    [
      "3 experiments were made",
      withLimits(
        { experiments: 3 },
        {
          rows: [baselineRow, rowWith({ experiment: 1 })],
          experiments: [2, 3].map((number) => experimentWith({ number })),
        },
      ),
    ],
    ["0.5 hours are over", withLimits({ hours: 0.5 }, { nowMs: startedMs + hourMs / 2 })],
    ["the target of 0.97 is reached", withLimits({}, { frontier: { value: 0.97 } }, { target: 0.97 })],
    [
      "the target of 0.5 is reached",
      withLimits({}, { frontier: { value: 0.6 } }, { target: 0.5, direction: "higher" }),
    ],
    [
      "every change was tried",
      sessionWith({ desk: { kind: "exhausted", because: "every change was tried", parent: base } }),
    ],
  ])("%s", (because, session) => {
    expect(limitReached(session)).toBe(because);
    expect(
      decide({ ...session, desk: session.desk.kind === "exhausted" ? session.desk : { kind: "idle" } }),
    ).not.toMatchObject({
      action: { kind: "propose" },
    });
  });

  it.each<[string, Running]>([
    [
      "a row and its pull request are one experiment",
      withLimits({ experiments: 2 }, { rows: [baselineRow, rowWith()], experiments: [experimentWith()] }),
    ],
    ["the baseline is no experiment", withLimits({ experiments: 1 })],
    ["a little time is left", withLimits({ hours: 0.5 }, { nowMs: startedMs + hourMs / 2 - 1 })],
    ["the target is not reached", withLimits({}, { frontier: { value: 0.971 } }, { target: 0.97 })],
    ["the frontier has no value", withLimits({}, { frontier: unmeasuredFrontier() }, { target: 5 })],
    [
      "there was nothing to try, but the frontier moved",
      sessionWith({ desk: { kind: "exhausted", because: "", parent: tip } }),
    ],
  ])("not: %s", (_name, session) => {
    expect(limitReached(session)).toBeNull();
  });
});

describe("the end", () => {
  const rows = [baselineRow, rowWith({ outcome: "keep", value: 0.97, because: "lower than the frontier by 0.0300" })];
  const frontier = { tip, value: 0.97, trials: 1, experiment: 1 };
  const over = withLimits({ experiments: 1 }, { rows, frontier });

  it("finish: 1 experiment was made", () => {
    expect(decide(over)).toMatchObject({ kind: "do", because: "1 experiment was made", action: { kind: "finish" } });
  });

  it("reports what was found in a pull request's words", () => {
    const decision = decideEnd(over);
    if (decision?.kind !== "do" || decision.action.kind !== "finish") throw new Error("expected the end");
    expect(decision.action.comment).toMatchInlineSnapshot(`
      "The session is done: 1 experiment was made.

      **val_bpb 0.9700** ← 1.0000 baseline (−3.00 %)

      1 experiment: 1 kept.

      What was found is in the pull request linked below, for a person to merge."
    `);
    expect(decision.action.report!.title).toMatchInlineSnapshot(
      `"autoresearch #12: val_bpb 1.0000 → 0.9700 (−3.00 %)"`,
    );
    expect(decision.action.report!.body).toMatchInlineSnapshot(`
      "What the session #12 found: 1 experiment: 1 kept.

      ![progress](https://github.test/ada/nano/blob/0000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/progress.svg?raw=true)

      | experiment | val_bpb | Δ | change | why it was kept |
      | --- | --- | --- | --- | --- |
      | #101 | 0.9700 | −0.0300 | idea 1 | lower than the frontier by 0.0300 |

      Every value was measured on a runner, of the code that is merged here: each commit on \`autoresearch/12/frontier\` has the tree of the candidate that was trained. All experiments, lost ones too, are in \`results.tsv\` on \`autoresearch/12/results\`."
    `);
  });

  it("reports nothing where nothing was found", () => {
    const nothing = withLimits({ experiments: 1 }, { rows: [baselineRow, rowWith()] });
    const decision = decideEnd(nothing);
    expect(decision).toMatchObject({ action: { report: null } });
    expect(decision).toMatchObject({ action: { comment: expect.stringContaining("there is nothing to merge") } });
  });

  it.each<[string, Parameters<typeof sessionWith>[0]]>([
    ["an experiment is in training", { experiments: [experimentWith({ number: 2, trials: [trial.training()] })] }],
    ["a pull request is not cleaned up", { experiments: [experimentWith({ number: 1, pull: "closed" })] }],
    ["the frontier is not measured", { frontier: unmeasuredFrontier({ tip }) }],
  ])("is not there while %s", (_name, given) => {
    expect(decideEnd(withLimits({ experiments: 1 }, { rows, frontier, ...given }))).toBeNull();
  });

  it("leaves an idea on the desk unused", () => {
    expect(decide({ ...over, desk: { kind: "ready", prepared: preparedWith() } })).toMatchObject({
      action: { kind: "finish" },
    });
  });

  it("is not decided in a pause or a block: a person is at it", () => {
    for (const state of ["paused", "blocked"] as const) {
      expect(decide(withLimits({ experiments: 1 }, { rows, frontier, record: { state } })).kind).toBe("wait");
    }
  });

  it("asks the researcher again where it had no idea for the frontier before", () => {
    const desk = { kind: "exhausted", because: "every change was tried", parent: base } as const;
    expect(decide(sessionWith({ desk, frontier, rows }))).toMatchObject({ action: { kind: "propose" } });
  });
});
