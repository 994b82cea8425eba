/** `summary.json`, and the table at the end of the story. */
import type { LocalGitHub } from "./github/server.ts";
import type { SessionSeen } from "./reading.ts";
import { historyOf } from "../domain/history.ts";
import { frontierBranch } from "../domain/names.ts";
import { formatAmount, formatDelta, formatPercent } from "../domain/numbers.ts";
import type { Outcome } from "../domain/verdict.ts";

export type Requests = ReturnType<LocalGitHub["requests"]>;

export type Summary = {
  readonly issue: number;
  readonly state: string;
  readonly metric: string;
  /** Values of the metric; null where nothing was measured. */
  readonly baseline: number | null;
  readonly best: number | null;
  readonly frontier: { readonly ref: string; readonly sha: string | null };
  readonly experiments: readonly {
    readonly number: number;
    readonly pullRequest: number;
    readonly outcome: Outcome | null;
    readonly value: number | null;
    readonly headSha: string;
    readonly trials: number;
    readonly because: string;
  }[];
  readonly requests: Pick<Requests, "total" | "byKind">;
  readonly seconds: { readonly wall: number; readonly training: number };
};

export function summaryOf(
  seen: SessionSeen,
  requests: Pick<Requests, "total" | "byKind">,
  wallSeconds: number,
): Summary {
  const { rows, record } = seen;
  const training = rows.reduce((sum, row) => sum + row.seconds, 0);
  return {
    issue: seen.issue,
    state: record?.state ?? "refused",
    metric: record?.config.metric.name ?? "val_bpb",
    baseline: rows.find((row) => row.experiment === 0)?.value ?? null,
    best: rows.findLast((row) => row.outcome === "keep")?.value ?? null,
    frontier: { ref: frontierBranch(seen.issue), sha: seen.frontierSha },
    experiments: seen.experiments.map((experiment) => {
      const row = rows.findLast((each) => each.experiment === experiment.number) ?? null;
      return {
        number: experiment.number,
        pullRequest: experiment.pullRequest,
        outcome: row?.outcome ?? null,
        value: row?.value ?? null,
        headSha: experiment.headSha,
        trials: experiment.trials.length,
        because: row?.because ?? "not settled",
      };
    }),
    requests: { total: requests.total, byKind: requests.byKind },
    seconds: { wall: Math.round(wallSeconds * 10) / 10, training: Math.round(training * 10) / 10 },
  };
}

/** The closing lines of the story. */
export function closingLines(
  summary: Summary,
  seen: SessionSeen,
  where: { url: string; dir: string; repo: string },
): string[] {
  const rows = seen.rows.filter((row) => row.experiment > 0);
  const width = Math.min(48, Math.max(4, ...rows.map((row) => row.description.length)));
  const { before } = historyOf(seen.rows);
  const table = rows.map((row) => {
    const reference = before.get(row) ?? null;
    const value = row.value === null ? "" : formatAmount(row.value);
    const delta = row.value === null || reference === null ? "" : formatDelta(row.value - reference);
    return `  ${String(row.experiment).padStart(3)}  ${row.description.slice(0, width).padEnd(width)}  ${value.padStart(8)}  ${delta.padStart(8)}  ${row.outcome.padEnd(12)} ${row.because}`;
  });
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  const gain =
    summary.baseline === null || summary.best === null
      ? `no ${summary.metric} was measured`
      : `${summary.metric} ${formatAmount(summary.baseline)} → ${formatAmount(summary.best)} (${formatPercent(summary.baseline, summary.best)})`;
  const perExperiment =
    rows.length === 0
      ? ""
      : ` · ${Math.round((summary.requests.total - summary.requests.byKind.notModified) / rows.length)} requests an experiment`;
  const crashes = count("crash") + count("timeout");
  const head = [
    `${rows.length} experiments`,
    `${count("keep")} kept`,
    ...(crashes === 0 ? [] : [`${crashes} crashed`]),
  ].join(", ");
  return [
    "",
    ...table,
    "",
    `${head} · ${gain} · ${Math.round(summary.seconds.wall)} s${perExperiment}`,
    `state: ${summary.state}${seen.record === null ? "" : ` (${seen.record.because})`}`,
    `look: git -C ${where.dir}/repo.git log --first-parent ${summary.frontier.ref}`,
    `      ${where.dir}/progress.svg  ${where.dir}/results.tsv  ${where.dir}/summary.json`,
    `      npm run local -- --dir ${where.dir} --serve   shows the issue and the pull requests as web pages`,
  ];
}
