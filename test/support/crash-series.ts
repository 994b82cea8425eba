/** Many cases, some at a time, each compared with what comes of the scenario undisturbed. */
import { isDeepStrictEqual } from "node:util";
import { BotPool } from "./crash-bots.ts";
import { type CaseResult, type CrashCase, type CrashLab, faultKinds, runCase } from "./crash-case.ts";
import type { WorldSnapshot } from "./world-snapshot.ts";

export type Tried = CrashCase & {
  /** What was hit; null: the bot made fewer requests this time. */
  readonly hit: string | null;
  readonly restarts: number;
  readonly runs: number;
  readonly realMs: number;
  /** What is lost or wrong, in sentences; empty: nothing. */
  readonly wrongs: readonly string[];
};

/** How many times as fast as the machine's the clock of bot and GitHub runs. */
const times = 40;

/** A laboratory for cases; `end` it. */
export function openLab(lanes: number): CrashLab & { end: () => void } {
  const clock = { epochMs: Date.now(), times };
  const pool = new BotPool(clock, lanes);
  return { clock, pool, end: () => pool.end() };
}

/** All cases for so many requests: each kind of fault at each request; so ordered that a part of them is spread over all. */
export function allCases(requests: number): CrashCase[] {
  const stride = 10;
  return Array.from({ length: requests }, (_, index) => index + 1)
    .sort((a, b) => (a % stride) - (b % stride) || a - b)
    .flatMap((at) => faultKinds.map((kind) => ({ kind, at })));
}

/** So many are tried with each change: as many as take about a minute on two busy cores. */
export const sampleSize = 2 * faultKinds.length;

/** Some of them, by chance from a seed: an even share of each kind of fault. */
export function sampleOf(requests: number, count: number, seed: number): CrashCase[] {
  let state = seed >>> 0;
  // Mulberry32: a small generator of even quality, enough to choose with.
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: count }, (_, index) => {
    return { kind: faultKinds[index % faultKinds.length]!, at: 1 + Math.floor(random() * requests) };
  });
}

/** Runs the cases, `lanes` at a time; `tell` hears of each as it ends. */
export async function runSeries(
  cases: readonly CrashCase[],
  undisturbed: CaseResult,
  lab: CrashLab,
  lanes: number,
  tell: (tried: Tried) => void,
): Promise<Tried[]> {
  const waiting = [...cases];
  const all: Tried[] = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const tried = await tryCase(next, undisturbed.snapshot, lab);
      all.push(tried);
      tell(tried);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return all;
}

async function tryCase(wanted: CrashCase, expected: WorldSnapshot, lab: CrashLab): Promise<Tried> {
  const startedMs = performance.now();
  try {
    const { hit, restarts, runs, snapshot, wrongs } = await runCase(wanted, lab);
    const realMs = performance.now() - startedMs;
    return { ...wanted, hit, restarts, runs, realMs, wrongs: [...wrongs, ...differences(expected, snapshot)] };
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    return { ...wanted, hit: null, restarts: 0, runs: 0, realMs: performance.now() - startedMs, wrongs: [because] };
  }
}

/** Where two worlds differ, by the parts of a session. */
export function differences(expected: WorldSnapshot, found: WorldSnapshot): string[] {
  if (isDeepStrictEqual(expected, found)) return [];
  if (expected.length !== found.length) return [`${found.length} sessions in the place of ${expected.length}`];
  return expected.flatMap((session, index) =>
    Object.entries(session).flatMap(([part, value]) => {
      const other = (found[index] as unknown as Record<string, unknown>)[part];
      if (isDeepStrictEqual(value, other)) return [];
      return [`${part}: ${JSON.stringify(other)} in the place of ${JSON.stringify(value)}`];
    }),
  );
}
