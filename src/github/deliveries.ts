/**
 * Deliveries that failed: GitHub keeps its log of them for three days and repeats none by itself. The app asks for those that
 * never arrived.
 *
 * Always: asking costs requests and no more, because a delivery is only a hint; two processes that ask for the same one make
 * one pass too many. What GitHub's log does not hold any more, the sweep finds.
 * Source: https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
 */
import { z } from "zod";
import { classify } from "./errors.ts";
import type { Line } from "./line.ts";

const attemptSchema = z.object({
  id: z.int(),
  guid: z.string(),
  delivered_at: z.string(),
  redelivery: z.boolean(),
  status_code: z.int(),
  event: z.string(),
});

/** One attempt to deliver an event; attempts of the same event share a guid. */
export type Attempt = z.output<typeof attemptSchema>;

const hourMs = 3_600_000;
const keptMs = 72 * hourMs;
/** Attempts for one event, the first one counted: a receiver that refuses so often will refuse again. */
const attemptsAtMost = 5;
const redeliveriesAtMost = 200;
const pagesAtMost = 30;

export type Redelivery = {
  readonly nowMs: number;
  /** Whether the app hears of the event at all. */
  readonly wants: (event: string) => boolean;
  readonly signal: AbortSignal;
  /** GitHub took the order to repeat one. */
  readonly redelivered: (attempt: Attempt) => void;
};

/**
 * Orders every missed delivery once, at the pace of the app's line. Throws what GitHub answers where the log can't be read,
 * and `Held` where a limit forbids to go on.
 */
export async function redeliver(app: Line, order: Redelivery): Promise<void> {
  const oldestMs = order.nowMs - keptMs;
  const failed = (await attemptsIn(app, "failure", oldestMs)).filter((attempt) => order.wants(attempt.event));
  if (failed.length === 0) return;
  // A later success is no older than the first failure.
  const firstMs = Math.min(...failed.map((attempt) => Date.parse(attempt.delivered_at)));
  const arrived = await attemptsIn(app, "success", firstMs);
  for (const attempt of missed([...failed, ...arrived], order.nowMs)) {
    if (order.signal.aborted) return;
    await orderOne(app, attempt, order);
  }
}

async function orderOne(app: Line, attempt: Attempt, order: Redelivery): Promise<void> {
  try {
    await app.send("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id: attempt.id });
    order.redelivered(attempt);
  } catch (error) {
    // One that GitHub will not repeat (gone from the log, say) must not keep the others waiting.
    if (classify(error, order.nowMs).kind === "later") throw error;
  }
}

/** The newest attempt of each event that never arrived and may be tried again; newest first, a bounded number. */
export function missed(attempts: readonly Attempt[], nowMs: number): Attempt[] {
  const byEvent = Map.groupBy(attempts, (attempt) => attempt.guid);
  return [...byEvent.values()]
    .filter((tries) => !tries.some(arrived) && tries.length < attemptsAtMost)
    .map((tries) => tries.toSorted((a, b) => b.id - a.id)[0]!)
    .filter((last) => !last.redelivery || nowMs - Date.parse(last.delivered_at) >= hourMs)
    .toSorted((a, b) => b.id - a.id)
    .slice(0, redeliveriesAtMost);
}

function arrived({ status_code: status }: Attempt): boolean {
  return status >= 200 && status < 400;
}

/** The log, newest first, back to `oldestMs` or to as many pages as are read at most. */
async function attemptsIn(app: Line, status: "failure" | "success", oldestMs: number): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesAtMost; page += 1) {
    const { data, headers } = await app.send("GET /app/hook/deliveries", {
      per_page: 100,
      status,
      ...(cursor === null ? {} : { cursor }),
    });
    const read = z.array(attemptSchema).parse(data);
    attempts.push(...read.filter((attempt) => Date.parse(attempt.delivered_at) >= oldestMs));
    cursor = nextCursor(headers["link"]);
    if (cursor === null || read.some((attempt) => Date.parse(attempt.delivered_at) < oldestMs)) break;
  }
  return attempts;
}

function nextCursor(link: unknown): string | null {
  const address = typeof link === "string" ? /<([^>]+)>;\s*rel="next"/.exec(link)?.[1] : undefined;
  return address === undefined ? null : new URL(address).searchParams.get("cursor");
}
