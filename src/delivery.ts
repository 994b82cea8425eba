/**
 * What a delivery wakes, for all who take deliveries (app.ts, serverless.ts). Nearly all are hints, and may be lost. A press of
 * a button stands nowhere else: it is written down before its delivery is answered, so that one that fails here counts as
 * failed for GitHub, and can be repeated.
 *
 * Races: one that is not written in time counts as failed too, and may be written all the same, beside the one that GitHub
 * repeats: `keepPress` leaves one of the two.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { GitHubApp } from "./github/app.ts";
import { hearPress, keepPress } from "./github/press.ts";
import { type Heard, hear } from "./hints.ts";

export type Delivery = { readonly id: string; readonly event: string; readonly payload: unknown };

export type Taker = {
  readonly github: GitHubApp;
  /** The bot's own login. */
  readonly bot: string;
  /** A press that is not written down within this is a delivery that failed. */
  readonly pressWithinMs: number;
  /** Hears of a press that was written down after that. */
  readonly late: (heard: Heard) => void;
};

/** What is heard; null: it concerns no session. */
export async function take({ id, event, payload }: Delivery, taker: Taker): Promise<Heard | null> {
  const press = event === "check_run" ? hearPress(payload) : null;
  if (press === null) return hear(event, payload, taker.bot);
  const heard: Heard = { key: press.key, hint: new Set(["pulls", "comments", "issue"]) };
  const kept = taker.github.clientFor(press.key).then((client) => keepPress(client, press, id));
  if (await isDone(kept, taker.pressWithinMs)) return heard;
  // Where it fails in the end, GitHub's repeated delivery is there.
  kept.then(() => taker.late(heard)).catch(() => {});
  throw new Error(`a press of a button was not written down within ${taker.pressWithinMs / 1000} s`);
}

/** False where the work goes on after that time; throws what it throws before. */
async function isDone(work: Promise<void>, withinMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), sleep(withinMs, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
