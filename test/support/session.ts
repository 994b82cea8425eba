/**
 * Values of the domain with sensible defaults, for tests that say only what matters to them. The default session is at
 * rest: running, the baseline measured, nothing open, the researcher idle, labels and dashboard as they should be.
 */
import { type Command, parseCommands } from "../../src/domain/command.ts";
import { type Config, configSchema } from "../../src/domain/config.ts";
import { dashboardOf } from "../../src/domain/dashboard.ts";
import type { Measurement } from "../../src/domain/measurement.ts";
import { type Sha, sha } from "../../src/domain/names.ts";
import { emptyLedger, noAccount } from "../../src/domain/ledger.ts";
import { type Prepared, type Proposal, noInsights, nothingSpent } from "../../src/domain/proposal.ts";
import type { Row } from "../../src/domain/results.ts";
import {
  type Experiment,
  type Frontier,
  type Order,
  type Running,
  type Session,
  hasStarted,
  type SessionRecord,
  type Start,
} from "../../src/domain/session.ts";
import type { Trial } from "../../src/domain/trial.ts";
import { noNoise } from "../../src/domain/verdict.ts";

export const startedMs = Date.parse("2026-11-23T12:00:00.000Z");
export const minuteMs = 60_000;
/** The time of the default session: an hour after its start. */
export const nowMs = startedMs + 60 * minuteMs;

/** A commit id that shows its number: `shaOf(7)` begins with `0000007`. */
export function shaOf(number: number): Sha {
  return sha(String(number).padStart(7, "0").padEnd(40, "a"));
}

export const base = shaOf(1);

/** A configuration: what is given, read as people write it, over the defaults. */
export function configWith(given: Record<string, unknown> = {}): Config {
  return configSchema.parse(given);
}

export function recordWith(given: Partial<SessionRecord> = {}): SessionRecord {
  return {
    version: 1,
    startedBy: "ada",
    startedAt: new Date(startedMs).toISOString(),
    base,
    baseBranch: "main",
    formerBranches: [],
    program: "Lower val_bpb.",
    config: configWith(),
    state: "running",
    since: new Date(startedMs).toISOString(),
    by: "ada",
    because: "started by @ada",
    order: null,
    rowsBefore: 0,
    noise: noNoise,
    frontierAttempts: 0,
    labelEvent: null,
    appeals: [],
    tried: [],
    title: "Night one",
    issueDigest: null,
    edit: null,
    ledger: emptyLedger,
    kinds: {},
    steering: [],
    model: null,
    ...given,
  };
}

export function frontierWith(given: Partial<Frontier> = {}): Frontier {
  return { tip: base, value: 1, trials: 3, experiment: null, ownTrials: [], nextAttempt: 4, check: 1, ...given };
}

/** A frontier that nobody has measured yet. */
export function unmeasuredFrontier(given: Partial<Frontier> = {}): Frontier {
  return frontierWith({ value: null, trials: 0, nextAttempt: 1, check: null, ...given });
}

/** An experiment on the default frontier: opened, not measured. */
export function experimentWith(given: Partial<Experiment> = {}): Experiment {
  const number = given.number ?? 1;
  return {
    number,
    pullRequest: 100 + number,
    description: `idea ${number}`,
    key: `key${number}`,
    idea: null,
    head: shaOf(1000 + number),
    parent: { tip: base, value: 1, trials: 3 },
    pull: "open",
    label: null,
    body: `**Hypothesis.** Because of idea ${number}.\n\n<!-- autoresearch:verdict -->\n\n<sub>session #12</sub>`,
    trials: [],
    nextAttempt: (given.trials?.at(-1)?.attempt ?? 0) + 1,
    check: (given.trials ?? []).length === 0 ? null : { id: 500 + number, completed: false },
    elsewhere: null,
    mergedValue: null,
    conflict: null,
    ...given,
  };
}

export function measurementWith(given: { value: number } & Partial<Measurement>): Measurement;
export function measurementWith(
  given: { status: "crash" | "timeout" | "rejected" | "unknown" } & Partial<Measurement>,
): Measurement;
export function measurementWith(given: Partial<Measurement>): Measurement {
  return {
    version: 1,
    status: "measured",
    trial: "12:1:1",
    commit: shaOf(1001),
    base,
    because: "val_bpb was read from the log",
    seconds: 326,
    metrics: { num_steps: 953, peak_vram_mb: 45_060.2 },
    exitCode: 0,
    signal: null,
    sandbox: "bubblewrap",
    protectedFiles: { count: 3, changed: [] },
    runner: "gpu-2",
    curve: [],
    logTail: "",
    at: null,
    ...given,
  } as Measurement;
}

const url = (run: number) => `https://github.test/ada/nano/actions/runs/${run}`;

function trialIn(phase: Trial["phase"], attempt: number, run: number | null): Trial {
  return { attempt, run: run === null ? null : { id: run, url: url(run) }, phase };
}

