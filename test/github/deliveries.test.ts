/** Deliveries that never arrived: which are asked for, and what GitHub's log shows of it afterwards. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Attempt, missed, redeliver } from "../../src/github/deliveries.ts";
import { Line } from "../../src/github/line.ts";
import { Held, Pace } from "../../src/github/pace.ts";
import { at, startTestWorld, type TestWorld } from "../local/github-world.ts";

const nowMs = Date.parse("2026-11-23T12:00:00Z");
const hourMs = 3_600_000;
const ago = (hours: number) => new Date(nowMs - hours * hourMs).toISOString();

const attempt = (given: Partial<Attempt>): Attempt => ({
  id: 1,
  guid: "a",
  delivered_at: ago(2),
  redelivery: false,
  status_code: 502,
  event: "issues",
  ...given,
});

describe("what is missed", () => {
  it("is what never arrived, by its newest attempt, the newest first", () => {
    const attempts = [
      attempt({ id: 1, guid: "a" }),
      attempt({ id: 2, guid: "b" }),
      attempt({ id: 3, guid: "a", redelivery: true, status_code: 200 }),
      attempt({ id: 4, guid: "b", redelivery: true, status_code: 500 }),
      attempt({ id: 5, guid: "c", delivered_at: ago(0) }),
    ];
    expect(missed(attempts, nowMs).map(({ id }) => id)).toEqual([5, 4]);
  });

  it("is not what was asked for within the hour, nor what was refused five times", () => {
    const again = attempt({ id: 2, redelivery: true, delivered_at: ago(0.99) });
    expect(missed([attempt({}), again], nowMs)).toEqual([]);
    expect(missed([attempt({}), { ...again, delivered_at: ago(1) }], nowMs)).toHaveLength(1);
    const refused = Array.from({ length: 5 }, (_, index) => attempt({ id: index + 1, redelivery: index > 0 }));
    expect(missed(refused, nowMs)).toEqual([]);
    expect(missed(refused.slice(1), nowMs)).toHaveLength(1);
  });

  it("is bounded, asks for no event twice, and for none that arrived", () => {
    const attempts = fc.array(
      fc.record({
        id: fc.nat(),
        guid: fc.constantFrom<string>("a", "b", "c", "d"),
        delivered_at: fc.nat(80).map(ago),
        redelivery: fc.boolean(),
        status_code: fc.constantFrom(0, 200, 202, 302, 400, 500, 504),
        event: fc.constant("issues"),
      }),
    );
    fc.assert(
      fc.property(attempts, (all) => {
        const found = missed(all, nowMs);
        const arrived = new Set(all.filter((one) => [200, 202, 302].includes(one.status_code)).map(({ guid }) => guid));
        expect(new Set(found.map(({ guid }) => guid)).size).toBe(found.length);
        expect(found.filter(({ guid }) => arrived.has(guid))).toEqual([]);
      }),
    );
    const many = Array.from({ length: 300 }, (_, index) => attempt({ id: index, guid: String(index) }));
    expect(missed(many, nowMs)).toHaveLength(200);
  });
});

function lineOf(world: TestWorld, pace = new Pace({ spaced: false })): Line {
  return new Line(world.asApp, { installation: null, pace });
}

/** One round, as the app makes it. */
async function round(
  world: TestWorld,
  wants: (event: string) => boolean = (event) => event === "issues",
  signal?: AbortSignal,
  app = lineOf(world),
) {
  const guids: string[] = [];
  await redeliver(app, {
    nowMs: Date.now(),
    wants,
    signal: signal ?? new AbortController().signal,
    redelivered: ({ guid }) => guids.push(guid),
  });
  await world.github.webhooks.settled();
  return guids;
}

describe("a round on the local GitHub", () => {
  it("reads the whole log, and asks for each event that failed, once", async () => {
    const world = await startTestWorld();
    world.receiver.answer.status = 500;
    const titles = Array.from({ length: 103 }, (_, index) => `Issue ${index}`);
    for (const title of titles) await world.as("ada").rest.issues.create({ ...at, title });
    await world.heard("issues");
    world.receiver.answer.status = 200;
    const arrived = await world.as("ada").rest.issues.create({ ...at, title: "It arrived" });
    expect(arrived.status).toBe(201);
    await world.github.webhooks.settled();
    world.hooks.length = 0;
    const guids = await round(world);
    expect(guids).toHaveLength(103);
    const again = (await world.heard("issues")).map(
      (hook) => (hook.body["issue"] as unknown as { title: string }).title,
    );
    expect(again.toSorted()).toEqual(titles.toSorted());
    // Failures are still in the log; what came of them is too.
    expect(await round(world)).toEqual([]);
  });

  it("asks for nothing that the app does not hear, and for nothing when it is to end", async () => {
    const world = await startTestWorld();
    world.receiver.answer.status = 500;
    await world.as("ada").rest.issues.create({ ...at, title: "One" });
    await world.heard("issues");
    expect(await round(world, (event) => event === "push")).toEqual([]);
    expect(await round(world, undefined, AbortSignal.abort())).toEqual([]);
    // It fails once more, and has to wait for an hour.
    expect(await round(world)).toHaveLength(1);
    expect(await round(world)).toEqual([]);
  });

  it("leaves out what GitHub does not repeat, and stops where GitHub is away", async () => {
    const world = await startTestWorld();
    world.receiver.answer.status = 500;
    for (const title of ["One", "Two"]) await world.as("ada").rest.issues.create({ ...at, title });
    await world.heard("issues");
    const attempts = "/app/hook/deliveries/{delivery_id}/attempts";
    world.github.faults.add({ route: attempts }, { kind: "fail", when: "before", status: 404 });
    const guids = await round(world);
    expect(guids).toHaveLength(1);
    world.github.faults.add({ route: attempts }, { kind: "fail", when: "before", status: 502 });
    await expect(round(world)).rejects.toThrow("Server Error");
  });

  it.each(["/app/hook/deliveries/{delivery_id}/attempts", "/app/hook/deliveries"])(
    "ends where a limit is met at %s, and sends nothing until it is over",
    async (route) => {
      const world = await startTestWorld();
      world.receiver.answer.status = 500;
      for (const title of ["One", "Two"]) await world.as("ada").rest.issues.create({ ...at, title });
      await world.heard("issues");
      let nowMs = Date.now();
      const app = lineOf(world, new Pace({ spaced: false, now: () => nowMs }));
      const again = () => round(world, undefined, undefined, app);
      const asked = () => world.exchanges.filter((one) => one.template?.startsWith("/app/hook/deliveries")).length;
      world.github.faults.add({ route }, { kind: "secondaryLimit", retryAfterSeconds: 90 });
      await expect(again()).rejects.toBeInstanceOf(Held);
      const before = asked();
      nowMs += 60_000;
      await expect(again()).rejects.toBeInstanceOf(Held);
      expect(asked()).toBe(before);
      nowMs += 30_000;
      expect(await again()).toHaveLength(2);
    },
  );
});
