/**
 * The dashboard: the one comment on the issue that says where the session stands. Bounded for any history (the newest rows
 * only; the rest is in results.tsv), and stable: but for the elapsed time in its first line, nothing in it moves with the
 * clock alone, so that it is written only when something happened.
 */
import { type Phase, activeTrials, openExperiments } from "./experiment.ts";
import { cacheHitRate, formatTokens, formatUsd, spentOf } from "./ledger.ts";
import { frontierBranch, resultsBranch, shortSha } from "./names.ts";
import { formatAmount, formatDelta, formatPercent } from "./numbers.ts";
import { repairsAtMost } from "./repair.ts";
import { withTakers } from "./steering.ts";
import { steeringText } from "./words-research.ts";
import { historyOf } from "./history.ts";
import { type Row, baselineOf } from "./results.ts";
import { questionsAtMost, questionsIn } from "./question.ts";
import type { Experiment, Running } from "./session.ts";
import { isEnded, noiseOf } from "./session.ts";
import type { Trial } from "./trial.ts";
import { sigmaOf } from "./verdict.ts";
import { formatTime, inline, marker, whoAndWhen } from "./words.ts";
import { queuedLongMs } from "./wake.ts";
import { formatDuration } from "./config.ts";

const shownRows = 10;
const listedRows = 100;
/** GitHub refuses a comment of more than 65 536 characters. */
const longestBody = 60_000;
/** Characters of a foreign text in a table. */
const cellLength = 100;

const mark = marker("dashboard");

/** The comment's body. */
export function dashboardOf(session: Running): string {
  const whole = bodyOf(session, listedRows);
  return whole.length <= longestBody ? whole : bodyOf(session, 0);
}

