import { describe, expect, it } from "vitest";
import { decide } from "../../src/domain/decide.ts";
import type { Session, SessionRecord, Start } from "../../src/domain/session.ts";
import { actionIn, next } from "../support/decided.ts";
import {
  base,
  baselineRow,
  configWith,
  experimentWith,
  minuteMs,
  newSession,
  nowMs,
  readyStart,
  rowWith,
  sessionWith,
  shaOf,
  startedMs,
  trial,
  unmeasuredFrontier,
} from "../support/session.ts";

const unlabelled = { open: true, title: "", labels: [], closedBy: null };
const closed = { open: false, title: "", labels: ["autoresearch"], closedBy: "bob" };
const refused: Start = { kind: "refused", problem: "I can't start: no." };

describe("an issue without a session", () => {
  it("start: labelled by ada", () => {
    expect(next(newSession())).toBe("start: labelled by ada");
    expect(actionIn(newSession(), "start").start).toBe(readyStart);
  });

  it("refuseStart: what is wrong", () => {
    expect(next(newSession({ start: refused }))).toBe("refuseStart: I can't start: no.");
    expect(actionIn(newSession({ start: refused }), "refuseStart").text).toBe("I can't start: no.");
  });

  it.each([
    ["the label is off", { issue: unlabelled }],
    ["the issue is closed", { issue: closed }],
  ])("wait: for an event while %s", (_name, given) => {
    expect(decide(newSession(given))).toEqual({ kind: "wait", untilMs: null, because: "the label is not on" });
  });

  it("wait: not all is read yet", () => {
    expect(decide(newSession({ start: null }))).toMatchObject({ kind: "wait", because: "not all is read yet" });
  });
});

describe("stop by hand", () => {
  it.each(["running", "paused", "blocked"] as const)(
    "of a session that is %s: the label autoresearch was taken off",
    (state) => {
      const session = sessionWith({ record: { state }, issue: unlabelled, unlabelledBy: "bob" });
      expect(next(session)).toBe("setState: the label autoresearch was taken off");
      expect(actionIn(session, "setState").change).toMatchObject({ state: "stopped", by: "bob" });
    },
  );

  it("setState: the issue was closed", () => {
    const session = sessionWith({ issue: closed, unlabelledBy: "eve" });
    expect(next(session)).toBe("setState: the issue was closed");
    expect(actionIn(session, "setState").change).toMatchObject({ state: "stopped", by: "bob" });
  });

  it.each(["stopped", "done"] as const)("says nothing more to a session that is %s", (state) => {
    const labels = [`autoresearch:${state}`];
    expect(next(sessionWith({ record: { state }, issue: { ...unlabelled, labels } }))).toBe(
      `wait: ${state}: nothing to do now`,
    );
  });
});

describe("after a stop", () => {
  const record = { state: "stopped", by: "ada", because: "stopped by @ada" } as const;

  it("cancelRun: stopped by @ada, for every run that goes on, each once", () => {
    const experiments = [
      experimentWith({ number: 1, trials: [trial.training(1, startedMs, 41)] }),
      experimentWith({ number: 2, trials: [trial.queued(1, startedMs, 42)] }),
      experimentWith({ number: 3, trials: [trial.measured(0.9)] }),
    ];
    const session = sessionWith({ record, experiments });
    expect(next(session)).toBe("cancelRun: stopped by @ada");
    expect(actionIn(session, "cancelRun").run).toBe(41);
    expect(actionIn({ ...session, cancelled: new Set([41]) }, "cancelRun").run).toBe(42);
    expect(next({ ...session, cancelled: new Set([41, 42]) })).toBe("record: stopped by @ada");
  });

  it("cancels the frontier's own trial", () => {
    const frontier = unmeasuredFrontier({ ownTrials: [trial.training(1, startedMs, 43)] });
    expect(actionIn(sessionWith({ record, frontier, rows: [] }), "cancelRun").run).toBe(43);
  });

  it("withdraws what is open, a winner that was not merged too", () => {
    const session = sessionWith({ record, experiments: [experimentWith({ trials: [trial.measured(0.99)] })] });
    expect(actionIn(session, "record").row).toMatchObject({
      outcome: "withdrawn",
      value: null,
      because: "stopped by @ada",
    });
    const recorded = {
      ...session,
      rows: [baselineRow, rowWith({ outcome: "withdrawn", value: null, because: "stopped by @ada" })],
    };
    expect(actionIn(recorded, "conclude")).toMatchObject({ outcome: "withdrawn", close: true });
  });

  it("keeps what was merged before it", () => {
    const frontier = { tip: shaOf(20), value: 0.99, trials: 1, experiment: 1 };
    const experiments = [experimentWith({ pull: "merged", trials: [trial.measured(0.99)] })];
    expect(actionIn(sessionWith({ record, frontier, experiments }), "record").row).toMatchObject({
      outcome: "keep",
      value: 0.99,
    });
  });

  it("waits for a run that is not listed yet, to cancel it", () => {
    const experiments = [experimentWith({ trials: [trial.intended()] })];
    const rows = [baselineRow, rowWith({ outcome: "withdrawn", value: null })];
    const session = sessionWith({ record, experiments, rows });
    expect(decide(session)).toEqual({ kind: "wait", untilMs: nowMs + 5_000, because: "stopped: nothing to do now" });
  });

  it("is at rest when all is cleaned up", () => {
    expect(decide(sessionWith({ record }))).toEqual({
      kind: "wait",
      untilMs: null,
      because: "stopped: nothing to do now",
    });
  });
});

