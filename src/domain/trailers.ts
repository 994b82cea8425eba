/**
 * What the bot's commits say: codecs of their messages. The frontier's story is readable with `git log --first-parent` and
 * no bot running, and a candidate's commit alone is enough to write its pull request.
 */
import { type Idea, changeKinds } from "./proposal.ts";
import { formatStored } from "./results.ts";
import { oneLine, pullTitle } from "./words.ts";

/** The value of the last trailer of this name, or null: trailers are the last paragraph, and nothing else is. */
function trailer(message: string, name: string): string | null {
  const prefix = `${name}: `;
  const lines = message.trimEnd().split("\n\n").at(-1)!.split("\n");
  const line = lines.findLast((each) => each.startsWith(prefix));
  return line === undefined ? null : line.slice(prefix.length);
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

/** What a merge's message says of its value, or null when it is no merge of the bot's. */
export function mergeFacts(
  message: string,
  metric: string,
): { experiment: number; value: number; trials: number } | null {
  const value = numberIn(trailer(message, trailerName(metric)));
  const experiment = numberIn(trailer(message, "Experiment"));
  const trials = numberIn(trailer(message, "Trials") ?? "1");
  if (value === null || !isCount(experiment) || !isCount(trials)) return null;
  return { experiment, value, trials };
}

function numberIn(text: string | null): number | null {
  if (text === null || !/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

function isCount(number: number | null): number is number {
  return Number.isSafeInteger(number) && number! >= 1;
}

/** Message of a candidate's commit; `attempts` were made for the experiment before it, on commits that it takes the place of. */
export function formatCandidate(experiment: number, idea: Idea, attempts = 0): string {
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
    `Contents: ${idea.key}`,
    ...(attempts === 0 ? [] : [`Attempts: ${attempts}`]),
  ].join("\n");
}

/** How many attempts the experiment had before this commit, by its message. */
export function attemptsBefore(message: string): number {
  const attempts = numberIn(trailer(message, "Attempts"));
  return isCount(attempts) ? attempts : 0;
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
    key,
  };
}
