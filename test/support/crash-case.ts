/**
 * One case: a fresh world, the scenario, and one fault at the `k`-th request of the bot. What comes of it is compared with
 * what comes of the scenario undisturbed, once the fault is over and the bot had the time to react to it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { lookAgainMs } from "../../src/domain/wake.ts";
import { freePort } from "../../src/local/port.ts";
import type { Exchange } from "../../src/local/github/exchange.ts";
import type { ArmedFault, Effect, Match } from "../../src/local/github/faults.ts";
import { type LocalGitHub, startLocalGitHub } from "../../src/local/github/server.ts";
import { newPrivateKey } from "../../src/local/github/world.ts";
import { type BotPool, EverlastingBot } from "./crash-bots.ts";
import { config, ideas, isTimeToStop, lookAt, looksFinished, mayEnd } from "./crash-scenario.ts";
import { type FastClock, fastNow } from "./fast-clock.ts";
import { startInstantRunners } from "./instant-runner.ts";
import { unfinishedIn, wrongsIn } from "./invariants.ts";
import { type Site, sessionsIn } from "./sessions-seen.ts";
import { trainPy } from "./train-py.ts";
import { octokitWith } from "./world.ts";
import { type WorldSnapshot, worldSnapshot } from "./world-snapshot.ts";

export const faultKinds = ["killed before", "killed after", "500 before", "500 after", "time-out"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The fault at the `at`-th request of the bot, from 1; with `among`, at the `at`-th of these requests. */
export type CrashCase = {
  readonly kind: FaultKind;
  readonly at: number;
  readonly among?: Pick<Match, "method" | "route">;
};

export type CaseResult = {
  /** What was hit, `POST /repos/{owner}/{repo}/pulls`; null: the bot made fewer requests. */
  readonly hit: string | null;
  readonly requests: number;
  /** Those answered after the fault had hit. */
  readonly requestsAfter: number;
  readonly restarts: number;
  readonly runs: number;
  readonly snapshot: WorldSnapshot;
  /** Invariants that do not hold, and what a further pass would do. */
  readonly wrongs: readonly string[];
  readonly realMs: number;
};

export type CrashLab = { readonly clock: FastClock; readonly pool: BotPool };

const root = path.resolve(import.meta.dirname, "../..");
const owner = "ada";
const name = "model";
const privateKey = newPrivateKey();
const manifest = parse(readFileSync(path.join(root, "app.yml"), "utf8")) as {
  default_permissions: Record<string, "read" | "write">;
  default_events: string[];
};
const workflow = readFileSync(path.join(root, ".github/workflows/autoresearch.yml"), "utf8");
const withinRealMs = 180_000;

