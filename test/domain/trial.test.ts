import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Measurement } from "../../src/domain/measurement.ts";
import {
  type CheckFact,
  type Expected,
  type JobFact,
  type RunFact,
  type Trial,
  type TrialFacts,
  believe,
  isActive,
  lostInARow,
  measurementsOf,
  reportWithinMs,
  trialsOf,
  visibleWithinMs,
} from "../../src/domain/trial.ts";
import { base, measurementWith, nowMs, shaOf, startedMs, trial } from "../support/session.ts";

const commit = shaOf(1001);
const expected: Expected = {
  id: { issue: 12, experiment: 1, attempt: 1 },
  commit,
  base,
  metric: "val_bpb",
  defaultBranch: "main",
  bot: "autoresearch[bot]",
};

function digestOf(json: string): string {
  return createHash("sha256").update(json).digest("hex");
}

type Story = { check: CheckFact; run: RunFact; jobs: readonly JobFact[] };

/** A story in which everything holds: the bot dispatched a run, and it vouches for the check. */
function storyWith(change: Partial<Measurement> = {}): Story {
  const json = JSON.stringify(measurementWith({ value: 0.9932, commit, ...change } as { value: number }));
  const digest = digestOf(json);
  return {
    check: {
      id: 31,
      name: "val_bpb",
      head: commit,
      externalId: "12:1:1",
      app: "github-actions",
      status: "completed",
      json,
      digest,
      startedMs: startedMs + 5,
    },
    run: {
      id: 42,
      name: "autoresearch 12:1:1",
      path: ".github/workflows/autoresearch.yml",
      event: "workflow_dispatch",
      branch: "main",
      actor: "autoresearch[bot]",
      status: "completed",
      conclusion: "success",
      createdMs: startedMs,
      startedMs,
      // GitHub's clock, which nothing is concluded from, and ours.
      updatedMs: startedMs - 3_600_000,
      seenStartMs: startedMs,
      seenEndMs: startedMs + 10,
      url: "https://github.test/ada/nano/actions/runs/42",
    },
    jobs: [
      { name: "train", conclusion: "success", runner: "gpu-2" },
      { name: `report ${digest}`, conclusion: "success", runner: null },
    ],
  };
}

function factsOf({ check, run, jobs }: Story): TrialFacts {
  return { checks: [check], runs: [run], jobs: new Map([[run.id, jobs]]) };
}

function refusal(story: Story, facts = factsOf(story), given = expected): string {
  const belief = believe(story.check, facts, given);
  return "refused" in belief ? belief.refused : "believed";
}

describe("a check is believed", () => {
  it("where every part of its story holds", () => {
    const story = storyWith();
    expect(believe(story.check, factsOf(story), expected)).toEqual({ measurement: JSON.parse(story.check.json!) });
  });

  it("whichever job of the run vouches for it, and whatever other runs there are", () => {
    const story = storyWith();
    const other = { ...story.run, id: 43, name: "autoresearch 12:2:1" };
    const facts = { ...factsOf(story), runs: [other, story.run], jobs: new Map([[42, story.jobs.toReversed()]]) };
    expect(refusal(story, facts)).toBe("believed");
  });
});

describe("an attempt that two processes dispatched", () => {
  const intent = { attempt: 1, firstAttempt: 1, atMs: startedMs };
  const phasesOf = (facts: TrialFacts) => trialsOf(intent, facts, expected, nowMs);
  const [first, second] = [storyWith({ value: 0.99 }), storyWith({ value: 0.98 })];
  const twin: Story = { ...second, check: { ...second.check, id: 32 }, run: { ...second.run, id: 43 } };

  it("has the run that was made first, in whatever order they are listed", () => {
    const runs = [first.run, twin.run].map((run) => ({ ...run, status: "in_progress", conclusion: null }));
    for (const listed of [runs, runs.toReversed()])
      expect(phasesOf({ checks: [], runs: listed, jobs: new Map() })).toMatchObject([{ run: { id: 42 } }]);
  });

  it("has the measurement that was posted first, whichever run it is of", () => {
    const jobs = new Map([
      [42, first.jobs],
      [43, twin.jobs],
    ]);
    const runs = [twin.run, first.run];
    for (const checks of [
      [first.check, twin.check],
      [twin.check, first.check],
    ]) {
      expect(phasesOf({ checks, runs, jobs })).toMatchObject([{ phase: { measurement: { value: 0.99 } } }]);
    }
    const late = { ...first.check, id: 33 };
    expect(phasesOf({ checks: [late, twin.check], runs, jobs })).toMatchObject([
      { phase: { measurement: { value: 0.98 } } },
    ]);
  });
});

