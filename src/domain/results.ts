/**
 * `results.tsv`: one row per settled experiment, first the baseline. The first five columns are karpathy's, value for
 * value, so that his notebook reads the file; ours follow.
 *
 * Always: a crash has no value. The `0.000000` that his form writes for it exists in this file alone.
 */
import type { Outcome } from "./verdict.ts";
import { outcomes } from "./verdict.ts";

export type Row = {
  /** Seven digits of the measured commit; `baseline`-like words of other people's tables are kept as they are. */
  readonly commit: string;
  readonly value: number | null;
  /** Peak memory in GiB. */
  readonly memoryGb: number;
  readonly description: string;
  readonly outcome: Outcome;
  /** 0 for a measurement of the frontier itself: the baseline, or a frontier that a person moved. */
  readonly experiment: number;
  readonly pullRequest: number | null;
  /** Seven digits of the frontier's commit that it was built on; empty for the frontier itself. */
  readonly parent: string;
  /** Seconds of training, all trials together. */
  readonly seconds: number;
  readonly because: string;
};

const ourColumns = ["outcome", "experiment", "pull_request", "parent", "seconds", "because"];

function header(metric: string): string[] {
  return ["commit", metric, "memory_gb", "status", "description", ...ourColumns];
}

/** karpathy's word for an outcome: `keep`, `discard`, or `crash` where there is no value to show. */
export function statusOf(row: Pick<Row, "outcome" | "value">): "keep" | "discard" | "crash" {
  if (row.value === null) return "crash";
  return row.outcome === "keep" ? "keep" : "discard";
}

/** The rows with one more: the baseline is row one, even where an experiment was closed before it was measured. */
export function withRow(rows: readonly Row[], row: Row): Row[] {
  const first = row.experiment === 0 && !rows.some((each) => each.experiment === 0);
  return first ? [row, ...rows] : [...rows, row];
}

/** The baseline's value, or null before it is measured. */
export function baselineOf(rows: readonly Row[]): number | null {
  return rows.find((row) => row.experiment === 0)?.value ?? null;
}

/** One cell. Readers of CSV take a double quote at its beginning for quoting, up to the next one, over any line end. */
function clean(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .replaceAll('"', "'");
}

/** A value as files and commits keep it: six decimals, and seven digits of one so small that they would make it nothing. */
export function formatStored(value: number): string {
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(6) : value.toFixed(6);
}

/** Rows never change: each is written out once, and not again with every row that follows it. */
const lines = new WeakMap<Row, string>();

/** The whole file. Text loses its tabs and line ends, and its double quotes become single ones. */
export function formatResults(rows: readonly Row[], metric: string): string {
  return `${header(metric).join("\t")}\n${rows.map(lineOf).join("")}`;
}

function lineOf(row: Row): string {
  const known = lines.get(row);
  if (known !== undefined) return known;
  const cells = [
    row.commit,
    formatStored(row.value ?? 0),
    row.memoryGb.toFixed(1),
    statusOf(row),
    clean(row.description),
    row.outcome,
    String(row.experiment),
    row.pullRequest === null ? "" : String(row.pullRequest),
    row.parent,
    row.seconds.toFixed(1),
    clean(row.because),
  ];
  const line = `${cells.join("\t")}\n`;
  lines.set(row, line);
  return line;
}

/** Reads `formatResults`, and tables with karpathy's five columns alone. Lines that are neither are left out. */
export function parseResults(text: string): Row[] {
  return text
    .replaceAll("\r\n", "\n")
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const row = parseRow(line.split("\t"));
      return row === null ? [] : [row];
    });
}

function parseRow(cells: readonly string[]): Row | null {
  const [commit, value, memoryGb, status, description, outcome, experiment, pullRequest, parent, seconds, because] =
    cells;
  if (commit === undefined || value === undefined || status === undefined || description === undefined) return null;
  const number = Number(value);
  if (value.trim() === "" || !Number.isFinite(number) || !["keep", "discard", "crash"].includes(status)) return null;
  return {
    commit,
    value: status === "crash" ? null : number,
    memoryGb: finite(memoryGb),
    description,
    outcome: outcomes.find((each) => each === outcome) ?? (status as Outcome),
    experiment: finite(experiment),
    pullRequest: pullRequest === undefined || pullRequest === "" ? null : finite(pullRequest),
    parent: parent ?? "",
    seconds: finite(seconds),
    because: because ?? "",
  };
}

function finite(cell: string | undefined): number {
  const number = Number(cell ?? "0");
  return Number.isFinite(number) ? number : 0;
}
