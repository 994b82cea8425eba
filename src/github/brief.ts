/**
 * The researcher's brief, from the view. Every word in it is the bot's own, a researcher's, a candidate's log (as data), or
 * of people with write access: the program as it was labelled or edited by them, notes.md, and what they asked for. What
 * anybody else wrote (comments, titles, names of branches, forks) is not read here.
 */
import type { ActionOf, Crash } from "../domain/action.ts";
import { formatSessionKey } from "../domain/names.ts";
import { parseNotes, withInsights } from "../domain/notes.ts";
import { type Brief, type Idea, type PastExperiment, type Repair, noNotes, recentAtMost } from "../domain/proposal.ts";
import { baselineOf } from "../domain/results.ts";
import { leftUsd } from "../domain/ledger.ts";
import type { Running } from "../domain/session.ts";
import { onDesk, withTakers } from "../domain/steering.ts";
import { parseCandidate } from "../domain/trailers.ts";
import { unifiedDiff } from "../domain/unified-diff.ts";
import { sigmaOf } from "../domain/verdict.ts";
import type { Context } from "./act.ts";
import { contentKey, readMutable } from "./files.ts";
import { readCommit } from "./git.ts";
import { libraryAt, readPast } from "./library.ts";
import type { View } from "./view.ts";

/** Everything but the purse, which is the desk's. What a researcher without words does not read is not gathered. */
export async function briefOf(
  context: Context,
  session: Running,
  { number, crash }: ActionOf<"propose">,
): Promise<Omit<Brief, "purse">> {
  const { client, view } = context;
  const { record, traits } = session;
  const { config } = record;
  const frontier = crash?.parent ?? session.frontier.tip;
  const files = await readMutable(client, view, frontier, config.mutable);
  const ideas = ideasIn(view);
  const tried = new Set([...record.tried, ...ideas.flatMap(({ idea }) => [...idea.keysBefore, idea.key])]);
  const open = ideas.filter((each) => each.open);
  const steering = withTakers(record.steering, session.experiments);
  const words = traits.wordless
    ? { recent: [], notes: noNotes, steering: [] }
    : {
        recent: await recentOf(context),
        notes: open.reduce((notes, { idea }) => withInsights(notes, idea.insights), parseNotes(view.notes ?? "")),
        steering: onDesk(steering),
      };
  return {
    session: formatSessionKey(view.key),
    experiment: number,
    program: record.program,
    config,
    frontier,
    files: files.map(({ path, text }) => ({ path, text })),
    rows: view.rows,
    inFlight: open.map(({ idea }) => idea.description),
    wasTried: (contents) => tried.has(contentKey(contents)),
    baseline: baselineOf(view.rows),
    frontierValue: view.rows.findLast((row) => row.outcome === "keep")?.value ?? null,
    sigma: sigmaOf(record.noise, config),
    kinds: record.kinds,
    model: record.model,
    left: leftOf(session),
    repair: crash === null ? null : await repairOf(number, crash, context),
    library: libraryAt(frontier, context),
    ...words,
  };
}

function ideasIn(view: View): { idea: Idea; open: boolean }[] {
  return [...view.pulls.values()].flatMap((pull) => {
    const message = view.commits.get(pull.head)?.message;
    const idea = message === undefined ? null : parseCandidate(message);
    return idea === null ? [] : [{ idea, open: pull.state === "open" }];
  });
}

async function recentOf(context: Context): Promise<PastExperiment[]> {
  const settled = context.view.rows.filter((row) => row.experiment > 0 && row.pullRequest !== null);
  const recent: PastExperiment[] = [];
  for (const { experiment } of settled.slice(-recentAtMost)) {
    const past = await readPast(experiment, context);
    if (past !== null) recent.push(past);
  }
  return recent;
}

function leftOf(session: Running): Brief["left"] {
  const { record, nowMs, rows, experiments, account } = session;
  const { limits } = record.config;
  const recorded = new Set(rows.map((row) => row.experiment));
  const settled = rows.filter((row) => row.experiment > 0).length;
  const open = experiments.filter((each) => !recorded.has(each.number)).length;
  const endsMs = Date.parse(record.startedAt) + limits.hours * 3_600_000;
  return {
    experiments: Math.max(0, limits.experiments - settled - open),
    hours: Math.max(0, (endsMs - nowMs) / 3_600_000),
    usd: leftUsd(record.ledger, account, limits.cost_usd),
  };
}

async function repairOf(experiment: number, crash: Crash, { client, view }: Context): Promise<Repair> {
  const { head, parent, attempt, failure } = crash;
  const { mutable } = view.record!.config;
  const files = await readMutable(client, view, head, mutable);
  const idea = parseCandidate((await readCommit(client, view, head)).message);
  return {
    experiment,
    attempt,
    head,
    failure: failure.signature,
    description: idea?.description ?? "",
    hypothesis: idea?.hypothesis ?? null,
    files: files.map(({ path, text }) => ({ path, text })),
    diff: unifiedDiff(await readMutable(client, view, parent, mutable), files),
    because: failure.because,
    traceback: failure.traceback,
  };
}
