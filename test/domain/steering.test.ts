import { describe, expect, it } from "vitest";
import { parseCommands } from "../../src/domain/command.ts";
import { decide } from "../../src/domain/decide.ts";
import { type Asked, onDesk, withAsked, withTakers } from "../../src/domain/steering.ts";
import { dashboardOf } from "../../src/domain/dashboard.ts";
import { untold } from "../../src/domain/proposal.ts";
import { actionIn } from "../support/decided.ts";
import { experimentWith, nowMs, orderWith, proposalWith, sessionWith } from "../support/session.ts";

const at = new Date(nowMs).toISOString();

function asked(given: Partial<Asked> = {}): Asked {
  return { comment: 1, kind: "try", by: "ada", text: "weight tying", at, takenUpIn: null, dropped: null, ...given };
}

describe("what follows note, try and model", () => {
  it.each([
    ["/autoresearch note keep the batch size", { kind: "note", text: "keep the batch size" }],
    ["/autoresearch try `muon` for **all** matrices", { kind: "try", text: "`muon` for all matrices" }],
    ["/autoresearch note the first line\nand the second", { kind: "note", text: "the first line and the second" }],
    ["/autoresearch note one\n\nanother paragraph", { kind: "note", text: "one" }],
    ["/autoresearch note", { kind: "note", text: "" }],
    ["/autoresearch note a <!-- hidden --> b", { kind: "note", text: "a b" }],
    ["/autoresearch model claude-opus-4-1", { kind: "model", text: "claude-opus-4-1" }],
    [`/autoresearch note the key is sk-ant-${"x".repeat(30)}`, { kind: "note", text: "the key is ***" }],
  ])("%j", (said, command) => {
    expect(parseCommands(said)).toEqual([command]);
  });

  it("ends where the next command begins", () => {
    expect(parseCommands("/autoresearch try a\nmore of it\n/autoresearch note b\n/autoresearch stop")).toEqual([
      { kind: "try", text: "a more of it" },
      { kind: "note", text: "b" },
      { kind: "stop" },
    ]);
  });

  it("is no command where it only stands in code", () => {
    expect(parseCommands("Say `/autoresearch try this` or\n\n    /autoresearch note that\n")).toEqual([]);
    expect(parseCommands("`a\n/autoresearch stop\nb`")).toEqual([]);
  });

  it("is a thousand characters at most", () => {
    const [note] = parseCommands(`/autoresearch note ${"long ".repeat(900)}`);
    expect(note?.kind === "note" && note.text.length).toBe(1_000);
  });
});

describe("an order that steers", () => {
  const obeyed = (said: string, given: Parameters<typeof sessionWith>[0] = {}) =>
    actionIn(sessionWith({ ...given, orders: [orderWith(said)] }), "obey");

  it("goes into the record with the state that it brings about, in one write", () => {
    expect(
      obeyed("/autoresearch pause\n/autoresearch note keep the batch\n/autoresearch try weight tying"),
    ).toMatchObject({
      change: { state: "paused" },
      steer: {
        steering: [
          { comment: 7, kind: "note", by: "ada", text: "keep the batch", takenUpIn: null },
          { comment: 7, kind: "try", by: "ada", text: "weight tying", takenUpIn: null },
        ],
      },
      reply: null,
      reaction: "+1",
    });
  });

  it("names a model, or the configured one again", () => {
    expect(obeyed("/autoresearch model claude-x").steer).toEqual({ model: "claude-x" });
    expect(obeyed("/autoresearch model eu.claude-x@20261101").steer).toEqual({ model: "eu.claude-x@20261101" });
    expect(obeyed("/autoresearch model default", { record: { model: "claude-x" } }).steer).toEqual({ model: null });
  });

  it("is written once, whatever died before its receipt", () => {
    const record = { steering: [asked({ comment: 7 })] };
    expect(obeyed("/autoresearch try weight tying", { record })).toMatchObject({ steer: null, reaction: "+1" });
  });

  it.each([
    ["/autoresearch note", {}, "Say what after the word"],
    ["/autoresearch try a\n/autoresearch try b", {}, "One `try` in a comment"],
    ["/autoresearch model a b", {}, "no name of a model"],
    ["/autoresearch note x", { traits: { repairs: false, wordless: true } }, "reads no words"],
    [
      "/autoresearch try b",
      { record: { steering: Array.from({ length: 10 }, (_, index) => asked({ comment: 100 + index })) } },
      "10 ideas are waiting",
    ],
  ])("%j is refused with a reason", (said, given, reason) => {
    expect(obeyed(said, given)).toMatchObject({ reaction: "confused", reply: expect.stringContaining(reason) });
  });

  it("counts for nothing without write access", () => {
    const orders = [orderWith("/autoresearch note x", { mayWrite: false, author: "eve" })];
    expect(actionIn(sessionWith({ orders, desk: { kind: "thinking" } }), "obey")).toMatchObject({
      steer: null,
      change: null,
      reaction: "confused",
    });
  });
});

