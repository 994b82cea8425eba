/**
 * Several bots on one world, each a process: what comes of a session is what one bot makes of it. With a Redis between them
 * nothing is done twice; without one, work is, and no more than that.
 */
import { afterEach, expect, test, vi } from "vitest";
import { Redis } from "ioredis";
import type { Exchange } from "../../src/local/github/exchange.ts";
import { Bots, type BotsOptions } from "../support/bots.ts";
import { config, ideas, isTimeToStop, lookAt, looksFinished, mayEnd } from "../support/crash-scenario.ts";
import { startWorld } from "../support/e2e.ts";
import { type Exempt, unfinishedIn } from "../support/invariants.ts";
import { type TestRedis, startRedis } from "../support/redis.ts";
import { type WorldSnapshot, worldSnapshot } from "../support/world-snapshot.ts";
import { until } from "../support/world.ts";

// Up to four bots start and work beside whatever else a machine with two cores does.
vi.setConfig({ testTimeout: 400_000 });
const withinMs = 180_000;

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function withRedis(): Promise<TestRedis> {
  const redis = await startRedis();
  open.push(() => redis.close());
  return redis;
}

type Lived = { readonly snapshot: WorldSnapshot; readonly done: Readonly<Record<string, number>> };

/** What is to be done once, however many bots there are, by route and by what it is done to. */
function onceOf({ method, template, actor, requestBody, params, status }: Exchange): string | null {
  if (actor !== "installation" || status >= 300) return null;
  const body = (requestBody ?? {}) as Record<string, unknown>;
  const inputs = body["inputs"] as Record<string, unknown> | undefined;
  switch (`${method} ${template}`) {
    case "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches":
      return `dispatch ${String(inputs?.["trial"])}`;
    case "POST /repos/{owner}/{repo}/pulls":
      return `pull request ${String(body["head"])}`;
    case "POST /repos/{owner}/{repo}/check-runs":
      return `check ${String(body["external_id"])}`;
    case "POST /repos/{owner}/{repo}/git/refs":
      return `branch ${String(body["ref"])}`;
    case "POST /repos/{owner}/{repo}/issues/{issue_number}/comments":
      return `comment ${params["issue_number"]} ${/<!-- (\S+)/.exec(String(body["body"]))?.[1]}`;
    default:
      return null;
  }
}

type Happening = (bots: Bots) => Promise<void>;

/** The scenario of test/e2e/crash, with so many bots; `amid` is called when experiment 2 has won. */
async function live(
  options: Pick<BotsOptions, "count" | "redisUrl" | "deliverTo">,
  { amid, exempt = {} }: { readonly amid?: Happening; readonly exempt?: Exempt } = {},
): Promise<Lived> {
  const world = await startWorld({
    runners: 2,
    training: (training) => mayEnd(training, lookAt(site)),
    files: { ".github/autoresearch.yml": config },
    exempt,
  });
  const { site } = world;
  const done: Record<string, number> = {};
  world.onExchange((exchange) => {
    const once = onceOf(exchange);
    if (once !== null) done[once] = (done[once] ?? 0) + 1;
  });
  const bots = new Bots(world, { ...options, ideas });
  open.push(() => bots.close());
  await bots.start();
  const issue = await world.openSession();
  if (amid !== undefined) {
    await until("experiment 2 has won", () => Promise.resolve(lookAt(site).settled.has(2)), withinMs);
    await amid(bots);
  }
  await until("experiment 5 trains", () => Promise.resolve(isTimeToStop(lookAt(site))), withinMs);
  await world.comment(issue, "/autoresearch stop");
  await until("the session is stopped and settled", () => Promise.resolve(looksFinished(site)), withinMs);
  expect(await unfinishedIn(site, exempt)).toEqual([]);
  // A bot that began a check too late completes it when it has looked again.
  const isChecked = async () => (await worldSnapshot(site)).every(({ checks }) => !checks.join().includes("queued"));
  await until("every check is completed", isChecked, withinMs);
  await bots.close();
  return { snapshot: await worldSnapshot(site), done };
}

/** Checks that were doubled say the same: a doubled check is work that was wasted, and it is completed as the first one is. */
function withoutCopies(snapshot: WorldSnapshot): WorldSnapshot {
  return snapshot.map((session) => ({ ...session, checks: [...new Set(session.checks)] }));
}

/** What two bots without a Redis may do (docs/replicas.md). */
const wasted: Exempt = {
  dispatches: "a check is no test-and-set: two bots may dispatch an attempt twice",
  trials: "and who sees the cancelled copy alone measures once more",
  stop: "one may dispatch in the moment in which another answers the stop",
};

let single: Promise<Lived> | null = null;
/** What one bot makes of it. */
function byOne(): Promise<Lived> {
  single ??= live({ count: 1, redisUrl: null, deliverTo: "all" });
  return single;
}

test.each([2, 4])("%i bots with a Redis do what one does, and nothing twice", async (count) => {
  const redis = await withRedis();
  const one = await byOne();
  const several = await live({ count, redisUrl: redis.url, deliverTo: "all" });
  expect(several.snapshot).toEqual(one.snapshot);
  expect(several.done).toEqual(one.done);
  expect(Object.values(several.done).every((times) => times === 1)).toBe(true);
});

test("two bots behind a load balancer with a Redis do what one does, and nothing twice", async () => {
  const redis = await withRedis();
  const one = await byOne();
  const two = await live({ count: 2, redisUrl: redis.url, deliverTo: "one" });
  expect(two.snapshot).toEqual(one.snapshot);
  expect(two.done).toEqual(one.done);
});

test.each([2, 4])("%i bots without a Redis come to the same, with wasted work only", async (count) => {
  const one = await byOne();
  const several = await live({ count, redisUrl: null, deliverTo: "all" }, { exempt: wasted });
  expect(withoutCopies(several.snapshot)).toEqual(one.snapshot);
});

test("the one that looks after a session is killed: another finishes it", async () => {
  const redis = await withRedis();
  const one = await byOne();
  const client = new Redis(redis.url);
  open.push(() => client.disconnect());
  const holderOf = async () => {
    const [key] = await client.keys("*:lease:ada/model#1");
    const holder = key === undefined ? null : await client.get(key);
    return holder === null ? null : Number(holder.split(":")[1]);
  };
  const killHolder: Happening = async (bots) => {
    const pid = await holderOf();
    expect(bots.pids).toContain(pid);
    await bots.kill(pid!);
    await until("another has taken the session", async () => {
      const next = await holderOf();
      return next !== null && bots.pids.includes(next);
    });
  };
  const two = await live({ count: 2, redisUrl: redis.url, deliverTo: "one" }, { amid: killHolder });
  expect(two.snapshot).toEqual(one.snapshot);
});

test("Redis goes and comes again: the bots go on alone, and share again", async () => {
  const redis = await withRedis();
  const one = await byOne();
  const outage: Happening = () => redis.stop();
  const two = await live({ count: 2, redisUrl: redis.url, deliverTo: "one" }, { amid: outage, exempt: wasted });
  expect(withoutCopies(two.snapshot)).toEqual(one.snapshot);
});
