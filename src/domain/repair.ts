/**
 * Crashes that go back to whoever wrote the change. Everything follows from the candidate's commit (how often it was
 * mended, and of what) and from its measurement, so that it comes out the same in any process.
 */
import type { Measurement } from "./measurement.ts";
import { hoursAreOver, moneyIsSpent } from "./limits.ts";
import { type Experiment, type Running, isEnded } from "./session.ts";

/** So often a crash of one experiment goes back. */
export const repairsAtMost = 2;

export type Failure = {
  readonly because: string;
  /** The useful lines: from the last `Traceback` on. */
  readonly traceback: string;
  /** One line that equal failures share: the exception without its numbers, addresses and folders. */
  readonly signature: string;
};

const tracebackLength = 6_000;
const opening = "Traceback (most recent call last):";

/** The failure of a candidate's own code; null where it is none (a time-out, a kill, a runner's trouble). */
export function failureOf(measurement: Measurement): Failure | null {
  if (measurement.status !== "crash") return null;
  const { logTail, at, because } = measurement;
  const begin = logTail.lastIndexOf(opening);
  const error = logTail
    .split("\n")
    .findLast((line) => /^[\w.]*(?:Error|Exception|Interrupt|Exit|Iteration)\b/.test(line));
  if (begin < 0 && error === undefined && at === null) return null;
  const from = begin >= 0 ? logTail.slice(begin) : logTail;
  const ends = from.split("\n").findLastIndex((line) => line === error);
  const useful =
    ends < 0
      ? from
      : from
          .split("\n")
          .slice(0, ends + 1)
          .join("\n");
  return {
    because,
    traceback: useful.slice(-tracebackLength),
    signature: signatureOf(error ?? at?.message ?? because),
  };
}

export function signatureOf(line: string): string {
  return line
    .replace(/0x[0-9a-f]+/gi, "0x")
    .replace(/(?:[\w.~-]*\/)+/g, "")
    .replace(/\d+(?:[._]\d+)*/g, "0")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 200);
}

/** What is to be mended, or why it is left as it is: "" where nothing is to be added. */
export function mendingOf(
  experiment: Experiment,
  measurement: Measurement,
  session: Running,
): { readonly failure: Failure } | { readonly over: string } {
  const left = { over: "" };
  const { idea, key, head } = experiment;
  const failure = failureOf(measurement);
  // A commit that a person put on top is theirs to mend.
  if (failure === null || idea === null || key === null || !session.traits.repairs) return left;
  const before = idea.repair;
  if (before?.failure === failure.signature) return { over: "; the same again after a repair" };
  if ((before?.attempt ?? 0) >= repairsAtMost) return { over: `; ${repairsAtMost} repairs did not help` };
  if (isEnded(session.record.state) || hoursAreOver(session) || moneyIsSpent(session) !== null) return left;
  const { desk } = session;
  if (desk.kind === "beyondRepair" && desk.head === head) return { over: `; not mended: ${desk.because}` };
  return { failure };
}
