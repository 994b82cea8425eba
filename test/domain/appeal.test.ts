import { describe, expect, it } from "vitest";
import { withAppeal } from "../../src/domain/appeal.ts";
import { buttons, commandOfButton, parsePress, pressComment } from "../../src/domain/buttons.ts";
import { dashboardOf } from "../../src/domain/dashboard.ts";
import type { Experiment, Running } from "../../src/domain/session.ts";
import { phaseOf } from "../../src/domain/experiment.ts";
import { after } from "../support/after.ts";
import { actionIn, next } from "../support/decided.ts";
import {
  baselineRow,
  crashRow,
  experimentWith,
  measurementWith,
  minuteMs,
  nowMs,
  orderWith,
  rowWith,
  sessionWith,
  trial,
} from "../support/session.ts";

const unknown = (attempt = 1) =>
  trial.ended(measurementWith({ status: "unknown", because: "val_bpb is nan" }), attempt);
const said = (what: string, on = 101) => orderWith(`/autoresearch ${what}`, { on });

function sessionOf(experiment: Partial<Experiment>, given: Parameters<typeof sessionWith>[0] = {}): Running {
  // Two more that train keep the session busy: nothing is fed.
  const busy = [2, 3].map((number) => experimentWith({ number, trials: [trial.training()] }));
  return sessionWith({ experiments: [experimentWith({ number: 1, ...experiment }), ...busy], ...given });
}