/** A trial as it goes through its life; `run` is 9000 + attempt where nothing else is said. */
export const trial = {
  intended: (attempt = 1, untilMs = nowMs + 30_000) => trialIn({ kind: "intended", untilMs }, attempt, null),
  queued: (attempt = 1, sinceMs = nowMs - 10_000, run = 9000 + attempt) =>
    trialIn({ kind: "queued", sinceMs }, attempt, run),
  training: (attempt = 1, sinceMs = nowMs - 2 * minuteMs, run = 9000 + attempt) =>
    trialIn({ kind: "training", sinceMs, seenMs: sinceMs }, attempt, run),
  reporting: (attempt = 1, untilMs = nowMs + 30_000) =>
    trialIn({ kind: "reporting", untilMs }, attempt, 9000 + attempt),
  measured: (value: number, attempt = 1) => trial.ended(measurementWith({ value }), attempt),
  ended: (measurement: Measurement, attempt = 1, atMs = nowMs - 10 * minuteMs) =>
    trialIn({ kind: "measured", measurement, atMs }, attempt, 9000 + attempt),
  crashed: (because = "CUDA out of memory at train.py:412", attempt = 1, atMs = nowMs - 10 * minuteMs) =>
    trial.ended(measurementWith({ status: "crash", because, exitCode: 1 }), attempt, atMs),
  lost: (attempt = 1, atMs = nowMs - 10 * minuteMs) =>
    trialIn(
      { kind: "lost", atMs, because: "its run ended without a measurement (cancelled)" },
      attempt,
      9000 + attempt,
    ),
};

export const baselineRow: Row = {
  commit: base.slice(0, 7),
  value: 1,
  memoryGb: 44,
  description: "baseline",
  outcome: "keep",
  experiment: 0,
  pullRequest: null,
  parent: "",
  seconds: 978,
  because: "mean of 3 trials",
};

/** A settled experiment's row: discarded, a little worse than the baseline. */
export function rowWith(given: Partial<Row> = {}): Row {
  const experiment = given.experiment ?? 1;
  return {
    commit: shaOf(1000 + experiment).slice(0, 7),
    value: 1.01,
    memoryGb: 44,
    description: `idea ${experiment}`,
    outcome: "discard",
    experiment,
    pullRequest: 100 + experiment,
    parent: base.slice(0, 7),
    seconds: 326,
    because: "higher than the frontier by 0.0100",
    ...given,
  };
}

/** A row without a value. */
export function crashRow(experiment: number, given: Partial<Row> = {}): Row {
  return rowWith({ experiment, value: null, outcome: "crash", because: "out of memory", ...given });
}

export function proposalWith(given: Partial<Proposal> = {}): Proposal {
  return {
    description: "raise LR to 0.05",
    hypothesis: "The learning rate is too small.",
    expected: null,
    refutedBy: null,
    researcher: "mutate",
    kind: "other" as const,
    askedBy: null,
    insights: noInsights,
    files: [{ path: "train.py", text: "LR = 0.05\n" }],
    ...given,
  };
}

export function preparedWith(given: Partial<Prepared> = {}): Prepared {
  return {
    number: 1,
    parent: base,
    key: "keyready",
    proposal: proposalWith(),
    spent: nothingSpent,
    repair: null,
    heeded: [],
    ...given,
  };
}

/** A comment's order: what @ada, who may write, said on the issue. */
export function orderWith(said: string, given: Partial<Order> = {}): Order {
  const commands: Command[] = parseCommands(said);
  return { comment: 7, on: 12, author: "ada", mayWrite: true, commands, at: new Date(nowMs).toISOString(), ...given };
}

export const readyStart: Extract<Start, { kind: "ready" }> = {
  kind: "ready",
  base,
  baseBranch: "main",
  config: configWith(),
  program: "Lower val_bpb.",
  title: "Night one",
  issueDigest: "0000000000000000",
  by: "ada",
};

/** An issue that carries the label and has no session yet. */
export function newSession(given: Partial<Session> = {}): Session {
  return {
    key: { owner: "ada", repo: "nano", issue: 12 },
    nowMs,
    htmlUrl: "https://github.test/ada/nano",
    issue: { open: true, title: "Night one", labels: ["autoresearch"], closedBy: null },
    locked: false,
    gone: null,
    defaultBranch: "main",
    labelled: { event: 1, by: "ada", atMs: startedMs - 1_000 },
    unlabelledBy: null,
    start: readyStart,
    record: null,
    frontier: null,
    rows: [],
    experiments: [],
    orders: [],
    desk: { kind: "idle" },
    account: noAccount,
    traits: { repairs: false, wordless: false },
    passedOver: null,
    edit: null,
    dashboard: null,
    resultsTip: null,
    report: null,
    cancelled: new Set(),
    cutOff: 0,
    strays: [],
    denied: new Set(),
    looseChecks: [],
    slow: null,
    ...given,
  };
}

type Given = Partial<Omit<Session, "record" | "frontier">> & {
  readonly record?: Partial<SessionRecord>;
  readonly frontier?: Partial<Frontier>;
};

/** A started session. The labels and the dashboard are as the rest wants them, unless the test says otherwise. */
export function sessionWith(given: Given = {}): Running {
  const record = recordWith(given.record);
  const session: Session = {
    ...newSession(),
    start: null,
    rows: [baselineRow],
    resultsTip: shaOf(2),
    issue: {
      open: true,
      title: "Night one",
      labels: ["autoresearch", `autoresearch:${record.state}`],
      closedBy: null,
    },
    ...given,
    record,
    frontier: frontierWith(given.frontier),
  };
  if (!hasStarted(session)) throw new Error("a session with a record and a frontier has started");
  return given.dashboard === undefined ? { ...session, dashboard: dashboardOf(session) } : session;
}