function bodyOf(session: Running, listed: number): string {
  const parts = [
    `${titleLine(session)}${elapsed(session)}${costText(session)}`,
    trouble(session),
    questions(session),
    headline(session),
    picture(session),
    nowTable(session),
    rowTable(session, shownRows),
    all(session, listed),
    steeringText(session, withTakers(session.record.steering, session.experiments)),
    footer(),
    mark,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Whether a comment of the bot's is the dashboard. */
export function isDashboard(body: string): boolean {
  return body.includes(mark);
}

/** Whether two dashboards say the same, but for the time that went by. */
export function saysTheSame(a: string, b: string): boolean {
  const timeless = (body: string) =>
    body
      .replaceAll("\r\n", "\n")
      .replace(/^(\*\*autoresearch\*\* [^\n]*? experiments)[^\n]*/, "$1")
      .trim();
  return timeless(a) === timeless(b);
}

function elapsed(session: Running): string {
  const minutes = Math.floor((session.nowMs - Date.parse(session.record.startedAt)) / 60_000);
  return minutes < 1 ? "" : ` · ${formatDuration(minutes * 60)}`;
}

/** Stands in the first line, which is brought up to date with the rest: money alone is no reason to write. */
function costText({ record, account }: Running): string {
  const spent = spentOf(record.ledger, account);
  if (spent.usd === 0) return "";
  const rate = cacheHitRate(spent);
  const cached = rate === null ? "" : `, ${Math.round(rate * 100)} % of the input cached`;
  return ` · ${formatUsd(spent.usd)} of $${record.config.limits.cost_usd} (${formatTokens(spent)}${cached})`;
}

function titleLine(session: Running): string {
  const { record } = session;
  const { settled } = historyOf(session.rows);
  return `**autoresearch** · ${record.state} · ${settled} of ${record.config.limits.experiments} experiments`;
}

function trouble(session: Running): string {
  const { record } = session;
  const waiting = activeTrials(session).find(
    (trial) => trial.phase.kind === "queued" && session.nowMs >= trial.phase.sinceMs + queuedLongMs,
  );
  const labels = record.config.runner.labels.map((label) => `\`${label}\``).join(", ");
  const noRunner =
    waiting?.phase.kind === "queued" && record.state === "running"
      ? `> **No runner has taken the trial that waits since ${formatTime(waiting.phase.sinceMs)}.** A runner with the labels ${labels} must be online; the repository's settings list them under Actions → Runners.`
      : "";
  if (record.state === "running") {
    const failed =
      session.desk.kind === "failed"
        ? `> The researcher could not answer: ${inline(session.desk.because)}. It is asked again.`
        : "";
    const other =
      session.passedOver === null
        ? ""
        : `> **The last proposal is of another model than the one you named**: ${inline(session.passedOver)}.`;
    return [noRunner, failed, other, slowness(session), frontierNote(session)]
      .filter((part) => part !== "")
      .join("\n\n");
  }
  const what = `**${whoAndWhen(record)}**`;
  switch (record.state) {
    case "paused":
      return `> ${what} · \`/autoresearch resume\` goes on.`;
    case "blocked":
      return `> ${what} · When the cause is mended, \`/autoresearch resume\` goes on.`;
    case "stopped":
      return `> ${what}${cancelledText(session.cutOff)} · what was found is on \`${frontierBranch(session.key.issue)}\`.`;
    case "done":
      return `> ${what}${session.report === null ? "" : ` · what was found: #${session.report}`}`;
  }
}

/** What a person did to the frontier, until the bot moves it on from there. */
function frontierNote({ frontier, record, rows }: Running): string {
  const tip = `\`${shortSha(frontier.tip)}\``;
  if (frontier.value === null) {
    return frontier.tip === record.base || baselineOf(rows) === null
      ? ""
      : `> A person moved the frontier to ${tip}. It is measured before anything is held against it.`;
  }
  const last = rows.findLast((row) => row.outcome === "keep");
  const there =
    last === undefined || last.experiment === 0
      ? last?.commit === shortSha(frontier.tip)
      : frontier.experiment === last.experiment;
  // A winner that has no row yet was put there by the bot.
  const fresh = frontier.experiment !== null && !historyOf(rows).byExperiment.has(frontier.experiment);
  return last === undefined || there || fresh
    ? ""
    : `> A person moved the frontier back to ${tip}. The session goes on from there.`;
}

function questions(session: Running): string {
  const open = questionsIn(session);
  if (open.length === 0 || isEnded(session.record.state)) return "";
  const lines = open.map(
    ({ experiment, phase }) => `> - ${nameOf(experiment)}: ${inline(phase.because, 2 * cellLength)}`,
  );
  const full = open.length >= questionsAtMost ? " Nothing new is proposed before one of them is answered." : "";
  return [
    `> **Your word is asked for.** Keep or re-run it by the buttons of its check (or \`/autoresearch keep\`, \`rerun\` on it), or close it.${full}`,
    ...lines,
  ].join("\n");
}

function slowness({ slow }: Running): string {
  if (slow === null) return "";
  return `> **${slow.because}.** The session goes slowly until ${formatTime(slow.untilMs)}; nothing is lost.`;
}

function cancelledText(runs: number): string {
  if (runs === 0) return "";
  return runs === 1 ? " · 1 running trial cancelled" : ` · ${runs} running trials cancelled`;
}

function headline(session: Running): string {
  const { metric } = session.record.config;
  const baseline = baselineOf(session.rows);
  const { value } = session.frontier;
  if (baseline === null || value === null)
    return `The untouched code is being measured; its ${metric.name} is what experiments are held against.`;
  const { kept, sinceGain } = historyOf(session.rows);
  const sigma = sigmaOf(noiseOf(session), session.record.config);
  const parts = [
    `**${metric.name} ${formatAmount(value)}** ← ${formatAmount(baseline)} baseline (**${formatPercent(baseline, value)}**, ${kept} kept)`,
    ...(kept === 0
      ? []
      : [
          sinceGain === 0
            ? "the last experiment gained"
            : `last gain ${sinceGain} experiment${sinceGain === 1 ? "" : "s"} ago`,
        ]),
    ...(sigma === null ? [] : [`noise ±${formatAmount(sigma)}`]),
  ];
  return parts.join(" · ");
}

function picture(session: Running): string {
  if (session.resultsTip === null || session.rows.length === 0) return "";
  return `![progress](${session.htmlUrl}/blob/${session.resultsTip}/progress.svg?raw=true)`;
}

function nowTable(session: Running): string {
  const own = session.frontier.ownTrials.filter(
    (trial) => trial.phase.kind !== "lost" && trial.phase.kind !== "measured",
  );
  const lines = [
    ...(session.frontier.value === null ? own.map((trial) => `| frontier | ${trialText(trial, session)} |`) : []),
    ...openExperiments(session)
      .filter(({ phase }) => phase.kind === "waiting" || phase.kind === "trial" || phase.kind === "crashed")
      .map(({ experiment, phase }) => `| ${nameOf(experiment)} | ${phaseText(experiment, phase, session)} |`),
  ];
  return lines.length === 0 ? "" : ["| now | |", "| --- | --- |", ...lines].join("\n");
}

function nameOf(experiment: Experiment): string {
  return `#${experiment.pullRequest} exp ${experiment.number} *${inline(experiment.description, cellLength)}*`;
}

function phaseText(experiment: Experiment, phase: Phase, session: Running): string {
  if (phase.kind === "trial") return trialText(phase.trial, session);
  if (phase.kind === "crashed")
    return `crashed (${inline(phase.failure.because, cellLength)}); to be mended, ${phase.attempt} of ${repairsAtMost}`;
  const lost = experiment.trials.filter((trial) => trial.phase.kind === "lost").length;
  return lost > 0 ? `waiting for a runner (lost ${lost} time${lost === 1 ? "" : "s"})` : "waiting for a runner";
}

function trialText(trial: Trial, session: Running): string {
  const what = (text: string) => (trial.run === null ? text : `[${text}](${trial.run.url})`);
  const { config } = session.record;
  switch (trial.phase.kind) {
    case "intended":
    case "queued":
      return what("queued");
    case "training":
      return `${what("training")} since ${formatTime(trial.phase.sinceMs)}, budget ${formatDuration(config.trial.budget)}`;
    case "reporting":
      return what("reporting");
    case "measured":
    case "lost":
      return trial.phase.kind;
  }
}

/** Tables of rows, by the rows: between two results the dashboard is made many times over. */
const tables = new WeakMap<readonly Row[], Map<string, string>>();

function rowTable(session: Running, most: number): string {
  const { rows } = session;
  const { metric } = session.record.config;
  const of = tables.get(rows) ?? new Map<string, string>();
  tables.set(rows, of);
  const name = `${metric.name} ${most}`;
  const table = of.get(name) ?? rowTableOf(rows, most, metric.name);
  of.set(name, table);
  return table;
}

function rowTableOf(rows: readonly Row[], most: number, metric: string): string {
  const shown: Row[] = [];
  for (let at = rows.length - 1; at >= 0 && shown.length < most; at -= 1) {
    if (rows[at]!.experiment > 0) shown.push(rows[at]!);
  }
  if (shown.length === 0) return "";
  const { before } = historyOf(rows);
  const lines = shown.map((row) => rowLine(row, before.get(row) ?? null));
  return [`| exp | | ${metric} | Δ frontier | idea |`, "| --- | --- | --- | --- | --- |", ...lines].join("\n");
}

function rowLine(row: Row, before: number | null): string {
  const number = row.pullRequest === null ? String(row.experiment) : `#${row.pullRequest} exp ${row.experiment}`;
  const outcome = row.outcome === "keep" ? "**keep**" : row.outcome.replace("_", " ");
  const value = row.value === null ? "" : formatAmount(row.value);
  const delta = row.value === null || before === null ? "" : formatDelta(row.value - before);
  const why = row.value === null ? ` (${inline(row.because, cellLength)})` : "";
  return `| ${number} | ${outcome} | ${value} | ${delta} | ${inline(row.description, cellLength)}${why} |`;
}

function all(session: Running, listed: number): string {
  const { issue } = session.key;
  const { htmlUrl } = session;
  const links = [
    `[results.tsv](${htmlUrl}/blob/${resultsBranch(issue)}/results.tsv)`,
    `[frontier](${htmlUrl}/commits/${frontierBranch(issue)})`,
    `[compare with ${session.record.baseBranch}](${htmlUrl}/compare/${session.record.base}...${frontierBranch(issue)})`,
  ].join(" · ");
  const { settled } = historyOf(session.rows);
  if (settled <= shownRows || listed === 0) return links;
  const title = settled <= listed ? `All ${settled}` : `The last ${listed} of ${settled}`;
  return `<details><summary>${title}</summary>\n\n${rowTable(session, listed)}\n\n</details>\n\n${links}`;
}

function footer(): string {
  return "<sub>`/autoresearch stop`, `pause`, `resume`, `status` · `/autoresearch help`</sub>";
}
