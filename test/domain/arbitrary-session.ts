/** Sessions of every kind for properties: coherent where the types demand it, otherwise whatever comes. */
import * as fc from "fast-check";
import { type Config, configSchema } from "../../src/domain/config.ts";
import type { Measurement } from "../../src/domain/measurement.ts";
import type { Desk } from "../../src/domain/proposal.ts";
import type { Row } from "../../src/domain/results.ts";
import type { Experiment, Frontier, Gone, Order, Session, SessionRecord, Start } from "../../src/domain/session.ts";
import { sessionStates } from "../../src/domain/session.ts";
import type { Trial } from "../../src/domain/trial.ts";
import { outcomes } from "../../src/domain/verdict.ts";
import { account, idea, ledger } from "./arbitrary-research.ts";
import {
  base,
  measurementWith,
  minuteMs,
  nowMs,
  orderWith,
  preparedWith,
  readyStart,
  recordWith,
  shaOf,
  startedMs,
} from "../support/session.ts";

const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });
const time = fc.integer({ min: startedMs, max: nowMs + 10 * minuteMs });
/** Values around the frontier's: better, equal, worse, beyond belief. */
export const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03) },
  { weight: 1, arbitrary: fc.constantFrom(0.2, 0, -1) },
  { weight: 1, arbitrary: fc.double({ min: 0.5, max: 1.5, noNaN: true }) },
);
const frontierValue = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: value });
/** Few tips, so that an experiment is often on the frontier. */
const tip = fc.constantFrom(base, base, base, base, shaOf(20), shaOf(21));
const words = fc.oneof(
  fc.constantFrom("raise LR to 0.05", "DEPTH 8 → 16", "a | b", "@ada closes #1", "<!-- x -->", '"quoted'),
  fc.string({ unit: "binary", maxLength: 30 }),
);
const reason = words.map((text) => `as ${text}`);

export const config: fc.Arbitrary<Config> = fc
  .record({
    metric: fc.record({
      direction: fc.constantFrom("lower", "higher"),
      target: maybe(fc.constantFrom(0.3, 3)),
      max_gain: fc.constantFrom(0.05, 0.2, 10),
    }),
    runner: fc.record({ concurrency: fc.integer({ min: 1, max: 6 }) }),
    keep: fc.record({
      sigmas: fc.constantFrom(0, 2, 3),
      noise: maybe(fc.constantFrom(0, 0.001, 0.01)),
      min_gain: fc.constantFrom(0, 0.005),
      baseline_trials: fc.integer({ min: 1, max: 3 }),
      trials: fc.integer({ min: 1, max: 3 }),
    }),
    limits: fc.record({
      experiments: fc.integer({ min: 3, max: 30 }),
      hours: fc.constantFrom(0.5, 8, 8, 8),
      failures: fc.integer({ min: 2, max: 8 }),
    }),
  })
  .map((given) => configSchema.parse(given));

