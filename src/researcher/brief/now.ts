/** The part of a brief that is new each time: where the search stands, what came of the last experiments, what is wanted. */
import {
  type Brief,
  type ChangeKind,
  type PastExperiment,
  type Repair,
  type Steering,
  changeKinds,
  recentAtMost,
} from "../../domain/proposal.ts";
import { formatStored } from "../../domain/results.ts";
import { requestIn } from "../submission.ts";
import { withoutGain } from "./history.ts";
import { fenced, keepHead, keepTail } from "./quote.ts";
import type { Workplace } from "./rules.ts";
import { visibleFile, visibleLine, visibleLog, visibleProse } from "./visible.ts";

/** Bounds of the parts, in tokens. */
const diffTokens = 1_500;
const logTokens = 700;
const notesTokens = 1_500;
const steeringTokens = 3_000;
const inFlightTokens = 2_000;
export const repairDiffTokens = 4_000;
export const tracebackTokens = 2_000;
export const newestTokens = 1_500;
const fixedTokens = 1_500;
/** The most that the whole part can have. */
export const nowTokens =
  recentAtMost * (diffTokens + logTokens + 1_100) +
  3 * notesTokens +
  steeringTokens +
  inFlightTokens +
  repairDiffTokens +
  tracebackTokens +
  newestTokens +
  fixedTokens;

/** After so many experiments without a gain another kind is asked for. */
const stuckAfter = 8;

export function nowText(brief: Brief, newest: string, workplace: Workplace): string {
  const sections = [
    newest === "" ? null : `## The newest experiments\n\n${fenced(keepTail(newest, newestTokens))}`,
    `## Where the search stands\n\n${standing(brief)
      .map((line) => `- ${line}`)
      .join("\n")}`,
    recentText(brief.recent.slice(-recentAtMost)),
    notesText(brief),
    inFlightText(brief.inFlight),
    steeringText(brief.steering),
    brief.repair === null ? stuckText(brief) : null,
    brief.repair === null ? wanted(brief, workplace) : repairText(brief.repair, workplace),
  ];
  return ["# Now", ...sections.filter((section) => section !== null)].join("\n\n");
}

function standing({ baseline, frontierValue, sigma, left, config, kinds, rows }: Brief): string[] {
  const value = (known: number | null) => (known === null ? "not known yet" : formatStored(known));
  const usd = left.usd === null ? [] : [`$${Math.max(0, left.usd).toFixed(2)} for you`];
  const budget = [`${left.experiments} experiments`, `${left.hours.toFixed(1)} hours`, ...usd].join(", ");
  return [
    `${config.metric.name}: ${value(frontierValue)} at the frontier, ${value(baseline)} at the baseline.`,
    sigma === null
      ? "The noise is not known yet: take small differences for nothing."
      : `Noise: two runs of the same code differ by about ${Number(sigma.toPrecision(2))} (one standard deviation).`,
    `Left: ${budget}.`,
    `Experiments since the last gain: ${withoutGain(rows)}.`,
    `Kinds so far (tried, kept): ${tally(kinds)}.`,
  ];
}

function tally(kinds: Brief["kinds"]): string {
  const tried = changeKinds.flatMap((kind) => {
    const count = kinds[kind];
    return count === undefined || count.tried === 0 ? [] : [`${kind} ${count.tried}, ${count.kept}`];
  });
  return tried.length === 0 ? "none" : tried.join("; ");
}

function recentText(recent: readonly PastExperiment[]): string | null {
  if (recent.length === 0) return null;
  return ["## The last experiments in full", ...recent.map(experimentText)].join("\n\n");
}

/** One experiment with its diff, its metrics, its curve and the end of its log. */
export function experimentText(past: PastExperiment): string {
  const { row, hypothesis, diff, metrics, curve, logTail } = past;
  const value = row.value === null ? "no value" : formatStored(row.value);
  const facts = [
    `${row.outcome}: ${value}; ${visibleLine(row.because, 300)}`,
    `description: ${visibleLine(row.description, 200)}`,
    ...(hypothesis === null ? [] : [`hypothesis: ${visibleLine(hypothesis, 400)}`]),
    ...(Object.keys(metrics).length === 0 ? [] : [`metrics: ${metricsText(metrics)}`]),
    ...(curve.length === 0
      ? []
      : [
          `loss curve: ${thinned(curve, 20)
            .map((loss) => loss.toPrecision(4))
            .join(" ")}`,
        ]),
  ];
  return [
    `### Experiment ${row.experiment}`,
    fenced(facts.join("\n")),
    ...(diff === "" ? [] : [fenced(keepHead(visibleFile("a.py", diff), diffTokens), "diff")]),
    ...(logTail === "" ? [] : [`The end of its log:`, fenced(keepTail(visibleLog(logTail), logTokens))]),
  ].join("\n\n");
}

function metricsText(metrics: PastExperiment["metrics"]): string {
  const shown = Object.entries(metrics).slice(0, 20);
  return shown.map(([name, value]) => `${visibleLine(name, 40)} ${Number(value.toPrecision(7))}`).join(", ");
}

