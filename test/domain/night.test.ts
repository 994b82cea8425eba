import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action } from "../../src/domain/action.ts";
import type { Session } from "../../src/domain/session.ts";
import { gainOf } from "../../src/domain/verdict.ts";
import { type Event, Night } from "../support/night.ts";
import { configWith, newSession, readyStart } from "../support/session.ts";

const which = fc.integer({ min: 0, max: 5 });
const end = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1.02, 1, 0.99, 0.98, 0.97, 0.96, 0.1) },
  fc.constantFrom("train" as const, "lost" as const, "crash" as const),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("runner" as const), which, end }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("researcher" as const),
      answer: fc.constantFrom(
        "idea" as const,
        "idea" as const,
        "idea" as const,
        "nothing" as const,
        "failure" as const,
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("says" as const),
      what: fc.constantFrom("stop" as const, "pause" as const, "resume" as const, "status" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("closes" as const, "merges" as const, "conflicts" as const), which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("pushes" as const, "unlabels" as const, "labels" as const, "deletes" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("minutes" as const), minutes: fc.integer({ min: 1, max: 90 }) }),
  },
);

const given = fc.record({
  runner: fc.record({ concurrency: fc.integer({ min: 1, max: 3 }) }),
  keep: fc.record({ baseline_trials: fc.constantFrom(1, 2), trials: fc.constantFrom(1, 2) }),
  limits: fc.record({
    experiments: fc.integer({ min: 1, max: 8 }),
    hours: fc.constant(6),
    failures: fc.constantFrom(2, 5),
  }),
});

/** Whatever happens, only a gain is merged, and only where it was measured. */
function mergesOnlyGains(session: Session, action: Action): void {
  if (action.kind !== "advance") return;
  const { frontier, record, experiments } = session;
  expect(gainOf(action.value, frontier!.value!, record!.config.metric.direction)).toBeGreaterThan(0);
  const winner = experiments.find((each) => each.number === action.experiment)!;
  expect(winner.parent.tip).toBe(frontier!.tip);
  expect(winner.trials.filter((trial) => trial.phase.kind === "measured")).toHaveLength(action.trials);
}

function nightOf(config: Record<string, unknown>, seen: (session: Session, action: Action) => void): Night {
  return new Night(newSession({ start: { ...readyStart, config: configWith(config) } }), seen);
}

describe("a night, whatever happens in it", () => {
  it("comes to its end once things go well, with a row for every experiment and nothing left open", () => {
    fc.assert(
      fc.property(given, fc.array(event, { maxLength: 60 }), (config, events) => {
        const opened: number[] = [];
        const night = nightOf(config, (session, action) => {
          mergesOnlyGains(session, action);
          if (action.kind === "open") opened.push(action.prepared.number);
        });
        try {
          for (const each of events) night.happens(each);
          night.calm(120);
        } catch (error) {
          throw new Error(night.story.slice(-60).join("\n"), { cause: error });
        }

        const { rows, issue, record } = night.session;
        const numbers = rows.map((row) => row.experiment).filter((number) => number > 0);
        expect(numbers.toSorted((a, b) => a - b)).toEqual(opened);
        expect(opened).toEqual(opened.map((_, index) => index + 1));
        if (rows.some((row) => row.experiment === 0)) expect(rows[0]!.experiment).toBe(0);
        const states = issue.labels.filter((label) => label.startsWith("autoresearch:"));
        expect(states).toEqual([`autoresearch:${record!.state}`]);
      }),
      { numRuns: 150 },
    );
  });

  it("opens nothing, dispatches nothing and merges nothing between a stop and the next label", () => {
    fc.assert(
      fc.property(
        given,
        fc.array(event, { maxLength: 25 }),
        fc.array(event, { maxLength: 25 }),
        (config, before, later) => {
          let stopped = false;
          const begun = new Set(["open", "dispatch", "carry", "propose", "advance", "finish"]);
          const night = nightOf(config, (_, action) => {
            if (stopped) expect(begun).not.toContain(action.kind);
          });
          for (const each of before) night.happens(each);
          night.happens({ kind: "says", what: "stop" });
          stopped = true;
          for (const each of later) if (each.kind !== "labels") night.happens(each);
          expect(["stopped", "done"]).toContain(night.session.record!.state);
        },
      ),
      { numRuns: 80 },
    );
  });
});