/** Carries a case out; null: nothing goes wrong. Rejects when the session never ends. */
export async function runCase(wanted: CrashCase | null, lab: CrashLab): Promise<CaseResult> {
  const startedMs = performance.now();
  const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-crash-"));
  let requests = 0;
  let requestsAfter = 0;
  const over = Promise.withResolvers<void>();
  const onExchange = ({ actor, faulted }: Exchange) => {
    if (actor !== "app" && actor !== "installation") return;
    requests += 1;
    if (faulted) over.resolve();
    else if (fault !== null && fault.hits > 0) requestsAfter += 1;
  };
  const now = () => new Date(fastNow(lab.clock, Date.now()));
  const github = await startLocalGitHub({ dir, now, onExchange });
  const { app, site } = await populate(github);
  const port = await freePort();
  github.world.setWebhookUrl(app.appId, `http://127.0.0.1:${port}/api/github/webhooks`);
  const logLevel = process.env["TEST_LOG"] === undefined ? "fatal" : "info";
  const bot = new EverlastingBot(lab.pool, { ...app, apiUrl: github.apiUrl, port, logLevel, ideas });
  const stopRunners = startInstantRunners(github, { count: 2, mayEnd: (training) => mayEnd(training, lookAt(site)) });
  const kill = () => bot.kill();
  const fault =
    wanted === null
      ? null
      : github.faults.add({ ...wanted.among, by: "bot", skip: wanted.at - 1 }, effectOf(wanted.kind, kill, lab.clock));
  const reacted = over.promise.then(() => sleep(lookAgainMs / lab.clock.times, undefined, { ref: false }));
  try {
    await bot.begin();
    await live(site);
    const unfinished = await unfinishedAfter(fault, reacted, site);
    await bot.end();
    const wrongs = [...unfinished, ...(await wrongsIn(site))];
    const snapshot = await worldSnapshot(site);
    const runs = github.core.store.all("workflowRun").length;
    return {
      hit: nameOf(fault),
      requests,
      requestsAfter,
      restarts: bot.restarts,
      runs,
      snapshot,
      wrongs,
      realMs: performance.now() - startedMs,
    };
  } finally {
    await bot.end();
    stopRunners();
    await github.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * What is unfinished when all is over. A fault may come at the very end, when the world looks finished already: it is let
 * end, and the bot is given one of its pauses to look again.
 */
async function unfinishedAfter(fault: ArmedFault | null, reacted: Promise<void>, site: Site): Promise<string[]> {
  for (;;) {
    const hits = fault?.hits ?? 0;
    if (hits > 0) await reacted;
    const unfinished = await unfinishedIn(site, {}, withinRealMs);
    if (hits === (fault?.hits ?? 0)) return unfinished;
  }
}

function nameOf(fault: ArmedFault | null): string | null {
  const hit = fault?.lastHit ?? null;
  return hit === null ? null : `${hit.method} ${hit.template ?? hit.path}`;
}

async function populate(github: LocalGitHub) {
  github.world.createUser(owner);
  const files = {
    "train.py": trainPy({ value: 2 }),
    "prepare.py": "DATA = 1\n",
    ".github/workflows/autoresearch.yml": workflow,
    ".github/autoresearch.yml": config,
  };
  const repo = `${owner}/${name}`;
  await github.world.createRepo({ owner: owner, name: name, files, private: true });
  github.world.setPermission(repo, owner, "admin");
  const permissions = manifest.default_permissions;
  const app = github.world.createApp({
    slug: "autoresearch",
    permissions,
    events: manifest.default_events,
    privateKey,
  });
  github.world.install(app.appId, repo);
  const site: Site = { github, repo, bot: "autoresearch[bot]" };
  const { appId, webhookSecret } = app;
  return { app: { appId, privateKey, webhookSecret }, site };
}

function effectOf(kind: FaultKind, kill: () => Promise<void>, clock: FastClock): Effect {
  switch (kind) {
    case "killed before":
      return { kind: "drop", when: "before", first: kill };
    case "killed after":
      return { kind: "drop", when: "after", first: kill };
    case "500 before":
      return { kind: "fail", when: "before", status: 500 };
    case "500 after":
      return { kind: "fail", when: "after", status: 500 };
    case "time-out":
      // Longer than the bot waits for an answer; the work is done.
      return { kind: "silence", when: "after", ms: 60_000 / clock.times };
  }
}

/** The person: opens the session, says stop when it is time, and waits until it looks finished. */
async function live(site: Site): Promise<void> {
  const { github } = site;
  const ada = octokitWith(github, github.world.personalToken(owner)).rest.issues;
  const at = { owner: owner, repo: name, issue_number: 1 };
  await ada.create({ ...at, title: "Find a better train.py", body: "Lower the value of val_bpb." });
  await ada.addLabels({ ...at, labels: ["autoresearch"] });
  await until(site, "experiment 5 trains", () => isTimeToStop(lookAt(site)));
  await ada.createComment({ ...at, body: "/autoresearch stop" });
  await until(site, "the session is stopped and settled", () => looksFinished(site));
}

/** How things stand, for whoever reads that something never came about. */
async function situation(site: Site): Promise<string> {
  const [session] = await sessionsIn(site);
  const { record = null, rows = [] } = session ?? {};
  const runs = site.github.core.store.all("workflowRun");
  const told = [
    record === null ? "there is no session" : `it is ${record.state} (${record.because})`,
    `rows of ${rows.map((row) => `${row.experiment} ${row.outcome}`).join(", ")}`,
    `runs: ${runs.map((run) => `${run.displayTitle} ${run.status} ${run.conclusion ?? ""}`.trim()).join(", ")}`,
  ];
  return told.join("; ");
}

function until(site: Site, what: string, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      off();
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    const look = () => {
      if (condition()) end();
    };
    const timer = setTimeout(() => {
      void situation(site).then((text) => end(new Error(`it never came about that ${what}: ${text}`)), end);
    }, withinRealMs);
    const off = site.github.on("change", look);
    look();
  });
}
