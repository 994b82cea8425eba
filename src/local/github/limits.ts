/**
 * Rate limits: 5,000 requests an hour for an installation, an app or a person, 1,000 for the jobs of a repository, 60
 * for nobody. An answer 304 is free. What is left is in the headers of every answer.
 *
 * Nobody limits how much content is made, as on an enterprise server, until `tighten` says so.
 */
import { ApiError } from "./answer.ts";
import type { Actor } from "./auth.ts";

type Bucket = { limit: number; used: number; resetAtMs: number };

const hourMs = 3_600_000;

/** Smaller limits than GitHub's, in shorter times, for tests: `most` in `withinSeconds`. */
export type Tight = {
  /** Requests of an installation, in place of 5,000 an hour. */
  readonly requests?: {
    readonly most: number;
    readonly withinSeconds: number;
    /** At the start. */ readonly used?: number;
  };
  /** What notifies people; beyond it comes a secondary limit. */
  readonly content?: { readonly most: number; readonly withinSeconds: number };
};

export class Limits {
  readonly #buckets = new Map<string, Bucket>();
  readonly #content = new Map<string, number[]>();
  readonly #now: () => Date;
  #tight: Tight = {};
  #used = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Throws 403 where nothing is left. */
  check(actor: Actor): void {
    const bucket = this.#bucketOf(actor);
    if (bucket.used >= bucket.limit) throw new ApiError(403, exceededMessage(actor));
  }

  /** From now on these limits hold. */
  tighten(tight: Tight): void {
    this.#tight = tight;
    this.#used = tight.requests?.used ?? 0;
    this.#buckets.clear();
  }

  /** Counts a request that notifies people. Throws 403 where there were too many of late. */
  checkContent(actor: Actor): void {
    const { content } = this.#tight;
    if (content === undefined || actor.kind !== "installation" || actor.job) return;
    const [key] = keyOf(actor);
    const nowMs = this.#now().getTime();
    const windowMs = content.withinSeconds * 1000;
    const recent = (this.#content.get(key) ?? []).filter((atMs) => atMs > nowMs - windowMs);
    this.#content.set(key, recent);
    if (recent.length < content.most) {
      recent.push(nowMs);
      return;
    }
    const seconds = Math.max(1, Math.ceil((recent[0]! + windowMs - nowMs) / 1000));
    throw secondaryLimit(seconds);
  }

  charge(actor: Actor): void {
    this.#bucketOf(actor).used += 1;
  }

  /** Leaves the actor with so many requests until the reset, for tests of what happens then. */
  leave(actor: Actor, remaining: number, resetInSeconds: number): void {
    const bucket = this.#bucketOf(actor);
    bucket.used = bucket.limit - remaining;
    bucket.resetAtMs = this.#now().getTime() + resetInSeconds * 1000;
  }

  state(actor: Actor): { limit: number; remaining: number; used: number; reset: number; resource: string } {
    const { limit, used, resetAtMs } = this.#bucketOf(actor);
    return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil(resetAtMs / 1000), resource: "core" };
  }

  headers(actor: Actor): Record<string, string> {
    const { limit, remaining, used, reset, resource } = this.state(actor);
    return {
      "x-ratelimit-limit": String(limit),
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-used": String(used),
      "x-ratelimit-reset": String(reset),
      "x-ratelimit-resource": resource,
    };
  }

  #bucketOf(actor: Actor): Bucket {
    const [key, usual] = keyOf(actor);
    const known = this.#buckets.get(key);
    const nowMs = this.#now().getTime();
    if (known !== undefined && known.resetAtMs > nowMs) return known;
    const tight = actor.kind === "installation" && !actor.job ? this.#tight.requests : undefined;
    const windowMs = tight === undefined ? hourMs : tight.withinSeconds * 1000;
    const fresh = {
      limit: tight?.most ?? usual,
      used: known === undefined && tight !== undefined ? this.#used : 0,
      resetAtMs: nowMs + windowMs,
    };
    this.#buckets.set(key, fresh);
    return fresh;
  }
}

/** The answer of a secondary limit, which names the time to wait. */
export function secondaryLimit(retryAfterSeconds: number, status: 403 | 429 = 403): ApiError {
  const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
  return new ApiError(status, message, { headers: { "retry-after": String(retryAfterSeconds) } });
}

function keyOf(actor: Actor): [string, number] {
  switch (actor.kind) {
    case "anonymous":
      return ["anonymous", 60];
    case "app":
      return [`app:${actor.app.id}`, 5_000];
    case "person":
      return [`user:${actor.user.id}`, 5_000];
    case "installation":
      return actor.job
        ? [`jobs:${actor.repositoryIds.join(",")}`, 1_000]
        : [`installation:${actor.installation.id}`, 5_000];
  }
}

function exceededMessage(actor: Actor): string {
  switch (actor.kind) {
    case "installation":
      return `API rate limit exceeded for installation ID ${actor.installation.id}.`;
    case "person":
      return `API rate limit exceeded for user ID ${actor.user.id}.`;
    case "app":
      return `API rate limit exceeded for app ID ${actor.app.id}.`;
    case "anonymous":
      return "API rate limit exceeded for 127.0.0.1. (Authenticated requests get a higher rate limit.)";
  }
}
