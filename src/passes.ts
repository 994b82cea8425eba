/**
 * Passes: keeps what the process remembers of each session, and gives each pass a name, its lines in the log and its
 * figures. What a pass does is reconcile.ts's.
 */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { type SessionKey, parseSessionKey } from "./domain/names.ts";
import { isEnded } from "./domain/session.ts";
import { messageOf } from "./domain/thrown.ts";
import type { GitHubApp } from "./github/app.ts";
import { isRest, Renamed } from "./github/errors.ts";
import type { Hint } from "./github/view.ts";
import type { Metrics, PassEnd } from "./metrics.ts";
import type { Next } from "./queue.ts";
import { type Deps, type Memory, emptyMemory } from "./memory.ts";
import { giveBackMoney, reconcile } from "./reconcile.ts";

export type PassesOptions = Omit<Deps, "clientFor" | "confirm" | "identity" | "log" | "acted" | "stopping"> & {
  readonly github: GitHubApp;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const memoriesAtMost = 1_000;

export class Passes {
  readonly #options: PassesOptions;
  readonly #memories = new Map<string, Memory>();
  #stopping = false;

  constructor(options: PassesOptions) {
    this.#options = options;
  }

  /** One pass over the session of this name; throws what the pass threw, after it was logged. */
  async run(session: string, hint: Hint): Promise<Next> {
    const { github, metrics, now } = this.#options;
    const key = parseSessionKey(session)!;
    const memory = this.#memoryOf(session);
    const log = this.#options.log.child({ session, pass: randomBytes(4).toString("hex") });
    const startedMs = now();
    metrics.passBegan(session, startedMs);
    const ended = (end: PassEnd) =>
      metrics.passEnded(session, end, now() - startedMs, memory.view.record?.state ?? null);
    try {
      const next = await reconcile(key, hint, memory, this.#depsWith(log));
      ended(endOf(next, this.#stopping, now()));
      return next;
    } catch (error) {
      if (isRest(error)) {
        log.info({ action: "rest", because: error.message }, "rest");
        ended("waits");
        this.forget(session);
        github.forget(key);
        if (error instanceof Renamed) this.#options.wake({ ...error.to, issue: key.issue });
        return null;
      }
      const because = messageOf(error);
      log.error({ err: error, action: null, because }, "the pass failed");
      ended("failed");
      // What was seen is doubtful; what is thought, and was paid for, is not.
      this.#memories.set(session, { ...emptyMemory(key), desk: memory.desk, hired: memory.hired });
      github.forget(key);
      throw error;
    }
  }

  /** The sessions that are remembered and have not ended. */
  *known(): Generator<SessionKey> {
    for (const { view } of this.#memories.values()) {
      if (view.record !== null && !isEnded(view.record.state)) yield view.key;
    }
  }

  /** Whether the researcher of a session thinks: there will be more to do without anything being heard. */
  isThinking(session: string): boolean {
    return this.#memories.get(session)?.desk.state.kind === "thinking";
  }

  /** Whether the desk of a session holds an idea, or one is being thought of. */
  hasIdea(session: string): boolean {
    const { kind } = this.#memories.get(session)?.desk.state ?? { kind: "idle" };
    return kind === "thinking" || kind === "ready";
  }

  /** Forgets a session, as where it is another process's now: its researcher thinks no more. */
  forget(session: string): void {
    this.#memories.get(session)?.desk.clear();
    this.#memories.delete(session);
  }

  /** Passes in hand end after the action in hand, and researchers think no more. */
  stop(): void {
    this.#stopping = true;
    for (const memory of this.#memories.values()) memory.desk.clear();
  }

  /**
   * Writes down that nothing more is spent here: to be called where no pass is in hand, before the sessions are handed over.
   * Where that fails, money is lost to the session, and the limit holds all the same.
   */
  async settle(): Promise<void> {
    const settling = [...this.#memories].map(async ([session, memory]) => {
      const log = this.#options.log.child({ session });
      await giveBackMoney(memory, this.#depsWith(log)).catch((error: unknown) =>
        log.warn({ err: error }, "what the purse holds could not be given back: it counts as spent"),
      );
    });
    await Promise.all(settling);
  }

  #depsWith(log: Logger): Deps {
    const { github, metrics } = this.#options;
    return {
      ...this.#options,
      log,
      clientFor: (each) => github.clientFor(each),
      confirm: (each) => github.confirm(each),
      identity: () => github.identity(),
      acted: (action) => metrics.acted(action),
      stopping: () => this.#stopping,
    };
  }

  #memoryOf(session: string): Memory {
    const memory = this.#memories.get(session) ?? emptyMemory(parseSessionKey(session)!);
    // The least recently used go first: what is forgotten is read again.
    this.#memories.delete(session);
    this.#memories.set(session, memory);
    const oldest = this.#memories.keys().next().value!;
    if (this.#memories.size > memoriesAtMost) this.forget(oldest);
    return memory;
  }
}

function endOf(next: Next, stopping: boolean, nowMs: number): PassEnd {
  if (typeof next === "object" && next !== null) return "paused";
  if (stopping) return "stopped";
  return next !== null && next <= nowMs ? "unfinished" : "waits";
}
