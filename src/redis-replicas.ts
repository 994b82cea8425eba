/**
 * Replicas that share a Redis. What is in it, under `autoresearch:{app}:`
 *
 * - `lease:<session>`: who looks after the session; expires where its holder does not renew it. It is kept from pass to
 *   pass for as long as anything of the session lives in the process (an idea at the desk, a timer), so that no idea is
 *   thought twice.
 * - `sessions`: those that somebody must hold. Timers live in the holder; who finds a session without a lease takes it, looks
 *   at everything, and thereby sets them again.
 * - `told:<session>`: what was heard of a session and not read yet. It is written before anybody is woken and taken by the
 *   pass that reads it, so a wake-up (a message, which may be lost) loses nothing: the round finds it.
 *
 * Races: a holder dies between taking what was told and reading it: its successor looks at everything. Something is told while
 * a session is given up: giving up asks for that in the same script. Redis is away: every process works on what it hears,
 * as without one; what two did is work done twice.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Redis } from "ioredis";
import { messageOf } from "./domain/thrown.ts";
import { type Aspect, type Hint, aspects, everything } from "./github/view.ts";
import type { Hooks, Replicas } from "./replicas.ts";
import { Scripts } from "./redis-scripts.ts";

export type RedisReplicasOptions = {
  readonly url: string;
  /** The app's slug: several apps may share a Redis. */
  readonly app: string;
  /** A lease that is not renewed ends after this long. */
  readonly leaseMs?: number;
  /** Pause between two looks for sessions that nobody holds. */
  readonly roundMs?: number;
  /** False: takes no session but those it begins a pass over, as becomes a process that is gone in a moment. */
  readonly takes?: boolean;
  readonly log: {
    info(fields: Record<string, unknown>, message: string): void;
    warn(fields: Record<string, unknown>, message: string): void;
  };
};

/** A command that is not answered within this time counts as failed. */
const commandTimeoutMs = 2_000;
const longestReconnectMs = 5_000;
/** Sessions of a dead process that one other takes in a round, so that the rest share them. */
const takenPerRound = 20;
const nothing: Hint = new Set();

export class RedisReplicas implements Replicas {
  readonly #hooks: Hooks;
  readonly #options: RedisReplicasOptions;
  readonly #commands: Redis;
  readonly #messages: Redis;
  readonly #scripts: Scripts;
  readonly #channel: string;
  readonly #held = new Set<string>();
  /** Sessions that were asked for and not answered yet: they may be ours already. */
  readonly #asked = new Set<string>();
  readonly #tasks = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  /** null: it was not heard of yet. */
  #isThere: boolean | null = null;
  #isClosed = false;

  constructor(options: RedisReplicasOptions, hooks: Hooks) {
    const { url, app, leaseMs = 15_000, roundMs = 5_000 } = options;
    this.#options = options;
    this.#hooks = hooks;
    const prefix = `autoresearch:{${app}}:`;
    this.#channel = `${prefix}wake`;
    this.#commands = connect(url);
    this.#messages = connect(url);
    this.#scripts = new Scripts(this.#commands, { prefix, leaseMs, holder: nameOfProcess() });
    this.#watch();
    this.#timers.push(setInterval(() => void this.#renew(), leaseMs / 3));
    this.#timers.push(setInterval(() => void this.#round(), roundMs));
  }

  tell(session: string, hint: Hint, source: string): void {
    if (this.#held.has(session)) this.#hooks.wake(session, hint, source);
    else void this.#tellOthers(session, hint, source);
  }

  async #tellOthers(session: string, hint: Hint, source: string): Promise<void> {
    const told = await this.#tried(() => this.#scripts.tell(session, [...hint], this.#channel));
    // Whoever hears of it and holds the session wakes it; where nobody does, whoever takes it first.
    if (told === null) this.#hooks.wake(session, hint, source);
  }

  async begin(session: string): Promise<Hint | null> {
    const told = await this.#tried(() => this.#scripts.begin(session));
    if (told === "another") {
      this.#lose(session);
      return null;
    }
    // While it was not ours, another may have read what was told of it.
    const isNew = !this.#held.has(session);
    this.#held.add(session);
    if (isNew) return everything;
    return told === null ? nothing : hintOf(told);
  }

