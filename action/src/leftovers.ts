/**
 * Without a sandbox: what a command started and took out of its group (a daemon) is looked for and killed. It is known
 * by its environment (a mark that is random, and another for each command), or by the command's folders, in which it works. One that has changed both is
 * not found; a sandbox has no such gap.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { holds } from "./machine.ts";
import type { Place } from "./sandbox.ts";

const rounds = 20;
const pauseMs = 10;

/** Kills until a look finds none. */
export async function killLeftovers(env: Readonly<Record<string, string>>, place: Place): Promise<void> {
  const mark = `AUTORESEARCH_MARK=${env["AUTORESEARCH_MARK"] ?? ""}`;
  for (let round = 0; round < rounds; round++) {
    const found = processes().filter((pid) => pid !== process.pid && isOurs(pid, mark, [place.cwd, place.scratch]));
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It went by itself.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

function processes(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function isOurs(pid: number, mark: string, folders: readonly string[]): boolean {
  try {
    // A zombie has no environment and nowhere to work.
    if (readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)) return true;
    const cwd = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, "");
    return folders.some((folder) => holds(folder, cwd));
  } catch {
    return false;
  }
}
