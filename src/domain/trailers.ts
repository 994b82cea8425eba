/**
 * What the bot's commits say: codecs of their messages. The frontier's story is readable with `git log --first-parent` and
 * no bot running, and a candidate's commit alone is enough to write its pull request.
 */
import { type Idea, type Insights, type Spending, changeKinds } from "./proposal.ts";
import { formatStored } from "./results.ts";
import { oneLine, pullTitle } from "./words.ts";

/** The value of the last trailer of this name, or null. */
function trailer(message: string, name: string): string | null {
  return trailers(message, name).at(-1) ?? null;
}

/** Message of the frontier's merge of a winner; docs/design.md, section 9. */
export function mergeMessage(facts: {
  experiment: number;
  description: string;
  metric: string;
  value: number;
  trials: number;
  pullRequest: number;
  issue: number;
}): string {
  return [
    pullTitle(facts.experiment, facts.description),
    "",
    `${trailerName(facts.metric)}: ${formatStored(facts.value)}`,
    `Trials: ${facts.trials}`,
    `Experiment: ${facts.experiment}`,
    `Pull-Request: #${facts.pullRequest}`,
    `Session: #${facts.issue}`,
  ].join("\n");
}

/** `val_bpb` → `Val-Bpb` */
export function trailerName(metric: string): string {
  return metric
    .split(/[_.-]+/)
    .filter((part) => part !== "")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("-");
}

/** What a merge's message says of its value and of the issue of its session, or null when it is no merge of the bot's. */
export function mergeFacts(
  message: string,
  metric: string,
): { experiment: number; value: number; trials: number; session: number } | null {
  const value = numberIn(trailer(message, trailerName(metric)));
  const experiment = numberIn(trailer(message, "Experiment"));
  const trials = numberIn(trailer(message, "Trials") ?? "1");
  const session = numberIn(trailer(message, "Session")?.replace(/^#/, "") ?? null);
  if (value === null || !isCount(experiment) || !isCount(trials) || !isCount(session)) return null;
  return { experiment, value, trials, session };
}

function numberIn(text: string | null): number | null {
  if (text === null || !/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

function isCount(number: number | null): number is number {
  return Number.isSafeInteger(number) && number! >= 1;
}

/** The values of all trailers of this name, in order: trailers are the last paragraph, and nothing else is. */
function trailers(message: string, name: string): string[] {
  const prefix = `${name}: `;
  const lines = message.trimEnd().split("\n\n").at(-1)!.split("\n");
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

/** Items of a list that a commit keeps, and characters of each. */
const listedAtMost = 10;
const listedLength = 300;

function listed(name: string, items: readonly string[]): string[] {
  return items
    .map((item) => Array.from(oneLine(item)).slice(0, listedLength).join("").trim())
    .filter((item) => item !== "")
    .slice(0, listedAtMost)
    .map((item) => `${name}: ${item}`);
}

function formatTokenCounts(spent: Spending): string {
  const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = spent;
  return `${inputTokens} in, ${cacheReadTokens} from the cache, ${cacheWriteTokens} into it, ${outputTokens} out`;
}

function parseSpent(message: string): Spending | null {
  const usd = numberIn(trailer(message, "Cost-Usd"));
  const tokens = /^(\d+) in, (\d+) from the cache, (\d+) into it, (\d+) out$/.exec(trailer(message, "Tokens") ?? "");
  if (usd === null || usd < 0 || tokens === null) return null;
  const [inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens] = tokens.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { usd, inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens };
}

function parseRepair(message: string): Idea["repair"] {
  const attempt = numberIn(trailer(message, "Repair"));
  if (!isCount(attempt)) return null;
  return { attempt, failure: trailer(message, "Failure") ?? "", description: trailer(message, "Mended") ?? "" };
}

function parseInsights(message: string): Insights {
  return {
    lesson: trailer(message, "Lesson"),
    ideas: trailers(message, "Next-Idea"),
    foreclosed: trailers(message, "Foreclosed"),
  };
}

/** Message of a candidate's commit. */
export function formatCandidate(experiment: number, idea: Idea): string {
  return [
    pullTitle(experiment, idea.description),
    "",
    oneLine(idea.hypothesis),
    "",
    ...(idea.expected === null ? [] : [`Expected: ${oneLine(idea.expected)}`]),
    ...(idea.refutedBy === null ? [] : [`Refuted-By: ${oneLine(idea.refutedBy)}`]),
    `Change: ${idea.kind}`,
    ...(idea.askedBy === null ? [] : [`Asked-By: @${idea.askedBy}`]),
    `Researcher: ${oneLine(idea.researcher)}`,
    ...(idea.spent === null
      ? []
      : [`Cost-Usd: ${idea.spent.usd.toFixed(6)}`, `Tokens: ${formatTokenCounts(idea.spent)}`]),
    ...(idea.lines === null ? [] : [`Lines: ${idea.lines > 0 ? "+" : ""}${idea.lines}`]),
    ...listed("Lesson", idea.insights.lesson === null ? [] : [idea.insights.lesson]),
    ...listed("Next-Idea", idea.insights.ideas),
    ...listed("Foreclosed", idea.insights.foreclosed),
    ...idea.heeded.map((key) => `Heeded: ${key}`),
    ...(idea.attemptsBefore === 0 ? [] : [`Attempts-Before: ${idea.attemptsBefore}`]),
    ...(idea.repair === null
      ? []
      : [
          `Repair: ${idea.repair.attempt}`,
          `Failure: ${oneLine(idea.repair.failure)}`,
          `Mended: ${oneLine(idea.repair.description)}`,
        ]),
    ...idea.keysBefore.map((key) => `Contents-Before: ${key}`),
    `Contents: ${idea.key}`,
  ].join("\n");
}

/** The idea in a candidate's message, or null when the bot did not write it. */
export function parseCandidate(message: string): Idea | null {
  const key = trailer(message, "Contents");
  const subject = /^exp \d+: (.*)\n\n(.*)\n/.exec(message);
  if (key === null || subject === null) return null;
  return {
    description: subject[1]!,
    hypothesis: subject[2]!,
    expected: trailer(message, "Expected"),
    refutedBy: trailer(message, "Refuted-By"),
    researcher: trailer(message, "Researcher") ?? "",
    kind: changeKinds.find((kind) => kind === trailer(message, "Change")) ?? "other",
    askedBy: trailer(message, "Asked-By")?.replace(/^@/, "") ?? null,
    spent: parseSpent(message),
    lines: numberIn(trailer(message, "Lines")?.replace(/^\+/, "") ?? null),
    insights: parseInsights(message),
    heeded: trailers(message, "Heeded"),
    attemptsBefore: Math.max(0, numberIn(trailer(message, "Attempts-Before")) ?? 0),
    repair: parseRepair(message),
    keysBefore: trailers(message, "Contents-Before"),
    key,
  };
}
