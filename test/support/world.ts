/**
 * A world for end-to-end tests: the local GitHub, the real app behind real webhooks, real runners with the real action, and a
 * target that trains in no time. The researcher is scripted, so that a test says what is tried and what comes of it.
 */
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Octokit } from "@octokit/rest";
import { execa } from "execa";
import { parse } from "yaml";
import { type AppOptions, defaultAppOptions } from "../../src/app.ts";
import type { Answer, Brief, Researcher } from "../../src/domain/proposal.ts";
import { parseResults, type Row } from "../../src/domain/results.ts";
import { type SessionRecord, recordSchema } from "../../src/domain/session.ts";
import { Children, startRunners } from "../../src/local/children.ts";
import { freePort } from "../../src/local/port.ts";
import type { ActionsOptions } from "../../src/local/github/actions.ts";
import type { Exchange } from "../../src/local/github/exchange.ts";
import { type LocalGitHub, startLocalGitHub } from "../../src/local/github/server.ts";
import { serve } from "../../src/serve.ts";
import { type InTraining, startInstantRunners } from "./instant-runner.ts";
import { contractOf } from "./openapi.ts";
import { type Idea, answerOf } from "./researchers.ts";
import { trainPy } from "./train-py.ts";

export { trainPy } from "./train-py.ts";

const root = path.resolve(import.meta.dirname, "../..");
/** Who shows it may read the bot's metrics. */
const metricsToken = "a token for the metrics";
const owner = "ada";
const repo = "model";

/** Answers ideas in order: each is a description and the constants that it sets. Then there is nothing more. */
export function scripted(ideas: readonly Idea[]): Researcher {
  let next = 0;
  return {
    propose: (brief: Brief): Promise<Answer> => {
      const idea = ideas[next];
      next += 1;
      if (idea === undefined) return Promise.resolve({ kind: "nothing", because: "the script is at its end" });
      return Promise.resolve(answerOf(brief, idea));
    },
  };
}

export type WorldOptions = {
  readonly researcher?: Researcher;
  readonly runners?: number;
  /** How long Actions waits for runners. */
  readonly actions?: ActionsOptions;
  /** Options of the app beside the defaults. */
  readonly app?: Partial<AppOptions>;
  /** Lines of `.github/autoresearch.yml`, beside the defaults for tests; null: no such file. */
  readonly config?: string | null;
  readonly files?: Readonly<Record<string, string | null>>;
  /** A repository that everybody can see, with `runner.allow_public` in its configuration. */
  readonly public?: boolean;
  /**
   * What trains: runners inside the local GitHub, for as long as the candidate sleeps and until it may end (the default), or
   * the shipped action in processes of its own.
   */
  readonly training?: "real" | ((training: InTraining) => boolean);
  /** How much GitHub's clock is ahead of the bot's. */
  readonly skewMs?: number;
  /** Permissions of the app beside those of app.yml, or in their place; null: the app has it not. */
  readonly permissions?: Readonly<Record<string, "read" | "write" | null>>;
};

const testConfig = `mutable: [train.py]
trial: {command: "python3 train.py", budget: 3s, timeout: 20s}
keep: {baseline_trials: 1, trials: 1}
`;

export type World = Awaited<ReturnType<typeof startWorld>>;