describe("a value that nobody should believe", () => {
  const jump = () => sessionOf({ trials: [trial.measured(0.5)] });

  it("is put to a person, on the pull request and on the check, once", () => {
    const session = jump();
    const asked = actionIn(session, "ask");
    expect(asked).toMatchObject({ experiment: 1, pullRequest: 101, check: 501, attempt: 1 });
    expect(asked.title).toBe("unknown: a gain of 50 % in one step is beyond belief (metric.max_gain is 20 %)");
    expect(asked.buttons.map(({ identifier }) => identifier)).toEqual(["rerun", "keep", "stop"]);
    expect(next(after(session, asked))).not.toMatch(/^ask/);
    expect(dashboardOf(after(session, asked) as Running)).toMatch(/Your word is asked for[\s\S]*#101 exp 1/);
  });

  it("is neither merged nor recorded nor closed while nobody has answered", () => {
    let session: Running = jump();
    const done: string[] = [];
    for (let step = 0; step < 20 && !next(session).startsWith("wait"); step += 1) {
      done.push(next(session).split(":")[0]!);
      session = after(session, actionIn(session, next(session).split(":")[0] as "ask")) as Running;
    }
    expect(done).not.toContain("advance");
    expect(done).not.toContain("record");
    expect(done).not.toContain("conclude");
    expect(session.experiments[0]!.pull).toBe("open");
  });

  it("can't be kept where there is no value, and the button is not offered", () => {
    const session = sessionOf({ trials: [unknown()] });
    expect(actionIn(session, "ask").buttons.map(({ identifier }) => identifier)).toEqual(["rerun", "stop"]);
    const refused = actionIn(sessionOf({ trials: [unknown()] }, { orders: [said("keep")] }), "obey");
    expect(refused).toMatchObject({ appeal: null, reaction: "confused" });
    expect(refused.reply).toContain("no value");
  });

  it("holds no session up: at the end it is withdrawn with its reason", () => {
    const session = sessionWith({
      experiments: [experimentWith({ trials: [trial.measured(0.5)], check: { id: 501, completed: true } })],
      record: { state: "done" },
    });
    expect(actionIn(session, "record").row).toMatchObject({ outcome: "withdrawn", value: null });
    expect(actionIn(session, "record").row.because).toMatch(/beyond belief.*nobody answered/);
  });

  it("stops new ideas when three of them are unanswered", () => {
    const open = [1, 2, 3].map((number) =>
      experimentWith({ number, trials: [trial.measured(0.5)], check: { id: 500 + number, completed: true } }),
    );
    expect(next(sessionWith({ experiments: open.slice(1) }))).toMatch(/^propose/);
    const full = sessionWith({ experiments: open });
    expect(next(full)).toMatch(/^wait/);
    expect(dashboardOf(full)).toContain("Nothing new is proposed");
  });
});

describe("rerun", () => {
  it("dismisses what was no value, and waits for a new one", () => {
    const before = sessionOf({ trials: [unknown()] }, { orders: [said("rerun")] });
    const heard = after(before, actionIn(before, "obey")) as Running;
    expect(heard.record.appeals).toEqual([
      { experiment: 1, what: "rerun", by: "ada", at: new Date(nowMs).toISOString() },
    ]);
    expect(phaseOf(heard.experiments[0]!, heard)).toEqual({
      kind: "waiting",
      lost: 0,
      because: "opened, not measured yet",
    });
    const again = {
      ...heard.experiments[0]!,
      trials: [unknown(), trial.ended(measurementWith({ value: 0.9 }), 2, nowMs + minuteMs)],
    };
    expect(phaseOf(again, heard)).toMatchObject({ kind: "won", value: 0.9, trials: 1 });
  });

  it("counts the new value beside the old one, so that nobody can fish for luck", () => {
    const appeals = [{ experiment: 1, what: "rerun" as const, by: "ada", at: new Date(nowMs).toISOString() }];
    const session = sessionOf({ trials: [trial.measured(1.02)] }, { record: { appeals } });
    expect(phaseOf(session.experiments[0]!, session)).toMatchObject({
      kind: "waiting",
      because: "@ada asked for another measurement",
    });
    const both = [trial.measured(1.02), trial.ended(measurementWith({ value: 0.99 }), 2, nowMs + minuteMs)];
    expect(phaseOf({ ...session.experiments[0]!, trials: both }, session)).toMatchObject({
      kind: "decided",
      outcome: "discard",
      value: 1.005,
    });
  });

  it("opens a settled experiment again: its row goes until there is a new one", () => {
    const rows = [baselineRow, crashRow(1, { pullRequest: 101 })];
    const session = sessionWith({ rows, orders: [said("rerun")] });
    const obeyed = actionIn(session, "obey");
    expect(obeyed).toMatchObject({ reopen: 101, appeal: { experiment: 1, what: "rerun" }, reaction: "+1" });
    const heard = after(session, obeyed) as Running;
    expect(heard.rows).toEqual([baselineRow]);
    expect(heard.experiments.map((each) => [each.number, each.pull])).toEqual([[1, "open"]]);
    expect(next(heard)).toMatch(/^dispatch/);
  });

  it.each<[string, Partial<Parameters<typeof sessionWith>[0]>, string]>([
    ["on the issue", { orders: [said("rerun", 12)] }, "on the pull request of the experiment"],
    [
      "of what is in the frontier",
      { rows: [baselineRow, rowWith({ experiment: 1, outcome: "keep", pullRequest: 101 })], orders: [said("rerun")] },
      "part of the frontier",
    ],
    [
      "while it is measured",
      { experiments: [experimentWith({ trials: [trial.training()] })], orders: [said("rerun")] },
      "already",
    ],
    ["after the end", { record: { state: "done" }, orders: [said("rerun")] }, "Put the label"],
  ])("is refused %s", (_, given, reply) => {
    const refused = actionIn(sessionWith(given), "obey");
    expect(refused).toMatchObject({ appeal: null, reopen: null, reaction: "confused" });
    expect(refused.reply).toContain(reply);
  });
});

describe("keep", () => {
  it.each([
    ["a jump beyond belief", [0.5]],
    ["a gain within the noise", [0.9999, 0.9999]],
    ["an equal value", [1]],
  ])("keeps %s", (_, values) => {
    const appeals = [{ experiment: 1, what: "keep" as const, by: "ada", at: new Date(nowMs).toISOString() }];
    const trials = values.map((value, index) => trial.measured(value, index + 1));
    const noise = { sumOfSquares: 0.01, degrees: 1 };
    const session = sessionOf({ trials }, { record: { appeals, noise } });
    expect(phaseOf(session.experiments[0]!, session)).toMatchObject({
      kind: "won",
      because: expect.stringContaining("kept by @ada"),
    });
  });

  it("never keeps what is worse", () => {
    const rows = [baselineRow, rowWith({ experiment: 1, outcome: "discard", value: 1.01, pullRequest: 101 })];
    const refused = actionIn(sessionWith({ rows, orders: [said("keep")] }), "obey");
    expect(refused).toMatchObject({ appeal: null, reaction: "confused" });
    expect(refused.reply).toContain("merge the pull request");
    const appeals = [{ experiment: 1, what: "keep" as const, by: "ada", at: new Date(nowMs).toISOString() }];
    const worse = sessionOf({ trials: [trial.measured(1.2)] }, { record: { appeals } });
    expect(phaseOf(worse.experiments[0]!, worse)).toMatchObject({ kind: "decided", outcome: "discard" });
  });

  it("takes a settled one that gained, less than counts, out of the drawer", () => {
    const rows = [baselineRow, rowWith({ experiment: 1, outcome: "within_noise", value: 0.999, pullRequest: 101 })];
    expect(actionIn(sessionWith({ rows, orders: [said("keep")] }), "obey")).toMatchObject({
      appeal: { what: "keep" },
      reopen: 101,
      reply: "Experiment 1 is kept unless it is worse than the frontier.",
    });
  });
});

describe("appeals", () => {
  it("are one for each experiment, and bounded", () => {
    const at = new Date(nowMs).toISOString();
    let appeals = withAppeal([], { experiment: 1, what: "keep", by: "ada", at });
    appeals = withAppeal(appeals, { experiment: 1, what: "rerun", by: "bob", at });
    expect(appeals).toEqual([{ experiment: 1, what: "rerun", by: "bob", at }]);
    for (let experiment = 2; experiment < 200; experiment += 1)
      appeals = withAppeal(appeals, { experiment, what: "keep", by: "ada", at });
    expect(appeals).toHaveLength(50);
    expect(appeals.at(-1)!.experiment).toBe(199);
  });
});

describe("buttons", () => {
  it("keep to the limits of the Checks API", () => {
    for (const set of Object.values(buttons)) {
      expect(set.length).toBeLessThanOrEqual(3);
      for (const { label, description, identifier } of set) {
        expect(label.length).toBeLessThanOrEqual(20);
        expect(description.length).toBeLessThanOrEqual(40);
        expect(identifier.length).toBeLessThanOrEqual(20);
        expect(commandOfButton(identifier)).toBe(identifier);
      }
    }
    expect(commandOfButton("resume")).toBeNull();
  });

  it("leave a press that is read back as it was, and that nobody else's text passes for", () => {
    const press = { what: "rerun", by: "ada-1" } as const;
    expect(parsePress(pressComment(press, "11d-2"))).toMatchObject(press);
    expect(parsePress("ada pressed **Re-run** on the check.")).toBeNull();
  });
});
