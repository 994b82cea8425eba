import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyLedger, renewed } from "../../src/domain/ledger.ts";
import {
  type Answer,
  type Brief,
  type Purse,
  type Repair,
  type Researcher,
  type Steering,
  nothingSpent,
} from "../../src/domain/proposal.ts";
import { Desk } from "../../src/researcher/desk.ts";
import { Later } from "../../src/researcher/later.ts";
import { researcherFor } from "../../src/researcher/kinds.ts";
import { mutate } from "../../src/researcher/mutate.ts";
import { briefWith, keyOf } from "../support/brief.ts";
import { base, configWith, proposalWith, shaOf } from "../support/session.ts";

const atMs = 1_000_000;
const now = () => atMs;
const idea = (text: string): Answer => ({
  kind: "proposal",
  proposal: proposalWith({ files: [{ path: "train.py", text }] }),
});

/** A researcher that gives these answers in turn; an Error is thrown. */
function answering(...answers: (Answer | Error)[]): Researcher & { asked: number } {
  const researcher = {
    asked: 0,
    propose: () => {
      const answer = answers[Math.min(researcher.asked, answers.length - 1)]!;
      researcher.asked += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  return researcher;
}

/** Thinks to the end. */
async function think(desk: Desk, researcher: Researcher, brief: Brief = briefWith()): Promise<void> {
  await new Promise<void>((resolve) => {
    desk.think(researcher, brief, now, resolve);
  });
}

describe("the desk", () => {
  it("is idle, thinks, and has an idea ready for its experiment and its frontier", async () => {
    const desk = new Desk(keyOf);
    expect(desk.state).toEqual({ kind: "idle" });
    const thinking = think(desk, answering(idea("LR = 1\n")), briefWith({ experiment: 7 }));
    expect(desk.state).toEqual({ kind: "thinking" });
    await thinking;
    expect(desk.state).toMatchObject({
      kind: "ready",
      prepared: {
        number: 7,
        parent: base,
        key: keyOf([{ path: "train.py", text: "LR = 1\n" }]),
        proposal: proposalWith({ files: [{ path: "train.py", text: "LR = 1\n" }] }),
      },
    });
  });

  it("has nothing on this frontier when the researcher says so", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering({ kind: "nothing", because: "every change was tried" }));
    expect(desk.state).toEqual({ kind: "exhausted", because: "every change was tried", parent: base });
  });

  it("asks again for what the guard refuses, five times at most", async () => {
    const outside: Answer = { kind: "proposal", proposal: proposalWith({ files: [{ path: "prepare.py", text: "" }] }) };
    const twice = answering(outside, outside, idea("LR = 1\n"));
    const desk = new Desk(keyOf);
    await think(desk, twice);
    expect([desk.state.kind, twice.asked]).toEqual(["ready", 3]);
    const always = answering(outside);
    desk.clear();
    await think(desk, always);
    expect(always.asked).toBe(5);
    expect(desk.state).toMatchObject({
      kind: "failed",
      because:
        "no proposal passed the guard in 5 attempts; the last was refused because prepare.py is not in the mutable surface (train.py)",
    });
  });

  it("waits longer after each failure in a row, ten minutes at most, until an answer comes", async () => {
    const desk = new Desk(keyOf);
    const waits: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      await think(desk, answering(new Error("no answer")));
      if (desk.state.kind === "failed") waits.push((desk.state.retryAtMs - atMs) / 1_000);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 600, 600]);
    await think(desk, answering(idea("LR = 1\n")));
    await think(desk, answering(new Error("no answer")));
    expect(desk.state).toMatchObject({ kind: "failed", failures: 1, because: "no answer", retryAtMs: atMs + 10_000 });
  });

  it("knows why the last proposal is of another model than the one that was named", async () => {
    const desk = new Desk(keyOf);
    const passedOver = "nobody knows the model claude-x";
    await think(desk, answering({ ...idea("LR = 1\n"), passedOver } as Answer));
    desk.clear();
    await think(desk, answering(new Error("no answer")));
    expect(desk.passedOver).toBe(passedOver);
    await think(desk, answering(idea("LR = 2\n")));
    expect(desk.passedOver).toBeNull();
  });

  it("takes an error that is thrown at once, or that is no Error, for a failure too", async () => {
    const desk = new Desk(keyOf);
    const throwing: Researcher = {
      propose: () => {
        // eslint-disable-next-line no-throw-literal
        throw "odd";
      },
    };
    await think(desk, throwing);
    expect(desk.state).toMatchObject({ kind: "failed", because: "odd" });
  });
});