describe("a check is not believed when", () => {
  const story = storyWith();
  const { check, run } = story;
  const elsewhere = shaOf(66);

  it.each<[string, Partial<CheckFact>]>([
    ["the check is named loss", { name: "loss" }],
    ["the check was posted by evil-app, not by Actions", { app: "evil-app" }],
    ["the check is on another commit", { head: elsewhere }],
    ["the check is of trial 12:1:2", { externalId: "12:1:2" }],
    ["the check is not completed", { status: "in_progress" }],
    ["the check holds no measurement", { json: null, digest: null }],
    ["the run does not vouch for what the check says", { digest: digestOf("another value") }],
  ])("%s", (because, change) => {
    expect(refusal({ ...story, check: { ...check, ...change } })).toBe(because);
  });

  it.each<[string, Partial<RunFact>]>([
    ["no run of the trial is known", { name: "autoresearch 12:1:2" }],
    ["the run is of another workflow", { path: ".github/workflows/mine.yml" }],
    ["the run was not dispatched", { event: "pull_request" }],
    ["the run used a workflow that is not the default branch's", { branch: "autoresearch/12/exp-0001" }],
    ["the run was dispatched by eve", { actor: "eve" }],
  ])("%s", (because, change) => {
    expect(refusal({ ...story, run: { ...run, ...change } })).toBe(because);
  });

  it("the run does not vouch for what the check says, because its jobs are unknown or others", () => {
    const because = "the run does not vouch for what the check says";
    expect(refusal(story, { ...factsOf(story), jobs: new Map() })).toBe(because);
    expect(refusal({ ...story, jobs: story.jobs.slice(0, 1) })).toBe(because);
    // Another run, of a candidate's own making, names the job.
    expect(refusal(story, { ...factsOf(story), jobs: new Map([[43, story.jobs]]) })).toBe(because);
  });

  it("the measurement is not of the agreed form", () => {
    const json = check.json!.replace("0.9932", '"0.1"');
    const digest = digestOf(json);
    const jobs = [{ name: `report ${digest}`, conclusion: "success", runner: null }];
    expect(refusal({ ...story, check: { ...check, json, digest }, jobs })).toBe(
      "the measurement is not of the agreed form",
    );
  });

  it.each<[string, Partial<Measurement>]>([
    ["trial", { trial: "12:1:2" }],
    ["commit", { commit: elsewhere }],
    ["base", { base: elsewhere }],
  ])("the measurement is of another trial: another %s", (_name, change) => {
    expect(refusal(storyWith(change))).toBe("the measurement is of another trial");
  });

  it.each<[string, Partial<Expected>]>([
    ["session", { id: { issue: 13, experiment: 1, attempt: 1 } }],
    ["experiment", { id: { issue: 12, experiment: 2, attempt: 1 } }],
    ["commit", { commit: elsewhere }],
    ["base", { base: elsewhere }],
    ["metric", { metric: "loss" }],
    ["default branch", { defaultBranch: "trunk" }],
    ["bot", { bot: "other[bot]" }],
  ])("another %s is expected", (_name, change) => {
    expect(refusal(story, factsOf(story), { ...expected, ...change })).not.toBe("believed");
  });
});

/** The phase of attempt 1, whose intent was written at the start. */
function phaseAt(given: {
  run?: Partial<RunFact>;
  check?: CheckFact;
  jobs?: readonly JobFact[];
  atMs?: number;
}): Trial["phase"] {
  const story = storyWith();
  const run = given.run === undefined ? null : { ...story.run, ...given.run };
  const facts: TrialFacts = {
    checks: given.check === undefined ? [] : [given.check],
    runs: run === null ? [] : [run],
    jobs: new Map(given.jobs === undefined ? [] : [[42, given.jobs]]),
  };
  const intent = { attempt: 1, firstAttempt: 1, atMs: startedMs };
  return trialsOf(intent, facts, expected, given.atMs ?? startedMs + 1_000)[0]!.phase;
}

