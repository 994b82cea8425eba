/** The folders and the environment of one job, as a runner of GitHub prepares them. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Json } from "../github/actions/expression.ts";
import type { JobMessage } from "../github/actions/messages.ts";
import type { Identity } from "./client.ts";

export type Workspace = {
  /** GITHUB_WORKSPACE */
  readonly folder: string;
  /** RUNNER_TEMP */
  readonly temp: string;
  /** Of every step. */
  readonly env: Readonly<Record<string, string>>;
  readonly remove: () => void;
};

const jobFolder = /^job-\d+$/;

/** Removes what jobs of an earlier process left. */
export function cleanWork(work: string): void {
  mkdirSync(work, { recursive: true });
  for (const name of readdirSync(work)) if (jobFolder.test(name)) remove(path.join(work, name));
}

/** Best effort: what a job made unremovable, or a dying process still writes to, must not end the runner. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  } catch (error) {
    process.stderr.write(`runner: ${String(error)}\n`);
  }
}

export function makeWorkspace(work: string, job: JobMessage, identity: Identity): Workspace {
  const top = path.join(work, `job-${job.jobId}`);
  const [temp, tools] = [path.join(top, "temp"), path.join(work, "tools")];
  const name = job.repository.split("/")[1] ?? "repository";
  const folder = path.join(top, name, name);
  for (const each of [temp, tools, folder]) mkdirSync(each, { recursive: true });
  const github = job.contexts["github"] as { readonly [name: string]: Json };
  const eventPath = path.join(temp, "event.json");
  writeFileSync(eventPath, JSON.stringify(github["event"]));
  const env = {
    ...ownEnvironment(),
    CI: "true",
    GITHUB_ACTIONS: "true",
    ...githubVariables(github),
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_WORKSPACE: folder,
    RUNNER_NAME: identity.name,
    RUNNER_OS: "Linux",
    RUNNER_ARCH: process.arch.toUpperCase(),
    RUNNER_ENVIRONMENT: identity.hosted ? "github-hosted" : "self-hosted",
    RUNNER_TEMP: temp,
    RUNNER_TOOL_CACHE: tools,
    RUNNER_WORKSPACE: path.dirname(folder),
    RUNNER_TRACKING_ID: `github_${randomUUID()}`,
  };
  return { folder, temp, env, remove: () => remove(top) };
}

/** What the runner itself was started with: a step of a self-hosted runner sees it too. */
function ownEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !/^(?:NODE_CHANNEL|npm_)/.test(name));
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** `GITHUB_RUN_ID` of `github.run_id`, and so on, for all that is text; the token is never among them. */
function githubVariables(github: { readonly [name: string]: Json }): Record<string, string> {
  const texts = Object.entries(github).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string" && entry[0] !== "token",
  );
  return Object.fromEntries(texts.map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, value]));
}
