/** Sessions whose every delivery is a call of its own: nothing is kept between two of them. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { afterEach, expect, test } from "vitest";
import { defaultAppOptions } from "../../src/app.ts";
import { type ServerlessOptions, handlersFrom, handlersOf } from "../../src/serverless.ts";
import { startWorld } from "../support/e2e.ts";
import { answerOf, pay } from "../support/researchers.ts";
import { startRedis } from "../support/redis.ts";
import { type World, scripted, until } from "../support/world.ts";

const sweepToken = "a token for the sweep";
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A script that is read from its start in every call: what was tried is known from the session alone. */
const ideas = [
  { title: "better", set: { VALUE: 1.9 } },
  { title: "worse", set: { OTHER: 0.5 } },
];
const researcherFor: ServerlessOptions["researcherFor"] = () => ({
  propose: (brief, signal) => scripted(ideas.slice(brief.experiment - 1, brief.experiment)).propose(brief, signal),
});

function optionsFor(world: World): ServerlessOptions {
  return {
    ...defaultAppOptions,
    appId: world.app.appId,
    privateKey: world.app.privateKey,
    webhookSecret: world.app.webhookSecret,
    apiUrl: world.github.apiUrl,
    researcherFor,
    redisUrl: null,
    metricsToken: null,
    secrets: [],
    logLevel: "silent",
    logFormat: "json",
    sweepToken,
    withinMs: 60_000,
  };
}

/** A platform that makes a fresh instance of the handlers for each request. */
async function platformFor(
  world: World,
  given: Partial<ServerlessOptions> = {},
  calls: "one at a time" | "side by side" = "one at a time",
) {
  const statuses: number[] = [];
  const call = async (request: Request): Promise<Response> => {
    const handlers = handlersOf({ ...optionsFor(world), ...given });
    const isSweep = new URL(request.url).pathname === "/sweep";
    const answer = await (isSweep ? handlers.sweep(request) : handlers.webhook(request));
    statuses.push(answer.status);
    return answer;
  };
  let turn: Promise<unknown> = Promise.resolve();
  const listener = getRequestListener((request) => {
    const answered = calls === "side by side" ? call(request) : turn.then(() => call(request));
    turn = answered.catch(() => {});
    return answered;
  });
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  world.github.world.setWebhookUrl(world.app.appId, `${url}/webhook`);
  const sweep = async (token = sweepToken) => {
    const response = await fetch(`${url}/sweep`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { sweep, statuses };
}

test("each delivery is a pass of its own, and the session comes to its end", async () => {
  const world = await startWorld({ config: "limits: {experiments: 2}\n" });
  await world.stopBot();
  const { sweep, statuses } = await platformFor(world);
  const issue = await world.openSession();
  // What only time changes, nobody hears of: the schedule comes by.
  await until("the session is done", async () => {
    await sweep();
    return (await world.record(issue))?.state === "done";
  });
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
    [2, "discard"],
  ]);
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test("webhooks alone settle an experiment, and a call with time to spare waits for the researcher", async () => {
  const world = await startWorld({ config: "limits: {experiments: 1}\n" });
  await world.stopBot();
  const slow: ServerlessOptions["researcherFor"] = (config) => ({
    propose: async (brief, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return researcherFor(config).propose(brief, signal);
    },
  });
  await platformFor(world, { researcherFor: slow });
  const issue = await world.openSession();
  await until("an experiment is settled", async () => (await world.rows(issue)).length === 2);
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
  ]);
});

test("what a paid researcher spent in its calls is what counts", async () => {
  const world = await startWorld({ config: "limits: {experiments: 3, cost_usd: 1}\n" });
  await world.stopBot();
  let proposals = 0;
  const paid: ServerlessOptions["researcherFor"] = () => ({
    propose: (brief) => {
      if (!pay(brief.purse, 0.1, 0.02)) return Promise.resolve({ kind: "nothing", because: "no money" });
      proposals += 1;
      const idea = { title: `idea ${brief.experiment}`, set: { OTHER: proposals / 100 } };
      return Promise.resolve(answerOf(brief, idea));
    },
  });
  const { sweep } = await platformFor(world, { researcherFor: paid });
  const issue = await world.openSession();
  await until("the session is done", async () => {
    await sweep();
    return (await world.record(issue))?.state === "done";
  });
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => row.experiment)).toEqual([0, 1, 2, 3]);
  const { spending } = (await world.record(issue))!.ledger;
  expect(spending.usd).toBeCloseTo(0.02 * proposals, 6);
});

