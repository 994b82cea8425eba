/** The process as whoever runs it meets it: a real child, its endpoints, its log, its end. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../../src/local/port.ts";
import { startWorld } from "../support/e2e.ts";
import { type World, scripted, trainPy, until } from "../support/world.ts";

const root = path.resolve(import.meta.dirname, "../..");
const metricsToken = "metrics-0123456789abcdef";
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await ended(child);
  }
});

function ended(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const { exitCode: code, signalCode: signal } = child;
  if (code !== null || signal !== null) return Promise.resolve({ code, signal });
  return new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
}

/** `npm start` with nothing in its environment but what is given. */
function start(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [path.join(root, "src/main.ts")], { stdio: ["ignore", "pipe", "pipe"], env });
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const lines = () =>
    out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, lines, out: () => out, err: () => err };
}

async function botFor(world: World, env: Readonly<Record<string, string>> = {}) {
  await world.stopBot();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  world.github.world.setWebhookUrl(world.app.appId, `${url}/api/github/webhooks`);
  const started = start({
    APP_ID: String(world.app.appId),
    PRIVATE_KEY: world.app.privateKey,
    WEBHOOK_SECRET: world.app.webhookSecret,
    GITHUB_API_URL: world.github.apiUrl,
    HOST: "127.0.0.1",
    PORT: String(port),
    LOG_FORMAT: "json",
    METRICS_TOKEN: metricsToken,
    ...env,
  });
  const get = async (name: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${name}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const statusOf = (name: string) =>
    get(name).then(
      ({ status }) => status,
      () => null,
    );
  return { ...started, url, get, statusOf };
}

/** The value of a metric by its whole line up to the value. */
function valueOf(metrics: string, line: string): number | null {
  const found = metrics.split("\n").find((each) => each.startsWith(`${line} `));
  return found === undefined ? null : Number(found.slice(line.length + 1));
}

describe("a webhook secret that protects nothing is refused", () => {
  const others = { APP_ID: "1", PRIVATE_KEY: "x" };
  test.each([
    ["missing", {}, "is not set"],
    ["empty", { WEBHOOK_SECRET: "" }, "is not set"],
    ["Probot's default", { WEBHOOK_SECRET: "development" }, "default"],
    ["too short", { WEBHOOK_SECRET: "fifteen letters" }, "fewer than 16"],
  ])("%s", async (_name, env, what) => {
    const { child, err, out } = start({ ...others, ...env });
    expect(await ended(child)).toEqual({ code: 1, signal: null });
    expect(err()).toContain("WEBHOOK_SECRET");
    expect(err()).toContain(what);
    expect(err()).toContain("openssl rand -hex 32");
    expect(out()).toBe("");
  });
});

test("credentials that GitHub does not take are said in a sentence", async () => {
  const world = await startWorld();
  const { child, err } = await botFor(world, { APP_ID: "999999" });
  expect(await ended(child)).toEqual({ code: 1, signal: null });
  expect(err()).toMatch(/^autoresearch can't start: GitHub does not take the app's credentials: .+\n$/);
});

test("a session's passes can be followed in the log and the metrics, and no secret is in either", async () => {
  const world = await startWorld({
    config: "researcher: {kind: mutate}\nlimits: {experiments: 1}\n",
    files: { "train.py": `LR = 2\n${trainPy({ value: 2 })}` },
  });
  const bot = await botFor(world, { LOG_LEVEL: "debug" });
  await until("the bot is ready", async () => (await bot.statusOf("/readyz")) === 200);
  expect(await bot.get("/healthz")).toEqual({ status: 200, text: '{"status":"ok"}\n' });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const session = `ada/model#${issue}`;

  const lines = bot.lines().filter((line) => line["pass"] !== undefined);
  for (const line of lines) {
    expect(line).toMatchObject({ session, pass: expect.stringMatching(/^[0-9a-f]{8}$/) });
    expect(line).toMatchObject({ action: expect.any(String), because: expect.any(String) });
  }
  const did = lines
    .filter((line) => line["msg"] === line["action"])
    .map((line) => [line["action"], line["experiment"]]);
  expect(did).toContainEqual(["start", undefined]);
  expect(did).toContainEqual(["dispatch", 0]);
  expect(did).toContainEqual(["dispatch", 1]);
  expect(did).toContainEqual(["conclude", 1]);
  for (const secret of [world.app.webhookSecret, metricsToken, "PRIVATE KEY", "ghs_"]) {
    expect(bot.out()).not.toContain(secret);
  }

  expect((await bot.get("/metrics")).status).toBe(401);
  expect((await bot.get("/metrics", { authorization: "Bearer wrong" })).status).toBe(401);
  const { status, text } = await bot.get("/metrics", { authorization: `Bearer ${metricsToken}` });
  expect(status).toBe(200);
  const outcome = (await world.rows(issue))[1]!.outcome;
  expect(valueOf(text, `autoresearch_experiments_total{outcome="${outcome}"}`)).toBe(1);
  expect(valueOf(text, 'autoresearch_actions_total{action="open"}')).toBe(1);
  expect(valueOf(text, 'autoresearch_sessions{state="done"}')).toBe(1);
  expect(valueOf(text, 'autoresearch_passes_total{end="failed"}')).toBe(0);
  expect(valueOf(text, 'autoresearch_hints_total{source="issues"}')).toBeGreaterThan(0);
  expect(valueOf(text, "autoresearch_queue_length")).toBe(0);
  const opened = 'route="POST /repos/{owner}/{repo}/pulls",status="201"';
  expect(valueOf(text, `autoresearch_github_requests_total{${opened}}`)).toBeGreaterThanOrEqual(1);
  expect(text).toMatch(/^autoresearch_github_limit_remaining\{installation="\d+"\} 4\d{3}$/m);
  expect(text).not.toContain("ada");

  bot.child.kill("SIGTERM");
  expect(await ended(bot.child)).toEqual({ code: 0, signal: null });
});

test("without a token there are no metrics", async () => {
  const world = await startWorld();
  const bot = await botFor(world, { METRICS_TOKEN: "" });
  await until("the bot is ready", async () => (await bot.statusOf("/readyz")) === 200);
  expect((await bot.get("/metrics", { authorization: "Bearer " })).status).toBe(404);
});

test("SIGTERM ends a pass after the action in hand, and the next process goes on", async () => {
  const world = await startWorld({
    config: "researcher: {kind: mutate}\nlimits: {experiments: 1}\n",
    researcher: scripted([]),
  });
  const bot = await botFor(world);
  await until("the bot is ready", async () => (await bot.statusOf("/readyz")) === 200);
  // The first branch of the session takes its time: SIGTERM comes in the middle of the action `start`.
  const slow = world.github.faults.add(
    { method: "POST", route: "/repos/{owner}/{repo}/git/refs" },
    { kind: "latency", ms: 5_000 },
  );
  const issue = await world.openSession();
  await until("the pass writes", async () => slow.hits === 1);
  bot.child.kill("SIGTERM");
  await until("the process takes no deliveries", async () => (await bot.statusOf("/readyz")) === 503);
  const refused = await fetch(`${bot.url}/api/github/webhooks`, { method: "POST", body: "{}" });
  expect(refused.status).toBe(503);
  expect((await bot.get("/readyz")).text).toContain("about to end");
  expect(await bot.statusOf("/healthz")).toBe(200);
  expect(await ended(bot.child)).toEqual({ code: 0, signal: null });

  // The action was finished, and none was begun after it.
  const record = (await world.record(issue))!;
  expect(record.state).toBe("running");
  expect(await world.checks(record.base)).toEqual([]);
  const next = await botFor(world);
  await world.settled(issue, "done");
  next.child.kill("SIGINT");
  expect(await ended(next.child)).toEqual({ code: 0, signal: null });
});

/** The reason why a bot is not ready, once GitHub's first answer is in. */
async function unready(bot: Awaited<ReturnType<typeof botFor>>): Promise<object> {
  await until("it listens", async () => (await bot.statusOf("/healthz")) === 200);
  return until("the first answer is in", async () => {
    const { status, text } = await bot.get("/readyz");
    return text.includes("has not said yet") ? null : { readiness: status, ...(JSON.parse(text) as object) };
  });
}

const outage = {
  readiness: 503,
  status: "unavailable",
  because: "GitHub does not say who the app is: GitHub answered 502",
};

test("while GitHub does not answer the process lives, is not ready, and can be ended", async () => {
  const world = await startWorld();
  const silent = createServer((_request, response) => response.writeHead(502).end("{}"));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const bot = await botFor(world, {
    GITHUB_API_URL: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
  });
  expect(await unready(bot)).toEqual(outage);
  bot.child.kill("SIGTERM");
  expect(await ended(bot.child)).toEqual({ code: 0, signal: null });
  silent.close();
});

test("a GitHub that refuses the app while it comes up is asked again until it takes it", async () => {
  const world = await startWorld({
    config: "researcher: {kind: mutate}\nlimits: {experiments: 1}\n",
    researcher: scripted([]),
  });
  await world.stopBot();
  const answering = (status: number) =>
    world.github.faults.add({ route: "/app", times: 1_000 }, { kind: "fail", when: "before", status });
  const away = answering(502);
  const bot = await botFor(world);
  expect(await unready(bot)).toEqual(outage);
  away.remove();
  const refusing = answering(401);
  await until("the refusal is logged", async () => bot.out().includes("the app can do nothing"));
  const { status, text } = await bot.get("/readyz");
  expect(status).toBe(503);
  expect(text).toContain("GitHub does not take the app's credentials: GitHub answered 401");
  expect(await bot.statusOf("/healthz")).toBe(200);
  // Nobody hears of this session but the sweep that begins when the app is known.
  world.github.webhooks.mode = { kind: "drop" };
  const issue = await world.openSession();
  refusing.remove();
  await until("the session has begun", () => world.record(issue));
  world.github.webhooks.mode = { kind: "deliver" };
  expect(await bot.statusOf("/readyz")).toBe(200);
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  bot.child.kill("SIGTERM");
  expect(await ended(bot.child)).toEqual({ code: 0, signal: null });
});
