/** What a session leaves at its end: the comment on the issue, and the pull request for a person to merge. */
import { frontierBranch, resultsBranch } from "./names.ts";
import { historyOf } from "./history.ts";
import { formatAmount, formatDelta, formatPercent } from "./numbers.ts";
import { baselineOf } from "./results.ts";
import type { Running } from "./session.ts";
import { outcomes } from "./verdict.ts";
import { experimentCount, inline, sinceBaseline } from "./words.ts";

function summaryLine(session: Running): string {
  const settled = session.rows.filter((row) => row.experiment > 0);
  const count = (outcome: string) => settled.filter((row) => row.outcome === outcome).length;
  const words = outcomes
    .map((outcome) => [count(outcome), outcome] as const)
    .filter(([number]) => number > 0)
    .map(([number, outcome]) => `${number} ${outcome === "keep" ? "kept" : outcome.replace("_", " ")}`);
  return `${experimentCount(settled.length)}${words.length === 0 ? "" : `: ${words.join(", ")}`}`;
}

export function finalComment(session: Running, because: string): string {
  const { metric } = session.record.config;
  const value = session.frontier.value!;
  const gain = `**${metric.name} ${formatAmount(value)}**${sinceBaseline(session)}`;
  const advice =
    session.frontier.tip === session.record.base
      ? "Nothing beat the baseline, so there is nothing to merge."
      : "What was found is in the pull request linked below, for a person to merge.";
  return [`The session is done: ${inline(because)}.`, gain, `${summaryLine(session)}.`, advice].join("\n\n");
}

export function reportTitle(session: Running): string {
  const { metric } = session.record.config;
  const baseline = baselineOf(session.rows);
  const value = session.frontier.value!;
  const change = baseline === null ? "" : ` (${formatPercent(baseline, value)})`;
  return `autoresearch #${session.key.issue}: ${metric.name} ${baseline === null ? "" : `${formatAmount(baseline)} → `}${formatAmount(value)}${change}`;
}

export function reportBody(session: Running): string {
  const { metric } = session.record.config;
  const kept = session.rows.filter((row) => row.experiment > 0 && row.outcome === "keep" && row.value !== null);
  const picture =
    session.resultsTip === null
      ? ""
      : `![progress](${session.htmlUrl}/blob/${session.resultsTip}/progress.svg?raw=true)`;
  return [
    `What the session #${session.key.issue} found: ${summaryLine(session)}.`,
    picture,
    [
      `| experiment | ${metric.name} | Δ | change | why it was kept |`,
      "| --- | --- | --- | --- | --- |",
      ...kept.slice(-100).map((row) => {
        const before = historyOf(session.rows).before.get(row) ?? null;
        const delta = before === null ? "" : formatDelta(row.value! - before);
        return `| ${row.pullRequest === null ? row.experiment : `#${row.pullRequest}`} | ${formatAmount(row.value!)} | ${delta} | ${inline(row.description, 100)} | ${inline(row.because, 100)} |`;
      }),
    ].join("\n"),
    `Every value was measured on a runner, of the code that is merged here: each commit on \`${frontierBranch(session.key.issue)}\` has the tree of the candidate that was trained. All experiments, lost ones too, are in \`results.tsv\` on \`${resultsBranch(session.key.issue)}\`.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}