describe("a trial", () => {
  const { check, jobs } = storyWith();

  it("is intended while its run is not listed, and lost when it never is", () => {
    expect(phaseAt({})).toEqual({ kind: "intended", untilMs: startedMs + visibleWithinMs });
    expect(phaseAt({ atMs: startedMs + visibleWithinMs })).toMatchObject({
      kind: "lost",
      because: "its run never appeared",
    });
  });

  it.each(["queued", "requested", "waiting", "pending"])("is queued while its run is %s", (status) => {
    expect(phaseAt({ run: { status, conclusion: null } })).toEqual({ kind: "queued", sinceMs: startedMs });
  });

  it("is training while its run goes on", () => {
    expect(phaseAt({ run: { status: "in_progress", conclusion: null } })).toEqual({
      kind: "training",
      sinceMs: startedMs,
      seenMs: startedMs,
    });
  });

  it("is reporting when its run is over and the check not there yet, and lost when it never comes", () => {
    const overMs = startedMs + 10;
    expect(phaseAt({ run: {} })).toEqual({ kind: "reporting", untilMs: overMs + reportWithinMs });
    expect(phaseAt({ run: {}, atMs: overMs + reportWithinMs })).toMatchObject({ kind: "lost" });
  });

  it.each(["failure", "cancelled", "timed_out", "skipped", "startup_failure", null])(
    "is lost when its run ended with %s",
    (conclusion) => {
      const because = `its run ended without a measurement (${conclusion ?? "no conclusion"})`;
      expect(phaseAt({ run: { conclusion } })).toMatchObject({ kind: "lost", because });
    },
  );

  it("is measured when its check is believed, whatever the run's end was", () => {
    expect(phaseAt({ run: {}, check, jobs })).toMatchObject({ kind: "measured", measurement: { value: 0.9932 } });
    expect(phaseAt({ run: { conclusion: "failure" }, check, jobs })).toMatchObject({ kind: "measured" });
  });

  it("is not measured by a check that nobody vouches for", () => {
    expect(phaseAt({ run: {}, check })).toMatchObject({ kind: "reporting" });
  });

  it("is lost when its measurement was cancelled", () => {
    const cancelled = storyWith({ status: "cancelled" });
    expect(phaseAt({ run: {}, check: cancelled.check, jobs: cancelled.jobs })).toMatchObject({
      kind: "lost",
      because: "its run was cancelled",
    });
  });

  it("was never asked for where no intent is written", () => {
    const story = storyWith();
    expect(trialsOf(null, factsOf(story), expected, nowMs)).toEqual([]);
  });

  it("of an earlier attempt is lost where nothing is seen of it, and the last one is waited for", () => {
    const intent = { attempt: 4, firstAttempt: 2, atMs: startedMs };
    const trials = trialsOf(intent, { checks: [], runs: [], jobs: new Map() }, expected, startedMs);
    expect(trials.map(({ attempt, phase }) => [attempt, phase.kind])).toEqual([
      [2, "lost"],
      [3, "lost"],
      [4, "intended"],
    ]);
  });
});

describe("trials in a row", () => {
  it("hold a runner while they are intended, queued or in training", () => {
    const all = [
      trial.intended(),
      trial.queued(),
      trial.training(),
      trial.reporting(),
      trial.measured(1),
      trial.lost(),
    ];
    expect(all.map(isActive)).toEqual([true, true, true, false, false, false]);
  });

  it("are counted as lost from the end, and from when a person said resume", () => {
    const lost = (atMs: number) => trial.lost(1, atMs);
    expect(lostInARow([], 0)).toBe(0);
    expect(lostInARow([lost(1), trial.measured(1), lost(2), lost(3)], 0)).toBe(2);
    const late = [1_000, 2_000, 3_000].map((atMs) => lost(atMs));
    expect(lostInARow(late, 2_000)).toBe(2);
    // The run was made in the same second, and GitHub gives no more than that.
    expect(lostInARow(late, 2_900)).toBe(2);
    expect(lostInARow([lost(1), trial.queued()], 0)).toBe(0);
  });

  it("give their measurements in order", () => {
    const trials = [trial.measured(0.9), trial.lost(2), trial.measured(0.8, 3)];
    expect(measurementsOf(trials).map((each) => each.status === "measured" && each.value)).toEqual([0.9, 0.8]);
  });

  it("are as many as the intent says, whatever is shown", () => {
    const attempt = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(attempt, attempt, fc.boolean(), (last, first, seen) => {
        const story = storyWith();
        const facts = seen ? factsOf(story) : { checks: [], runs: [], jobs: new Map() };
        const trials = trialsOf({ attempt: last, firstAttempt: first, atMs: startedMs }, facts, expected, nowMs);
        expect(trials.map((each) => each.attempt)).toEqual(
          Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index),
        );
      }),
    );
  });
});
