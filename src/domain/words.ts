/**
 * What the bot says, apart from the dashboard (dashboard.ts). Plain words, numbers first. Texts that come from elsewhere (a
 * researcher, a log, a person) go through `inline`, so that they can't mention people, close issues or break a table.
 */
import type { Command } from "./command.ts";
import type { Config } from "./config.ts";
import { formatTokens, formatUsd } from "./ledger.ts";
import { historyOf } from "./history.ts";
import type { Measurement } from "./measurement.ts";
import { type SessionKey, type Sha, frontierBranch, resultsBranch, shortSha } from "./names.ts";
import { formatAmount, formatClock, formatDelta, formatPercent } from "./numbers.ts";
import type { Idea } from "./proposal.ts";
import { type Row, baselineOf } from "./results.ts";
import type { Experiment, Order, Running, Session, SessionRecord } from "./session.ts";

/**
 * One line of foreign text, at most `most` characters of it, harmless in Markdown: no mentions, references, addresses,
 * HTML, entities, table cells or code spans.
 */
export function inline(text: string, most = 300): string {
  return Array.from(text.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim())
    .slice(0, most)
    .join("")
    .replace(/[\\`*_[\]<>|~&]/g, (mark) => `\\${mark}`)
    .replace(/[@#](?=\w)|:(?=\/\/)|\bGH-(?=\d)/gi, (mark) => `${mark}\u2060`);
}

/** `2026-11-23 12:04 UTC` */
export function formatTime(at: number | string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** The hidden line that tells the bot's own comments and bodies apart; it counts only in what the bot wrote. */
export function marker(name: string): string {
  return `<!-- autoresearch:${name} -->`;
}

// Replies

export function denial(order: Order): string {
  const what = order.commands.map((command) =>
    command.kind === "unknown" ? "the command" : `\`/autoresearch ${command.kind}\``,
  );
  return `@${order.author}, only people with write access can steer this session. (${what.join(", ")} was not carried out.)`;
}

/** Whom a reply of `denial` was to, or null. */
export function deniedLogin(reply: string): string | null {
  return /^@([\w-]+), only people with write access/.exec(reply)?.[1] ?? null;
}

export function noSession(): string {
  return "There is no session on this issue. The label `autoresearch`, put on by a person with write access, starts one.";
}

export function unknownCommand(command: Extract<Command, { kind: "unknown" }>): string {
  const nearest = command.nearest === null ? "" : ` Did you mean \`${command.nearest}\`?`;
  return `I don't know \`/autoresearch ${command.text.replace(/[`<>@\s]/g, "")}\`.${nearest} \`/autoresearch help\` lists all.`;
}

export function orphanedFrontier(issue: number): string {
  return `there is a branch \`${frontierBranch(issue)}\` that holds an earlier session's work, and no \`${resultsBranch(issue)}\` that tells of it. Restore that one, or rename or delete the first`;
}

/** What is in the way of a start, where trying again may help. */
export function startTrouble(because: string): string {
  return `I can't start yet: ${inline(because)}. I try again now and then.`;
}

export function startRefusal(problem: string): string {
  return `I can't start: ${problem} Mend it and put the label on again.`;
}

/** What a moved issue says at its new place. */
export function movedText(from: SessionKey, record: SessionRecord): string {
  const at = `${from.owner}/${from.repo}`;
  return `The session of this issue stayed behind in ${at}, where it is ${record.state}: ${inline(record.because)}. What it found is there, on \`${frontierBranch(from.issue)}\` and \`${resultsBranch(from.issue)}\`. The label \`autoresearch\`, put on here, starts a new one.`;
}

export function closedAgainText(row: Row): string {
  return `This experiment is settled (${row.outcome.replace("_", " ")}), so I closed it again. \`/autoresearch rerun\` here has it measured once more, \`/autoresearch keep\` takes it as it is.`;
}

export function statusText(session: Session): string {
  const { record, frontier } = session;
  if (record === null) return noSession();
  const { settled, kept } = historyOf(session.rows);
  const value = frontier?.value ?? null;
  const gained =
    value === null
      ? "no value of the frontier yet"
      : `${record.config.metric.name} ${formatAmount(value)}${sinceBaseline(session)}`;
  const open = session.experiments.length;
  return `**${record.state}** (${inline(record.because)}) · ${settled} of ${record.config.limits.experiments} experiments settled, ${kept} kept, ${open} open · ${gained}`;
}

/** ` ← 0.9979 baseline (−1.86 %)`, or nothing before there is a baseline. */
export function sinceBaseline(session: Session): string {
  const baseline = baselineOf(session.rows);
  const value = session.frontier?.value ?? null;
  return baseline === null || value === null
    ? ""
    : ` ← ${formatAmount(baseline)} baseline (${formatPercent(baseline, value)})`;
}

/** What a person is asked of an experiment whose value can't be believed. */
export function questionText(phase: { readonly value: number | null; readonly because: string }): string {
  const keep = phase.value === null ? "" : "`/autoresearch keep` believes it and keeps it unless it is worse; ";
  return [
    `**A person is asked.** ${inline(phase.because)}. Such a value counts neither as a win nor as a loss.`,
    `Here, or by the buttons of the check: ${keep}\`/autoresearch rerun\` measures it once more; closing the pull request drops the idea. The session goes on meanwhile.`,
  ].join("\n\n");
}

