/** Parts of the process that need no GitHub: its health, its log, its rounds, its environment. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseAllowedCommands } from "../../src/domain/allowed-commands.ts";
import { callOptionsOf, optionsOf, variables } from "../../src/environment.ts";
import { Health } from "../../src/health.ts";
import { logTo, withoutSecrets } from "../../src/log.ts";
import { Metrics } from "../../src/metrics.ts";
import { startRounds } from "../../src/rounds.ts";
import { briefWith } from "../support/brief.ts";
import { configWith } from "../support/session.ts";

describe("health", () => {
  /** A process whose clock the test turns; the loop beats once a second unless it is stuck. */
  function processAt(startMs = 1_000_000) {
    let nowMs = startMs;
    const health = new Health(() => nowMs);
    const runs = (seconds: number) => {
      for (let second = 0; second < seconds; second += 1) {
        nowMs += 1_000;
        health.beat();
      }
    };
    return { health, runs, stuck: (seconds: number) => (nowMs += seconds * 1_000) };
  }

  it("is alive while the event loop turns, and not after it stood still", () => {
    const { health, runs, stuck } = processAt();
    runs(30);
    expect(health.liveness()).toEqual({ ok: true });
    stuck(9);
    runs(1);
    expect(health.liveness()).toEqual({ ok: true });
    stuck(25);
    // The probe may be answered before the next beat.
    expect(health.liveness()).toEqual({ ok: false, because: "the event loop stood still for 24 s" });
    runs(50);
    expect(health.liveness()).toMatchObject({ ok: false });
    runs(20);
    expect(health.liveness()).toEqual({ ok: true });
  });

  it("is ready when the app is known and the first sweep has begun, until it closes", () => {
    const { health } = processAt();
    expect(health.readiness()).toMatchObject({ because: "GitHub has not said yet who the app is" });
    health.unidentified("GitHub answered 502");
    expect(health.readiness()).toMatchObject({ because: "GitHub does not say who the app is: GitHub answered 502" });
    health.identified();
    expect(health.readiness()).toMatchObject({ because: "the first sweep over the sessions has not begun" });
    health.sweepBegan();
    expect(health.readiness()).toEqual({ ok: true });
    health.closing();
    expect(health.readiness()).toMatchObject({ because: "the process is about to end" });
    expect(health.liveness()).toEqual({ ok: true });
  });
});

describe("the log", () => {
  const secrets = ['a "quoted" secret', "plain-secret-value"];

  it("holds no secret, wherever in a line it is, and each line stays JSON", () => {
    const lines: string[] = [];
    const log = logTo({ level: "info", format: "json", secrets }, { write: (line) => lines.push(line) });
    const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";
    const request = { headers: { authorization: "token ghs_16C7e42F292c6912E7710c838347Ae178B4a" } };
    log.info({ request, deep: [{ key }], note: secrets[0] }, `asked with ${secrets[1]}`);
    log.error({ err: new Error(`sk-ant-api03-abcdefghijklmnop was refused: ${key}`) }, "failed");
    log.info({ plain: "nothing to hide" }, "plain");
    log.debug("too fine");
    expect(lines).toHaveLength(3);
    const text = lines.join("");
    for (const secret of ["ghs_", "MIIEow", "PRIVATE KEY", "sk-ant", "quoted", "plain-secret"]) {
      expect(text).not.toContain(secret);
    }
    const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ note: "***", msg: "asked with ***", deep: [{ key: "***" }] });
    expect(second).toMatchObject({ msg: "failed", err: { message: "*** was refused: ***" } });
    expect(third).toMatchObject({ plain: "nothing to hide" });
    for (const line of lines) expect(line.endsWith("}\n")).toBe(true);
  });

  it("hides them in a line that is no JSON too", () => {
    expect(withoutSecrets("not JSON: plain-secret-value\n", secrets)).toContain("not JSON: ***");
  });
});

