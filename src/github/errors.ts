/**
 * What an error of GitHub means, told apart in one place (docs/design.md, rule 7):
 *
 * - `stale`: what we knew is no longer so: look again;
 * - `later`: a limit, an outage, or an outcome that nobody knows: look again then, and repeat nothing blindly;
 * - `person`: nothing that the bot does will help.
 *
 * The fourth kind, "done already", is known only to the write that meets it (a ref that exists, a pull request that
 * exists) and is answered there, by `isAlready`.
 */
import { RequestError } from "@octokit/request-error";
import { z } from "zod";

export type ErrorKind =
  | { readonly kind: "stale"; readonly because: string }
  | { readonly kind: "later"; readonly afterMs: number; readonly because: string }
  | { readonly kind: "person"; readonly because: string };

/** GitHub asks for at least a minute where it names no time ("Best practices for using the REST API"). */
const unnamedLimitMs = 60_000;
const outageMs = 5_000;
const unsettledMs = 10_000;

/** Thrown by an action that found the world to be another than it was decided on. */
export class Superseded extends Error {
  override name = "Superseded";
}

/** Thrown where GitHub's lists do not agree yet: they are read again in a moment. */
export class Unsettled extends Error {
  override name = "Unsettled";
}

/** Thrown where only a person can help; the message is the sentence they read. */
export class NeedsPerson extends Error {
  override name = "NeedsPerson";
}

export function classify(error: unknown, nowMs: number): ErrorKind {
  if (error instanceof Superseded) return { kind: "stale", because: error.message };
  if (error instanceof NeedsPerson) return { kind: "person", because: error.message };
  if (error instanceof Unsettled) return { kind: "later", afterMs: unsettledMs, because: error.message };
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return { kind: "person", because: `an answer of GitHub can't be read: ${error.message.slice(0, 300)}` };
  }
  if (!(error instanceof RequestError))
    return { kind: "later", afterMs: outageMs, because: `no answer: ${messageOf(error)}` };

  const { status } = error;
  const limitMs = limitOf(error, nowMs);
  if (limitMs !== null) return { kind: "later", afterMs: limitMs, because: "GitHub's rate limit" };
  if (status >= 500) return { kind: "later", afterMs: outageMs, because: `GitHub answered ${status}` };
  if (status === 404 || status === 405 || status === 409 || status === 410 || status === 422) {
    return { kind: "stale", because: `GitHub answered ${status}: ${shortMessage(error)}` };
  }
  return { kind: "person", because: `GitHub answered ${status}: ${shortMessage(error)}` };
}

/** Milliseconds to wait where a primary or secondary limit was met, else null. */
function limitOf(error: RequestError, nowMs: number): number | null {
  if (error.status !== 403 && error.status !== 429) return null;
  const headers = error.response?.headers ?? {};
  const retryAfter = Number(headers["retry-after"]);
  if (headers["retry-after"] !== undefined && Number.isFinite(retryAfter)) return retryAfter * 1000;
  if (headers["x-ratelimit-remaining"] === "0") {
    const resetMs = Number(headers["x-ratelimit-reset"]) * 1000;
    return Number.isFinite(resetMs) ? Math.max(1_000, resetMs - nowMs + 1_000) : unnamedLimitMs;
  }
  return error.status === 429 || /rate limit/i.test(error.message) ? unnamedLimitMs : null;
}

/** True where the write was done before, by us or by whoever was quicker: the message says so. */
export function isAlready(error: unknown): boolean {
  return error instanceof RequestError && error.status === 422 && /already exists/i.test(error.message);
}

export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof RequestError && statuses.includes(error.status);
}

function shortMessage(error: RequestError): string {
  return error.message.split("\n")[0]!.slice(0, 300);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
