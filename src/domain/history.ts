/**
 * What the rows of a session say, worked out once for each array of them: a session with a thousand rows is asked as often in
 * a pass as one with ten. Rows are never changed in place; a new row makes a new array, and that a new history.
 */
import type { Row } from "./results.ts";

export type History = {
  /** The last row of each experiment (0: of the frontier itself). */
  readonly byExperiment: ReadonlyMap<number, Row>;
  /** Experiments that are settled, and how many of them were kept. */
  readonly settled: number;
  readonly kept: number;
  /** Settled experiments since the last that was kept; all of them where none was. */
  readonly sinceGain: number;
  /** The highest number of an experiment. */
  readonly highest: number;
  /** The frontier's value when the row was written: that of the last row that was kept before it. */
  readonly before: ReadonlyMap<Row, number | null>;
  readonly pullRequests: ReadonlySet<number>;
  /** Rows of the frontier itself, oldest first. */
  readonly ofFrontier: readonly Row[];
};

const known = new WeakMap<readonly Row[], History>();

export function historyOf(rows: readonly Row[]): History {
  const history = known.get(rows) ?? read(rows);
  known.set(rows, history);
  return history;
}

function read(rows: readonly Row[]): History {
  const byExperiment = new Map<number, Row>();
  const before = new Map<Row, number | null>();
  const pullRequests = new Set<number>();
  const ofFrontier: Row[] = [];
  let [settled, kept, sinceGain, highest] = [0, 0, 0, 0];
  let value: number | null = null;
  for (const row of rows) {
    byExperiment.set(row.experiment, row);
    before.set(row, value);
    if (row.pullRequest !== null) pullRequests.add(row.pullRequest);
    highest = Math.max(highest, row.experiment);
    if (row.outcome === "keep") value = row.value;
    if (row.experiment === 0) {
      ofFrontier.push(row);
      continue;
    }
    settled += 1;
    kept += row.outcome === "keep" ? 1 : 0;
    sinceGain = row.outcome === "keep" ? 0 : sinceGain + 1;
  }
  return { byExperiment, settled, kept, sinceGain, highest, before, pullRequests, ofFrontier };
}
