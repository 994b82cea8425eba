import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Gate } from "../../src/github/gate.ts";
import { weightOf } from "../../src/github/line.ts";
import { Held, Pace, type Weight } from "../../src/github/pace.ts";
import { contentRoutes } from "../../src/local/github/content-routes.ts";

const startMs = Date.parse("2026-11-23T12:00:00Z");
const hourMs = 3_600_000;

/** A pace on a clock of its own; `times` are those at which requests went out. */
function paced(spaced = true) {
  let nowMs = startMs;
  const sleeping = new Set<{ untilMs: number; wake: () => void }>();
  const sleep = (ms: number) =>
    new Promise<void>((wake) => {
      sleeping.add({ untilMs: nowMs + ms, wake });
    });
  const pace = new Pace({ spaced, now: () => nowMs, sleep });
  const times: number[] = [];
  return {
    pace,
    times,
    ask: (weight: Weight) => pace.turn(weight).then(() => times.push(nowMs - startMs)),
    left: (remaining: number, resetMs: number, limit = 5_000) =>
      pace.heard("read", 200, headersOf(limit, remaining, resetMs), ""),
    /** Lets time go by, in whose order sleepers wake. */
    pass: async (ms: number) => {
      const endMs = nowMs + ms;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = [...sleeping].sort((a, b) => a.untilMs - b.untilMs)[0];
        if (next === undefined || next.untilMs > endMs) break;
        nowMs = next.untilMs;
        sleeping.delete(next);
        next.wake();
      }
      nowMs = endMs;
    },
  };
}

function headersOf(limit: number, remaining: number, resetMs: number): Record<string, string> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": String(resetMs / 1_000),
    "x-ratelimit-resource": "core",
  };
}

describe("what GitHub asks for", () => {
  test("a second lies between two writes, and reads do not wait for them", async () => {
    const { ask, times, pass } = paced();
    void ask("write");
    void ask("write");
    void ask("write");
    void ask("read");
    await pass(10_000);
    expect(times).toEqual([0, 0, 1_000, 2_000]);
  });

  test("two installations do not wait for each other", async () => {
    const [one, other] = [paced(), paced()];
    void one.ask("write");
    void other.ask("write");
    await one.pass(0);
    await other.pass(0);
    expect([one.times, other.times]).toEqual([[0], [0]]);
  });

  test("in any hour there are fewer than 500 of content, and in any minute fewer than 80 and 900 points", async () => {
    const { ask, times, pass } = paced();
    for (let index = 0; index < 1_000; index += 1) void ask("notifying");
    await pass(3 * hourMs);
    expect(times).toHaveLength(1_000);
    const most = (span: number) => Math.max(...times.map((at) => times.filter((t) => t >= at && t < at + span).length));
    expect(most(hourMs)).toBeLessThan(500);
    expect(most(60_000)).toBeLessThan(80);
    const reads = paced();
    for (let index = 0; index < 3_000; index += 1) void reads.ask("read");
    await reads.pass(hourMs);
    const perMinute = Math.max(
      ...reads.times.map((at) => reads.times.filter((t) => t >= at && t < at + 60_000).length),
    );
    expect(perMinute).toBeLessThanOrEqual(900);
  });

  test("an enterprise server asks for nothing", async () => {
    const { ask, times, pass } = paced(false);
    for (let index = 0; index < 100; index += 1) void ask("notifying");
    await pass(0);
    expect(times).toEqual(Array.from({ length: 100 }, () => 0));
  });

  test("what people are notified of is known as such", () => {
    for (const route of [
      "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
      "POST /repos/{owner}/{repo}/pulls",
    ])
      expect([route, contentRoutes.has(route), weightOf(route)]).toEqual([route, true, "notifying"]);
    expect(weightOf("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}")).toBe("write");
  });
});