describe("the desk and what a researcher may answer", () => {
  const asked: Steering = { comment: 9, kind: "try", by: "ada", text: "tie weights", at: "", takenUpIn: null };
  const note: Steering = { ...asked, comment: 8, kind: "note" };
  const by = (login: string | null, text = "LR = 1\n"): Answer => ({
    kind: "proposal",
    proposal: proposalWith({ files: [{ path: "train.py", text }], askedBy: login }),
  });
  const repair: Repair = {
    experiment: 3,
    attempt: 1,
    head: shaOf(7),
    failure: "NameError: x",
    description: "an idea",
    hypothesis: null,
    files: [{ path: "train.py", text: "LR = broken\n" }],
    diff: "",
    because: "NameError",
    traceback: "",
  };

  it("needs a person", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering({ kind: "person", because: "no key" }));
    expect(desk.state).toEqual({ kind: "helpless", because: "no key" });
    desk.tryAgain();
    expect(desk.state).toEqual({ kind: "idle" });
    await think(desk, answering({ kind: "person", because: "no such model" }));
    desk.heed();
    expect(desk.state).toEqual({ kind: "idle" });
  });

  it("waits longer than it is told to where that was too short before", async () => {
    const desk = new Desk(keyOf);
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure += 1) {
      await think(desk, answering(new Later("a rate limit", 60_000)));
      if (desk.state.kind === "failed") waits.push((desk.state.retryAtMs - atMs) / 1_000);
    }
    expect(waits).toEqual([60, 60, 60, 80, 160, 320, 600]);
  });

  it("takes nothing that it broke off itself for a failure", async () => {
    const desk = new Desk(keyOf);
    const obedient: Researcher = {
      propose: (_brief, signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    };
    for (let task = 0; task < 5; task += 1) {
      desk.think(obedient, briefWith(), now, () => {});
      desk.clear();
    }
    await think(desk, answering(new Error("no answer")));
    expect(desk.state).toMatchObject({ kind: "failed", failures: 1, retryAtMs: atMs + 10_000 });
  });

  it("waits as long as it is told to, an hour at most", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering(new Later("overloaded", 90_000)));
    expect(desk.state).toMatchObject({ kind: "failed", because: "overloaded", retryAtMs: atMs + 90_000 });
    await think(desk, answering(new Later("overloaded", 1e9)));
    expect(desk.state).toMatchObject({ retryAtMs: atMs + 3_600_000 });
  });

  it("credits whose idea it took up, and nobody who did not ask", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering(by(null), by("eve"), by("ada")), briefWith({ steering: [note, asked] }));
    expect(desk.state).toMatchObject({
      kind: "ready",
      prepared: { heeded: ["note 8", "try 9"], proposal: { askedBy: "ada" } },
    });
    desk.clear();
    await think(desk, answering(by("ada")), briefWith({ steering: [note] }));
    expect(desk.state).toMatchObject({ kind: "ready", prepared: { heeded: ["note 8"], proposal: { askedBy: null } } });
  });

  it("gives up a try that nothing is made of", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering(by(null)), briefWith({ steering: [asked] }));
    expect(desk.state).toEqual({ kind: "refused", comment: 9, because: "it does not take up what @ada asked for" });
    desk.clear();
    await think(desk, answering({ kind: "nothing", because: "it can't be done" }), briefWith({ steering: [asked] }));
    expect(desk.state).toEqual({ kind: "refused", comment: 9, because: "it can't be done" });
  });

  it("mends what crashed, from the files as they crashed", async () => {
    const desk = new Desk(keyOf);
    await think(desk, answering(by(null)), briefWith({ repair, experiment: 3, steering: [note, asked] }));
    expect(desk.state).toMatchObject({
      kind: "ready",
      prepared: {
        number: 3,
        repair: { head: shaOf(7), attempt: 1, failure: "NameError: x" },
        key: keyOf([{ path: "train.py", text: "LR = 1\n" }]),
        heeded: [],
      },
    });
    desk.clear();
    // The crashed files as they are mend nothing.
    await think(desk, answering(by(null, "LR = broken\n")), briefWith({ repair }));
    expect(desk.state).toEqual({
      kind: "beyondRepair",
      head: shaOf(7),
      because: "no repair passed the guard: it changes nothing",
    });
  });

  it("has no money: the purse is to be filled, or the limit is reached", async () => {
    const paid: Researcher = {
      propose: ({ purse }) =>
        Promise.resolve(purse.reserve(1) ? by(null) : { kind: "person", because: "I was given no money" }),
    };
    const desk = new Desk(keyOf);
    desk.sees(emptyLedger, 20);
    await think(desk, paid);
    expect(desk.state).toEqual({ kind: "short" });
    desk.clear();
    desk.sees(renewed(emptyLedger, desk.account, 20, true), 20);
    await think(desk, paid);
    expect(desk.state.kind).toBe("ready");
    // It was set aside and never settled: nobody knows that it was not spent.
    expect(desk.account.total.usd).toBe(1);
    desk.clear();
    desk.sees(emptyLedger, 1.5);
    await think(desk, paid);
    expect(desk.state.kind).toBe("spent");
  });

  it("gives no money to a task that was aborted", async () => {
    let purse: Purse | null = null;
    const desk = new Desk(keyOf);
    const waiting: Researcher = {
      propose: (brief) => {
        purse = brief.purse;
        purse.reserve(1);
        return new Promise(() => {});
      },
    };
    desk.sees(
      { ...emptyLedger, purse: { desk: desk.account.desk, usd: 5, counted: nothingSpent, countedProposals: 0 } },
      20,
    );
    desk.think(waiting, briefWith(), now, () => undefined);
    expect(desk.account).toMatchObject({ thinking: true, heldUsd: 1 });
    desk.clear();
    expect(purse!.reserve(1)).toBe(false);
    expect(desk.account).toMatchObject({ thinking: false, heldUsd: 1 });
    purse!.settle(1, { ...nothingSpent, usd: 0.25 });
    expect(desk.account).toMatchObject({ heldUsd: 0, total: { usd: 0.25 } });
  });
});