// Pull requests

export function pullTitle(experiment: number, description: string): string {
  return Array.from(`exp ${experiment}: ${oneLine(description)}`)
    .slice(0, 250)
    .join("");
}

/** The description inside a pull request's title, or the title itself when a person changed its form. */
export function descriptionOf(title: string): string {
  return title.replace(/^exp \d+: /, "");
}

export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

const verdictMark = marker("verdict");

/** The pull request's body, made of what the candidate's commit says, so that whoever finds the commit can write it. */
export function pullBody(idea: Idea, at: { issue: number; experiment: number; parent: Sha }): string {
  const expected = idea.expected === null ? [] : [`**Expected** ${inline(idea.expected)}.`];
  const refuted = idea.refutedBy === null ? [] : [`**Refuted by** ${inline(idea.refutedBy)}.`];
  const asked = idea.askedBy === null ? "" : `**Asked for by** ${inline(`@${idea.askedBy}`)}.`;
  const { spent } = idea;
  const cost = spent === null || spent.usd === 0 ? "" : `, ${formatTokens(spent)}, ${formatUsd(spent.usd)}`;
  return [
    `**Hypothesis.** ${inline(idea.hypothesis)}`,
    [...expected, ...refuted].join(" "),
    asked,
    verdictMark,
    `<sub>session #${at.issue} · experiment ${at.experiment} · on frontier \`${shortSha(at.parent)}\` · ${inline(idea.researcher)}${cost}</sub>`,
    marker(`session ${at.issue}`),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The number of the session's issue, as `pullBody` hid it. */
export function sessionIn(body: string): number | null {
  const match = /<!-- autoresearch:session ([1-9]\d*) -->/.exec(body);
  return match === null ? null : Number(match[1]);
}

export function verdictLine(row: Row): string {
  return `Verdict: ${row.outcome.replace("_", " ")} — ${inline(row.because)}.`;
}

/** Title of the bot's check: the outcome, the value and the difference. */
export function verdictTitle(row: Row, reference: number | null, config: Config): string {
  const word = row.outcome.replace("_", " ");
  if (row.value === null || reference === null) return `${word}: ${oneLine(row.because)}`.slice(0, 200);
  return `${word}: ${config.metric.name} ${formatAmount(row.value)} (${formatDelta(row.value - reference)})`;
}

/** The pull request's body with its numbers and the verdict in the place that `pullBody` kept for them. */
export function concludedBody(facts: {
  experiment: Experiment;
  row: Row;
  measurements: readonly Measurement[];
  session: Running;
}): string {
  const { experiment, row, measurements, session } = facts;
  const last = measurements.at(-1);
  const run = experiment.trials.findLast((trial) => trial.run !== null)?.run ?? null;
  const trial = last === undefined ? "" : `trial on ${inline(last.runner)}, ${formatClock(last.seconds)}`;
  const parts = [
    numbersTable(row, experiment.parent.value, measurements, session.record.config.metric.name),
    `**${verdictLine(row).replace(/^Verdict: (.*?) — /, "Verdict: $1** — ")}`,
    [run === null ? "" : `[the run](${run.url})`, trial].filter((part) => part !== "").join(" · "),
  ].filter((part) => part !== "");
  const block = `${verdictMark}\n\n${parts.join("\n\n")}\n\n${marker("verdict end")}`;
  const before = experiment.body.replace(
    /<!-- autoresearch:verdict -->[\s\S]*<!-- autoresearch:verdict end -->/,
    verdictMark,
  );
  return before.includes(verdictMark) ? before.replace(verdictMark, () => block) : `${before}\n\n${block}`;
}

function numbersTable(
  row: Row,
  reference: number | null,
  measurements: readonly Measurement[],
  metric: string,
): string {
  const last = measurements.at(-1);
  if (last === undefined || row.value === null) return "";
  const values = measurements.flatMap((each) => (each.status === "measured" ? [each.value] : []));
  const shown = row.outcome === "keep" ? `**${formatAmount(row.value)}**` : formatAmount(row.value);
  const delta = reference === null ? "" : formatDelta(row.value - reference);
  const lines = [
    "| | frontier | this | Δ |",
    "| --- | --- | --- | --- |",
    `| ${metric} | ${reference === null ? "" : formatAmount(reference)} | ${shown} | ${delta} |`,
    ...(values.length > 1 ? [`| trials | | ${values.map(formatAmount).join(", ")} | |`] : []),
    ...(last.metrics["num_steps"] === undefined ? [] : [`| steps | | ${last.metrics["num_steps"]} | |`]),
    ...(row.memoryGb > 0 ? [`| peak memory | | ${row.memoryGb.toFixed(1)} GiB | |`] : []),
  ];
  return lines.join("\n");
}

/** `1 experiment`, `7 experiments` */
export function experimentCount(count: number): string {
  return count === 1 ? "1 experiment" : `${count} experiments`;
}

/** Why the state is what it is, by whom and since when; of a person's doing, their login is the only foreign word in it. */
export function whoAndWhen(record: SessionRecord): string {
  const { state, by, because, since } = record;
  const reason = by === null ? inline(because) : because;
  const who = by === null || because.includes(`@${by}`) ? "" : ` by @${by}`;
  return `${because.startsWith(state) ? "" : `${state}: `}${reason}${who}, ${formatTime(since)}`;
}