describe("the label put on again", () => {
  const ended = { state: "stopped", since: new Date(nowMs - minuteMs).toISOString() } as const;
  const labelled = { event: 1, by: "bob", atMs: nowMs - 1_000 };
  const start = { ...readyStart, by: "bob", program: "Lower it further.", base: shaOf(9) };

  it.each(["stopped", "done", "blocked"] as const)("goes on with a session that is %s", (state) => {
    const session = sessionWith({ record: { ...ended, state }, labelled, start });
    expect(next(session)).toBe("setState: the label autoresearch was put on again");
    expect(actionIn(session, "setState").change).toEqual({
      state: "running",
      by: "bob",
      because: "the label autoresearch was put on again",
    });
  });

  it("takes what the issue says now, but nothing that makes values comparable", () => {
    const config = configWith({
      mutable: ["model.py"],
      metric: { name: "loss" },
      trial: { command: "python other.py" },
      limits: { experiments: 5 },
      keep: { baseline_trials: 7, trials: 4 },
    });
    const { restart } = actionIn(sessionWith({ record: ended, labelled, start: { ...start, config } }), "setState");
    expect(restart).toMatchObject({
      startedAt: new Date(nowMs).toISOString(),
      program: "Lower it further.",
      base,
      config: { limits: { experiments: 5 }, mutable: ["train.py"], metric: { name: "val_bpb" } },
    });
    expect(restart!.config!.trial).toEqual(configWith().trial);
    // The baseline was measured as often as it was.
    expect(restart!.config!.keep).toEqual({ ...configWith().keep, trials: 4 });
  });

  it.each([
    ["no row", []],
    ["only what was closed before the baseline", [rowWith({ outcome: "withdrawn", value: null })]],
  ])("takes everything anew where nothing was measured: %s", (_name, rows) => {
    const config = configWith({ mutable: ["model.py"] });
    const session = sessionWith({
      record: ended,
      labelled,
      start: { ...start, config },
      rows,
      frontier: unmeasuredFrontier(),
    });
    expect(actionIn(session, "setState").restart).toMatchObject({ base: shaOf(9), config: { mutable: ["model.py"] } });
  });

  it("refuseStart: what is wrong", () => {
    expect(next(sessionWith({ record: ended, labelled, start: refused }))).toBe("refuseStart: I can't start: no.");
  });

  it("is told by GitHub's count of events, whatever the clocks say", () => {
    const record = { ...ended, labelEvent: 5 };
    const since = Date.parse(ended.since);
    const later = sessionWith({ record, start, labelled: { event: 6, by: "bob", atMs: since - 300_000 } });
    expect(next(later)).toBe("setState: the label autoresearch was put on again");
    const earlier = sessionWith({ record, start, labelled: { event: 5, by: "bob", atMs: since + 300_000 } });
    expect(next(earlier)).toBe("wait: stopped: nothing to do now");
  });

  it.each([
    ["it was put on before the end", { labelled: { event: 1, by: "bob", atMs: Date.parse(ended.since) } }],
    ["nobody knows when it was put on", { labelled: null }],
    ["not all is read yet", { start: null }],
    ["the issue is closed", { issue: { ...closed, labels: ["autoresearch", "autoresearch:stopped"] } }],
  ])("does nothing where %s", (_name, given) => {
    expect(next(sessionWith({ record: ended, labelled, start, ...given }))).toBe("wait: stopped: nothing to do now");
  });
});

describe("a frontier whose branch was deleted", () => {
  const since = new Date(startedMs).toISOString();

  function gone(given: Partial<Session>, record: Partial<SessionRecord> = {}): Session {
    const started = sessionWith({ record: { since, ...record } });
    return { ...started, frontier: null, ...given };
  }

  it.each(["running", "paused"] as const)("is asked of a person while the session is %s", (state) => {
    const sentence =
      "the branch `autoresearch/12/frontier` was deleted; restore it (its tip is in the pull request that was merged last)";
    expect(next(gone({}, { state }))).toBe(`setState: ${sentence}`);
    expect(actionIn(gone({}, { state }), "setState").change).toMatchObject({ state: "blocked", by: null });
  });

  it("is waited for when the session has just begun: a branch may not be seen yet", () => {
    const session = gone({ nowMs: startedMs + 10_000 });
    expect(decide(session)).toMatchObject({ kind: "wait", untilMs: startedMs + 60_000 });
  });

  it("is shown with the last value that the rows know", () => {
    const rows = [baselineRow, rowWith({ outcome: "keep", value: 0.97 })];
    const session = gone({ rows, dashboard: null }, { state: "blocked" });
    expect(actionIn(session, "showDashboard").body).toContain("**val_bpb 0.9700**");
  });

  it("can be stopped, and what is open is withdrawn", () => {
    expect(next(gone({ issue: unlabelled }))).toBe("setState: the label autoresearch was taken off");
    const open = gone(
      { experiments: [experimentWith({ pull: "closed" })] },
      { state: "stopped", because: "stopped by @ada" },
    );
    expect(actionIn(open, "record").row.outcome).toBe("withdrawn");
  });

  it.each(["blocked", "stopped", "done"] as const)("leaves a session that is %s at rest", (state) => {
    expect(decide(gone({}, { state }))).toMatchObject({ kind: "wait", untilMs: null });
  });

  it("can't be gone on with: the label is refused", () => {
    const session = gone({ labelled: { event: 1, by: "ada", atMs: nowMs }, start: readyStart }, { state: "done" });
    expect(actionIn(session, "refuseStart").text).toBe(
      "I can't start: the branch `autoresearch/12/frontier` was deleted, so there is nothing to go on with. Restore it, or open a new issue. Mend it and put the label on again.",
    );
  });
});
