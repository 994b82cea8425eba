import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Queue, type QueueOptions } from "../../src/queue.ts";

type Hint = ReadonlySet<string>;
const hint = (...names: string[]): Hint => new Set(names);

/** A pass that waits until the test ends it. */
type Pass = {
  readonly key: string;
  readonly hint: Hint;
  readonly end: (wakeAtMs: number | null) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
};

/** A queue whose passes are held, and what became of them. */
function held(given: Partial<QueueOptions<Hint>> = {}) {
  const passes: Pass[] = [];
  const failures: { key: string; retryMs: number }[] = [];
  const queue = new Queue<Hint>({
    merge: (a, b) => a.union(b),
    timerHint: hint("timer"),
    now: Date.now,
    concurrency: 2,
    failed: (key, _error, retryMs) => failures.push({ key, retryMs }),
    pass: (key, given) =>
      new Promise((resolve, reject) => {
        const settled = () => vi.advanceTimersByTimeAsync(0).then(() => undefined);
        passes.push({
          key,
          hint: given,
          end: (wakeAtMs) => (resolve(wakeAtMs), settled()),
          fail: (error) => (reject(error), settled()),
        });
      }),
    ...given,
  });
  return { queue, passes, failures };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the queue", () => {
  it("begins a pass at once, with its hint", () => {
    const { queue, passes } = held();
    queue.wake("a", hint("issue"));
    expect(passes.map((pass) => [pass.key, [...pass.hint]])).toEqual([["a", ["issue"]]]);
  });

  it("has one pass of a key in flight, and merges what is heard meanwhile into the next", async () => {
    const { queue, passes } = held();
    queue.wake("a", hint("issue"));
    queue.wake("a", hint("checks"));
    queue.wake("a", hint("runs"));
    expect(passes).toHaveLength(1);
    await passes[0]!.end(null);
    expect(passes.map((pass) => [...pass.hint])).toEqual([["issue"], ["checks", "runs"]]);
    await passes[1]!.end(null);
    expect(passes).toHaveLength(2);
    expect(queue.size).toBe(0);
  });

  it("works on different keys side by side, as many as it may, in the order of their calls", async () => {
    const { queue, passes } = held();
    for (const key of ["a", "b", "c", "d"]) queue.wake(key, hint());
    expect(passes.map((pass) => pass.key)).toEqual(["a", "b"]);
    await passes[1]!.end(null);
    expect(passes.map((pass) => pass.key)).toEqual(["a", "b", "c"]);
    await passes[0]!.end(null);
    expect(passes.map((pass) => pass.key)).toEqual(["a", "b", "c", "d"]);
  });

  it("leaves room beside a lane that is full, in the order of calls otherwise", async () => {
    const lanes = { of: (key: string) => key.slice(0, 3), perLane: 2 };
    const { queue, passes } = held({ concurrency: 4, lanes });
    for (const key of ["ada1", "ada2", "ada3", "ada4", "bob1"]) queue.wake(key, hint());
    expect(passes.map((pass) => pass.key)).toEqual(["ada1", "ada2", "bob1"]);
    await passes[2]!.end(null);
    expect(passes).toHaveLength(3);
    await passes[0]!.end(null);
    await passes[1]!.fail(new Error("no"));
    expect(passes.map((pass) => pass.key)).toEqual(["ada1", "ada2", "bob1", "ada3", "ada4"]);
  });

  it("lets no key wait for ever behind one that is always woken", async () => {
    const { queue, passes } = held({ concurrency: 1 });
    queue.wake("a", hint());
    queue.wake("b", hint());
    queue.wake("a", hint());
    await passes[0]!.end(null);
    expect(passes[1]!.key).toBe("b");
  });

  it("begins again when a pass said so, with the timer's hint", async () => {
    const { queue, passes } = held();
    queue.wake("a", hint("issue"));
    await passes[0]!.end(Date.now() + 5_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(passes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(passes.map((pass) => [...pass.hint])).toEqual([["issue"], ["timer"]]);
  });

  it("does not begin twice when it is woken before its time", async () => {
    const { queue, passes } = held();
    queue.wake("a", hint());
    await passes[0]!.end(Date.now() + 5_000);
    queue.wake("a", hint("issue"));
    expect([...passes[1]!.hint]).toEqual(["issue"]);
    await passes[1]!.end(null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(passes).toHaveLength(2);
  });

  it("takes a time in the past for now, and one far away for the longest that a timer holds", async () => {
    const { queue, passes } = held();
    queue.wake("a", hint());
    await passes[0]!.end(Date.now() - 5_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(passes).toHaveLength(2);
    await passes[1]!.end(Date.now() + 1e12);
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(passes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(2_147_483_647);
    expect(passes).toHaveLength(3);
  });
});

describe("a pass that failed", () => {
  it("is tried again with growing pauses, at most five minutes long, until one goes well", async () => {
    const { queue, passes, failures } = held();
    queue.wake("a", hint("issue"));
    for (let round = 0; round < 12; round += 1) {
      await passes.at(-1)!.fail(new Error("no answer"));
      await vi.advanceTimersByTimeAsync(failures.at(-1)!.retryMs);
      expect(passes).toHaveLength(round + 2);
    }
    const seconds = failures.map(({ retryMs }) => retryMs / 1_000);
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    await passes.at(-1)!.end(Date.now() + 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    await passes.at(-1)!.fail(new Error("no answer"));
    expect(failures.at(-1)!.retryMs).toBe(1_000);
  });

  it("gives its hint to the next one", async () => {
    const { queue, passes, failures } = held();
    queue.wake("a", hint("issue"));
    await passes[0]!.fail(new Error("no answer"));
    await vi.advanceTimersByTimeAsync(failures[0]!.retryMs);
    expect([...passes[1]!.hint].toSorted()).toEqual(["issue", "timer"]);
    await passes[1]!.fail(new Error("no answer"));
    queue.wake("a", hint("runs"));
    expect(passes).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(failures[1]!.retryMs);
    expect([...passes[2]!.hint].toSorted()).toEqual(["issue", "runs", "timer"]);
    await passes[2]!.end(Date.now() + 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([...passes[3]!.hint]).toEqual(["timer"]);
  });

  it("keeps no other key waiting", async () => {
    const { queue, passes } = held({ concurrency: 1 });
    queue.wake("a", hint());
    queue.wake("b", hint());
    await passes[0]!.fail(new Error("no answer"));
    expect(passes[1]!.key).toBe("b");
  });
});

describe("a queue that closes", () => {
  it("begins nothing any more and waits for what is in flight", async () => {
    const { queue, passes } = held({ concurrency: 1 });
    queue.wake("a", hint());
    queue.wake("b", hint());
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    queue.wake("c", hint());
    await vi.advanceTimersByTimeAsync(0);
    expect(closed).toBe(false);
    await passes[0]!.end(Date.now() + 1);
    await closing;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(passes.map((pass) => pass.key)).toEqual(["a"]);
  });

  it("is closed at once where nothing is in flight, its timers too", async () => {
    const { queue, passes } = held();
    queue.wake("a", hint());
    await passes[0]!.end(Date.now() + 1_000);
    await queue.close();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(passes).toHaveLength(1);
  });
});

describe("the queue, whatever happens", () => {
  const key = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wake" as const), key }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom("end" as const, "sleep" as const, "fail" as const),
        which: fc.nat(3),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("time" as const), ms: fc.nat(3_000) }) },
  );

  it("loses no hint and never works twice on one key at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const going = new Map<string, Pass>();
        const said = new Map<string, Set<string>>();
        const done = new Map<string, Set<string>>();
        let heard = 0;
        const { queue, passes } = held();
        let seen = 0;
        const look = () => {
          for (const pass of passes.slice(seen)) {
            expect(going.has(pass.key)).toBe(false);
            going.set(pass.key, pass);
          }
          seen = passes.length;
          expect(going.size).toBeLessThanOrEqual(2);
        };
        const finish = async (pass: Pass, how: "end" | "sleep" | "fail") => {
          going.delete(pass.key);
          const worked = how !== "fail";
          if (worked) done.set(pass.key, (done.get(pass.key) ?? new Set()).union(pass.hint));
          if (how === "fail") await pass.fail(new Error("no answer"));
          else await pass.end(how === "end" ? null : Date.now() + 500);
          look();
        };
        for (const each of steps) {
          if (each.do === "wake") {
            heard += 1;
            const name = `h${heard}`;
            said.set(each.key, (said.get(each.key) ?? new Set()).add(name));
            queue.wake(each.key, hint(name));
          } else if (each.do === "time") await vi.advanceTimersByTimeAsync(each.ms);
          else {
            const pass = [...going.values()][each.which % Math.max(1, going.size)];
            if (pass !== undefined) await finish(pass, each.do);
          }
          look();
        }
        // All goes well from here on: what was said was worked on.
        for (let round = 0; round < 50 && (queue.size > 0 || going.size > 0); round += 1) {
          for (const pass of going.values()) await finish(pass, "end");
          await vi.advanceTimersByTimeAsync(300_000);
          look();
        }
        expect(queue.size).toBe(0);
        for (const [name, hints] of said) expect([...hints].filter((each) => !done.get(name)!.has(each))).toEqual([]);
        await queue.close();
      }),
      { numRuns: 100 },
    );
  });
});
