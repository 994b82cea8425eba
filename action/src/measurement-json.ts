/**
 * The measurement as it travels: through a job output, an environment variable and a check's text, and its digest
 * through the name of a job. It must arrive byte for byte, so it is one line of ASCII, and small enough for each of them.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { type Measurement, measurementSchema } from "../../src/domain/measurement.ts";

/** Bytes: leaves a third of a check's text (65 535) for the log that people read, and is below Linux's 128 KiB for one variable. */
export const maxMeasurementBytes = 40_000;

/** JSON in ASCII: what is not is written as `\uXXXX`, so no step on the way can change it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * The measurement's JSON, at most `maxMeasurementBytes`. What is too long is shortened: the log first, from its start,
 * then the curve, then the names of changed files. Throws a ZodError when it is not a measurement.
 */
export function encodeMeasurement(measurement: Measurement): string {
  let current = measurementSchema.parse(measurement);
  for (;;) {
    const json = asciiJson(current);
    const excess = json.length - maxMeasurementBytes;
    if (excess <= 0) return json;
    if (current.logTail !== "") {
      // A character takes at most six bytes, so this drops enough at once or, for plain text, a little at a time.
      current = { ...current, logTail: current.logTail.slice(Math.max(Math.ceil(excess / 6), 64)) };
    } else if (current.curve.length > 2) {
      current = { ...current, curve: current.curve.filter((_, index) => index % 2 === 0) };
    } else if (current.protectedFiles.changed.length > 1) {
      const { count, changed } = current.protectedFiles;
      // At least one name stays: that any changed is what counts.
      current = { ...current, protectedFiles: { count, changed: changed.slice(0, changed.length >> 1) } };
    } else {
      throw new Error("the measurement is too large even without its log");
    }
  }
}

/**
 * The measurement's JSON, whatever the candidate got into it: one that can't be encoded is told without what came from
 * the candidate. It is a `rejected` one where it was, else a crash: never a value.
 */
export function encodeInAnyCase(measurement: Measurement): string {
  try {
    return encodeMeasurement(measurement);
  } catch (error) {
    const said =
      error instanceof z.ZodError ? error.issues.map(({ path }) => path.join(".")).join(", ") : String(error);
    const { version, trial, commit, base, sandbox } = measurement;
    const { count, changed } = measurement.protectedFiles;
    const isBroken = measurement.status === "rejected" || changed.length > 0;
    return encodeMeasurement({
      version,
      trial,
      commit,
      base,
      sandbox: sandbox.slice(0, 100),
      status: isBroken ? "rejected" : "crash",
      because: `what the trial gave has no form that can be handed over: ${said}`.slice(0, 300),
      seconds: Number.isFinite(measurement.seconds) ? Math.max(0, measurement.seconds) : 0,
      metrics: {},
      exitCode: null,
      signal: null,
      protectedFiles: { count, changed: changed.slice(0, 1).map((path) => path.slice(0, 200)) },
      runner: measurement.runner.slice(0, 200),
      curve: [],
      logTail: "",
      at: null,
    });
  }
}

/** SHA-256 of the exact JSON, in hexadecimal: the name of the job that reports it carries it. */
export function digestOf(json: string): string {
  return createHash("sha256").update(json).digest("hex");
}
