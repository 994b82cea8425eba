/**
 * A session on this machine, from the first file to the summary: the local GitHub in this process, the bot and the runners
 * as children, and the story. Everything that matters is on disk under `dir`: killed at any moment and started again with
 * the same `dir`, it goes on.
 */
import { rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { isEnded } from "../domain/session.ts";
import { parseAllowedCommands } from "../domain/allowed-commands.ts";
import { Children, startRunners } from "./children.ts";
import { claimDirectory, lockDirectory, readJson, writeWhole } from "./directory.ts";
import { type LocalGitHub, startLocalGitHub } from "./github/server.ts";
import type { LocalOptions } from "./options.ts";
import { pagesOf } from "./pages/pages.ts";
import { freePort } from "./port.ts";
import { type SessionSeen, readSession } from "./reading.ts";
import { type Setting, asPerson, openIssue, person, readSetting, setUp } from "./setting-up.ts";
import { liveLines, newLines, nothingTold } from "./story.ts";
import { type Requests, type Summary, closingLines, summaryOf } from "./summary.ts";
import { Terminal } from "./terminal.ts";

const here = path.dirname(fileURLToPath(import.meta.url));
const preferredPort = 4871;
const lookEveryMs = 200;

/** Runs until the session ends, is blocked or refused, or Ctrl-C; gives the exit status. */
export async function runLocal(options: LocalOptions, title: string): Promise<number> {
  const claimed = claimDirectory(options.dir);
  if (claimed !== null) {
    console.error(claimed.problem);
    return 2;
  }
  const unlock = lockDirectory(options.dir);
  if (unlock === null) {
    console.error(`another process works in ${options.dir}; end it first, or name another --dir.`);
    return 1;
  }
  // A world that was never finished being set up holds nothing.
  if (readSetting(options.dir) === null)
    for (const part of ["world", "repo.git"]) rmSync(path.join(options.dir, part), { recursive: true, force: true });
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const github = await startLocalGitHub({ dir: options.dir, port: options.port ?? (await freePort(preferredPort)) });
  github.serve(pagesOf(github, { actAs: person }));
  const children = new Children(path.join(options.dir, "logs"), (sentence) => terminal.print([sentence]));
  const interrupted = onInterrupt();
  try {
    return await runSession({ options, title, terminal, github, children, interrupted });
  } finally {
    await children.end();
    await github.stop();
    unlock();
  }
}

type Run = {
  readonly options: LocalOptions;
  readonly title: string;
  readonly terminal: Terminal;
  readonly github: LocalGitHub;
  readonly children: Children;
  readonly interrupted: AbortSignal;
};

async function runSession(run: Run): Promise<number> {
  const { options, title, terminal, github, interrupted } = run;
  const setting = await setUp(github, options);
  const [owner, repo] = setting.repo.split("/") as [string, string];
  const requests = requestsSoFar(options.dir, github);
  const octokit = asPerson(github);
  const startedMs = Date.now();
  if (!(options.serve && options.repo === null)) await startChildren(run, setting);
  const { issue } = await openIssue(github, setting, options);
  terminal.print([
    `${title} · local GitHub on ${github.url} · issue #${issue}: ${github.url}/${setting.repo}/issues/${issue}`,
  ]);

  const seen = await follow(run, () => readSession(octokit, { owner, repo }, issue), requests);
  const wallSeconds = (Date.now() - (seen.record === null ? startedMs : Date.parse(seen.record.startedAt))) / 1000;
  const summary = summaryOf(seen, requests(), wallSeconds);
  await writeOut(options, seen, summary);
  if (interrupted.aborted) terminal.print(["", `interrupted; the same command with --dir ${options.dir} goes on.`]);
  else if (seen.refusal !== null) terminal.print([`the bot answered: ${seen.refusal}`]);
  terminal.print(
    seen.refusal === null
      ? closingLines(summary, seen, { url: github.url, dir: shown(options.dir), repo: setting.repo })
      : [],
  );
  if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  if (options.push && options.repo !== null) await pushFrontier(options, summary, terminal);
  if (options.serve && !interrupted.aborted) {
    terminal.print([`serving ${github.url} until Ctrl-C`]);
    await new Promise<void>((resolve) => interrupted.addEventListener("abort", () => resolve(), { once: true }));
  }
  if (interrupted.aborted && !options.serve) return 130;
  return summary.state === "done" || summary.state === "stopped" ? 0 : 1;
}

async function startChildren({ options, github, children }: Run, setting: Setting): Promise<void> {
  const port = await freePort();
  github.world.setWebhookUrl(setting.appId, `http://127.0.0.1:${port}/api/github/webhooks`);
  children.start({
    name: "bot",
    module: path.join(here, "../main.ts"),
    args: [],
    env: {
      APP_ID: String(setting.appId),
      PRIVATE_KEY: setting.privateKey,
      WEBHOOK_SECRET: setting.webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_FORMAT: "json",
      ...researcherVariables(process.env),
    },
  });
  startRunners(children, { url: github.url, dir: options.dir, count: options.runners });
}

/** What the bot's researchers need of our environment. The runners, which run candidates, get none of it. */
function researcherVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const allowed = parseAllowedCommands(env["RESEARCHER_COMMANDS"]);
  const named = "problem" in allowed ? [] : Object.values(allowed.commands).flatMap((command) => command.env);
  const names = ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "RESEARCHER_COMMANDS", ...named];
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined || env[name] === "" ? [] : [[name, env[name]] as const])),
  );
}

