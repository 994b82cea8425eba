/** Leases on a real redis-server, with processes that die, sleep through their lease, or lose Redis. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Redis } from "ioredis";
import { type Hint, everything } from "../../src/github/view.ts";
import { RedisReplicas } from "../../src/redis-replicas.ts";
import { type TestRedis, startRedis } from "../support/redis.ts";
import { until } from "../support/world.ts";

const name = "ada/model#1";
const checks: Hint = new Set(["checks"]);
let redis: TestRedis;
const closing: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  redis = await startRedis();
  closing.push(() => redis.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** One process: what it was woken for, and what it lost. */
function replica(given: { leaseMs?: number; roundMs?: number } = {}) {
  const woken: { session: string; hint: Hint }[] = [];
  const lost: string[] = [];
  const said: string[] = [];
  const say = (_fields: unknown, message: string) => void said.push(message);
  const options = { url: redis.url, app: "github.test/7", leaseMs: 300, roundMs: 50, log: { info: say, warn: say } };
  const shared = new RedisReplicas(
    { ...options, ...given },
    { wake: (session, hint) => void woken.push({ session, hint }), lost: (session) => void lost.push(session) },
  );
  closing.push(() => shared.close());
  return { shared, woken, lost, said };
}

/** A look into Redis. */
function inside(): Redis {
  const client = new Redis(redis.url);
  closing.push(() => client.disconnect());
  return client;
}

const is = (what: string, condition: () => boolean) => until(what, () => Promise.resolve(condition()), 10_000);

describe("a session that is told of", () => {
  test("is taken by one of those that hear of it, which looks at everything", async () => {
    const some = [replica(), replica(), replica()];
    await is("all have connected", () => some.every(({ said }) => said.length === 1));
    some[0]!.shared.tell(name, checks, "hook");
    await is("one is woken", () => some.some(({ woken }) => woken.length > 0));
    const holder = some.find(({ woken }) => woken.length > 0);
    expect(holder!.woken[0]).toEqual({ session: name, hint: everything });
    expect(await holder!.shared.begin(name)).toEqual(checks);
    for (const other of some.filter((each) => each !== holder)) expect(await other.shared.begin(name)).toBeNull();
  });

  test("is told to its holder, with every hint, whoever heard", async () => {
    const [one, two] = [replica(), replica()];
    // Whoever had it before may have read what was told of it.
    expect(await one.shared.begin(name)).toEqual(everything);
    two.shared.tell(name, checks, "hook");
    two.shared.tell(name, new Set(["issue", "comments"]), "hook");
    await is("the holder is woken", () => one.woken.length >= 2);
    expect(two.woken).toEqual([]);
    expect(await one.shared.begin(name)).toEqual(new Set(["checks", "issue", "comments"]));
    expect(await one.shared.begin(name)).toEqual(new Set());
  });

  test("at the end of a pass is passed over once more, and not let go", async () => {
    const [one, two] = [replica({ roundMs: 60_000 }), replica()];
    await one.shared.begin(name);
    two.shared.tell(name, checks, "hook");
    await is("the holder is woken", () => one.woken.length > 0);
    expect(await one.shared.end(name, true)).toBe(true);
    expect(await one.shared.begin(name)).toEqual(checks);
    expect(await one.shared.end(name, true)).toBe(false);
    // Let go: the other may have it; and what it then hears of it the first one can't know.
    expect(await two.shared.begin(name)).toEqual(everything);
    await two.shared.end(name, true);
    expect(await one.shared.begin(name)).toEqual(everything);
    expect(await one.shared.begin(name)).toEqual(new Set());
  });

  test("is found by the holder when the message is lost", async () => {
    const one = replica();
    await one.shared.begin(name);
    await inside().sadd("autoresearch:{github.test/7}:told:ada/model#1", "runs");
    await is("the holder is woken", () => one.woken.length > 0);
    expect(await one.shared.begin(name)).toEqual(new Set(["runs"]));
  });
});

