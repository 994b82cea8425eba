/** One run of a command: a process group of its own, an environment that names what it holds, and an end in time. */
import { spawn } from "node:child_process";

export type Ended = {
  /** What went wrong, in a phrase; null: it ended well. */
  readonly problem: string | null;
  /** The end of what it printed. */
  readonly output: string;
};

const outputAtMost = 4_000;
const graceMs = 5_000;
const drainMs = 1_000;

/** Runs `line` by `/bin/sh -c`. When it ends, however it ends, its whole group is killed. */
export function runCommand(
  line: string,
  at: { cwd: string; env: Readonly<Record<string, string>>; timeoutMs: number },
  signal: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", line], {
      cwd: at.cwd,
      env: at.env,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that what it starts ends with it.
      detached: true,
    });
    let output = "";
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-outputAtMost);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const kill = (name: NodeJS.Signals) => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // The group is gone already.
      }
    };
    let because: string | null = null;
    let grace: NodeJS.Timeout | undefined;
    const end = (why: string) => {
      because ??= why;
      kill("SIGTERM");
      grace ??= setTimeout(() => kill("SIGKILL"), graceMs);
    };
    const timer = setTimeout(() => end(`it was ended after ${Math.round(at.timeoutMs / 1000)} s`), at.timeoutMs);
    const stop = () => end("the session wants it no more");
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const settle = (status: string | null) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      child.stdout.destroy();
      child.stderr.destroy();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve({ problem: because ?? (status === null ? null : `it ended with ${status}`), output });
    };
    child.on("error", (error) => {
      because ??= `it could not be started: ${error.message}`;
      if (child.pid === undefined) settle(null);
    });
    child.on("exit", (code, by) => {
      kill("SIGKILL");
      // From here on the group's number may be another's.
      clearTimeout(grace);
      const status = by ?? (code === 0 ? null : `status ${code}`);
      // What left the group may hold the pipes open for ever.
      const late = setTimeout(() => settle(status), drainMs);
      child.once("close", () => {
        clearTimeout(late);
        settle(status);
      });
    });
  });
}
