/**
 * The app: webhooks wake sessions, and that is all they do. The wiring of queue, sweep and loop is here; decisions are in
 * domain/decide.ts.
 */
import type { Probot } from "probot";
import type { Config } from "./domain/config.ts";
import { type SessionKey, formatSessionKey, parseSessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import { GitHubApp } from "./github/app.ts";
import type { OctokitLike } from "./github/client.ts";
import { hearPress, keepPress } from "./github/press.ts";
import type { Asked } from "./github/line.ts";
import { type Hint, everything } from "./github/view.ts";
import { hear } from "./hints.ts";
import { Queue } from "./queue.ts";
import { type Deps, type Memory, emptyMemory, reconcile } from "./reconcile.ts";
import { researcherFor } from "./researcher/kinds.ts";
import { startSweep } from "./sweep.ts";

export type AppOptions = {
  /** Pause between two sweeps over all sessions. */
  readonly sweepEveryMs: number;
  /** Sessions in work at a time. */
  readonly concurrency: number;
  /** Who proposes, by a session's configuration. */
  readonly researcherFor: (config: Config) => Researcher;
  /** Whether writes are kept apart as github.com asks. */
  readonly spaced?: boolean;
  /** Hears of every request to GitHub, with what its answer says of the limits. */
  readonly asked?: (asked: Asked) => void;
};

export const defaultAppOptions: AppOptions = { sweepEveryMs: 30 * 60_000, concurrency: 8, researcherFor };

const hookEvents = [
  "issues",
  "issue_comment",
  "pull_request",
  "check_run",
  "workflow_run",
  "push",
  "create",
  "delete",
] as const;
const memoriesAtMost = 1_000;
const timerHint: Hint = new Set(["runs", "checks"]);

export type RunningApp = {
  /** Begins no pass any more; resolves when those in hand are over. */
  close(): Promise<void>;
};

/** Wires the app to Probot and begins to sweep. */
export async function startApp(probot: Probot, options: AppOptions): Promise<RunningApp> {
  const github = new GitHubApp(
    (id) => (id === undefined ? probot.auth() : probot.auth(id)) as Promise<unknown> as Promise<OctokitLike>,
    {
      unreadable: (what, error) => probot.log.warn({ err: error, what }, "the sweep could not read it"),
      spaced: options.spaced ?? false,
      ...(options.asked === undefined ? {} : { asked: options.asked }),
    },
  );
  const memories = new Map<string, Memory>();
  const log = probot.log;
  const wake = (key: SessionKey, hint: Hint = everything) => queue.wake(formatSessionKey(key), hint);
  const deps: Deps = {
    clientFor: (key) => github.clientFor(key),
    identity: () => github.identity(),
    researcherFor: options.researcherFor,
    wake: (key) => wake(key, new Set()),
    now: () => Date.now(),
    log,
  };

  const queue = new Queue<Hint>({
    merge: (a, b) => a.union(b),
    timerHint,
    now: () => Date.now(),
    concurrency: options.concurrency,
    pass: async (name, hint) => {
      const key = parseSessionKey(name)!;
      const memory = memories.get(name) ?? emptyMemory(key);
      // The least recently used go first: what is forgotten is read again.
      memories.delete(name);
      memories.set(name, memory);
      if (memories.size > memoriesAtMost) memories.delete(memories.keys().next().value!);
      return reconcile(key, hint, memory, deps);
    },
    failed: (name, error, retryMs) => {
      memories.delete(name);
      github.forget(parseSessionKey(name)!);
      log.error({ err: error, session: name, retryMs }, "the pass failed");
    },
  });

  const { login } = await github.identity();
  probot.on([...hookEvents], ({ name, payload }) => {
    const heard = hear(name, payload, login);
    if (heard !== null) wake(heard.key, heard.hint);
  });
  probot.on(["check_run.requested_action", "check_run.rerequested"], async ({ id, payload }) => {
    const heard = hearPress(payload);
    if (heard === null) return;
    await keepPress(await github.clientFor(heard.key), heard, id);
    wake(heard.key, new Set(["comments", "issue"]));
  });
  const stopSweep = startSweep({
    sessions: () => github.sessions(),
    wake,
    everyMs: options.sweepEveryMs,
    failed: (error) => log.error({ err: error }, "the sweep failed; the next one tries again"),
  });
  return {
    close: async () => {
      stopSweep();
      await queue.close();
    },
  };
}