describe("a session's holder", () => {
  test("keeps it between passes for as long as something of it lives there", async () => {
    const [one, two] = [replica(), replica()];
    await one.shared.begin(name);
    expect(await one.shared.end(name, false)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await two.shared.begin(name)).toBeNull();
    expect(one.lost).toEqual([]);
  });

  test("that died is followed by another, without anything being heard", async () => {
    const dead = inside();
    const two = replica();
    // What a process leaves behind that was killed in mid-pass, with nothing told.
    await dead.set("autoresearch:{github.test/7}:lease:ada/model#1", "a process that died", "PX", 300);
    await dead.sadd("autoresearch:{github.test/7}:sessions", name);
    await is("the other takes it", () => two.woken.length > 0);
    expect(two.woken[0]).toEqual({ session: name, hint: everything });
    expect(await two.shared.begin(name)).toEqual(new Set());
  });

  test("that ends hands its sessions over at once", async () => {
    const [one, two] = [replica({ leaseMs: 60_000 }), replica({ roundMs: 60_000 })];
    await is("both have connected", () => one.said.length === 1 && two.said.length === 1);
    await one.shared.begin(name);
    expect(await one.shared.isMine("sweep")).toBe(true);
    expect(await two.shared.isMine("sweep")).toBe(false);
    await one.shared.close();
    await is("the other takes it", () => two.woken.length > 0);
    expect(await two.shared.isMine("sweep")).toBe(true);
  });

  test("that ends while it takes a session lets go of it, too", async () => {
    const one = replica({ leaseMs: 60_000, roundMs: 60_000 });
    await one.shared.begin("ada/model#2");
    const client = inside();
    await client.sadd("autoresearch:{github.test/7}:sessions", name);
    // Who hears of the session asks for it, and is answered half a second later.
    await client.pipeline().publish("autoresearch:{github.test/7}:wake", name).client("PAUSE", 500).exec();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await one.shared.close();
    const another = replica({ roundMs: 60_000 });
    for (const session of [name, "ada/model#2"]) expect(await another.shared.begin(session)).not.toBeNull();
    expect(one.woken.map(({ session }) => session)).not.toContain(name);
  });

  test("that slept through its lease hears that it is another's", async () => {
    const one = replica();
    await one.shared.begin(name);
    await inside().set("autoresearch:{github.test/7}:lease:ada/model#1", "another process", "PX", 60_000);
    await is("it is told", () => one.lost.length > 0);
    expect(await one.shared.begin(name)).toBeNull();
    // What was heard by the old holder reaches the new one: it is kept for it.
    one.shared.tell(name, checks, "hook");
    await until("the hint is kept", async () => {
      return (await inside().smembers("autoresearch:{github.test/7}:told:ada/model#1")).includes("checks");
    });
    expect(one.woken).toEqual([]);
  });
});

describe("without Redis", () => {
  test("each goes on alone and says so once; when it is there again one of them has each session", async () => {
    const [one, two] = [replica(), replica()];
    await one.shared.begin(name);
    await redis.stop();
    two.shared.tell(name, checks, "hook");
    await is("it is woken itself", () => two.woken.length > 0);
    expect(two.woken).toEqual([{ session: name, hint: checks }]);
    for (const each of [one, two]) {
      expect(await each.shared.begin(name)).toEqual(each === one ? new Set() : everything);
      expect(await each.shared.end(name, false)).toBe(false);
      expect(await each.shared.isMine("sweep")).toBe(true);
      expect(each.said.filter((message) => message.includes("goes on alone"))).toHaveLength(1);
    }
    await redis.start();
    const holders = async () => {
      const begun = [await one.shared.begin(name), await two.shared.begin(name)];
      return begun.filter((told) => told !== null).length;
    };
    await until("one of them has it", async () => (await holders()) === 1, 20_000);
    const [holder, ...others] = [one, two].filter((each) => each.lost.length === 0);
    expect(others).toEqual([]);
    await is("the one looks at everything", () => holder!.woken.some(({ hint }) => hint === everything));
  });

  test("from the start, it is as if there were one process", async () => {
    await redis.stop();
    const one = replica();
    one.shared.tell(name, checks, "hook");
    await is("it is woken", () => one.woken.length > 0);
    expect(one.woken[0]!.hint).toEqual(checks);
    expect(await one.shared.begin(name)).toEqual(everything);
    expect(await one.shared.begin(name)).toEqual(new Set());
    expect(one.said).toEqual([expect.stringContaining("goes on alone")]);
  });
});
