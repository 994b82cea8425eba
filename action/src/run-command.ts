/**
 * Runs one command of a trial in its own process group, and in the sandbox where there is one.
 *
 * Always, when `runCommand` has resolved: no process of the group or of the sandbox is left; the log file is closed.
 * Whatever ends the action (a kill -9 included), the command ends with it: the sandbox dies with its parent, and a
 * watchdog holds the other end of a pipe and kills the group when the pipe breaks.
 *
 * Races: without a sandbox, a process that has left the group (setsid) may hold the output open for ever, so the end of
 * the command is its exit, and the output gets a short grace only; it is looked for by what it was started with
 * (leftovers.ts). The group's id may be used again by the system once the group is gone, so it is signalled only while
 * its leader is not reaped, or right after.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { BoundedLog } from "./bounded-log.ts";
import { type Bounds, watchBounds } from "./bounds.ts";
import { killLeftovers } from "./leftovers.ts";
import { type LogReading, LogReader } from "./read-log.ts";
import type { Place, Sandbox } from "./sandbox.ts";
import { readReport, waitUntilGone } from "./sandbox-process.ts";
import { oomKills } from "./oom-kills.ts";
import { startWatchdog } from "./watchdog.ts";

/** Ends of pipes that are handed over: as input and output to who answers, as descriptors 3 and 4 to who asks. */
export type Pipes = {
  readonly as: "asks" | "answers";
  readonly read: number;
  readonly write: number;
};

export type CommandRequest = {
  readonly command: string;
  readonly place: Place;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly timeoutSeconds: number;
  readonly bounds: Bounds;
  readonly metric: string;
  readonly logFile: string;
  /** Gets the output as it comes. */
  readonly echo: (chunk: Buffer) => void;
  /** Aborted: the trial is cancelled. */
  readonly signal: AbortSignal;
  /** Null: no input, and all that the command prints is its log. */
  readonly pipes: Pipes | null;
};

export type CommandResult = {
  /** Who ended it: the command itself, the time-out, a bound on what it may use, or a cancellation. */
  readonly ended: "itself" | "timeout" | "bound" | "cancelled";
  /** Which bound it went over; null when it did not. */
  readonly exceeded: string | null;
  /** Null where a signal ended it, or where it could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** What the sandbox said when it could not be made, so that the command never ran; null when it ran. */
  readonly notStarted: string | null;
  /** The kernel said that it killed a process for lack of memory meanwhile. */
  readonly killedForMemory: boolean;
  readonly seconds: number;
  readonly log: LogReading;
};

/** So much of a log is kept: redacting it takes a fraction of a second. */
const logLimitBytes = 16 * 1024 * 1024;
const timeoutGraceMs = 5_000;
/** Children have to be gone 5 s after a cancellation; a runner leaves 7.5 s between SIGINT and SIGTERM. */
const cancelGraceMs = 3_000;
const outputGraceMs = 500;
const maxTimerMs = 2 ** 31 - 1;
const statusFd = 5;

/** Runs the command to its end, its time-out or its cancellation; never throws for what the command does. */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const file = new BoundedLog(request.logFile, logLimitBytes);
  const reader = new LogReader(request.metric);
  const decoder = new StringDecoder("utf8");
  const watchdog = startWatchdog();
  const killsBefore = oomKills();
  const started = performance.now();
  const child = startGroup(request);
  watchdog.watch(child.pid);
  for (const fd of [request.pipes?.read, request.pipes?.write]) if (fd !== undefined) closeSync(fd);
  const output = request.pipes?.as === "answers" ? child.stderr : child.stdout;
  output?.on("data", (chunk: Buffer) => {
    file.write(chunk);
    reader.push(decoder.write(chunk));
    request.echo(chunk);
  });
  const { isolates } = request.sandbox;
  const status = (child.stdio as readonly unknown[])[statusFd] as Readable | null;
  const { init, wasStarted } = readReport(status);
  const said = beginningOf(child.stderr);
  const end = await endOf(child, request, init);
  const seconds = (performance.now() - started) / 1_000;
  signalGroup(child, "SIGKILL");
  if (isolates) await waitUntilGone(await init);
  else await killLeftovers(request.env, request.place);
  for (const stream of [output, child.stderr, status]) await lastOutput(stream);
  watchdog.dismiss();
  reader.push(decoder.end());
  file.close();
  const notStarted = isolates && !(await wasStarted) ? failureOf(end, said()) : null;
  return { ...end, notStarted, killedForMemory: oomKills() > killsBefore, seconds, log: reader.end() };
}