export async function startWorld(options: WorldOptions = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-world-"));
  const contract = contractOf();
  const listeners: ((exchange: Exchange) => void)[] = [];
  const github = await startLocalGitHub({
    ...(options.skewMs === undefined ? {} : { now: () => new Date(Date.now() + options.skewMs!) }),
    dir,
    onExchange: (exchange) => {
      contract.take(exchange);
      for (const listener of listeners) listener(exchange);
    },
    ...(options.actions === undefined ? {} : { actions: options.actions }),
  });
  const files: Record<string, string | null> = {
    "train.py": trainPy({ value: 2 }),
    "prepare.py": "DATA = 1\n",
    ".github/workflows/autoresearch.yml": readFileSync(path.join(root, ".github/workflows/autoresearch.yml"), "utf8"),
    ".github/autoresearch.yml":
      options.config === null
        ? null
        : `${testConfig}${options.public === true ? `runner: {allow_public: ${owner}/${repo}}\n` : ""}${options.config ?? ""}`,
    ...options.files,
  };
  const present = Object.fromEntries(
    Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  github.world.createUser(owner);
  await github.world.createRepo({ owner, name: repo, files: present, private: options.public !== true });
  github.world.setPermission(`${owner}/${repo}`, owner, "admin");
  const manifest = parse(readFileSync(path.join(root, "app.yml"), "utf8")) as {
    default_permissions: Record<string, "read" | "write">;
    default_events: string[];
  };
  const app = github.world.createApp({
    slug: "autoresearch",
    permissions: Object.fromEntries(
      Object.entries({ ...manifest.default_permissions, ...options.permissions }).filter(
        (entry): entry is [string, "read" | "write"] => entry[1] !== null,
      ),
    ),
    events: manifest.default_events,
  });
  github.world.install(app.appId, `${owner}/${repo}`);
  const port = await freePort();
  github.world.setWebhookUrl(app.appId, `http://127.0.0.1:${port}/api/github/webhooks`);

  const startBot = () =>
    serve({
      ...defaultAppOptions,
      ...options.app,
      ...(options.researcher === undefined ? {} : { researcherFor: () => options.researcher! }),
      appId: app.appId,
      privateKey: app.privateKey,
      webhookSecret: app.webhookSecret,
      host: "127.0.0.1",
      port,
      webhookPath: "/api/github/webhooks",
      webhookProxy: null,
      metricsToken,
      secrets: [],
      logFormat: "json",
      apiUrl: github.apiUrl,
      logLevel: process.env["TEST_LOG"] === undefined ? "fatal" : "info",
    });
  let bot: Awaited<ReturnType<typeof startBot>> | null = await startBot();
  const runners = new Children(path.join(dir, "logs"), () => {});
  const count = options.runners ?? 1;
  const { training = () => true } = options;
  const stopInstant = training === "real" ? () => {} : startInstantRunners(github, { count, mayEnd: training });
  if (training === "real") startRunners(runners, { url: github.url, dir, count });
  const at = { owner, repo };
  const as = (login: string) => octokitWith(github, github.world.personalToken(login));
  const world = {
    github,
    at,
    as,
    bot: `${app.slug}[bot]`,
    /** Where to look, past the API. */
    site: { github, repo: `${owner}/${repo}`, bot: `${app.slug}[bot]` },
    hasBot: () => bot !== null,
    app,
    directory: github.world.repo(`${owner}/${repo}`).directory,
    /** SIGKILLs a runner, as when its machine loses its power. It comes up again by itself. */
    killRunner: (name: string) => {
      for (const pid of pidsWith(`--work\0${path.join(dir, "work", name)}\0`)) process.kill(pid, "SIGKILL");
    },
    /** Hears of every exchange with GitHub from now on. */
    onExchange: (listener: (exchange: Exchange) => void) => void listeners.push(listener),
    stopBot: async () => {
      await bot?.close();
      bot = null;
    },
    startBot: async () => {
      bot = await startBot();
    },
    /** Opens an issue with the program and the label. */
    openSession: async (body = "Lower the value of val_bpb.", by = owner) => {
      const { data } = await as(by).rest.issues.create({ ...at, title: "Find a better train.py", body });
      await as(owner).rest.issues.addLabels({ ...at, issue_number: data.number, labels: ["autoresearch"] });
      return data.number;
    },
    /** The bot's metrics, as Prometheus reads them. */
    metrics: async () => {
      const headers = { authorization: `Bearer ${metricsToken}` };
      return (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    },
    comment: async (number: number, body: string, by = owner) =>
      (await as(by).rest.issues.createComment({ ...at, issue_number: number, body })).data.id,
    /** Processes that work in the world's folder: trainings, and what they started. */
    processes: () => processesIn(path.join(dir, "work")),
    git: async (...args: string[]) =>
      (await execa("git", ["-C", github.world.repo(`${owner}/${repo}`).directory, ...args])).stdout,
    ...views(github, at),
    close: async () => {
      await bot?.close();
      await runners.end();
      stopInstant();
      await github.stop();
      rmSync(dir, { recursive: true, force: true });
      const broken = [...github.unknownRoutes.map((name) => `no such route: ${name}`), ...contract.violations()];
      if (broken.length > 0) throw new Error(`the exchanges with GitHub broke its contract:\n${broken.join("\n")}`);
    },
  };
  return world;
}

export function octokitWith(github: LocalGitHub, auth: string): Octokit {
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  return new Octokit({ baseUrl: github.apiUrl, auth, log });
}

function processesIn(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const at = readlinkSync(`/proc/${pid}/cwd`);
        return at.startsWith(folder) ? [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] : [];
      } catch {
        return [];
      }
    });
}

