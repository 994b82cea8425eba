/** The first process of a sandbox, as bubblewrap reports it: when it is gone, so is every other. */
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { z } from "zod";

const statusSchema = z.object({ "child-pid": z.int().positive() });
const pollMs = 5;
const patienceMs = 3_000;

/** The process id (as the action sees it) from bubblewrap's status; null when there is none. */
export async function readInitProcess(status: Readable | null): Promise<number | null> {
  if (status === null) return null;
  return new Promise((resolve) => {
    let text = "";
    status.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [line, ...rest] = text.split("\n");
      if (rest.length > 0) resolve(processOf(line!));
    });
    for (const event of ["close", "error"]) status.on(event, () => resolve(null));
  });
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