/** Why there was no sandbox to start the command in; null where something else ended it. */
function failureOf({ ended, exitCode, signal }: End, said: string): string | null {
  if (ended !== "itself" || signal !== null || exitCode === 0) return null;
  return said.trim().split("\n").at(-1)! || `exit status ${exitCode ?? "none"}`;
}

/**
 * The first of what comes, and no more is kept. Of a command that ran it says nothing: a candidate may have found its way
 * to the sandbox's own output.
 */
function beginningOf(stream: Readable | null): () => string {
  let text = "";
  stream?.on("data", (chunk: Buffer) => (text = `${text}${chunk.toString()}`.slice(0, 2_000)));
  return () => text;
}

/**
 * The shell that starts the command: no core dumps, no file beyond the bound, and in a sandbox (where they are counted
 * apart) no more processes than the bound. Root is beyond that last limit: bounds.ts counts, too.
 */
function shellOf({ bounds, sandbox, pipes }: CommandRequest): string {
  const limits = [
    "ulimit -c 0",
    `ulimit -f ${Math.ceil(bounds.diskBytes / 1024)}`,
    ...(sandbox.isolates ? [`ulimit -u ${bounds.processes}`] : []),
  ];
  const set = [...limits.map((limit) => `${limit} 2>/dev/null`), closeAbove(pipes?.as === "asks" ? 4 : 2)].join("; ");
  // Standard output and error go through one pipe, in the order in which they were written.
  return `${set}; exec bash -c "$1"${pipes?.as === "answers" ? "" : " 2>&1"}`;
}

/** Descriptors that a runner left open to its children are not for the code under trial. */
function closeAbove(last: number): string {
  const close = `for fd in /proc/$$/fd/*; do fd=\${fd##*/}; if [ "$fd" -gt ${last} ]; then eval "exec $fd>&-"; fi; done`;
  return `if [ -d /proc/$$/fd ]; then ${close}; fi`;
}

function startGroup(request: CommandRequest): ChildProcess {
  const { command, place, env, sandbox, pipes } = request;
  const argv = ["bash", "-c", shellOf(request), "bash", command];
  const [program, ...args] = sandbox.wrap(argv, place, statusFd);
  return spawn(program!, args, { cwd: place.cwd, env, stdio: stdioOf(pipes, sandbox.isolates), detached: true });
}

function stdioOf(pipes: Pipes | null, reports: boolean): StdioOptions {
  // The command's own errors go with its output: on this one is what the sandbox says when it can't be made.
  const status = reports ? "pipe" : "ignore";
  if (pipes === null) return ["ignore", "pipe", status, "ignore", "ignore", status];
  const { read, write } = pipes;
  return pipes.as === "answers"
    ? [read, write, "pipe", "ignore", "ignore", status]
    : ["ignore", "pipe", status, read, write, status];
}

type End = Pick<CommandResult, "ended" | "exceeded" | "exitCode" | "signal">;

async function endOf(child: ChildProcess, request: CommandRequest, init: Promise<number | null>): Promise<End> {
  let ended: CommandResult["ended"] = "itself";
  let exceeded: string | null = null;
  const timers: NodeJS.Timeout[] = [];
  const stop = (why: Exclude<CommandResult["ended"], "itself">, graceMs: number) => {
    if (ended !== "itself" && (why !== "cancelled" || ended === "cancelled")) return;
    ended = why;
    // A sandbox hands no signal on: it ends with all that is in it.
    signalGroup(child, request.sandbox.isolates ? "SIGKILL" : "SIGTERM");
    timers.push(setTimeout(() => signalGroup(child, "SIGKILL"), graceMs));
  };
  const onAbort = () => stop("cancelled", cancelGraceMs);
  const exit = new Promise<Pick<CommandResult, "exitCode" | "signal">>((resolve) => {
    child.on("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    child.on("error", () => resolve({ exitCode: null, signal: null }));
  });
  timers.push(setTimeout(() => stop("timeout", timeoutGraceMs), Math.min(request.timeoutSeconds * 1_000, maxTimerMs)));
  const unwatch = watchBounds(request.bounds, request.place, init, (why) => {
    exceeded ??= why;
    stop("bound", 0);
  });
  request.signal.addEventListener("abort", onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  const { exitCode, signal } = await exit;
  request.signal.removeEventListener("abort", onAbort);
  unwatch();
  for (const timer of timers) clearTimeout(timer);
  return { ended, exceeded, exitCode, signal };
}

/** Takes the last of the output, for a short while only. */
async function lastOutput(stream: Readable | null): Promise<void> {
  if (stream === null || stream.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, outputGraceMs);
    stream.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  stream.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}
