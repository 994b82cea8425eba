/**
 * Runs one command of a trial in its own process group.
 *
 * Always, when `runCommand` has resolved: no process of the group is left; the log file is closed. Whatever ends the
 * action (a kill -9 included), the group ends with it: a watchdog holds the other end of a pipe and kills the group when
 * the pipe breaks.
 *
 * Races: a process that has left the group (setsid) may hold the output open for ever, so the end of the command is its
 * exit, and the output gets a short grace only. The group's id may be used again by the system once the group is gone,
 * so it is signalled only while its leader is not reaped, or right after.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { BoundedLog } from "./bounded-log.ts";
import { type LogReading, LogReader } from "./read-log.ts";
import type { Sandbox } from "./sandbox.ts";

export type CommandRequest = {
  readonly command: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  readonly timeoutSeconds: number;
  readonly metric: string;
  readonly logFile: string;
  /** Gets the output as it comes. */
  readonly echo: (chunk: Buffer) => void;
  /** Aborted: the trial is cancelled. */
  readonly signal: AbortSignal;
};

export type CommandResult = {
  /** Who ended it: the command itself, the time-out, or a cancellation. */
  readonly ended: "itself" | "timeout" | "cancelled";
  /** Null where a signal ended it, or where it could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly seconds: number;
  readonly log: LogReading;
};

const logLimitBytes = 64 * 1024 * 1024;
const timeoutGraceMs = 5_000;
/** Shorter than the 7.5 s that a runner leaves between SIGINT and SIGTERM, with room for what comes after. */
const cancelGraceMs = 3_000;
const outputGraceMs = 500;
const maxTimerMs = 2 ** 31 - 1;

/** Runs the command to its end, its time-out or its cancellation; never throws for what the command does. */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const file = new BoundedLog(request.logFile, logLimitBytes);
  const reader = new LogReader(request.metric);
  const decoder = new StringDecoder("utf8");
  const watchdog = startWatchdog();
  const started = performance.now();
  const child = startGroup(request);
  watchdog.watch(child.pid);
  child.stdout?.on("data", (chunk: Buffer) => {
    file.write(chunk);
    reader.push(decoder.write(chunk));
    request.echo(chunk);
  });
  const end = await endOf(child, request);
  const seconds = (performance.now() - started) / 1_000;
  await endGroup(child);
  watchdog.dismiss();
  reader.push(decoder.end());
  file.close();
  return { ...end, seconds, log: reader.end() };
}

/** Standard output and error go through one pipe, in the order in which they were written; there is no input. */
function startGroup({ command, folder, env, sandbox }: CommandRequest): ChildProcess {
  const [program, ...args] = sandbox.wrap(["bash", "-c", 'exec bash -c "$1" 2>&1', "bash", command]);
  return spawn(program!, args, { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"], detached: true });
}

type End = Pick<CommandResult, "ended" | "exitCode" | "signal">;

async function endOf(child: ChildProcess, request: CommandRequest): Promise<End> {
  let ended: CommandResult["ended"] = "itself";
  let timers: NodeJS.Timeout[] = [];
  const stop = (why: "timeout" | "cancelled", graceMs: number) => {
    if (ended === "cancelled" || ended === why) return;
    ended = why;
    signalGroup(child, "SIGTERM");
    timers.push(setTimeout(() => signalGroup(child, "SIGKILL"), graceMs));
  };
  const onAbort = () => stop("cancelled", cancelGraceMs);
  const exit = new Promise<Pick<CommandResult, "exitCode" | "signal">>((resolve) => {
    child.on("exit", (exitCode, signal) => resolve({ exitCode, signal }));
    child.on("error", () => resolve({ exitCode: null, signal: null }));
  });
  timers.push(setTimeout(() => stop("timeout", timeoutGraceMs), Math.min(request.timeoutSeconds * 1_000, maxTimerMs)));
  request.signal.addEventListener("abort", onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  const { exitCode, signal } = await exit;
  request.signal.removeEventListener("abort", onAbort);
  for (const timer of timers) clearTimeout(timer);
  timers = [];
  return { ended, exitCode, signal };
}

/** Kills what is left of the group and takes the last of its output. */
async function endGroup(child: ChildProcess): Promise<void> {
  signalGroup(child, "SIGKILL");
  const stdout = child.stdout;
  if (stdout === null || stdout.closed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, outputGraceMs);
    stdout.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  stdout.destroy();
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already: that is what was wanted.
  }
}

type Watchdog = { readonly watch: (group: number | undefined) => void; readonly dismiss: () => void };

/** Started before the command, so that there is no moment in which the command has none. */
function startWatchdog(): Watchdog {
  const script = 'read -r group && { read -r _; kill -KILL -- "-$group"; } 2>/dev/null';
  const dog = spawn("bash", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true, env: searchPath() });
  dog.on("error", () => {});
  dog.stdin.on("error", () => {});
  dog.unref();
  return {
    watch: (group) => void (group !== undefined && dog.stdin.write(`${group}\n`)),
    dismiss: () => {
      dog.kill("SIGKILL");
      dog.stdin.destroy();
    },
  };
}

function searchPath(): Record<string, string> {
  return process.env["PATH"] === undefined ? {} : { PATH: process.env["PATH"] };
}
