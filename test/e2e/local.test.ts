import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, expect, test } from "vitest";
import { parseResults } from "../../src/domain/results.ts";
import { fullName } from "../../src/local/github/finders.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import type { Summary } from "../../src/local/summary.ts";
import { noBubblewrap } from "../action/bubblewrap.ts";
import { unfinishedIn, wrongsIn } from "../support/invariants.ts";
import { until } from "../support/world.ts";

const root = path.resolve(import.meta.dirname, "../..");

const train = `WIDTH = 1.0
DEPTH = 16
PAUSE = 0.5

import math
import time

time.sleep(PAUSE)
print("---")
print(f"val_bpb:          {2 + 0.05 * (math.log2(WIDTH) - 2) ** 2 + 0.03 * (math.log2(DEPTH) - 2) ** 2:.6f}")
`;

const config = `mutable: [train.py]
trial: {command: python3 train.py, budget: 1s, timeout: 20s}
keep: {baseline_trials: 1, noise: 0.001}
researcher: {kind: mutate}
`;

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A repository as a user has it: no workflow, no app, a dirty working tree. */
async function userRepository() {
  const home = mkdtempSync(path.join(tmpdir(), "autoresearch-local-"));
  made.push(home);
  const repo = path.join(home, "model");
  mkdirSync(path.join(repo, ".github"), { recursive: true });
  writeFileSync(path.join(repo, "train.py"), train);
  writeFileSync(path.join(repo, ".github/autoresearch.yml"), config);
  writeFileSync(path.join(home, "program.md"), "# Lower it\n\nMake val_bpb lower.\n");
  const git = (...args: string[]) =>
    execa("git", ["-C", repo, "-c", "user.name=ada", "-c", "user.email=ada@localhost", ...args]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "A model");
  writeFileSync(path.join(repo, "notes.txt"), "not committed\n");
  const dir = path.join(home, "session");
  return { home, repo, dir, git, args: ["--repo", repo, "--program", path.join(home, "program.md"), "--dir", dir] };
}

function local(args: readonly string[], entry = "src/local/main.ts"): ChildProcess & { output: () => string } {
  const child = spawn(process.execPath, [path.join(root, entry), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return Object.assign(child, { output: () => text });
}

function ended(child: ChildProcess): Promise<number | null> {
  return child.exitCode === null && child.signalCode === null
    ? new Promise((resolve) => child.once("exit", (code) => resolve(code)))
    : Promise.resolve(child.exitCode);
}

/** Processes whose command line names the folder. */
function processesAt(dir: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return command.includes(dir) ? [command] : [];
      } catch {
        return [];
      }
    });
}

/** What of the world that a local session left is not as it must be; `port` is where it was: its comments link there. */
async function wrongsAt(dir: string, port: number): Promise<string[]> {
  const github = await startLocalGitHub({ dir, port });
  const { store } = github.core;
  const [repository] = store.all("repository");
  const app = store.all("app").find(({ slug }) => slug !== "github-actions")!;
  const site = { github, repo: fullName(store, repository!), bot: `${app.slug}[bot]` };
  const wrongs = [...(await unfinishedIn(site, {}, 0)), ...(await wrongsIn(site))];
  await github.stop();
  return wrongs;
}

function summaryIn(dir: string): Summary {
  return JSON.parse(readFileSync(path.join(dir, "summary.json"), "utf8")) as Summary;
}