describe("a desk that is cleared", () => {
  let answer: (answer: Answer) => void = () => undefined;
  let signal: AbortSignal | null = null;
  const slow: Researcher = {
    propose: (_brief, given) => {
      signal = given;
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  };
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("aborts the thought, and what comes of it late is not seen", async () => {
    const desk = new Desk(keyOf);
    const changed = vi.fn<() => void>();
    desk.think(slow, briefWith(), now, changed);
    desk.clear();
    expect(signal!.aborted).toBe(true);
    expect(desk.state).toEqual({ kind: "idle" });
    answer(idea("LR = 1\n"));
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.state).toEqual({ kind: "idle" });
    expect(changed).not.toHaveBeenCalled();
  });

  it("can think of something else at once", async () => {
    const desk = new Desk(keyOf);
    desk.think(slow, briefWith(), now, () => undefined);
    const late = answer;
    desk.clear();
    await think(desk, answering(idea("LR = 2\n")));
    late(idea("LR = 1\n"));
    await vi.advanceTimersByTimeAsync(0);
    expect(desk.state).toMatchObject({ prepared: { key: keyOf([{ path: "train.py", text: "LR = 2\n" }]) } });
  });

  it("thinks of one thing at a time", () => {
    const desk = new Desk(keyOf);
    const second = answering(idea("LR = 2\n"));
    desk.think(slow, briefWith(), now, () => undefined);
    desk.think(second, briefWith(), now, () => undefined);
    expect(second.asked).toBe(0);
    desk.clear();
  });
});

describe("the researcher of a configuration", () => {
  it("is the one that it names, and claude where it names none", async () => {
    expect(researcherFor(configWith({ researcher: { kind: "mutate" } }))).toBe(mutate);
    const { signal } = new AbortController();
    const claude = await researcherFor(configWith()).propose(briefWith(), signal);
    expect(claude).toMatchObject({ kind: "person", because: expect.stringContaining("ANTHROPIC_API_KEY") as string });
    const config = configWith({ researcher: { kind: "command", command: "codex" } });
    const command = await researcherFor(config).propose(briefWith(), signal);
    expect(command).toMatchObject({
      kind: "person",
      because: expect.stringContaining("RESEARCHER_COMMANDS") as string,
    });
  });
});
