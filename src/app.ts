/**
 * The app: webhooks wake sessions, and that is all they do. The wiring of queue, sweep and loop is here; decisions are in
 * domain/decide.ts.
 */
import type { Logger } from "pino";
import type { Probot } from "probot";
import type { Config } from "./domain/config.ts";
import { type SessionKey, formatSessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import { type Authenticate, GitHubApp } from "./github/app.ts";
import type { OctokitLike } from "./github/client.ts";
import { redeliver } from "./github/deliveries.ts";
import { metered } from "./github/meter.ts";
import { hasWriteLimits } from "./github/octokit.ts";
import { type Hint, type Identity, everything } from "./github/view.ts";
import type { Health } from "./health.ts";
import { hear } from "./hints.ts";
import { identify, identifyLater } from "./identify.ts";
import type { Metrics } from "./metrics.ts";
import { Passes } from "./passes.ts";
import { Queue } from "./queue.ts";
import { researcherFor } from "./researcher/kinds.ts";
import { type Rounds, startRounds } from "./rounds.ts";
import { type Sweep, sweepOnce } from "./sweep.ts";

export type AppOptions = {
  /** Pause between two sweeps over all sessions. */
  readonly sweepEveryMs: number;
  /** Pause between two looks for deliveries that failed. */
  readonly redeliverEveryMs: number;
  /** Sessions in work at a time. */
  readonly concurrency: number;
  /** Who proposes, by a session's configuration. */
  readonly researcherFor: (config: Config) => Researcher;
};

export const defaultAppOptions: AppOptions = {
  sweepEveryMs: 30 * 60_000,
  redeliverEveryMs: 60 * 60_000,
  concurrency: 8,
  researcherFor,
};

/** The events that can hint at a session. */
export const hookEvents = [
  "issues",
  "issue_comment",
  "pull_request",
  "check_run",
  "workflow_run",
  "push",
  "create",
  "delete",
] as const;
const timerHint: Hint = new Set(["runs", "checks"]);

/** What the process is told of the app's doings. */
export type Watch = { readonly metrics: Metrics; readonly health: Health };

export type App = {
  /**
   * Asks who the app is and begins to sweep. Throws `Refused` where GitHub does not take the credentials; where it does not
   * answer it is asked again until it does, and what is heard meanwhile waits.
   */
  begin(): Promise<void>;
  /** Begins no pass any more; resolves when those in hand are over, each after the action in hand. */
  close(): Promise<void>;
};

/** Authenticates as the app or an installation, with every request heard by the metrics. */
export function authenticatorOf(probot: Probot, metrics: Metrics): Authenticate {
  return async (id) => {
    const octokit = (await (id === undefined ? probot.auth() : probot.auth(id))) as unknown as OctokitLike;
    return metered(octokit, id === undefined ? "app" : String(id), (exchange) => metrics.asked(exchange));
  };
}

/** Wires the app to Probot: from here on what is heard wakes sessions. */
export function wireApp(
  probot: Probot,
  options: AppOptions & { readonly apiUrl: string },
  { metrics, health }: Watch,
): App {
  const { log } = probot;
  const authenticate = authenticatorOf(probot, metrics);
  const github = new GitHubApp(authenticate, {
    spaced: hasWriteLimits(options.apiUrl),
    unreadable: (what, error) => log.warn({ err: error, what }, "the sweep could not read it"),
  });
  const wake = (key: SessionKey, hint: Hint, source: string) => {
    const name = formatSessionKey(key);
    metrics.hinted(name, source, Date.now());
    queue.wake(name, hint);
  };
  const passes = new Passes({
    github,
    researcherFor: options.researcherFor,
    wake: (key) => wake(key, new Set(), "researcher"),
    now: Date.now,
    log,
    metrics,
  });
  const queue = new Queue<Hint>({
    merge: (a, b) => a.union(b),
    timerHint,
    now: Date.now,
    concurrency: options.concurrency,
    pass: (name, hint) => passes.run(name, hint),
    failed: (name, _error, retryMs) => log.warn({ session: name, retryMs }, "the next pass is put off"),
  });
  metrics.watchQueue(() => ({ ready: queue.length, known: queue.size }));

  // Before the login is known, the bot's own echoes wake passes too: they cost, and change nothing.
  let login = "";
  probot.on([...hookEvents], ({ name, payload }) => {
    const heard = hear(name, payload, login);
    if (heard !== null) wake(heard.key, heard.hint, name);
  });

  const stop = new AbortController();
  const beginRounds = (identity: Identity | null) => {
    if (identity === null) return;
    login = identity.login;
    startRounds(sweepsOf(github, wake, options, { metrics, health, log }), stop.signal);
    startRounds(redeliveriesOf(authenticate, options, { metrics, log, apiUrl: options.apiUrl }), stop.signal);
  };
  return {
    begin: async () => {
      const asking = { github, health, log };
      const identity = await identify(asking);
      if (identity === null) void identifyLater(asking, stop.signal).then(beginRounds);
      else beginRounds(identity);
    },
    close: async () => {
      stop.abort();
      passes.stop();
      await queue.close();
    },
  };
}

function sweepsOf(
  github: GitHubApp,
  wake: (key: SessionKey, hint: Hint, source: string) => void,
  options: AppOptions,
  { metrics, health, log }: Watch & { log: Logger },
): Rounds {
  const sweep: Sweep = {
    sessions: () => github.sessions(),
    wake: (key) => wake(key, everything, "sweep"),
    begun: () => health.sweepBegan(),
  };
  return {
    run: async (signal) => {
      await sweepOnce(sweep, signal);
      metrics.swept("done");
    },
    everyMs: options.sweepEveryMs,
    failed: (error) => {
      metrics.swept("failed");
      log.error({ err: error }, "the sweep failed; the next one tries again");
    },
  };
}

function redeliveriesOf(
  authenticate: Authenticate,
  options: AppOptions,
  watch: { readonly metrics: Metrics; readonly log: Logger; readonly apiUrl: string },
): Rounds {
  return {
    run: async (signal) => repeatMissed(await authenticate(), signal, watch),
    everyMs: options.redeliverEveryMs,
    failed: (error) =>
      watch.log.warn({ err: error }, "deliveries that failed could not be looked for; tried again later"),
  };
}

/** Asks GitHub to repeat the deliveries that the app missed and would hear. */
async function repeatMissed(
  app: OctokitLike,
  signal: AbortSignal,
  { metrics, log, apiUrl }: { metrics: Metrics; log: Logger; apiUrl: string },
): Promise<void> {
  const wanted: ReadonlySet<string> = new Set(hookEvents);
  await redeliver(app, {
    nowMs: Date.now(),
    wants: (event) => wanted.has(event),
    signal,
    pauseMs: hasWriteLimits(apiUrl) ? 1_000 : 0,
    redelivered: ({ guid, event, delivered_at: at }) => {
      metrics.redelivered();
      log.info({ delivery: guid, event, because: `its delivery at ${at} failed` }, "redeliver");
    },
  });
}
