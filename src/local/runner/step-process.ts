/**
 * One step as a process: its output line by line, its end, its cancellation as GitHub's runner does it (SIGINT, 7.5 s
 * later SIGTERM, 2.5 s later the whole group is killed).
 *
 * Always: when `runProcess` resolves the step's process is gone and its group with it. When the runner dies, node steps
 * are on a leash, and shell steps are killed by a watchdog that waits on a pipe from the runner.
 */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { StringDecoder } from "node:string_decoder";

const leash = path.join(import.meta.dirname, "..", "leash.ts");
const sigtermAfterMs = 7_500;
const killAfterMs = 2_500;
const outputGraceMs = 500;
const maxLine = 65_536;

export type StepCommand =
  | { readonly kind: "node"; readonly module: string }
  | { readonly kind: "shell"; readonly script: string };

export type StepProcess = {
  readonly command: StepCommand;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  /** Aborted: the step is to be cancelled. */
  readonly cancel: AbortSignal;
};

/** Resolves with the exit status; null where a signal ended it. */
export async function runProcess(step: StepProcess): Promise<number | null> {
  const child = startProcess(step);
  const dog = step.command.kind === "shell" ? startWatchdog(child) : null;
  const outputs = [child.stdout!, child.stderr!].map((stream) => readLines(stream, step.onLine));
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
  const timers: NodeJS.Timeout[] = [];
  const onCancel = (): void => {
    child.kill("SIGINT");
    timers.push(setTimeout(() => child.kill("SIGTERM"), sigtermAfterMs));
    timers.push(setTimeout(() => killGroup(child), sigtermAfterMs + killAfterMs));
  };
  if (step.cancel.aborted) onCancel();
  else step.cancel.addEventListener("abort", onCancel, { once: true });
  try {
    return await exit;
  } finally {
    step.cancel.removeEventListener("abort", onCancel);
    for (const timer of timers) clearTimeout(timer);
    killGroup(child);
    await Promise.race([Promise.all(outputs), new Promise((resolve) => setTimeout(resolve, outputGraceMs).unref())]);
    dog?.kill("SIGKILL");
    if (child.connected) child.disconnect();
  }
}

function startProcess({ command, folder, env }: StepProcess): ChildProcess {
  const options = { cwd: folder, env: { ...env }, detached: true } as const;
  return command.kind === "node"
    ? spawn(process.execPath, ["--import", leash, command.module], {
        ...options,
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      })
    : spawn("bash", ["-e", "-c", command.script], { ...options, stdio: ["ignore", "pipe", "pipe"] });
}

function startWatchdog(child: ChildProcess): ChildProcess {
  const script = 'read -r _; kill -KILL -- "-$1"';
  const dog = spawn("bash", ["-c", script, "watchdog", String(child.pid ?? 0)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  dog.on("error", () => {});
  dog.unref();
  return dog;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

/** Lines end at `\n`, `\r\n` or `\r`, as the runner of GitHub reads them; a line without an end is cut. */
async function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) onLine(line);
    if (rest.length > maxLine) {
      onLine(rest);
      rest = "";
    }
  };
  stream.on("data", (chunk: Buffer) => take(decoder.write(chunk)));
  await new Promise<void>((resolve) => stream.once("close", resolve));
  const last = (rest + decoder.end()).replace(/\r$/, "");
  if (last !== "") onLine(last);
}
