/** Logs of jobs: one file each in the world's folder, lines with the time before them, as GitHub has them. */
import { appendFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Core } from "../core.ts";

export function logFile(core: Core, jobId: number): string {
  return path.join(core.dir, "world", "job-logs", `${jobId}.txt`);
}

/** Bytes of the log so far. */
export function logSize(core: Core, jobId: number): number {
  const file = logFile(core, jobId);
  return existsSync(file) ? statSync(file).size : 0;
}

/** Adds text at `offset`; what is there already is not written again, so a part may be sent twice. */
export function appendLog(core: Core, jobId: number, offset: number, text: Buffer): void {
  const file = logFile(core, jobId);
  mkdirSync(path.dirname(file), { recursive: true });
  const known = logSize(core, jobId) - offset;
  if (known >= 0 && known < text.length) appendFileSync(file, text.subarray(known));
}

/** A line of the server's own. */
export function appendLine(core: Core, jobId: number, line: string): void {
  const text = `${core.now().toISOString().replace("Z", "0000Z")} ${line}\n`;
  appendLog(core, jobId, logSize(core, jobId), Buffer.from(text));
}
