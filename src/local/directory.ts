/**
 * The folder of a local session: ours alone. A folder that holds anything else is never touched, and one process at a time
 * works in it. Files that are written again and again are put in place whole, so that a kill leaves the old or the new.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const mark = "autoresearch-session";

/** Takes the folder for a session, making it where it is not there; a sentence where it can't be taken. */
export function claimDirectory(dir: string): { problem: string } | null {
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, mark);
  if (existsSync(file)) return null;
  if (readdirSync(dir).length > 0) return { problem: `${dir} holds other things than a session; name an empty --dir.` };
  writeFileSync(file, "A session of autoresearch-app lives in this folder; it may be deleted as a whole.\n");
  return null;
}

/** Holds the folder for this process; null: another living process holds it. The answer lets it go. */
export function lockDirectory(dir: string): (() => void) | null {
  const file = path.join(dir, "pid");
  const holder = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (holder > 0 && holder !== process.pid && isAlive(holder)) return null;
  writeWhole(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Writes a file so that a reader, or a process after a kill, finds all of it or what was there before. */
export function writeWhole(file: string, text: string, mode = 0o644): void {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
}

/** The JSON of a file; null where there is none that can be read. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch {
    return null;
  }
}
