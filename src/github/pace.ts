/**
 * The pace at which one installation's requests go out. GitHub's limits are per installation, and so is everything here:
 * what one installation met holds all of its sessions and nobody else's.
 *
 * Three things slow a request down, and each is told of by `slow`:
 * - what GitHub asks for beforehand (writes apart, so much content an hour, so many points a minute) is kept;
 * - when the hour's requests run short, those that are left are spread over the rest of the hour, and a small reserve is kept;
 * - when a limit was met nothing is sent until the time that GitHub named, and then half as fast for a while.
 *
 * Always: a request that is refused here (`Held`) was not sent, so its outcome is known.
 *
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
import { setTimeout as sleepFor } from "node:timers/promises";
import { type Budget, budgetOf } from "./budget.ts";
import { Gate } from "./gate.ts";

/** Thrown in place of a request: GitHub wants none before `untilMs`. */
export class Held extends Error {
  override name = "Held";
  readonly untilMs: number;

  constructor(untilMs: number, because: string) {
    super(because);
    this.untilMs = untilMs;
  }
}

/** Why an installation's sessions go slowly, and until when; a sentence's part, as people read it. */
export type Slow = { readonly because: string; readonly untilMs: number };

/** `notifying`: what makes a pull request, a comment or an issue, of which people hear. */
export type Weight = "read" | "write" | "notifying";

export type PaceOptions = {
  /** False where nobody limits how fast writes may follow each other: an enterprise server, unless its admin says so. */
  readonly spaced: boolean;
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
};

/** Below this part of the hour's requests the rest is spread over the rest of the hour. */
const scarce = 0.1;
/** This part is never used: people's own commands, and other bots of the installation, find something left. */
const reserve = 0.01;
/** "at least one minute" where a secondary limit names no time, and longer each time. */
const unnamedMs = 60_000;
const longestUnnamedMs = 15 * 60_000;
/** A primary limit is over after an hour, whatever our clock thinks of the time that GitHub names. */
const longestHoldMs = 3_660_000;
const cautiousForMs = 10 * 60_000;

export class Pace {
  readonly #now: () => number;
  readonly #sleep: (milliseconds: number) => Promise<unknown>;
  /** 900 points a minute: a read is one, a write five. */
  readonly #points: Gate | null;
  /** A second between two writes. */
  readonly #writes: Gate | null;
  /** 500 of content an hour, and never more than 80 a minute. */
  readonly #content: Gate | null;
  #budget: Budget | null = null;
  /** The next request may go out at this time, while requests are scarce. */
  #spreadMs = 0;
  #heldUntilMs = 0;
  #cautiousUntilMs = 0;
  #unnamed = 0;
  /** Requests that have their turn, or wait for it, and no answer yet: the headers do not count them. */
  #open = 0;

  constructor({ spaced, now = Date.now, sleep = sleepFor }: PaceOptions) {
    this.#now = now;
    this.#sleep = sleep;
    this.#points = spaced ? new Gate({ everyMs: 75, burst: 100 }) : null;
    this.#writes = spaced ? new Gate({ everyMs: 1_000, burst: 1 }) : null;
    this.#content = spaced ? new Gate({ everyMs: 8_000, burst: 40 }) : null;
  }

  /**
   * Resolves when the request may be sent, in the order of asking; `heard` is then told of its end. Throws `Held` when the
   * turn is not to be waited for.
   */
  async turn(weight: Weight): Promise<void> {
    const nowMs = this.#now();
    this.#refuseWhileHeld(nowMs);
    const atMs = this.#reserve(weight, nowMs);
    this.#open += 1;
    if (atMs <= nowMs) return;
    await this.#sleep(atMs - nowMs);
    try {
      // Another request may have met a limit meanwhile.
      this.#refuseWhileHeld(this.#now());
    } catch (error) {
      this.lost();
      throw error;
    }
  }

  /** The request had no answer. */
  lost(): void {
    this.#open = Math.max(0, this.#open - 1);
  }

