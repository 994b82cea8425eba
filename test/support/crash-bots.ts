/**
 * Processes of the bot, started ahead so that one is ready when the last was killed. A bot that ends, by whatever cause, is
 * followed by the next one, as whoever runs the product would have it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { CrashBotStart } from "./crash-bot.ts";
import { type FastClock, formatClockArgument } from "./fast-clock.ts";

const here = import.meta.dirname;

export class BotPool {
  /** null: it ended before it was ready. */
  readonly #warm: Promise<ChildProcess | null>[] = [];
  readonly #all = new Set<ChildProcess>();
  readonly #clock: FastClock;
  readonly #cache = mkdtempSync(path.join(tmpdir(), "autoresearch-bots-"));

  constructor(clock: FastClock, ready: number) {
    this.#clock = clock;
    for (let count = 0; count < ready; count += 1) this.#warm.push(this.#spawn());
  }

  /** A process that has loaded everything and serves nothing. */
  async take(): Promise<ChildProcess> {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const taken = this.#warm.shift() ?? this.#spawn();
      if (this.#warm.length === 0) this.#warm.push(this.#spawn());
      const child = await taken;
      // Somebody else on the machine may have ended it while it waited.
      if (child?.connected === true) return child;
    }
    throw new Error("no bot comes up");
  }

  /** Takes back a process that was not killed. */
  async giveBack(child: ChildProcess): Promise<void> {
    const stopped = new Promise<boolean>((resolve) => {
      child.once("message", () => resolve(true));
      child.once("exit", () => resolve(false));
      setTimeout(() => resolve(false), 5_000).unref();
    });
    child.send("stop");
    if (await stopped) this.#warm.unshift(Promise.resolve(child));
    else child.kill("SIGKILL");
  }

  end(): void {
    for (const child of this.#all) child.kill("SIGKILL");
    rmSync(this.#cache, { recursive: true, force: true });
  }

  #spawn(): Promise<ChildProcess | null> {
    const modules = ["--import", path.join(here, "fast-clock.ts"), path.join(here, "crash-bot.ts")];
    const child = spawn(process.execPath, [...modules, formatClockArgument(this.#clock)], {
      env: { PATH: process.env["PATH"] ?? "", HOME: this.#cache, NODE_COMPILE_CACHE: this.#cache },
      stdio: ["ignore", process.env["TEST_LOG"] === undefined ? "ignore" : "inherit", "inherit", "ipc"],
    });
    this.#all.add(child);
    child.once("exit", () => this.#all.delete(child));
    return new Promise((resolve) => {
      child.once("message", () => resolve(child));
      child.once("exit", () => resolve(null));
    });
  }
}

/** A bot that is always there: the one at work can be killed, and is followed by the next. */
export class EverlastingBot {
  readonly #pool: BotPool;
  readonly #start: CrashBotStart;
  #child: ChildProcess | null = null;
  #ended = false;
  /** How often one was followed by another. */
  restarts = 0;

  constructor(pool: BotPool, start: CrashBotStart) {
    this.#pool = pool;
    this.#start = start;
  }

  async begin(): Promise<void> {
    const child = await this.#pool.take();
    if (this.#ended) return void child.kill("SIGKILL");
    this.#child = child;
    child.once("exit", this.#onExit);
    child.send(this.#start);
  }

  readonly #onExit = () => {
    this.#child = null;
    if (this.#ended) return;
    this.restarts += 1;
    void this.begin();
  };

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await gone;
  }

  async end(): Promise<void> {
    this.#ended = true;
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.off("exit", this.#onExit);
    await this.#pool.giveBack(child);
  }
}