/** Processes in whose command line the text stands; arguments end with a zero byte there. */
function pidsWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    });
}

/** What a person sees, read through the API. */
function views(github: LocalGitHub, at: { owner: string; repo: string }) {
  const octokit = octokitWith(github, github.world.personalToken(owner));
  const text = async (file: string, ref: string): Promise<string | null> => {
    const answer = await octokit.rest.repos.getContent({ ...at, path: file, ref }).catch(() => null);
    const data = answer?.data;
    return data !== undefined && "content" in data ? Buffer.from(data.content, "base64").toString("utf8") : null;
  };
  const record = async (issue: number): Promise<SessionRecord | null> => {
    const json = await text("session.json", `autoresearch/${issue}/results`);
    return json === null ? null : recordSchema.parse(JSON.parse(json));
  };
  const rows = async (issue: number): Promise<Row[]> =>
    parseResults((await text("results.tsv", `autoresearch/${issue}/results`)) ?? "");
  const comments = async (number: number) =>
    (await octokit.rest.issues.listComments({ ...at, issue_number: number, per_page: 100 })).data;
  return {
    text,
    record,
    rows,
    comments,
    issue: async (number: number) => (await octokit.rest.issues.get({ ...at, issue_number: number })).data,
    labels: async (number: number) =>
      (await octokit.rest.issues.listLabelsOnIssue({ ...at, issue_number: number })).data
        .map((label) => label.name)
        .sort(),
    dashboard: async (issue: number) =>
      (await comments(issue)).find((each) => each.body?.includes("autoresearch:dashboard"))?.body ?? null,
    pulls: async () =>
      (await octokit.rest.pulls.list({ ...at, state: "all", sort: "created", direction: "asc", per_page: 100 })).data,
    checks: async (commit: string) =>
      (await octokit.rest.checks.listForRef({ ...at, ref: commit, filter: "all" })).data.check_runs,
    runs: async () => (await octokit.rest.actions.listWorkflowRunsForRepo({ ...at, per_page: 100 })).data.workflow_runs,
    /** Waits until the session is in the state and nothing is left to be done. */
    settled: (issue: number, state: SessionRecord["state"]) =>
      until(`the session is ${state} and settled`, async () => {
        const [now, labels] = [
          await record(issue),
          (await octokit.rest.issues.listLabelsOnIssue({ ...at, issue_number: issue })).data,
        ];
        const open = (await octokit.rest.pulls.list({ ...at, base: `autoresearch/${issue}/frontier`, state: "open" }))
          .data;
        const named = labels.some((label) => label.name === `autoresearch:${state}`);
        const said = (await comments(issue)).some((each) => each.body?.startsWith(`**autoresearch** · ${state}`));
        // What a fork offers is nobody's to close but its people's.
        const own = open.filter(({ head }) => head.repo?.full_name === `${at.owner}/${at.repo}`);
        return now?.state === state && named && said && own.length === 0;
      }),
  };
}

/** Polls until the condition holds; fails with its name after 90 s. */
export async function until<T>(what: string, condition: () => Promise<T>, withinMs = 90_000): Promise<NonNullable<T>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value != null) return value;
    if (Date.now() > end) throw new Error(`it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