test("killed in the middle, the same command goes on and loses nothing", async () => {
  const { repo, dir, args, git } = await userRepository();
  const options = [...args, "--experiments", "4"];
  const first = local(options);
  await until("a first experiment is settled", async () => /exp 1 .* (keep|discard)/.test(first.output()));
  first.kill("SIGKILL");
  await ended(first);
  await until("nothing that it started is left", async () => processesAt(dir).length === 0, 20_000);

  const second = local([...options, "--json", "--push"]);
  expect(await ended(second)).toBe(0);
  const summary = summaryIn(dir);
  expect(summary).toMatchObject({ state: "done", metric: "val_bpb", issue: 1 });
  expect(summary.experiments.map((experiment) => experiment.number)).toEqual([1, 2, 3, 4]);
  expect(summary.best!).toBeLessThan(summary.baseline!);

  const rows = parseResults(readFileSync(path.join(dir, "results.tsv"), "utf8"));
  expect(rows.map((row) => row.experiment)).toEqual([0, 1, 2, 3, 4]);
  expect(readFileSync(path.join(dir, "progress.svg"), "utf8")).toContain("<svg");
  for (const experiment of summary.experiments) {
    expect(rows.find((row) => row.experiment === experiment.number)!.outcome).toBe(experiment.outcome);
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(second.output())![1]);
  expect(await wrongsAt(dir, port)).toEqual([]);
  // PATH has the frontier, because --push was given, and nothing else of it changed.
  expect((await git("rev-parse", "autoresearch/1/frontier")).stdout).toBe(summary.frontier.sha);
  expect((await git("status", "--porcelain")).stdout).toBe("?? notes.txt");
  expect((await git("branch", "--show-current")).stdout).toBe("main");
  expect(existsSync(path.join(repo, ".github/workflows"))).toBe(false);
});

test("Ctrl-C ends all children, and the session can go on", async () => {
  const { dir, args } = await userRepository();
  const child = local([...args, "--experiments", "30"]);
  await until("a training is on", async () => /exp 1 .* training/.test(child.output()));
  child.kill("SIGINT");
  expect(await ended(child)).toBe(130);
  expect(processesAt(dir)).toEqual([]);
  expect(child.output()).toContain("goes on");
});

test.skipIf(noBubblewrap !== null)("a demo passes with a sandbox required", async () => {
  const { dir } = await userRepository();
  // A demo that was begun goes on with its copy of the example: here one whose baseline is measured once.
  const copy = path.join(dir, "tiny");
  cpSync(path.join(root, "examples/tiny"), copy, { recursive: true });
  const settings = path.join(copy, ".github/autoresearch.yml");
  writeFileSync(settings, readFileSync(settings, "utf8").replace("keep:\n", "keep:\n  baseline_trials: 1\n"));
  writeFileSync(path.join(dir, "autoresearch-session"), "");
  await execa("git", ["init", "--quiet", "--initial-branch=main", copy]);
  await execa("git", ["-C", copy, "add", "--all"]);
  await execa("git", ["-C", copy, "-c", "user.name=ada", "-c", "user.email=ada@localhost", "commit", "-qm", "Tiny"]);
  const options = ["--dir", dir, "--experiments", "1", "--sandbox", "required", "--researcher", "mutate"];
  expect(await ended(local(options, "src/local/demo.ts"))).toBe(0);
  const { baseline, experiments } = summaryIn(dir);
  expect(baseline).toBeGreaterThan(0);
  expect(experiments.map((experiment) => experiment.outcome)).toEqual([expect.stringMatching(/^(keep|discard)$/)]);
  // Every trial ran in it: that of the baseline, and one or more of the experiment.
  const logs = path.join(dir, "world/job-logs");
  const said = readdirSync(logs).flatMap(
    (name) => readFileSync(path.join(logs, name), "utf8").match(/hashed; sandbox: .*/g) ?? [],
  );
  expect(said.length).toBeGreaterThanOrEqual(2);
  expect(new Set(said)).toEqual(new Set(["hashed; sandbox: bubblewrap"]));
});

test("what can't work is said in a sentence, with a status of its own", async () => {
  const { args, dir } = await userRepository();
  const wrong = local(["--repo", "/nowhere", "--program", "x"]);
  expect(await ended(wrong)).toBe(2);
  expect(wrong.output()).toContain("--repo /nowhere does not exist.");
  const precious = path.join(path.dirname(dir), "precious");
  mkdirSync(path.join(precious, "world"), { recursive: true });
  const taken = local([...args.slice(0, 4), "--dir", precious]);
  expect(await ended(taken)).toBe(2);
  expect(existsSync(path.join(precious, "world"))).toBe(true);
  const claude = local([...args, "--researcher", "claude"]);
  expect(await ended(claude)).toBe(2);
  writeFileSync(args[3]!, "---\nlimits: {experiments: many}\n---\n# Lower it\n");
  const refused = local(args);
  expect(await ended(refused)).toBe(1);
  expect(refused.output()).toContain("limits.experiments");
  expect(summaryIn(dir).state).toBe("refused");
});