describe("when requests run short", () => {
  test("those that are left are spread to the reset, and sessions are told", async () => {
    const { ask, left, times, pass, pace } = paced();
    const resetMs = startMs + 1_000_000;
    left(600, resetMs);
    expect(pace.slow).toBeNull();
    left(250, resetMs);
    expect(pace.slow).toEqual({ because: expect.stringContaining("hourly limit"), untilMs: resetMs });
    for (let index = 0; index < 3; index += 1) void ask("read");
    await pass(20_000);
    expect(times.map((ms) => Math.round(ms / 1_000))).toEqual([0, 4, 8]);
    await pass(1_000_000);
    expect(pace.slow).toBeNull();
    void ask("read");
    void ask("read");
    await pass(0);
    expect(times.slice(3)).toEqual([1_020_000, 1_020_000]);
  });

  test("a reserve is left, and nothing is sent before the reset", async () => {
    const { left, pace, pass } = paced();
    left(50, startMs + 100_000);
    await expect(pace.turn("read")).rejects.toMatchObject({ untilMs: startMs + 101_000 });
    await pass(101_000);
    await expect(pace.turn("read")).resolves.toBeUndefined();
  });

  test("limits of other resources are no matter", () => {
    const { pace } = paced();
    pace.heard("read", 200, { ...headersOf(30, 0, startMs + hourMs), "x-ratelimit-resource": "search" }, "");
    expect(pace.slow).toBeNull();
  });

  test("however it is asked, no request goes out in vain: what is left lasts to the reset", async () => {
    const order = fc.array(fc.constantFrom<Weight>("read", "write", "notifying"), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(order, fc.integer({ min: 1, max: 40 }), async (weights, limit) => {
        const { pace, pass, left } = paced(false);
        const resetMs = startMs + 60_000;
        let remaining = limit;
        let refused = 0;
        left(remaining, resetMs, limit);
        const asking = weights.map(async (weight) => {
          try {
            await pace.turn(weight);
          } catch (error) {
            if (error instanceof Held) return;
            throw error;
          }
          if (remaining === 0) refused += 1;
          else remaining -= 1;
          left(remaining, resetMs, limit);
        });
        await pass(59_999);
        expect(refused).toBe(0);
        await pass(10_000);
        await Promise.all(asking);
      }),
      { numRuns: 50 },
    );
  });
});

describe("when a limit was met", () => {
  test("everything waits as long as was said, whoever asked already too", async () => {
    const { pace, ask, pass, times } = paced();
    void ask("write");
    const waiting = ask("write").catch((error: unknown) => error);
    const held = pace.heard("write", 403, { "retry-after": "30" }, "You have exceeded a secondary rate limit");
    expect(held).toMatchObject({ untilMs: startMs + 30_000 });
    await expect(pace.turn("read")).rejects.toBeInstanceOf(Held);
    await pass(5_000);
    expect(await waiting).toBeInstanceOf(Held);
    expect(times).toEqual([0]);
    await pass(25_000);
    expect(pace.slow).toMatchObject({ because: "GitHub asked us to wait" });
    await pass(600_000);
    expect(pace.slow).toBeNull();
  });

  test("afterwards writes go half as fast for a while", async () => {
    const { pace, ask, pass, times } = paced();
    pace.heard("write", 429, { "retry-after": "1" }, "");
    await pass(10_000);
    for (let index = 0; index < 3; index += 1) void ask("write");
    await pass(10_000);
    expect(times[2]! - times[0]!).toBe(4_000);
  });

  test("without a time it is a minute, and longer each time until a write goes through", async () => {
    const { pace, pass } = paced(false);
    const waits: number[] = [];
    let nowMs = startMs;
    for (let index = 0; index < 6; index += 1) {
      const held = pace.heard("write", 403, {}, "You have exceeded a secondary rate limit")!;
      waits.push((held.untilMs - nowMs) / 60_000);
      await pass(held.untilMs - nowMs);
      nowMs = held.untilMs;
      pace.heard("read", 200, {}, "");
    }
    expect(waits).toEqual([1, 2, 4, 8, 15, 15]);
    pace.heard("write", 201, {}, "");
    expect(pace.heard("write", 429, {}, "")!.untilMs - nowMs).toBe(60_000);
  });

  test("a primary limit ends at its reset, and after an hour at the latest", async () => {
    const spent = (resetMs: number) => {
      const { pace } = paced();
      return pace.heard("read", 403, headersOf(5_000, 0, resetMs), "API rate limit exceeded")!.untilMs - startMs;
    };
    expect(spent(startMs + 90_000)).toBe(91_000);
    expect(spent(startMs - 90_000)).toBe(1_000);
    expect(spent(startMs + 9 * hourMs)).toBe(3_660_000);
  });

  test("what is forbidden for another reason is no limit", () => {
    const { pace } = paced();
    expect(pace.heard("write", 403, {}, "Resource not accessible by integration")).toBeNull();
    expect(pace.heard("write", 422, { "retry-after": "9" }, "")).toBeNull();
  });
});

test("a gate lets no more through than it says", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 100 }),
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 10 }),
      (pauses, everyMs, burst) => {
        const gate = new Gate({ everyMs, burst });
        let nowMs = startMs;
        const begins = pauses.map((pause) => gate.pass((nowMs += pause)));
        for (const [index, first] of begins.entries()) {
          for (const [ahead, later] of begins.slice(index).entries()) {
            expect(ahead + 1).toBeLessThanOrEqual(burst + (later - first) / everyMs + 1e-9);
          }
        }
        expect(begins).toEqual([...begins].sort((a, b) => a - b));
      },
    ),
  );
});
