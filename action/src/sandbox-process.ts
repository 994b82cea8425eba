/**
 * What bubblewrap reports of a sandbox: its first process (when it is gone, so is every other), and whether the command in
 * it was ever started.
 */
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { z } from "zod";

const statusSchema = z.object({ "child-pid": z.int().positive() });
const pollMs = 5;
const patienceMs = 3_000;

export type SandboxReport = {
  /** The first process's id, as the action sees it; null when there is none. */
  readonly init: Promise<number | null>;
  /** Known when the report is closed: of a command that was started, and of no other, there is an exit code. */
  readonly wasStarted: Promise<boolean>;
};

/** Reads bubblewrap's status. Nobody in the sandbox holds its other end. */
export function readReport(status: Readable | null): SandboxReport {
  if (status === null) return { init: Promise.resolve(null), wasStarted: Promise.resolve(false) };
  let text = "";
  const init = new Promise<number | null>((resolve) => {
    status.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [line, ...rest] = text.split("\n");
      if (rest.length > 0) resolve(processOf(line!));
    });
    for (const event of ["close", "error"]) status.on(event, () => resolve(null));
  });
  const wasStarted = new Promise<boolean>((resolve) => {
    status.on("close", () => resolve(text.includes('"exit-code"')));
  });
  return { init, wasStarted };
}

function processOf(line: string): number | null {
  try {
    return statusSchema.parse(JSON.parse(line))["child-pid"];
  } catch {
    return null;
  }
}

/** Kills it and waits until the kernel has ended it with all of its namespace: it becomes a zombie, or goes, last of all. */
export async function waitUntilGone(pid: number | null): Promise<void> {
  if (pid === null) return;
  const begin = startOf(pid);
  if (begin === null) return;
  for (let waited = 0; waited < patienceMs; waited += pollMs) {
    if (startOf(pid) !== begin) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** When the process started, in the kernel's ticks; null when it is gone or a zombie. Tells it from one with its number. */
function startOf(pid: number): string | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : fields[19]!;
  } catch {
    return null;
  }
}
