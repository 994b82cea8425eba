/**
 * From what happened to a measurement. Pure: every rule of what counts as a result is here.
 *
 * Always: without exactly one finite number after the last `---` there is no value; a value is never guessed.
 */
import { isAbsolute, posix } from "node:path";
import type { Measurement, TrialSpec } from "../../src/domain/measurement.ts";
import { type LogReading, parseFinite } from "./read-log.ts";
import type { CommandResult } from "./run-command.ts";
import { listOf } from "./surface.ts";

/** What one trial gave, before it is judged. */
export type Evidence = {
  readonly training: CommandResult;
  /** Null when there is no evaluate command, or the training did not get so far. */
  readonly evaluation: CommandResult | null;
  /** Protected files that differ from what they were before. */
  readonly changed: readonly string[];
};

export type Ending = {
  readonly status: Measurement["status"];
  readonly value: number | null;
  readonly because: string;
  readonly at: Measurement["at"];
};

/** The folder that was trained in (a real path, without links in it), and which of its files are mutable. */
export type Surface = { readonly root: string; readonly isMutable: (path: string) => boolean };

type Judged = Pick<TrialSpec, "metric" | "evaluate" | "timeoutSeconds">;

/** How the training command ended when it gave nothing to evaluate; null when it ran to its end without error. */
export function trainingFailure({ training, changed }: Evidence, spec: Judged, surface: Surface): Ending | null {
  return brokenRule(changed) ?? commandFailure(training, spec, surface, "");
}

/** How the trial ended. */
export function conclude(evidence: Evidence, spec: Judged, surface: Surface): Ending {
  const failed = trainingFailure(evidence, spec, surface);
  if (failed !== null) return failed;
  const evaluation = evidence.evaluation;
  if (evaluation === null) return readMetric(evidence.training.log, spec, surface);
  const broken = commandFailure(evaluation, spec, surface, "the evaluate command ");
  return broken ?? readMetric(evaluation.log, spec, surface);
}

function brokenRule(changed: readonly string[]): Ending | null {
  if (changed.length === 0) return null;
  return without("rejected", `changed ${listOf(changed)} while running, outside the mutable surface`);
}

function without(status: Measurement["status"], because: string, at: Measurement["at"] = null): Ending {
  return { status, value: null, because, at };
}

function commandFailure(result: CommandResult, spec: Judged, surface: Surface, who: string): Ending | null {
  if (result.ended === "cancelled") return without("cancelled", "cancelled while running");
  if (result.ended === "timeout") {
    const after = `timeout after ${formatClock(spec.timeoutSeconds)}`;
    return without("timeout", who === "" ? after : `${after} in the evaluate command`);
  }
  if (result.exitCode === 0) return null;
  return crash(result.log, surface, who, exitPhrase(result));
}

function exitPhrase({ exitCode, signal, log }: CommandResult): string {
  if (signal === "SIGKILL" || exitCode === 137) return "killed (SIGKILL), often for lack of memory";
  if (signal !== null) return `killed by ${signal}`;
  if (exitCode === null) return "could not be started";
  return log.lastLine === "" ? `exit status ${exitCode}` : `exit status ${exitCode}: ${log.lastLine.trim()}`;
}

/** The value that the log gives, or the crash that it is not to give one. */
function readMetric(log: LogReading, spec: Judged, surface: Surface): Ending {
  const { metric } = spec;
  // An evaluate command may print its one line alone; in a training log only the summary block counts.
  const texts = log.hasRule || spec.evaluate !== null ? log.metricTexts : [];
  if (texts.length > 1)
    return without("rejected", `printed more than one ${metric} line: which one counts is not for us to guess`);
  const [text] = texts;
  if (text === undefined) {
    const place = spec.evaluate === null && !log.hasRule ? ` after a line ---` : "";
    return crash(log, surface, "", `finished without a ${metric} line${place}`);
  }
  const value = parseFinite(text);
  if (value === null) return crash(null, surface, "", `${metric} is ${text === "" ? "empty" : text}`);
  return { status: "measured", value, because: `${metric} ${text}`, at: null };
}

/** A crash, told by the last traceback where there is one and by `otherwise` where there is none. */
function crash(log: LogReading | null, surface: Surface, who: string, otherwise: string): Ending {
  const failure = log?.failure ?? null;
  if (log === null || failure === null) return without("crash", shorten(`${who}${log?.outOfMemory ?? otherwise}`));
  const message = shorten(failure.exception);
  const places = failure.frames.flatMap((frame) => {
    const path = pathInside(frame.path, surface.root);
    return path === null ? [] : [{ path, line: frame.line }];
  });
  const mutable = places.findLast((place) => surface.isMutable(place.path) && place.line >= 1);
  const place = mutable ?? places.at(-1);
  const what = memoryPhrase(failure.exception, log.outOfMemory) ?? message;
  const because = shorten(
    place === undefined ? `${who}${what}` : `${who}${shorten(what, 200)} at ${place.path}:${place.line}`,
  );
  return without("crash", because, mutable === undefined ? null : { ...mutable, message });
}

/** A traceback that is about memory is told in the same words every time. */
function memoryPhrase(exception: string, sign: LogReading["outOfMemory"]): string | null {
  return sign !== null && /memory|alloc/i.test(exception) ? sign : null;
}

/** The path relative to the checkout, or null for a file elsewhere. */
function pathInside(path: string, root: string): string | null {
  const relative = posix.relative(root, isAbsolute(path) ? path : posix.join(root, path));
  return relative === "" || relative.startsWith("..") || relative.length > 500 ? null : relative;
}

function shorten(text: string, limit = 300): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** `10:00`, `1:00:05`, `2.5 s` below ten seconds. */
export function formatClock(seconds: number): string {
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