/** At most so many points of a curve, evenly, with its last one. */
function thinned(points: readonly number[], most: number): number[] {
  if (points.length <= most) return [...points];
  return Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]!);
}

function notesText({ notes }: Brief): string | null {
  const parts = [
    ["Lessons", notes.lessons],
    ["Ideas not tried yet", notes.ideas],
    ["Closed for good", notes.foreclosed],
  ] as const;
  const shown = parts
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => {
      const list = lines.map((line) => `- ${visibleLine(line, 400)}`).join("\n");
      return `${name}:\n\n${fenced(keepTail(list, notesTokens))}`;
    });
  return shown.length === 0 ? null : ["## Your notes (newest last)", ...shown].join("\n\n");
}

function inFlightText(inFlight: readonly string[]): string | null {
  if (inFlight.length === 0) return null;
  const list = inFlight.map((description) => `- ${visibleLine(description, 200)}`).join("\n");
  return `## In training or waiting for it\n\nTheir results are not known. Don't try the same.\n\n${fenced(keepTail(list, inFlightTokens))}`;
}

function steeringText(steering: readonly Steering[]): string | null {
  const notes = steering.filter(({ kind }) => kind === "note");
  if (notes.length === 0) return null;
  const list = notes.map(({ by, text, at }) => `@${by}, ${at.slice(0, 16).replace("T", " ")}: ${said(text)}`);
  return `## What people asked for\n\nThey have write access. Follow it where it says what to do; the newest counts most.\n\n${keepTail(list.join("\n\n"), steeringTokens)}`;
}

/** Prose of a person with write access. */
export function said(text: string): string {
  return keepHead(visibleProse(text.slice(0, 10_000)).trim(), 600);
}

/** What another kind of change could be, when those that were tried give nothing. */
const otherWays: Partial<Record<ChangeKind, string>> = {
  simplify: "take away what no longer pays for itself",
  combine: "put two or three near misses together",
  architecture: "change how the parts are made or joined",
  optimiser: "change how the weights are moved",
  schedule: "change what happens when over the budget",
  data: "change the order, the packing or the batches of the data",
  regularisation: "change what keeps the weights or activations in bounds",
};

function stuckText({ rows, kinds }: Brief): string | null {
  const since = withoutGain(rows);
  if (since < stuckAfter) return null;
  const ways = Object.entries(otherWays) as [ChangeKind, string][];
  const tried = (kind: ChangeKind) => kinds[kind]?.tried ?? 0;
  const open = ways.toSorted(([a], [b]) => tried(a) - tried(b)).slice(0, 4);
  const paid = changeKinds.filter((kind) => (kinds[kind]?.kept ?? 0) > 0);
  const barren = changeKinds.filter((kind) => tried(kind) >= 3 && (kinds[kind]?.kept ?? 0) === 0);
  const bolder = since >= 2 * stuckAfter ? " Make it a bold one: small steps have stopped to pay." : "";
  return [
    `## ${since} experiments without a gain`,
    `More of the same is not likely to help. Take another kind of change than the last experiments had.${bolder} The kinds that were tried least:`,
    open.map(([kind, what]) => `- ${kind} (tried ${tried(kind)} times): ${what}`).join("\n"),
    `What paid in this session: ${paid.join(", ") || "nothing yet"}. Tried three times or more and never kept: ${barren.join(", ") || "none"}.`,
  ].join("\n\n");
}

const givingUp: Readonly<Record<Workplace, string>> = { tools: "`give_up`", folder: '`{"nothing": "the reason"}`' };

function wanted(brief: Brief, workplace: Workplace): string {
  const { experiment } = brief;
  const request = requestIn(brief);
  if (request === undefined) return `## What is wanted\n\nExperiment ${experiment}: your best next idea.`;
  return [
    "## What is wanted",
    `Experiment ${experiment}: @${request.by}, who has write access, asks for this idea. Try it, as they mean it, as well as the mutable surface allows; if it can't be done at all, say why with ${givingUp[workplace]}:`,
    said(request.text),
  ].join("\n\n");
}

function repairText(repair: Repair, workplace: Workplace): string {
  const last = repair.attempt >= 2 ? " This is the last attempt." : "";
  return [
    `## What is wanted: mend experiment ${repair.experiment}`,
    `It gave no value. Mend the fault and keep the idea: the smallest change that makes it run. If the idea can't run as it is (it does not fit in memory, say), make it smaller; if there is no way, say so with ${givingUp[workplace]}. The files that you edit are those that crashed, not the frontier's.${last}`,
    fenced(
      [
        `description: ${visibleLine(repair.description, 200)}`,
        ...(repair.hypothesis === null ? [] : [`hypothesis: ${visibleLine(repair.hypothesis, 400)}`]),
        `what happened: ${visibleLine(repair.because, 400)}`,
      ].join("\n"),
    ),
    "The change, against the frontier:",
    fenced(keepHead(visibleFile("a.py", repair.diff), repairDiffTokens), "diff"),
    "The end of its log:",
    fenced(keepTail(visibleLog(repair.traceback), tracebackTokens)),
  ].join("\n\n");
}