/** Tells the story until there is no more to tell. */
async function follow(run: Run, look: () => Promise<SessionSeen>, requests: () => Requests): Promise<SessionSeen> {
  const { options, terminal, github, interrupted } = run;
  const told = nothingTold();
  let changed = true;
  let seen = await look();
  const unsubscribe = github.on("change", () => {
    changed = true;
  });
  try {
    for (;;) {
      if (changed) {
        changed = false;
        seen = await look();
        writeWhole(path.join(options.dir, "requests.json"), JSON.stringify(requests()));
        terminal.print(newLines(seen, told, terminal.draws));
      }
      terminal.draw(isOver(seen) ? [] : liveLines(seen, Date.now()));
      if ((isOver(seen) && isSettled(seen)) || interrupted.aborted) return seen;
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  } finally {
    unsubscribe();
    terminal.draw([]);
  }
}

function isOver(seen: SessionSeen): boolean {
  if (seen.refusal !== null) return true;
  return seen.record !== null && (isEnded(seen.record.state) || seen.record.state === "blocked");
}

/** After a stop there are pull requests to be closed and runs to be cancelled. */
function isSettled(seen: SessionSeen): boolean {
  if (seen.record?.state === "blocked" || seen.refusal !== null) return true;
  const rows = new Set(seen.rows.map((row) => row.experiment));
  const trials = [...seen.baseline, ...seen.experiments.flatMap((experiment) => experiment.trials)];
  return (
    seen.experiments.every((experiment) => rows.has(experiment.number)) &&
    trials.every((trial) => trial.status === "completed")
  );
}

async function writeOut(options: LocalOptions, seen: SessionSeen, summary: Summary): Promise<void> {
  writeWhole(path.join(options.dir, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  for (const file of ["results.tsv", "progress.svg"]) {
    const ref = `autoresearch/${seen.issue}/results`;
    const { stdout, exitCode } = await execa(
      "git",
      ["-C", path.join(options.dir, "repo.git"), "show", `${ref}:${file}`],
      {
        reject: false,
        stripFinalNewline: false,
      },
    );
    if (exitCode === 0) writeWhole(path.join(options.dir, file), stdout);
  }
}

async function pushFrontier(options: LocalOptions, summary: Summary, terminal: Terminal): Promise<void> {
  const { ref } = summary.frontier;
  const { exitCode, stderr } = await execa(
    "git",
    ["-C", options.repo!, "fetch", path.join(options.dir, "repo.git"), `${ref}:${ref}`],
    { reject: false },
  );
  terminal.print([
    exitCode === 0
      ? `fetched ${ref} into ${options.repo}`
      : `could not fetch ${ref} into ${options.repo}: ${stderr.split("\n").at(-1)}`,
  ]);
}

/** Requests of this process and of those before it on the same `dir`. */
function requestsSoFar(dir: string, github: LocalGitHub): () => Requests {
  const before = readJson(path.join(dir, "requests.json")) as Requests | null;
  return () => {
    const now = github.requests();
    if (before === null) return now;
    const kinds = Object.keys(now.byKind) as (keyof Requests["byKind"])[];
    const byKind = Object.fromEntries(
      kinds.map((kind) => [kind, now.byKind[kind] + before.byKind[kind]]),
    ) as Requests["byKind"];
    return { ...now, total: now.total + before.total, byKind };
  };
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

function shown(dir: string): string {
  const relative = path.relative(process.cwd(), dir);
  return relative === "" || relative.startsWith("..") ? dir : relative;
}
