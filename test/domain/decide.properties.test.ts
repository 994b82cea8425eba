import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Action } from "../../src/domain/action.ts";
import { decide } from "../../src/domain/decide.ts";
import { type Session, isEnded } from "../../src/domain/session.ts";
import { after } from "../support/after.ts";
import { session as anySession } from "./arbitrary-session.ts";

const runs = 400;

function check(property: (session: Session) => void, numRuns = runs): void {
  fc.assert(fc.property(anySession, property), { numRuns });
}

function actionOf(session: Session): Action | null {
  const decision = decide(session);
  return decision.kind === "do" ? decision.action : null;
}

/** Everything in it can't be written to: whoever tries throws. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) frozen(each);
  return value;
}

const startsWork = new Set<string>(["open", "dispatch", "carry", "propose", "finish"]);

describe("decide, whatever the session", () => {
  it("answers, the same to the same, and changes nothing in what it was given", () => {
    check((session) => {
      const copy = structuredClone(session);
      const decision = decide(frozen(session));
      expect(decide(session)).toStrictEqual(decision);
      expect(decide(copy)).toStrictEqual(decision);
    });
  });

  it("says why", () => {
    check((session) => {
      expect(decide(session).because.trim()).not.toBe("");
    });
  });

  it("waits for a time to come, or for an event", () => {
    check((session) => {
      const decision = decide(session);
      if (decision.kind === "do" || decision.untilMs === null) return;
      expect(decision.untilMs).toBeGreaterThan(session.nowMs);
      expect(Number.isFinite(decision.untilMs)).toBe(true);
    });
  });

  it("answers the oldest order of who may write before anything else", () => {
    check((session) => {
      const order = session.orders.find((each) => each.mayWrite);
      if (order === undefined) return;
      expect(actionOf(session)).toMatchObject({ kind: "obey", comment: order.comment });
    });
  });

  it("obeys nobody who may not write", () => {
    check((session) => {
      const action = actionOf(session);
      if (action?.kind !== "obey" || session.orders.some((order) => order.mayWrite)) return;
      expect(action.change).toBeNull();
      expect(action.reaction).toBe("confused");
    });
  });

  it("opens, dispatches, carries and proposes in no state but running", () => {
    check((session) => {
      if (session.record?.state === "running") return;
      expect(startsWork).not.toContain(actionOf(session)?.kind);
    });
  });

  it("merges nothing after an end", () => {
    check((session) => {
      if (session.record === null || !isEnded(session.record.state)) return;
      expect(actionOf(session)?.kind).not.toBe("advance");
    });
  });

  it("does after a stop nothing but to clean up, unless a person speaks or labels again", () => {
    const cleaning = new Set([
      "cancelRun",
      "completeCheck",
      "describe",
      "tellMoved",
      "record",
      "conclude",
      "label",
      "showDashboard",
      undefined,
    ]);
    check((session) => {
      if (session.record?.state !== "stopped" || session.orders.length > 0 || session.start !== null) return;
      expect(cleaning).toContain(actionOf(session)?.kind);
    });
  });

  it("does nothing but stop once the issue is closed or the label is off", () => {
    check((session) => {
      const { issue, record } = session;
      if (record === null || session.orders.length > 0 || isEnded(record.state)) return;
      if (issue.open && issue.labels.includes("autoresearch")) return;
      expect(actionOf(session)).toMatchObject({ kind: "setState", change: { state: "stopped" } });
    });
  });

  it("dispatches no more trials than there are runners", () => {
    check((session) => {
      const action = actionOf(session);
      if (action?.kind !== "dispatch") return;
      const trials = [...session.frontier!.ownTrials, ...session.experiments.flatMap((each) => each.trials)];
      const busy = trials.filter(({ phase }) => ["intended", "queued", "training"].includes(phase.kind));
      expect(busy.length).toBeLessThan(session.record!.config.runner.concurrency);
    });
  });

  it("merges only onto the frontier that the winner was measured against", () => {
    check((session) => {
      const action = actionOf(session);
      if (action?.kind !== "advance") return;
      const winner = session.experiments.find((each) => each.number === action.experiment)!;
      expect(winner.parent.tip).toBe(session.frontier!.tip);
      expect(action.tip).toBe(session.frontier!.tip);
    });
  });
});

describe("decide, carried out", () => {
  it("comes to rest: nothing is decided twice in a row, and in the end it waits", () => {
    check((start) => {
      let session = start;
      let last = "";
      const story: string[] = [];
      for (let step = 0; step < 80; step += 1) {
        const decision = decide(session);
        if (decision.kind === "wait") return;
        const said = JSON.stringify(decision.action);
        story.push(`${decision.action.kind}: ${decision.because}`);
        expect(said, story.join("\n")).not.toBe(last);
        last = said;
        session = after(session, decision.action);
      }
      throw new Error(`never at rest:\n${story.join("\n")}`);
    });
  });
});
