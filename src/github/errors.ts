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
import { messageOf } from "../domain/thrown.ts";
import { Held } from "./pace.ts";

export type ErrorKind =
  | { readonly kind: "stale"; readonly because: string }
  | { readonly kind: "later"; readonly afterMs: number; readonly because: string }
  | { readonly kind: "person"; readonly because: string };

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

/** Thrown where a session can do nothing until somebody lets it: no access, or nothing may be written. */
export class Resting extends Error {
  override name = "Resting";
}

/** Thrown where the repository has another name now, and with it the session. */
export class Renamed extends Error {
  override name = "Renamed";
  readonly to: { readonly owner: string; readonly repo: string };

  constructor(fullName: string) {
    super(`the repository is ${fullName} now`);
    const [owner = "", repo = ""] = fullName.split("/");
    this.to = { owner, repo };
  }
}

/** Whether a pass ends with this, and the next one is not before somebody wakes the session. */
export function isRest(error: unknown): error is Resting | Renamed {
  return error instanceof Resting || error instanceof Renamed;
}

/** Thrown where only a person can help; the message is the sentence they read. */
export class NeedsPerson extends Error {
  override name = "NeedsPerson";
}

export function classify(error: unknown, nowMs: number): ErrorKind {
  if (error instanceof Superseded) return { kind: "stale", because: error.message };
  if (error instanceof Held) {
    return { kind: "later", afterMs: Math.max(0, error.untilMs - nowMs), because: error.message };
  }
  if (error instanceof NeedsPerson) return { kind: "person", because: error.message };
  if (error instanceof Unsettled) return { kind: "later", afterMs: unsettledMs, because: error.message };
  if (error instanceof z.ZodError || error instanceof SyntaxError) {
    return { kind: "person", because: `an answer of GitHub can't be read: ${error.message.slice(0, 300)}` };
  }
  if (!(error instanceof RequestError))
    return { kind: "later", afterMs: outageMs, because: `no answer: ${messageOf(error)}` };

  const { status } = error;
  if (status >= 500) return { kind: "later", afterMs: outageMs, because: `GitHub answered ${status}` };
  // A token that was refused has been renewed (line.ts), and nothing was done with it.
  if (status === 401 || status === 404 || status === 405 || status === 409 || status === 410 || status === 422) {
    return { kind: "stale", because: `GitHub answered ${status}: ${shortMessage(error)}` };
  }
  return { kind: "person", because: `GitHub answered ${status}: ${shortMessage(error)}` };
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
