/**
 * The app: webhooks wake sessions, and that is all they do. The wiring of queue, sweep and loop is here; decisions are in
 * domain/decide.ts.
 */
import type { Logger } from "pino";
import type { Probot } from "probot";
import { arrivalEvents, hearArrivals } from "./arrivals.ts";
import { take } from "./delivery.ts";
import type { Config } from "./domain/config.ts";
import { type SessionKey, formatSessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import { type Authenticate, GitHubApp } from "./github/app.ts";
import type { OctokitLike } from "./github/client.ts";
import { type Attempt, redeliver } from "./github/deliveries.ts";
import { metered } from "./github/meter.ts";
import { hasWriteLimits } from "./github/octokit.ts";
import { type Hint, type Identity, everything } from "./github/view.ts";
import type { Health } from "./health.ts";
import type { Heard } from "./hints.ts";
import { identify, identifyLater } from "./identify.ts";
import type { Metrics } from "./metrics.ts";
import { Passes } from "./passes.ts";
import { type Next, Queue } from "./queue.ts";
import { RedisReplicas } from "./redis-replicas.ts";
import { type Hooks, type Replicas, alone } from "./replicas.ts";
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
  /** See `Taker`. Less than the nine seconds after which @octokit/webhooks says 202 to GitHub, whatever comes of it. */
  readonly pressWithinMs: number;
  /** A Redis by which several bots share their sessions; null: there is one bot. */
  readonly redisUrl: string | null;
  /** Who proposes, by a session's configuration. */
  readonly researcherFor: (config: Config) => Researcher;
};

export const defaultAppOptions: AppOptions = {
  sweepEveryMs: 30 * 60_000,
  redeliverEveryMs: 60 * 60_000,
  concurrency: 24,
  pressWithinMs: 8_000,
  redisUrl: null,
  researcherFor,
};

/** The events that can hint at a session. */
const hookEvents = ["issues", "issue_comment", "pull_request", "check_run", "workflow_run", "push"] as const;
/** All that the app hears: what it missed of them is asked for again. */
export const heardEvents: ReadonlySet<string> = new Set<string>(hookEvents).union(arrivalEvents);
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

/** Authenticates as the app or an installation. */
export function authenticatorOf(probot: Probot): Authenticate {
  return (id) => (id === undefined ? probot.auth() : probot.auth(id)) as Promise<unknown> as Promise<OctokitLike>;
}

/** As `authenticatorOf`, with every request heard by the metrics. */
export function meteredAuthenticatorOf(probot: Probot, metrics: Metrics): Authenticate {
  const authenticate = authenticatorOf(probot);
  return async (id) =>
    metered(await authenticate(id), id === undefined ? "app" : String(id), (exchange) => metrics.asked(exchange));
}

export type WireOptions = AppOptions & { readonly appId: number; readonly apiUrl: string };