export const measurement: fc.Arbitrary<Measurement> = fc.oneof(
  { weight: 6, arbitrary: value.map((each) => measurementWith({ value: each })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("NameError: name 'x' is not defined", "ValueError: 3 is not 4").map((error) =>
      measurementWith({
        status: "crash",
        because: error,
        logTail: `Traceback (most recent call last):\n  x\n${error}`,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("crash" as const, "timeout" as const, "rejected" as const)
      .map((status) => measurementWith({ status, because: `${status} at train.py:7` })),
  },
);

const measured = fc.record({ kind: fc.constant("measured" as const), measurement, atMs: time });
const phase: fc.Arbitrary<Trial["phase"]> = fc.oneof(
  measured,
  fc.record({ kind: fc.constant("intended" as const), untilMs: time }),
  fc.record({ kind: fc.constant("queued" as const), sinceMs: time }),
  fc.record({ kind: fc.constant("training" as const), sinceMs: time, seenMs: time }),
  fc.record({ kind: fc.constant("reporting" as const), untilMs: time }),
  fc.record({ kind: fc.constant("lost" as const), atMs: time, because: reason }),
);

/** Trials of one commit with attempts from 1; only an intended one may have no run. */
function trials(owner: number): fc.Arbitrary<Trial[]> {
  const some = fc.oneof(fc.array(measured, { maxLength: 3 }), fc.array(phase, { maxLength: 3 }));
  return some.map((phases) =>
    phases.map((each, index) => {
      const id = 1_000_000 + owner * 1_000 + index + 1;
      const run = { id, url: `https://github.test/ada/nano/actions/runs/${id}` };
      return { attempt: index + 1, run: each.kind === "intended" ? null : run, phase: each };
    }),
  );
}

const frontier: fc.Arbitrary<Frontier> = fc
  .record({
    tip,
    value: fc.option(frontierValue, { nil: null, freq: 4 }),
    trials: fc.integer({ min: 1, max: 3 }),
    experiment: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.integer({ min: 1, max: 6 })),
    ownTrials: trials(0),
    check: maybe(fc.constant(77)),
  })
  .map((each) => ({
    ...each,
    ownTrials: each.value === null ? each.ownTrials : [],
    experiment: each.value === null ? null : each.experiment,
    nextAttempt: each.ownTrials.length + 1,
  }));

function experiment(number: number): fc.Arbitrary<Experiment> {
  return fc
    .record({
      description: words,
      key: maybe(fc.constantFrom("k1", "k2", "k3")),
      idea: maybe(idea),
      parent: fc.record({
        tip,
        value: fc.option(frontierValue, { nil: null, freq: 12 }),
        trials: fc.integer({ min: 1, max: 3 }),
      }),
      pull: fc.constantFrom(...Array<"open">(12).fill("open"), "closed" as const, "merged" as const),
      label: maybe(fc.constantFrom(...outcomes)),
      body: fc.constantFrom("", "text\n\n<!-- autoresearch:verdict -->\n\nfooter"),
      trials: trials(number),
      check: maybe(fc.record({ id: fc.constant(7_000 + number), completed: fc.boolean() })),
      elsewhere: fc.constantFrom(...Array<null>(15).fill(null), "main"),
      mergedValue: fc.option(frontierValue, { nil: null, freq: 2 }),
      conflict: fc.constantFrom(...Array<null>(9).fill(null), "train.py"),
    })
    .map((each) => ({
      ...each,
      number,
      pullRequest: 100 + number,
      head: shaOf(1_000 + number),
      nextAttempt: each.trials.length + 1,
    }));
}

function row(number: number): fc.Arbitrary<Row> {
  return fc.record({
    commit: fc.constant(shaOf(1_000 + number).slice(0, 7)),
    value: maybe(value),
    memoryGb: fc.constant(44),
    description: words,
    outcome: fc.constantFrom(...outcomes),
    experiment: fc.constant(number),
    pullRequest: fc.constant(number === 0 ? null : 100 + number),
    parent: fc.constant(base.slice(0, 7)),
    seconds: fc.constant(326),
    because: reason,
    order: fc.constantFrom(null, 1),
  });
}

const desk: fc.Arbitrary<Desk> = fc.oneof(
  fc.constant<Desk>({ kind: "idle" }),
  fc.constant<Desk>({ kind: "thinking" }),
  tip.map((parent): Desk => ({ kind: "ready", prepared: preparedWith({ number: 3, parent }) })),
  tip.map((parent): Desk => ({ kind: "exhausted", because: "every change was tried", parent })),
  fc.constantFrom<Desk>(
    { kind: "helpless", because: "the key is not valid" },
    { kind: "short" },
    { kind: "spent", because: "the money is spent" },
    { kind: "refused", because: "it changes nothing", comment: 5 },
    { kind: "beyondRepair", because: "no repair passed the guard", head: shaOf(1_001) },
  ),
  fc.integer({ min: 1, max: 6 }).map((number): Desk => {
    const repair = { head: shaOf(1_000 + number), attempt: 1, failure: "NameError: name 'x' is not defined" };
    return { kind: "ready", prepared: preparedWith({ number, repair }) };
  }),
  time.map((retryAtMs): Desk => ({ kind: "failed", because: "no answer", failures: 2, retryAtMs })),
);

const order: fc.Arbitrary<Order> = fc
  .record({
    said: fc.constantFrom("stop", "pause", "resume", "status", "help", "stpo", "resume\n/autoresearch pause"),
    mayWrite: fc.boolean(),
    comment: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ said, mayWrite, comment }) => orderWith(`/autoresearch ${said}`, { mayWrite, comment }));

const start: fc.Arbitrary<Start | null> = fc.constantFrom(null, readyStart, {
  kind: "refused" as const,
  problem: "I can't start: no.",
});

const record: fc.Arbitrary<SessionRecord> = fc
  .record({
    state: fc.constantFrom(...sessionStates, ...Array<"running">(8).fill("running")),
    since: time.map((ms) => new Date(ms).toISOString()),
    by: maybe(fc.constant("ada")),
    because: reason,
    order: fc.constantFrom(null, 1),
    config,
    rowsBefore: fc.integer({ min: 0, max: 4 }),
    ledger,
    steering: fc.constantFrom<SessionRecord["steering"]>(
      [],
      [
        { comment: 4, kind: "note", by: "ada", text: "keep the batch", at: "", takenUpIn: null, dropped: null },
        { comment: 5, kind: "try", by: "ada", text: "weight tying", at: "", takenUpIn: null, dropped: null },
      ],
    ),
    noise: fc.constantFrom({ sumOfSquares: 0, degrees: 0 }, { sumOfSquares: 2e-6, degrees: 2 }),
  })
  .map((given) => recordWith(given));

function all<T>(each: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T[]> {
  return fc.tuple(...each);
}

const labels = fc.subarray<string>(["autoresearch", "bug", ...sessionStates.map((state) => `autoresearch:${state}`)]);

const everyRun = new Set(
  [0, 1, 2, 3, 4, 5, 6].flatMap((owner) => [1, 2, 3].map((attempt) => 1_000_000 + owner * 1_000 + attempt)),
);

/** Sessions with and without a record, a frontier, an order. */
export const session: fc.Arbitrary<Session> = fc
  .record({
    issue: fc.record({
      open: fc.constantFrom(...Array<boolean>(9).fill(true), false),
      title: words,
      labels: fc.oneof(
        { weight: 4, arbitrary: fc.constant(["autoresearch", "autoresearch:running"]) },
        { weight: 1, arbitrary: labels },
      ),
      closedBy: maybe(fc.constant("ada")),
    }),
    locked: fc.constantFrom(false, false, false, true),
    gone: fc.constantFrom<Gone | null>(
      ...Array<null>(9).fill(null),
      { because: "the issue was deleted", to: null },
      { because: "the issue was moved", to: { owner: "ada", repo: "other", issue: 3, told: false } },
    ),
    defaultBranch: fc.constantFrom("main", "main", "main", "trunk"),
    labelled: maybe(fc.record({ event: fc.nat(9), by: fc.constant("ada"), atMs: time })),
    unlabelledBy: maybe(fc.constant("ada")),
    start,
    record: fc.option(record, { nil: null, freq: 20 }),
    frontier: fc.option(frontier, { nil: null, freq: 20 }),
    rows: fc.subarray([0, 0, 0, 1, 2], { maxLength: 3 }).chain((numbers) => all(numbers.map(row))),
    experiments: fc.subarray([1, 2, 3, 4, 5, 6], { maxLength: 4 }).chain((numbers) => all(numbers.map(experiment))),
    orders: fc.oneof({ weight: 9, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: all([order]) }),
    desk,
    account,
    traits: fc.record({ repairs: fc.boolean(), wordless: fc.boolean() }),
    passedOver: fc.constantFrom(null, "nobody knows the model claude-x"),
    edit: fc.option(
      fc
        .record({
          by: fc.constantFrom("ada", "eve"),
          mayWrite: fc.boolean(),
          at: fc.constant("2026-11-23T12:00:00Z"),
          digest: fc.constant("0123456789abcdef"),
          text: fc.constantFrom("Lower val_bpb, and keep the depth.", ""),
        })
        .map((each) => ({ ...each })),
      { nil: null, freq: 2 },
    ),
    dashboard: maybe(fc.constant("**autoresearch** · running · 1 of 12 experiments")),
    resultsTip: maybe(fc.constant(shaOf(2))),
    report: maybe(fc.constant(900)),
    cancelled: fc.constantFrom(new Set<number>(), everyRun, everyRun),
    cutOff: fc.nat(2),
    strays: fc.constantFrom<number[]>([], [], [901]),
    looseChecks: fc.constantFrom([], [{ check: 7, experiment: 1 }]),
    denied: fc.constantFrom(new Set<string>(), new Set(["bob"])),
    slow: fc.constantFrom(null, { because: "GitHub asked us to wait", untilMs: nowMs + 60_000 }),
  })
  .map((given) => ({
    ...given,
    key: { owner: "ada", repo: "nano", issue: 12 },
    nowMs,
    htmlUrl: "https://github.test/ada/nano",
    experiments: given.record === null ? [] : given.experiments,
    frontier: given.record === null ? null : given.frontier,
    // What is gone is closed, and nobody speaks there.
    ...(given.gone === null ? {} : { issue: { ...given.issue, open: false, labels: [] }, orders: [] }),
  }));
