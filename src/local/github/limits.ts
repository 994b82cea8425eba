/**
 * Rate limits: 5,000 requests an hour for an installation, an app or a person, 1,000 for the jobs of a repository, 60
 * for nobody. An answer 304 is free. What is left is in the headers of every answer.
 */
import { ApiError } from "./answer.ts";
import type { Actor } from "./auth.ts";

type Bucket = { limit: number; used: number; resetAtMs: number };

const hourMs = 3_600_000;

export class Limits {
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => Date;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Throws 403 where nothing is left. */
  check(actor: Actor): void {
    const bucket = this.#bucketOf(actor);
    if (bucket.used >= bucket.limit) throw new ApiError(403, exceededMessage(actor));
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
    const [key, limit] = keyOf(actor);
    const known = this.#buckets.get(key);
    const nowMs = this.#now().getTime();
    if (known !== undefined && known.resetAtMs > nowMs) return known;
    const fresh = { limit, used: 0, resetAtMs: nowMs + hourMs };
    this.#buckets.set(key, fresh);
    return fresh;
  }
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