test("strangers are refused, and what concerns no session costs no request", async () => {
  const world = await startWorld();
  await world.stopBot();
  const { webhook, sweep } = handlersOf(optionsFor(world));
  world.github.resetRequests();
  const body = JSON.stringify({ action: "labeled", repository: { name: "model", owner: { login: "ada" } } });
  const post = (headers: Record<string, string>) => new Request("http://x/", { method: "POST", body, headers });
  const forged = `sha256=${"0".repeat(64)}`;
  expect((await webhook(post({ "x-github-event": "issues", "x-hub-signature-256": forged }))).status).toBe(400);
  expect((await webhook(post({ "x-github-event": "issues" }))).status).toBe(400);
  expect((await sweep(new Request("http://x/"))).status).toBe(401);
  expect((await sweep(new Request("http://x/", { headers: { authorization: "Bearer wrong" } }))).status).toBe(401);
  expect(world.github.requests().total).toBe(0);
  expect(() =>
    handlersFrom({ APP_ID: "1", WEBHOOK_SECRET: "x".repeat(20), PRIVATE_KEY: world.app.privateKey }),
  ).toThrow("SWEEP_TOKEN");
});

test("a repository that can't be read hides no other from the sweep", async () => {
  const world = await startWorld({ config: "limits: {experiments: 1}\n" });
  await world.stopBot();
  world.github.webhooks.mode = { kind: "drop" };
  const { github } = world;
  github.world.createUser("bob");
  await github.world.createRepo({ owner: "bob", name: "other", files: { "train.py": "" }, private: true });
  github.world.install(world.app.appId, "bob/other");
  const unread = github.faults.add(
    { method: "GET", route: /^\/repos\/bob\/other\/issues/ },
    { kind: "fail", when: "before", status: 502, message: "Bad gateway" },
  );
  const issue = await world.openSession();
  const { sweep } = await platformFor(world);
  const { status, body } = await sweep();
  expect(unread.hits).toBeGreaterThan(0);
  expect([status, body["sessions"], body["because"]]).toEqual([500, 1, "not read: bob/other"]);
  await until("the session is done", async () => {
    await sweep();
    return (await world.record(issue))?.state === "done";
  });
});

test("a platform that lets work go on after the answer has it at once", async () => {
  const world = await startWorld({ config: "limits: {experiments: 1}\n" });
  await world.stopBot();
  world.github.webhooks.mode = { kind: "drop" };
  const issue = await world.openSession();
  const labelled = world.github.webhooks.deliveries(world.app.appId).find((each) => each.action === "labeled");
  const sent = world.github.webhooks.requestOf(labelled!)!;
  const works: Promise<unknown>[] = [];
  const { webhook } = handlersOf(optionsFor(world));
  const answer = await webhook(new Request("http://x/", { method: "POST", ...sent }), (work) => works.push(work));
  expect(answer.status).toBe(202);
  await Promise.all(works);
  expect((await world.record(issue))?.state).toBe("running");
});

test("with a Redis, calls beside each other do the work once", async () => {
  const redis = await startRedis();
  ends.push(() => redis.close());
  const world = await startWorld({ config: "limits: {experiments: 2}\n" });
  await world.stopBot();
  const { sweep, statuses } = await platformFor(world, { redisUrl: redis.url }, "side by side");
  world.github.webhooks.mode = { kind: "double" };
  const issue = await world.openSession();
  await until("the session is done", async () => {
    await Promise.all([sweep(), sweep()]);
    return (await world.record(issue))?.state === "done";
  });
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
    [2, "discard"],
  ]);
  expect((await world.runs()).map((run) => run.display_title).toSorted()).toEqual(
    [0, 1, 2].map((experiment) => `autoresearch ${issue}:${experiment}:1`),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
});
