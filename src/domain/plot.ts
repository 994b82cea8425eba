/**
 * What the progress picture shows: which marks, on which axes. No drawing here (src/picture.ts draws).
 *
 * Always: the same rows give the same plot, and its size is bounded however many rows there are.
 */
import type { Config } from "./config.ts";

export type PlotRow = {
  /** 0 for a measurement of the frontier itself. */
  readonly experiment: number;
  readonly outcome: string;
  readonly value: number | null;
  readonly description: string;
};

export type Direction = Config["metric"]["direction"];

/** One mark, in the units of the axes. */
export type Mark = { readonly x: number; readonly y: number };

/** An improvement of the running best; `gain` is infinite for the first and the last, which are always named. */
export type Improvement = Mark & { readonly description: string; readonly gain: number };

export type Range = { readonly from: number; readonly to: number };

export type Plot = {
  readonly experiments: number;
  readonly keptCount: number;
  /** The metric's first and best value; null before the first measurement. */
  readonly baseline: number | null;
  readonly best: number | null;
  readonly kept: readonly Mark[];
  /** Measured and not kept, all of them: `discardedOf` takes from them what is drawn. */
  readonly discarded: readonly Mark[];
  /** Experiments without a value because they broke: crash, time-out. */
  readonly broken: readonly number[];
  /** Experiments without a value that never were trained or were withdrawn. */
  readonly unmeasured: readonly number[];
  /** The running best, from its first value to the last experiment. */
  readonly improvements: readonly Improvement[];
  readonly x: Range;
  readonly y: Range;
};

/** Marks of one kind that are drawn at most. */
const markLimit = 150;
/** Room beyond the baseline and beyond the best, as a part of what lies between. */
const margin = 0.15;
/** What is larger can't be drawn to scale with anything, and is shown as having no value. */
const drawable = 1e15;

/** The plot of a session's rows, in the order of results.tsv. */
export function plotOf(rows: readonly PlotRow[], direction: Direction): Plot {
  const sign = direction === "lower" ? 1 : -1;
  const placed = placeRows(rows);
  const measured = placed.filter((row): row is Placed & { y: number } => row.y !== null);
  const kept = measured.filter((row) => row.outcome === "keep");
  const improvements = improvementsOf(kept, sign);
  const baseline = improvements[0]?.y ?? null;
  const best = improvements.at(-1)?.y ?? null;

  const last = placed.reduce((most, row) => Math.max(most, row.x), 1);
  const x = { from: -0.02 * last, to: 1.02 * last };
  const y = rangeOf(measured, baseline, best, sign);
  const without = placed.filter((row) => row.y === null);
  const isBroken = (row: Placed) => row.outcome === "crash" || row.outcome === "timeout";
  return {
    experiments: rows.filter((row) => row.experiment > 0).length,
    keptCount: rows.filter((row) => row.experiment > 0 && row.outcome === "keep").length,
    baseline,
    best,
    kept: thin(kept, { x, y }),
    discarded: measured.filter((row) => row.outcome !== "keep"),
    broken: thinLine(without.filter(isBroken), x),
    unmeasured: thinLine(
      without.filter((row) => !isBroken(row)),
      x,
    ),
    improvements,
    x,
    y,
  };
}

/** Of what was not kept the marks within the range of y, and the numbers of those too bad to be shown to scale. */
export function discardedOf(
  { discarded, x }: Pick<Plot, "discarded" | "x">,
  y: Range,
  direction: Direction,
): { within: readonly Mark[]; beyond: readonly number[] } {
  const within = discarded.filter((mark) => mark.y >= y.from && mark.y <= y.to);
  const beyond = discarded.filter((mark) => (direction === "lower" ? mark.y > y.to : mark.y < y.from));
  return { within: thin(within, { x, y }), beyond: thinLine(beyond, x) };
}

type Placed = {
  readonly x: number;
  readonly y: number | null;
  readonly outcome: string;
  readonly description: string;
};

/** Each row at its experiment's number; a later measurement of the frontier itself stands where the session then was. */
function placeRows(rows: readonly PlotRow[]): Placed[] {
  let reached = 0;
  return rows.map(({ experiment, value, outcome, description }) => {
    reached = Math.max(reached, experiment);
    const y = value !== null && Math.abs(value) < drawable ? value : null;
    return { x: experiment === 0 ? reached : experiment, y, outcome, description };
  });
}

/** What lowered the running best, in the order of the experiments' numbers; in front the first value there is. */
function improvementsOf(kept: readonly (Placed & { y: number })[], sign: number): Improvement[] {
  const found: Improvement[] = [];
  for (const { x, y, description } of kept.toSorted((a, b) => a.x - b.x)) {
    const before = found.at(-1);
    const gain = before === undefined ? Infinity : (before.y - y) * sign;
    if (gain > 0) found.push({ x, y, description, gain });
  }
  return found.map((each, index) => (index === found.length - 1 ? { ...each, gain: Infinity } : each));
}

/** From a little beyond the baseline to a little beyond the best: what is far worse would only press the rest flat. */
function rangeOf(measured: readonly Mark[], baseline: number | null, best: number | null, sign: number): Range {
  if (baseline === null || best === null) return { from: 0, to: 1 };
  const gained = Math.abs(baseline - best);
  const distances = measured.map(({ y }) => Math.abs(y - baseline)).filter((distance) => distance > 0);
  const typical = distances.toSorted((a, b) => a - b)[distances.length >> 1] ?? (Math.abs(baseline) * 0.01 || 0.01);
  const worse = gained > 0 ? margin * gained : 1.5 * typical;
  const better = gained > 0 ? margin * gained : 0.5 * typical;
  // Wide enough for the numbers between to differ.
  const least = Math.max(Math.abs(baseline), 1e-6) * 1e-6;
  const ends = [baseline + sign * Math.max(worse, least), best - sign * Math.max(better, least)] as const;
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/** At most `markLimit` marks: of those that fall into one cell of a grid the first stays, on the finest grid that does. */
function thin(marks: readonly Mark[], { x, y }: { x: Range; y: Range }): Mark[] {
  for (let columns = 240; ; columns = Math.floor(columns * 0.8)) {
    const cells = new Map<string, Mark>();
    for (const mark of marks) {
      const column = Math.floor(((mark.x - x.from) / (x.to - x.from)) * columns);
      const line = Math.floor(((mark.y - y.from) / (y.to - y.from)) * columns * 0.5);
      const cell = `${column}/${line}`;
      if (!cells.has(cell)) cells.set(cell, { x: mark.x, y: mark.y });
    }
    if (cells.size <= markLimit) return [...cells.values()];
  }
}

function thinLine(marks: readonly { readonly x: number }[], x: Range): number[] {
  const flat = marks.map((mark) => ({ x: mark.x, y: 0 }));
  return thin(flat, { x, y: { from: 0, to: 1 } }).map((mark) => mark.x);
}

/** Round numbers within a range, about `count` of them, and the decimals they need. */
export function ticksOf({ from, to }: Range, count: number, least = 0): { values: number[]; decimals: number } {
  const rough = Math.max((to - from) / count, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  const amount = Math.floor(to / step + 1e-9) - first + 1;
  const decimals = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const values = Array.from({ length: amount }, (_, index) => Number(((first + index) * step).toFixed(decimals)));
  return { values, decimals };
}
