/**
 * What a command may use of the machine, watched while it runs: disk (what it has written, and what is left for others)
 * and processes. A command that goes over is ended.
 *
 * Races: a look comes every second, so a fast writer gets further by what it writes in one; the limit on a single file
 * (run-command.ts) and the room that is left over take that up.
 */
import { readdirSync, readlinkSync } from "node:fs";
import { lstat, opendir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./sandbox.ts";

export type Bounds = {
  /** In the writable folders and the scratch together. */
  readonly diskBytes: number;
  /** Processes and threads. */
  readonly processes: number;
};

/** At most this much is written, and less where the disk has less room. */
const mostBytes = 64 * 1024 ** 3;
/** Left for the rest of the machine. */
const reserveBytes = 512 * 1024 ** 2;
const lookEveryMs = 1_000;
/** Beyond so many files a look stops counting: what is left on the disk is looked at all the same. */
const mostEntries = 200_000;
const reserveFiles = 10_000;

/** @param own the action's environment: an operator may set AUTORESEARCH_MAX_DISK_MB and AUTORESEARCH_MAX_PROCESSES */
export async function boundsFor(folder: string, own: Readonly<Record<string, string | undefined>>): Promise<Bounds> {
  const wanted = Number(own["AUTORESEARCH_MAX_DISK_MB"] ?? Number.NaN) * 1024 ** 2;
  const free = await freeBytes(folder);
  const room = Math.max(free - 2 * reserveBytes, 16 * 1024 ** 2);
  const processes = Number(own["AUTORESEARCH_MAX_PROCESSES"] ?? Number.NaN);
  return {
    diskBytes: Math.min(wanted > 0 ? wanted : mostBytes, room),
    processes: processes > 0 ? Math.floor(processes) : 8_192,
  };
}

/** Looks until the returned function is called; tells at most once. */
export function watchBounds(
  bounds: Bounds,
  place: Place,
  init: Promise<number | null>,
  exceeded: (why: string) => void,
): () => void {
  let isOver = false;
  let timer: NodeJS.Timeout | null = null;
  const look = async () => {
    const why = await overBound(bounds, place, await init).catch(() => null);
    if (isOver) return;
    if (why !== null) return exceeded(why);
    timer = setTimeout(() => void look(), lookEveryMs);
  };
  timer = setTimeout(() => void look(), lookEveryMs);
  return () => {
    isOver = true;
    if (timer !== null) clearTimeout(timer);
  };
}

async function overBound(bounds: Bounds, place: Place, init: number | null): Promise<string | null> {
  if (init !== null && threadsWith(init, bounds.processes) > bounds.processes) {
    return `started more than ${bounds.processes} processes and threads`;
  }
  const { bavail, bsize, files, ffree } = await statfs(place.scratch);
  if (bavail * bsize < reserveBytes) return "filled the disk";
  if (files > 0 && ffree < reserveFiles) return "filled the disk with files";
  let left = bounds.diskBytes;
  const budget = { entries: mostEntries };
  for (const folder of [...place.writable, place.scratch]) left -= await bytesIn(folder, budget);
  return left < 0 ? `wrote more than ${sizeOf(bounds.diskBytes)}` : null;
}

function sizeOf(bytes: number): string {
  return bytes >= 1024 ** 3 ? `${Math.round(bytes / 1024 ** 3)} GiB` : `${Math.round(bytes / 1024 ** 2)} MiB`;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Blocks in use below a folder. What can't be read counts as nothing. */
async function bytesIn(folder: string, budget: { entries: number }): Promise<number> {
  let bytes = 0;
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && budget.entries > 0; next = waiting.pop()) {
    try {
      for await (const entry of await opendir(next)) {
        budget.entries -= 1;
        const path = join(next, entry.name);
        if (entry.isDirectory()) waiting.push(path);
        else bytes += ((await lstat(path)).blocks ?? 0) * 512;
      }
    } catch {
      // It went away meanwhile, or is closed to us.
    }
  }
  return bytes;
}

/** Threads in the process namespace of a process; stops counting a little above `enough`. */
function threadsWith(init: number, enough: number): number {
  const namespace = readlinkSync(`/proc/${init}/ns/pid`);
  let count = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readlinkSync(`/proc/${name}/ns/pid`) === namespace) count += readdirSync(`/proc/${name}/task`).length;
    } catch {
      // It ended meanwhile.
    }
    if (count > enough) return count;
  }
  return count;
}