  async end(session: string, rests: boolean): Promise<boolean> {
    const more = await this.#tried(() => this.#scripts.end(session, rests));
    if (more === null) return false;
    if (rests && !more) this.#held.delete(session);
    return more;
  }

  async isMine(task: string): Promise<boolean> {
    const mine = await this.#tried(() => this.#scripts.take(`task:${task}`));
    if (mine === true) this.#tasks.add(task);
    return mine ?? true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#tried(() => this.#scripts.release([...this.#held, ...this.#asked], [...this.#tasks], this.#channel));
    this.#commands.disconnect();
    this.#messages.disconnect();
  }

  #watch(): void {
    const { log } = this.#options;
    this.#messages.on("message", (_channel: string, session: string) => void this.#consider(session));
    this.#messages.on("error", () => {});
    this.#messages.on("ready", () => {
      // What was said before we listened is found by a round.
      const listening = this.#messages.subscribe(this.#channel).then(() => this.#round());
      listening.catch(() => {});
    });
    // Errors are told of once, by `tried`; the client goes on trying to connect.
    this.#commands.on("error", () => this.#isGone("it can't be reached"));
    this.#commands.on("ready", () => {
      const isBack = this.#isThere === false;
      this.#isThere = true;
      log.info({ because: "Redis is there" }, "sessions are shared with other bots");
      void this.#renew().then(() => isBack && this.#lookAgain());
      void this.#round();
    });
  }

  /** What Redis answers; null where it does not. */
  async #tried<T>(ask: () => Promise<T>): Promise<T | null> {
    if (this.#isThere === null) await this.#firstAnswer();
    try {
      return await ask();
    } catch (error) {
      this.#isGone(messageOf(error));
      return null;
    }
  }

  /** Resolves when Redis was reached for the first time, or can't be. */
  async #firstAnswer(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, commandTimeoutMs);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#commands.once("ready", done);
      this.#commands.once("close", done);
    });
  }

  #isGone(because: string): void {
    if (this.#isThere === false || this.#isClosed) return;
    this.#isThere = false;
    this.#options.log.warn(
      { because },
      "Redis does not answer: this bot goes on alone, and may do what another does too",
    );
  }

  #lose(session: string): void {
    this.#held.delete(session);
    this.#hooks.lost(session);
  }

  /** Takes a session that nobody holds; wakes it where it is ours. */
  async #consider(session: string): Promise<void> {
    if (this.#isClosed) return;
    if (this.#held.has(session)) {
      this.#hooks.wake(session, nothing, "replica");
      return;
    }
    if (this.#options.takes === false) return;
    this.#asked.add(session);
    const taken = await this.#tried(() => this.#scripts.take(`lease:${session}`));
    this.#asked.delete(session);
    // One that was given to us when we had begun to end is let go of there.
    if (taken !== true || this.#isClosed) return;
    this.#held.add(session);
    this.#hooks.wake(session, everything, "replica");
  }

  /** Others heard, and acted on, what we were not told of. */
  #lookAgain(): void {
    for (const session of this.#held) this.#hooks.wake(session, everything, "replica");
  }

  async #renew(): Promise<void> {
    for (const session of this.#held) {
      const kept = this.#isClosed ? null : await this.#tried(() => this.#scripts.renew(session));
      if (kept === null) return;
      if (!kept && this.#held.has(session)) this.#lose(session);
    }
    for (const task of this.#tasks) {
      if (this.#isClosed) return;
      if ((await this.#tried(() => this.#scripts.take(`task:${task}`))) === false) this.#tasks.delete(task);
    }
  }

  /** Finds what no message told of: sessions without a holder, and what was told of our own. */
  async #round(): Promise<void> {
    const found = await this.#tried(() => this.#scripts.waiting());
    for (const session of (found ?? []).slice(0, takenPerRound)) await this.#consider(session);
  }
}

/** Which machine and process, for whoever looks into Redis, and which of those that had the same number. */
function nameOfProcess(): string {
  return `${hostname()}:${process.pid}:${randomUUID()}`;
}

function connect(url: string): Redis {
  return new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // Done by us, each time that the connection is there.
    autoResubscribe: false,
    retryStrategy: (times) => Math.min(200 * times, longestReconnectMs),
  });
}

function hintOf(told: readonly string[]): Hint {
  const known: readonly string[] = aspects;
  return new Set(told.filter((aspect): aspect is Aspect => known.includes(aspect)));
}
