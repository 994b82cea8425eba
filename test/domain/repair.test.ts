import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { phaseOf } from "../../src/domain/experiment.ts";
import { untold } from "../../src/domain/proposal.ts";
import { failureOf, signatureOf } from "../../src/domain/repair.ts";
import { withRepair } from "../../src/domain/words-research.ts";
import { actionIn, next } from "../support/decided.ts";
import {
  experimentWith,
  measurementWith,
  preparedWith,
  proposalWith,
  sessionWith,
  shaOf,
  startedMs,
  trial,
} from "../support/session.ts";

const traceback = [
  "step 00001 | loss: 3.0",
  "Traceback (most recent call last):",
  '  File "/tmp/work-8f3a/train.py", line 412, in <module>',
  "    y = attend(x)",
  "RuntimeError: shape 64 at 0x7f3a91c0 is not 32 in /tmp/work-8f3a/model.py",
].join("\n");
const crash = measurementWith({
  status: "crash",
  because: "RuntimeError at train.py:412",
  logTail: `${traceback}\nbye\n`,
});
const signature = "RuntimeError: shape 0 at 0x is not 0 in model.py";
const idea = { ...untold, ...proposalWith({ description: "attend to 64" }), key: "key1" };
const traits = { repairs: true, wordless: false };
const broken = (given: Parameters<typeof experimentWith>[0] = {}) =>
  experimentWith({ number: 1, idea, trials: [trial.ended(crash)], ...given });
const repaired = (attempt: number, failure: string) => ({
  ...idea,
  repair: { attempt, failure, description: "use 32" },
});

describe("a failure", () => {
  it("is the last traceback, with a line that equal failures share", () => {
    expect(failureOf(crash)).toEqual({
      because: "RuntimeError at train.py:412",
      traceback: traceback.split("\n").slice(1).join("\n"),
      signature,
    });
  });

  it("is told by the error alone where python did not get as far as a traceback", () => {
    const logTail = '  File "train.py", line 3\n    def f(:\n          ^\nSyntaxError: invalid syntax\n';
    expect(failureOf(measurementWith({ status: "crash", logTail }))?.signature).toBe("SyntaxError: invalid syntax");
  });

  it.each([
    ["a time-out", measurementWith({ status: "timeout", logTail: traceback })],
    ["what broke the rules", measurementWith({ status: "rejected", logTail: traceback })],
    ["a process that was killed", measurementWith({ status: "crash", logTail: "step 1\nKilled\n", signal: "SIGKILL" })],
    ["a value", measurementWith({ value: 1 })],
  ])("is not seen in %s", (_name, measurement) => {
    expect(failureOf(measurement)).toBeNull();
  });

  it("has the same signature at other numbers, addresses and folders, and a bounded one", () => {
    expect(signatureOf("ValueError: 3 of 0xdeadbeef in /home/ada/x-1/train.py")).toBe(
      signatureOf("ValueError: 1_024.5 of 0x0 in /tmp/train.py"),
    );
    expect(signatureOf("ValueError: a")).not.toBe(signatureOf("TypeError: a"));
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 500 }), (line) => {
        expect(signatureOf(line).length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

describe("an experiment that crashed", () => {
  const phase = (given: Parameters<typeof experimentWith>[0] = {}, session: Parameters<typeof sessionWith>[0] = {}) =>
    phaseOf(broken(given), sessionWith({ traits, ...session }));

  it("goes back to whoever wrote it", () => {
    expect(phase()).toMatchObject({ kind: "crashed", attempt: 1, failure: { signature } });
    expect(phase({ idea: repaired(1, "NameError: x") })).toMatchObject({ kind: "crashed", attempt: 2 });
  });

  it.each([
    [
      "a researcher that repairs nothing",
      {},
      { traits: { repairs: false, wordless: false } },
      "RuntimeError at train.py:412",
    ],
    ["a third time", { idea: repaired(2, "NameError: x") }, {}, "RuntimeError at train.py:412; 2 repairs did not help"],
    [
      "the same failure twice",
      { idea: repaired(1, signature) },
      {},
      "RuntimeError at train.py:412; the same again after a repair",
    ],
    ["a commit of a person on top", { key: null }, {}, "RuntimeError at train.py:412"],
    [
      "a researcher that gives it up",
      {},
      { desk: { kind: "beyondRepair", because: "the idea can't work", head: shaOf(1001) } as const },
      "RuntimeError at train.py:412; not mended: the idea can't work",
    ],
    ["hours that are over", {}, { nowMs: startedMs + 25 * 3_600_000 }, "RuntimeError at train.py:412"],
    [
      "money that is spent",
      {},
      { desk: { kind: "spent", because: "no money" } as const },
      "RuntimeError at train.py:412",
    ],
    ["an end", {}, { record: { state: "stopped" } as const }, "RuntimeError at train.py:412"],
  ])("is a crash for %s", (_name, given, session, because) => {
    expect(phase(given, session)).toEqual({ kind: "decided", outcome: "crash", value: null, because });
  });

  it("comes before new ideas, holds up no runner, and is asked even where no idea is left", () => {
    const waiting = experimentWith({ number: 2 });
    const session = sessionWith({ traits, experiments: [broken(), waiting] });
    expect(next(session)).toMatch(/^dispatch/);
    const busy = { ...waiting, trials: [trial.training()] };
    for (const desk of [{ kind: "idle" }, { kind: "exhausted", because: "", parent: session.frontier.tip }] as const) {
      const action = actionIn({ ...session, experiments: [broken(), busy], desk }, "propose");
      expect(action).toMatchObject({ number: 1, crash: { head: shaOf(1001), attempt: 1, failure: { signature } } });
    }
    const ready = { kind: "ready", prepared: preparedWith({ number: 3 }) } as const;
    expect(next({ ...session, experiments: [broken(), busy], desk: ready })).toMatch(/^open/);
  });

  it("is mended on its own branch, and nowhere else", () => {
    const repair = { head: shaOf(1001), attempt: 1, failure: signature };
    const desk = { kind: "ready", prepared: preparedWith({ repair }) } as const;
    const session = sessionWith({ traits, experiments: [broken({ nextAttempt: 3 })], desk });
    expect(actionIn(session, "mend")).toMatchObject({ pullRequest: 101, attemptsBefore: 2, prepared: { number: 1 } });
    // A person closed it meanwhile: the repair is for nothing.
    const closed = { ...session, experiments: [], desk };
    expect(next(closed)).toMatch(/^propose/);
  });

  it("says each repair on its pull request, once", () => {
    const experiments = [experimentWith({ idea: repaired(1, signature) })];
    const action = actionIn(
      sessionWith({ traits, experiments, desk: { kind: "thinking" }, record: { state: "paused" } }),
      "describe",
    );
    expect(action.body).toContain(
      "**Repair 1.** It crashed with RuntimeError: shape 0 at 0x is not 0 in model.py; mended: use 32.",
    );
    expect(action.body.indexOf("Repair 1")).toBeLessThan(action.body.indexOf("<!-- autoresearch:verdict -->"));
    const given = repaired(1, signature);
    expect(withRepair(action.body, given.repair, given)).toBe(action.body);
  });
});