/** Wires the app to Probot: from here on what is heard wakes sessions. */
export function wireApp(probot: Probot, options: WireOptions, { metrics, health }: Watch): App {
  const { log } = probot;
  const github = new GitHubApp(meteredAuthenticatorOf(probot, metrics), {
    spaced: hasWriteLimits(options.apiUrl),
    unreadable: (what, error) => log.warn({ err: error, what }, "the sweep could not read it"),
  });
  const wake = (key: SessionKey, hint: Hint, source: string) => replicas.tell(formatSessionKey(key), hint, source);
  const wakeHere = (name: string, hint: Hint, source: string) => {
    metrics.hinted(name, source, Date.now());
    queue.wake(name, hint);
  };
  const passes = new Passes({
    github,
    researcherFor: options.researcherFor,
    wake: (key) => wakeHere(formatSessionKey(key), new Set(), "researcher"),
    now: () => Date.now(),
    log,
    metrics,
  });
  const queue = new Queue<Hint>({
    merge: (a, b) => a.union(b),
    timerHint,
    now: () => Date.now(),
    concurrency: options.concurrency,
    lanes: { of: ownerOf, perLane: passesPerOwner },
    pass: (name, hint) => passHeld(name, hint, { passes, replicas }),
    failed: (name, _error, retryMs) => log.warn({ session: name, retryMs }, "the next pass is put off"),
  });
  const replicas = replicasFor(options, log, { wake: wakeHere, lost: (name) => passes.forget(name) });
  metrics.watchQueue(() => ({ ready: queue.length, known: queue.size }));

  // Before the login is known, the bot's own echoes wake passes too: they cost, and change nothing.
  let login = "";
  const { pressWithinMs } = options;
  const late = ({ key, hint }: Heard) => wake(key, hint, "check_run");
  probot.on([...hookEvents], async ({ id, name, payload }) => {
    const heard = await take({ id, event: name, payload }, { github, bot: login, pressWithinMs, late });
    if (heard !== null) wake(heard.key, heard.hint, name);
  });

  hearArrivals(probot, {
    known: () => passes.known(),
    sessions: (installation) => github.sessions([], installation),
    wake: (key) => wake(key, everything, "arrival"),
    failed: (error) => log.warn({ err: error }, "what came back could not be looked for; the next sweep finds it"),
  });

  const stop = new AbortController();
  const beginRounds = (identity: Identity | null) => {
    if (identity === null) return;
    login = identity.login;
    const sweeps = sweepsOf(() => github.sessions([...passes.known()]), wake, options, { metrics, health, log });
    const redeliveries = redeliveriesOf(github, options, { metrics, log });
    startRounds(
      onlyOurs("sweep", sweeps, replicas, () => health.sweepBegan()),
      stop.signal,
    );
    startRounds(onlyOurs("redelivery", redeliveries, replicas), stop.signal);
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
      await passes.settle();
      await replicas.close();
    },
  };
}

/** Sessions of one account share GitHub's limits: they wait for each other and leave the other accounts room. */
const passesPerOwner = 4;

function ownerOf(session: string): string {
  return session.slice(0, session.indexOf("/")).toLowerCase();
}

/** Who looks after which session, where several processes do; `takes`: see `RedisReplicasOptions`. */
export function replicasFor(
  { redisUrl, appId, apiUrl }: Pick<WireOptions, "redisUrl" | "appId" | "apiUrl">,
  log: Logger,
  hooks: Hooks,
  takes = true,
): Replicas {
  if (redisUrl === null) return alone(hooks);
  return new RedisReplicas({ url: redisUrl, app: `${new URL(apiUrl).host}/${appId}`, log, takes }, hooks);
}

/** A pass, if the session is this process's to look after. */
async function passHeld(
  session: string,
  hint: Hint,
  { passes, replicas }: { readonly passes: Passes; readonly replicas: Replicas },
): Promise<Next> {
  const told = await replicas.begin(session);
  if (told === null) {
    replicas.tell(session, hint, "replica");
    return null;
  }
  const next = await passes.run(session, hint.union(told));
  const more = await replicas.end(session, next === null && !passes.hasIdea(session));
  return more && (next === null || typeof next === "number") ? Date.now() : next;
}

/** The rounds, made by one process for all; `another` is called where it is not this one. */
function onlyOurs(task: string, rounds: Rounds, replicas: Replicas, another: () => void = () => {}): Rounds {
  const run = async (signal: AbortSignal) => {
    if (await replicas.isMine(task)) return rounds.run(signal);
    another();
    return "not ours";
  };
  return { ...rounds, run };
}

function sweepsOf(
  sessions: Sweep["sessions"],
  wake: (key: SessionKey, hint: Hint, source: string) => void,
  options: AppOptions,
  { metrics, health, log }: Watch & { log: Logger },
): Rounds {
  const sweep: Sweep = {
    sessions,
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

/** Asks GitHub to repeat the deliveries that the app missed and would hear. */
function redeliveriesOf(
  github: GitHubApp,
  options: AppOptions,
  { metrics, log }: Omit<Watch, "health"> & { log: Logger },
): Rounds {
  const order = {
    wants: (event: string) => heardEvents.has(event),
    redelivered: ({ guid, event, delivered_at: at }: Attempt) => {
      metrics.redelivered();
      log.info({ delivery: guid, event, because: `its delivery at ${at} failed` }, "redeliver");
    },
  };
  return {
    run: async (signal) => redeliver(await github.ownLine(), { ...order, nowMs: Date.now(), signal }),
    everyMs: options.redeliverEveryMs,
    failed: (error) => log.warn({ err: error }, "deliveries that failed could not be repeated; tried again later"),
  };
}