describe("what is on the researcher's desk", () => {
  it("is every note, and the oldest try that nothing came of yet", () => {
    const list = [
      asked({ comment: 1, takenUpIn: 3 }),
      asked({ comment: 2, kind: "note", takenUpIn: 3 }),
      asked({ comment: 3, dropped: "no" }),
      asked({ comment: 4 }),
      asked({ comment: 5 }),
    ];
    expect(onDesk(list).map((each) => each.comment)).toEqual([2, 4]);
  });

  it("is known from the commits of open experiments before any row says so", () => {
    const idea = { ...untold, ...proposalWith(), key: "k", heeded: ["try 4"] };
    const experiments = [experimentWith({ number: 8, idea }), experimentWith({ number: 6, idea })];
    const list = [asked({ comment: 4 }), asked({ comment: 4, kind: "note" })];
    expect(withTakers(list, experiments).map((each) => each.takenUpIn)).toEqual([6, null]);
  });

  it("stays bounded, and what waits is never dropped", () => {
    let list: Asked[] = [asked({ comment: 1 })];
    for (let index = 2; index < 200; index += 1) {
      list = withAsked(list, [asked({ comment: index, takenUpIn: index }), asked({ comment: index, kind: "note" })]);
    }
    expect(list).toHaveLength(61);
    expect(list[0]).toEqual(asked({ comment: 1 }));
    expect(list.at(-1)).toMatchObject({ kind: "note", comment: 199 });
  });
});

describe("the dashboard", () => {
  it("says who asked for what, and where it was taken up", () => {
    const steering = [
      asked({ text: "weight tying of @bob's #7", takenUpIn: 40 }),
      asked({ kind: "note", by: "bea", text: "keep the batch" }),
      asked({ text: "SGD", dropped: "it changes nothing" }),
      asked({ text: "no biases" }),
    ];
    const edit = { by: "ada", at, taken: true, from: 12 };
    const body = dashboardOf(sessionWith({ record: { steering, edit, model: "claude-x" } }));
    expect(body.split("\n").find((line) => line.startsWith("Steering"))).toBe(
      "Steering: @\u2060ada try “weight tying of @\u2060bob's #\u20607” → exp 40 · @\u2060bea note “keep the batch” · @\u2060ada try “SGD” (dropped) · @\u2060ada try “no biases” (next) · model `claude-x` · @\u2060ada edited the program → from exp 12 on",
    );
  });
});

describe("a try that nothing comes of", () => {
  it("is dropped with a reply, and then the desk is free", () => {
    const desk = { kind: "refused", because: "it changes nothing", comment: 4 } as const;
    const session = sessionWith({ desk, record: { steering: [asked({ comment: 4 })] } });
    expect(actionIn(session, "dropTry")).toEqual({
      kind: "dropTry",
      comment: 4,
      because: "it changes nothing",
      reply:
        "@ada, “weight tying” came to nothing: it changes nothing. The session goes on without it; put in other words it can be asked for again.",
    });
  });
});

describe("an edit of the issue's text", () => {
  const edit = { by: "eve", mayWrite: false, at, digest: "0123456789abcdef", text: "Do as I say." };

  it("by somebody with write access is taken before the next experiment", () => {
    const action = actionIn(sessionWith({ edit: { ...edit, by: "bea", mayWrite: true } }), "heedEdit");
    expect(action).toMatchObject({ refusal: null, from: 1, edit: { by: "bea" } });
  });

  it("by anybody else is not, and they are told when there is nothing else to do", () => {
    const session = sessionWith({ edit });
    expect(actionIn(session, "propose").kind).toBe("propose");
    const action = actionIn({ ...session, desk: { kind: "thinking" } }, "heedEdit");
    expect(action.refusal).toMatch(/^@eve edited the text of this issue\. Only people with write access/);
  });

  it("that leaves no word is not taken", () => {
    const session = sessionWith({ edit: { ...edit, mayWrite: true, text: "<!-- -->" }, desk: { kind: "thinking" } });
    expect(actionIn(session, "heedEdit").refusal).toMatch(/without a word/);
  });

  it("is nothing to a session that has ended", () => {
    const decision = decide(sessionWith({ edit: { ...edit, mayWrite: true }, record: { state: "done" } }));
    expect(decision.kind).toBe("wait");
  });
});
