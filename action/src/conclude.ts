/**
 * From what happened to a measurement. Pure: every rule of what counts as a result is here.
 *
 * Always: without exactly one finite number after the first `---` there is no value; a value is never guessed. A text in
 * the place of the value that can be none is `unknown`, for a person to look at: the training ended well.
 */
import { constants } from "node:os";
import { isAbsolute, posix } from "node:path";
import type { Measurement, TrialSpec } from "../../src/domain/measurement.ts";
import { formatClock } from "../../src/domain/numbers.ts";
import { type LogReading, parseFinite } from "./read-log.ts";
import type { Evaluation } from "./evaluation.ts";
import type { CommandResult } from "./run-command.ts";
import { listOf } from "./surface.ts";

/** What one trial gave, before it is judged. */
export type Evidence = {
  readonly training: CommandResult;
  /** Null when there is no evaluate command, or the training did not get so far. */
  readonly evaluation: Evaluation | null;
  /** Protected files that differ from what they were before. */
  readonly changed: readonly string[];
};

export type Ending = {
  readonly status: Measurement["status"];
  readonly value: number | null;
  readonly because: string;
  readonly at: Measurement["at"];
};

/** The folders that the commands ran in (real paths, without links in them), and which of their files are mutable. */
export type Surface = { readonly roots: readonly string[]; readonly isMutable: (path: string) => boolean };

type Judged = Pick<TrialSpec, "metric" | "direction" | "evaluate" | "timeoutSeconds">;

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
  return evaluationFailure(evaluation, spec, surface) ?? readMetric(evaluation.judge.log, spec, surface);
}

/** Where the candidate's side broke first, that is why; a candidate that is only ended when all is over has not broken. */
function evaluationFailure({ judge, served }: Evaluation, spec: Judged, surface: Surface): Ending | null {
  const failure = commandFailure(judge, spec, surface, "the evaluate command ");
  if (failure === null || failure.status !== "crash" || served === null || served.ended === "cancelled") return failure;
  return commandFailure(served, spec, surface, "the serve command ") ?? failure;
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
  if (result.notStarted !== null) return without("crash", shorten(`${who}could not be started: ${result.notStarted}`));
  if (result.ended === "bound") return without("crash", `${who}${result.exceeded ?? "used too much"}: ended`);
  if (result.exitCode === 0) return null;
  if (isFastFail(result)) return without("crash", shorten(`${who}${fastFailPhrase(result.log)}`), null);
  // A traceback in the log of what was killed was survived: it is not why it ended.
  if (signalOf(result) !== null) return without("crash", shorten(`${who}${exitPhrase(result)}`));
  return crash(result.log, surface, who, exitPhrase(result));
}

/** A shell and a sandbox tell a signal as 128 and its number. */
function signalOf({ exitCode, signal }: CommandResult): string | null {
  return signal ?? signalNames.get((exitCode ?? 0) - 128) ?? null;
}

function exitPhrase(result: CommandResult): string {
  const { exitCode, killedForMemory, log } = result;
  const name = signalOf(result);
  if (name === "SIGKILL") {
    return killedForMemory ? "out of memory: killed by the kernel" : "killed (SIGKILL), often for lack of memory";
  }
  if (name === "SIGXFSZ") return "wrote a file beyond the limit (SIGXFSZ)";
  // A C++ program that gets no memory says so and aborts.
  if (name === "SIGABRT" && log.outOfMemory !== null) return log.outOfMemory;
  if (name !== null) return `killed by ${name}`;
  if (exitCode === null) return "could not be started";
  return log.lastLine === "" ? `exit status ${exitCode}` : `exit status ${exitCode}: ${log.lastLine.trim()}`;
}

/** Those by which a program dies of itself or of the system, never of a plain `exit`. */
const signalNames = new Map(
  (["SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGSEGV", "SIGTERM", "SIGXFSZ"] as const).map(
    (name) => [constants.signals[name], name] as const,
  ),
);

/** karpathy's script prints the one word and leaves with 1 when the loss is not a number, or explodes. */
function isFastFail({ exitCode, log }: CommandResult): boolean {
  // His progress line has no end, so the word may stand behind it.
  return exitCode === 1 && /(?:^|\s)FAIL$/.test(log.lastLine.trimEnd()) && log.failure === null;
}

function fastFailPhrase({ curve }: LogReading): string {
  const last = curve.at(-1);
  const where = last === undefined ? "" : ` (last seen: loss ${last[1]} at step ${last[0]})`;
  return `FAIL: the training gave up, as it does when the loss explodes or is no number${where}`;
}

/** The value that the log gives, or what it is not to give one. */
function readMetric(log: LogReading, spec: Judged, surface: Surface): Ending {
  const { metric, direction } = spec;
  // An evaluate command may print its one line alone; in a training log only the summary block counts.
  const texts = log.hasRule || spec.evaluate !== null ? log.metricTexts : [];
  if (texts.length > 1)
    return without("rejected", `printed more than one ${metric} line: which one counts is not for us to guess`);
  const [text] = texts;
  if (text === undefined) {
    const place = spec.evaluate === null && !log.hasRule ? ` after a line ---` : "";
    const otherwise = `finished without a ${metric} line${place}`;
    // One that went on after its last traceback has survived it; a pipe to `tee` ends well, and the traceback ends the log.
    const hasBroken = log.failure !== null && log.lastLine.endsWith(log.failure.exception);
    return hasBroken ? crash(log, surface, "", otherwise) : without("crash", otherwise);
  }
  const value = parseFinite(text);
  // Of what is better lower, zero and below are no loss of any model (of bits per byte they can't be).
  if (value === null || (direction === "lower" && value <= 0)) {
    return without("unknown", `${metric} is ${text === "" ? "empty" : shorten(text, 100)}`);
  }
  return { status: "measured", value, because: `${metric} ${shorten(text, 100)}`, at: null };
}

/** A crash, told by the last traceback where there is one and by `otherwise` where there is none. */
function crash(log: LogReading, surface: Surface, who: string, otherwise: string): Ending {
  const { failure } = log;
  if (failure === null) return without("crash", shorten(`${who}${log.outOfMemory ?? otherwise}`));
  const message = shorten(failure.exception);
  const places = failure.frames.flatMap((frame) => {
    const path = pathInside(frame.path, surface.roots);
    // Whoever prints a traceback may write any number into it.
    const isLine = Number.isSafeInteger(frame.line) && frame.line >= 1;
    return path === null || !isLine ? [] : [{ path, line: frame.line }];
  });
  const mutable = places.findLast((place) => surface.isMutable(place.path));
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

/** The path relative to the folder it is in, or null for a file elsewhere. */
function pathInside(path: string, roots: readonly string[]): string | null {
  for (const root of roots) {
    const relative = posix.relative(root, isAbsolute(path) ? path : posix.join(root, path));
    if (relative !== "" && !relative.startsWith("..") && relative.length <= 500) return relative;
  }
  return null;
}

function shorten(text: string, limit = 300): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
