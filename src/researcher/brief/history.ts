/**
 * The history of a session in a bounded number of lines: of the distant past what was kept and what nearly was, of the near
 * past everything. It grows in steps, so that most of it is the same text from one experiment to the next and can be cached.
 */
import type { Config } from "../../domain/config.ts";
import { type Row, formatStored } from "../../domain/results.ts";
import { gainOf } from "../../domain/verdict.ts";
import { visibleLine } from "./visible.ts";

/** The last so many experiments are told one by one, and up to a step more. */
const told = 60;
const step = 30;
/** Of those before, this many that were kept, and this many that came nearest to it. */
const keptToldAtMost = 150;
const keptStep = 50;
const nearMisses = 15;
/** Lines that are already there when the next ones are appended. */
const chunk = 10;
const descriptionLength = 110;
const becauseLength = 90;

export type History = {
  /** The same text for several experiments in a row. */
  readonly settled: string;
  /** The lines after it. */
  readonly newest: string;
};

type Line = { readonly row: Row; readonly text: string; readonly gain: number | null };

/** The rows as lines. */
export function historyOf(rows: readonly Row[], direction: Config["metric"]["direction"]): History {
  const lines = linesOf(rows, direction);
  const from = lines.length <= told + step ? 0 : Math.floor((lines.length - told) / step) * step;
  const cut = Math.max(from, Math.floor(lines.length / chunk) * chunk);
  const settled = [...distant(lines.slice(0, from)), ...lines.slice(from, cut).map(({ text }) => text)];
  return { settled: settled.join("\n"), newest: textOf(lines.slice(cut)) };
}

function textOf(lines: readonly Line[]): string {
  return lines.map(({ text }) => text).join("\n");
}

function linesOf(rows: readonly Row[], direction: Config["metric"]["direction"]): Line[] {
  let before: number | null = null;
  return rows.map((row) => {
    const gain = row.value === null || before === null ? null : gainOf(row.value, before, direction);
    const delta = row.value === null || before === null ? "" : ` (${signed(row.value - before)})`;
    const value = row.value === null ? "no value" : `${formatStored(row.value)}${delta}`;
    if (row.outcome === "keep" && row.value !== null) before = row.value;
    const name = row.experiment === 0 ? "frontier" : `#${row.experiment}`;
    const memory = row.value === null ? "" : ` · ${row.memoryGb.toFixed(1)} GB`;
    const description = visibleLine(row.description, descriptionLength);
    // Of what was measured the numbers say why.
    const why = row.value === null ? ` · ${visibleLine(row.because, becauseLength)}` : "";
    return { row, gain, text: `${name} ${row.outcome} · ${value}${memory} · ${description}${why}` };
  });
}

function signed(delta: number): string {
  const size = Math.abs(delta);
  return `${delta < 0 ? "-" : "+"}${size >= 1e-5 || size === 0 ? size.toFixed(6) : size.toPrecision(2)}`;
}

/** What is worth knowing of the distant past. */
function distant(lines: readonly Line[]): string[] {
  if (lines.length === 0) return [];
  const kept = lines.filter(({ row }) => row.outcome === "keep");
  const surplus = Math.max(0, Math.ceil((kept.length - keptToldAtMost) / keptStep) * keptStep);
  const near = lines
    .filter(({ row, gain }) => row.outcome !== "keep" && gain !== null)
    .toSorted((a, b) => b.gain! - a.gain!)
    .slice(0, nearMisses);
  const shown = new Set([...kept.slice(surplus), ...near]);
  const failed = lines.filter(({ row }) => row.value === null).length;
  return [
    `(${lines.length} lines of the distant past, ${kept.length} of them kept, ${failed} without a value; what was kept${surplus > 0 ? ", the oldest left out," : ""} and the ${near.length} nearest misses are:)`,
    ...lines.filter((line) => shown.has(line)).map(({ text }) => text),
    "(from here on every experiment:)",
  ];
}

/** Settled experiments since the last one that was kept. */
export function withoutGain(rows: readonly Row[]): number {
  const lastKept = rows.findLastIndex((row) => row.outcome === "keep");
  return rows.slice(lastKept + 1).filter((row) => row.experiment > 0 && row.outcome !== "withdrawn").length;
}