  /** Takes in an answer's headers; gives the error that stands for it where a limit was met. */
  heard(weight: Weight, status: number, headers: Readonly<Record<string, unknown>>, message: string): Held | null {
    this.lost();
    const budget = budgetOf(headers);
    if (budget?.resource === "core") this.#budget = budget;
    const limitedMs = limitedUntil(status, headers, message, this.#now());
    if (limitedMs === null) {
      if (weight !== "read") this.#unnamed = 0;
      return null;
    }
    const nowMs = this.#now();
    if (limitedMs === "unnamed") {
      this.#hold(nowMs + Math.min(unnamedMs * 2 ** this.#unnamed, longestUnnamedMs));
      this.#unnamed += 1;
    } else this.#hold(Math.min(limitedMs, nowMs + longestHoldMs));
    // A primary limit has its own headers, which spread what comes after it.
    if (budget?.remaining !== 0) this.#cautiousUntilMs = this.#heldUntilMs + cautiousForMs;
    return new Held(this.#heldUntilMs, "GitHub's rate limit was met");
  }

  /** Why it goes slowly now; null: it does not. */
  get slow(): Slow | null {
    const nowMs = this.#now();
    const budget = this.#scarceBudget(nowMs);
    if (budget !== null) {
      return { because: "GitHub's hourly limit of requests is nearly used up", untilMs: budget.resetMs };
    }
    if (nowMs >= this.#cautiousUntilMs) return null;
    return { because: "GitHub asked us to wait", untilMs: this.#cautiousUntilMs };
  }

  #hold(untilMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs);
  }

  #refuseWhileHeld(nowMs: number): void {
    if (nowMs < this.#heldUntilMs) throw new Held(this.#heldUntilMs, "GitHub's rate limit was met");
    const budget = this.#scarceBudget(nowMs);
    if (budget === null || budget.remaining > budget.limit * reserve) return;
    const untilMs = Math.min(budget.resetMs + 1_000, nowMs + longestHoldMs);
    throw new Held(untilMs, "GitHub's hourly limit of requests is used up");
  }

  /** When the request goes out: the latest of what each rule allows, all of which count it. */
  #reserve(weight: Weight, nowMs: number): number {
    const factor = nowMs < this.#cautiousUntilMs ? 2 : 1;
    let atMs = nowMs;
    const passes = (gate: Gate | null, cost: number) => {
      if (gate !== null) atMs = Math.max(atMs, gate.pass(nowMs, cost * factor));
    };
    passes(this.#points, weight === "read" ? 1 : 5);
    if (weight !== "read") passes(this.#writes, 1);
    if (weight === "notifying") passes(this.#content, 1);
    const budget = this.#scarceBudget(nowMs);
    if (budget === null) return atMs;
    atMs = Math.max(atMs, this.#spreadMs);
    this.#spreadMs = atMs + Math.max(0, budget.resetMs - nowMs) / Math.max(1, budget.remaining);
    return Math.min(atMs, budget.resetMs + 1_000);
  }

  #scarceBudget(nowMs: number): Budget | null {
    if (this.#budget === null || nowMs > this.#budget.resetMs) return null;
    const { limit, remaining } = this.#budget;
    return remaining - this.#open < limit * scarce ? { ...this.#budget, remaining: remaining - this.#open } : null;
  }
}

/** Until when (ms since the epoch) an answer forbids further requests; "unnamed" where it says no time; null: it does not. */
function limitedUntil(
  status: number,
  headers: Readonly<Record<string, unknown>>,
  message: string,
  nowMs: number,
): number | "unnamed" | null {
  if (status !== 403 && status !== 429) return null;
  const retryAfter = headers["retry-after"] === undefined ? Number.NaN : Number(headers["retry-after"]);
  if (Number.isFinite(retryAfter)) return nowMs + retryAfter * 1_000;
  if (String(headers["x-ratelimit-remaining"]) === "0") {
    const resetMs = Number(headers["x-ratelimit-reset"]) * 1_000;
    return Number.isFinite(resetMs) ? Math.max(nowMs, resetMs) + 1_000 : "unnamed";
  }
  return status === 429 || /rate limit/i.test(message) ? "unnamed" : null;
}
