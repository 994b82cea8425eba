/** A local GitHub with a repository, people, an app that listens, and real runner processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Octokit } from "@octokit/rest";
import { expect, onTestFinished } from "vitest";
import type { ActionsOptions } from "../../src/local/github/actions.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import { contractOf } from "../support/openapi.ts";

const root = path.resolve(import.meta.dirname, "../..");
export const shippedWorkflow = readFileSync(path.join(root, ".github/workflows/autoresearch.yml"), "utf8");

/** A webhook as the app got it. */
export type Heard = { readonly event: string; readonly action: string; readonly body: Record<string, unknown> };

export type ActionsWorld = Awaited<ReturnType<typeof startActionsWorld>>;
export const at = { owner: "ada", repo: "model" } as const;

export async function startActionsWorld(
  options: { files?: Record<string, string>; actions?: ActionsOptions; now?: () => Date } = {},
) {
  const dir = realpathSync(mkdtempSync(path.join(tmpdir(), "actions-world-")));
  const runners: ChildProcess[] = [];
  const contract = contractOf({ requests: "accepted" });
  const hooks = await startListener();
  const start = (port = 0) =>
    startLocalGitHub({
      dir,
      port,
      onExchange: (exchange) => contract.take(exchange),
      ...(options.actions === undefined ? {} : { actions: options.actions }),
      ...(options.now === undefined ? {} : { now: options.now }),
    });
  let github = await start();
  await github.world.createRepo({
    owner: at.owner,
    name: at.repo,
    private: true,
    files: options.files ?? { "README.md": "x\n" },
  });
  const app = github.world.createApp({
    slug: "listener",
    permissions: { actions: "write", contents: "read", checks: "read", administration: "read" },
    events: ["workflow_run", "workflow_job"],
    webhookUrl: hooks.url,
  });
  github.world.install(app.appId, `${at.owner}/${at.repo}`);
  onTestFinished(async () => {
    for (const runner of runners) await ended(runner, "SIGTERM");
    await github.webhooks.settled();
    await github.stop();
    hooks.server.close();
    rmSync(dir, { recursive: true, force: true });
    for (const hook of hooks.heard) contract.takeWebhook(hook);
    expect(contract.violations()).toEqual([]);
    expect(github.unknownRoutes).toEqual([]);
  });
  const world = {
    dir,
    heard: hooks.heard,
    /** `GET /repos/…` of every route that answered with success. */
    seen: contract.seen,
    get github() {
      return github;
    },
    as: (login: string) => octokitWith(github.apiUrl, github.world.personalToken(login)),
    /** Stops the local GitHub and starts it again on the same folder and port. */
    restart: async () => {
      const { port } = new URL(github.url);
      await github.stop();
      github = await start(Number(port));
    },
    startRunner: (name: string, labels: string, env: Record<string, string> = {}) => {
      const child = startRunner({ dir, url: github.url, secretFile: github.actions.secretFile, name, labels, env });
      runners.push(child);
      return child;
    },
    /** Dispatches and gives the run's id. */
    dispatch: async (inputs: Record<string, string>, file = "autoresearch.yml") => {
      const { data } = await world
        .as("ada")
        .request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
          ...at,
          workflow_id: file,
          ref: "main",
          inputs,
          return_run_details: true,
        });
      return (data as unknown as { workflow_run_id: number }).workflow_run_id;
    },
    run: async (run_id: number) => (await world.as("ada").rest.actions.getWorkflowRun({ ...at, run_id })).data,
    jobs: async (run_id: number) =>
      (await world.as("ada").rest.actions.listJobsForWorkflowRun({ ...at, run_id })).data.jobs,
    log: async (job_id: number) =>
      String((await world.as("ada").rest.actions.downloadJobLogsForWorkflowRun({ ...at, job_id })).data),
    /** Resolves when the run is completed. */
    completed: async (run_id: number) =>
      until(async () => {
        const run = await world.run(run_id);
        return run.status === "completed" ? run : null;
      }),
  };
  return world;
}

export function octokitWith(baseUrl: string, auth: string): Octokit {
  const silent = () => {};
  return new Octokit({ baseUrl, auth, log: { debug: silent, info: silent, warn: silent, error: silent } });
}

async function startListener(): Promise<{ server: Server; url: string; heard: Heard[] }> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
      heard.push({ event: String(request.headers["x-github-event"]), action: String(body["action"]), body });
      response.end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, heard };
}

type RunnerStart = {
  readonly dir: string;
  readonly url: string;
  readonly secretFile: string;
  readonly name: string;
  readonly labels: string;
  readonly env: Readonly<Record<string, string>>;
};

function startRunner({ dir, url, secretFile, name, labels, env }: RunnerStart): ChildProcess {
  const values = { url, "secret-file": secretFile, name, labels, work: path.join(dir, "work", name) };
  const args = Object.entries(values).flatMap(([key, value]) => [`--${key}`, value]);
  const child = spawn(process.execPath, [path.join(root, "src/local/runner.ts"), ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: dir, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  return child;
}

export async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await exit;
}

/** Polls until there is something; the test's own time-out is the bound. */
export async function until<T>(
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** True when a process with this id runs, and is not only waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/stat`;
  return !existsSync("/proc/self/stat") || (existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8")));
}

export function pidsIn(text: string): number[] {
  return Array.from(text.matchAll(/pid: (\d+)$/gm), (match) => Number(match[1]));
}

/** Two jobs: one on a GPU, and one of GitHub's own that needs what the first gave. */
const one = [
  "name: One",
  "run-name: run ${{ inputs.a }} of ${{ github.actor }}",
  "on: {workflow_dispatch: {inputs: {a: {required: true}, b: {type: choice, options: [x, y], default: x}}}}",
  "jobs:",
  "  first:",
  "    runs-on: [self-hosted, gpu]",
  "    permissions: {contents: read}",
  "    outputs: {o: '${{ steps.s.outputs.o }}'}",
  "    steps: [{id: s, run: 'true'}]",
  "  second:",
  "    needs: first",
  "    if: needs.first.outputs.o != ''",
  "    name: second ${{ needs.first.outputs.o }}",
  "    runs-on: ubuntu-latest",
  "    permissions: {checks: write}",
  "    steps: [{run: 'true'}]",
  "",
].join("\n");
export const twoJobs = {
  ".github/workflows/one.yml": one,
  ".github/workflows/push.yml": one.replace("workflow_dispatch: {", "push: {"),
};