it("every metric stands in the admin's page, with its labels, and no other does", async () => {
  const metrics = new Metrics();
  metrics.watchQueue(() => ({ ready: 1, known: 2 }));
  const there = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
  const page = readFileSync(path.resolve(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const rows = page.split("\n").filter((line) => line.startsWith("| `autoresearch_"));
  const told = rows.flatMap((row) => [...row.matchAll(/`(autoresearch_\w+)`/g)].map(([, name]) => name!));
  expect(told.toSorted()).toEqual(there.toSorted());

  metrics.spent("model", { usd: 0.25, inputTokens: 3, outputTokens: 2, cacheReadTokens: 1, cacheWriteTokens: 0 });
  metrics.asked({ route: "GET /app", status: null, installation: "app", limit: null, remaining: null });
  const text = await metrics.registry.metrics();
  expect(text).toContain('autoresearch_researcher_cost_usd_total{researcher="model"} 0.25\n');
  expect(text).toContain('autoresearch_researcher_tokens_total{researcher="model",kind="output"} 2\n');
  expect(text).toContain('autoresearch_github_requests_total{route="GET /app",status="none"} 1\n');
  expect(text).toContain("autoresearch_queue_sessions 2\n");
});

describe("rounds", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("come at once, then after each pause, sooner after a failure, and not after the end", async () => {
    let [done, failures, broken] = [0, 0, false];
    const stop = new AbortController();
    startRounds(
      {
        run: async () => {
          if (broken) throw new Error("no");
          done += 1;
        },
        everyMs: 3_600_000,
        failed: () => (failures += 1),
      },
      stop.signal,
    );
    await vi.advanceTimersByTimeAsync(0);
    expect(done).toBe(1);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(done).toBe(2);
    broken = true;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([done, failures]).toEqual([2, 1]);
    broken = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toBe(3);
    stop.abort();
    await vi.advanceTimersByTimeAsync(10 * 3_600_000);
    expect(done).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the environment", () => {
  const set = { APP_ID: "7", PRIVATE_KEY: "x".repeat(20), WEBHOOK_SECRET: "s".repeat(16) };
  const problemOf = (env: NodeJS.ProcessEnv) => (optionsOf(env) as { problem?: string }).problem;

  it("names the variable that is wrong", () => {
    expect(problemOf({ ...set, WEBHOOK_SECRET: "s".repeat(15) })).toContain("WEBHOOK_SECRET has fewer than 16");
    expect(problemOf({ ...set, METRICS_TOKEN: "short" })).toContain("METRICS_TOKEN");
    expect(problemOf({ ...set, SWEEP_INTERVAL_SECONDS: "often" })).toContain("SWEEP_INTERVAL_SECONDS");
    expect(problemOf({ ...set, REDIS_URL: "https://redis" })).toContain("REDIS_URL must be the address of a Redis");
    expect(callOptionsOf({})).toMatchObject({ problem: expect.stringContaining("SWEEP_TOKEN is not set") });
    expect(callOptionsOf({ SWEEP_TOKEN: "s".repeat(16), CALL_SECONDS: "60" })).toEqual({
      sweepToken: "s".repeat(16),
      withinMs: 60_000,
    });
  });

  it("has the means of researchers: a key, and the commands that the admin allows", async () => {
    const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----\n";
    expect(problemOf({ ...set, PRIVATE_KEY: key, RESEARCHER_COMMANDS: "codex exec" })).toContain("RESEARCHER_COMMANDS");
    const options = optionsOf({ ...set, PRIVATE_KEY: key, RESEARCHER_COMMANDS: '{"none": {"run": "exit 7"}}' });
    if ("problem" in options) throw new Error(options.problem);
    const config = configWith({ researcher: { kind: "command", command: "none" } });
    const asked = options.researcherFor(config).propose(briefWith({ config }), new AbortController().signal);
    await expect(asked).rejects.toThrow("the command none failed: it ended with status 7");
    const claude = configWith();
    const answer = await options.researcherFor(claude).propose(briefWith(), new AbortController().signal);
    expect(answer).toMatchObject({ kind: "person", because: expect.stringContaining("ANTHROPIC_API_KEY") });
  });

  it("is handed on to no command, but for what says nothing and what agents need", () => {
    const takes = (name: string) =>
      "commands" in parseAllowedCommands(JSON.stringify({ agent: { run: "x", env: [name] } }));
    const plain = ["PORT", "HOST", "WEBHOOK_PATH", "GITHUB_API_URL", "LOG_LEVEL", "LOG_FORMAT"];
    const paces = ["SWEEP_INTERVAL_SECONDS", "CALL_SECONDS"];
    // A variable that is new is to be thought about: it belongs into one of the two lists.
    expect(variables.filter(takes).toSorted()).toEqual(
      [...plain, ...paces, "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"].toSorted(),
    );
  });

  it("takes an empty optional variable for one that is not set", () => {
    const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----\n";
    const env = { ...set, PRIVATE_KEY: key, METRICS_TOKEN: "", WEBHOOK_PROXY_URL: "" };
    const others = { ANTHROPIC_API_KEY: "secret-key", REDIS_URL: "redis://bot:pass-word@redis:6379/0" };
    expect(optionsOf({ ...env, ...others })).toMatchObject({
      metricsToken: null,
      webhookProxy: null,
      logLevel: "info",
      secrets: expect.arrayContaining(["secret-key", "pass-word"]),
    });
  });
});
