import { describe, expect, it } from "vitest";
import type { Action } from "../../src/domain/action.ts";
import { helpText } from "../../src/domain/command.ts";
import { decide } from "../../src/domain/decide.ts";
import { answerOthers } from "../../src/domain/order.ts";
import type { Order, Session, SessionState } from "../../src/domain/session.ts";
import { denial, noSession, statusText } from "../../src/domain/words.ts";
import { next } from "../support/decided.ts";
import { newSession, orderWith, sessionWith } from "../support/session.ts";

type Obey = Extract<Action, { kind: "obey" }>;

function obeyed(session: Session): Obey {
  const decision = decide(session);
  if (decision.kind !== "do" || decision.action.kind !== "obey") throw new Error("expected to obey");
  return decision.action;
}

/** What is answered to words in a session of a state. */
function answer(said: string, state: SessionState = "running", given: Partial<Order> = {}): Obey {
  return obeyed(sessionWith({ record: { state }, orders: [orderWith(said, given)] }));
}

describe("an order changes the state", () => {
  it.each<[SessionState, string, SessionState, string]>([
    ["running", "stop", "stopped", "stopped by @ada"],
    ["paused", "stop", "stopped", "stopped by @ada"],
    ["blocked", "stop", "stopped", "stopped by @ada"],
    ["running", "pause", "paused", "paused by @ada"],
    ["paused", "resume", "running", "resumed by @ada"],
    ["blocked", "resume", "running", "resumed by @ada"],
  ])("%s, and %s is said: %s, %s", (state, word, to, because) => {
    expect(answer(`/autoresearch ${word}`, state)).toEqual({
      kind: "obey",
      comment: 7,
      on: 12,
      steer: null,
      change: { state: to, by: "ada", because },
      appeal: null,
      reopen: null,
      reply: null,
      reaction: "+1",
    });
  });
});

describe("an order is answered", () => {
  it.each<[SessionState, string, string, "+1" | "confused"]>([
    ["stopped", "stop", "This session is stopped already.", "+1"],
    ["done", "stop", "This session is done already.", "+1"],
    ["paused", "pause", "This session is paused already.", "+1"],
    ["blocked", "pause", "This session is blocked; there is nothing to pause.", "confused"],
    ["stopped", "pause", "This session is stopped; there is nothing to pause.", "confused"],
    ["running", "resume", "This session is running.", "+1"],
    [
      "stopped",
      "resume",
      "This session is stopped. To go on with it, put the label `autoresearch` on again.",
      "confused",
    ],
    ["done", "resume", "This session is done. To go on with it, put the label `autoresearch` on again.", "confused"],
    [
      "running",
      "stpo",
      "I don't know `/autoresearch stpo`. Did you mean `stop`? `/autoresearch help` lists all.",
      "confused",
    ],
    ["running", "brew", "I don't know `/autoresearch brew`. `/autoresearch help` lists all.", "confused"],
    ["running", "<b>@eve`", "I don't know `/autoresearch beve`. `/autoresearch help` lists all.", "confused"],
  ])("%s, and %s is said: %s", (state, word, reply, reaction) => {
    const commands = word === "<b>@eve`" ? { commands: [{ kind: "unknown", text: word, nearest: null } as const] } : {};
    expect(answer(`/autoresearch ${word}`, state, commands)).toMatchObject({ change: null, reply, reaction });
  });

  it("with help and with the status, in every state", () => {
    for (const state of ["running", "paused", "stopped", "done", "blocked"] as const) {
      expect(answer("/autoresearch help", state).reply).toBe(helpText());
      expect(answer("/autoresearch status", state).reply).toBe(statusText(sessionWith({ record: { state } })));
    }
  });

  it("on the pull request where it stands", () => {
    expect(answer("/autoresearch help", "running", { on: 102, comment: 55 })).toMatchObject({ on: 102, comment: 55 });
  });

  it("where there is no session, with how to begin one; help is help everywhere", () => {
    const order = (said: string) => obeyed(newSession({ orders: [orderWith(said)] }));
    expect(order("/autoresearch stop")).toMatchObject({ change: null, reply: noSession(), reaction: "confused" });
    expect(order("/autoresearch help")).toMatchObject({ change: null, reply: helpText(), reaction: "+1" });
  });
});

describe("an order of several words", () => {
  it("is carried out in order: the last state counts", () => {
    expect(answer("/autoresearch pause\n/autoresearch stop").change).toMatchObject({ state: "stopped" });
    expect(answer("/autoresearch resume\n/autoresearch pause", "blocked").change).toMatchObject({ state: "paused" });
  });

  it("does not go on after a stop", () => {
    const action = answer("/autoresearch stop\n/autoresearch resume");
    expect(action).toMatchObject({ change: { state: "stopped" }, reaction: "confused" });
    expect(action.reply).toContain("To go on with it");
  });

  it("is answered in one reply, which says nothing twice", () => {
    const { reply } = answer("/autoresearch status\n/autoresearch status\n/autoresearch stpo");
    expect(reply!.split("\n\n")).toHaveLength(2);
  });

  it("says why it was decided", () => {
    const session = sessionWith({ orders: [orderWith("/autoresearch stop\n/autoresearch stpo")] });
    expect(decide(session).because).toBe("@ada said stop, something unknown");
  });
});

/** What others are told when there is nothing else to do. */
function answered(session: Session) {
  const decision = answerOthers(session);
  if (decision?.kind !== "do" || decision.action.kind !== "obey") throw new Error("nobody is answered");
  return decision.action;
}

describe("an order of somebody without write access", () => {
  const order = orderWith("/autoresearch stop\n/autoresearch stpo", { author: "eve", mayWrite: false });

  it("is refused, and says so", () => {
    expect(answered(sessionWith({ orders: [order] }))).toMatchObject({
      change: null,
      reply: denial(order),
      reaction: "confused",
    });
    expect(denial(order)).toBe(
      "@eve, only people with write access can steer this session. (`/autoresearch stop`, the command was not carried out.)",
    );
  });

  it("comes after those of who may write, and after all that is to be done", () => {
    const orders = [order, orderWith("/autoresearch stop", { comment: 8 })];
    expect(obeyed(sessionWith({ orders }))).toMatchObject({ comment: 8, change: { state: "stopped", by: "ada" } });
    const idle = sessionWith({ orders: [order], desk: { kind: "idle" } });
    expect(next(idle)).toMatch(/^propose: /);
  });

  it("gets a reaction and no second reply", () => {
    const session = sessionWith({ orders: [order], denied: new Set(["eve"]) });
    expect(answered(session)).toMatchObject({ change: null, reply: null, reaction: "confused" });
  });
});

describe("an order whose change was made before the process died", () => {
  it("is owed its receipt, and gets no second answer", () => {
    const order = orderWith("/autoresearch pause", { comment: 8 });
    const session = sessionWith({ orders: [order], record: { state: "paused", order: 8 } });
    expect(obeyed(session)).toMatchObject({ change: null, reply: null, reaction: "+1" });
  });
});
