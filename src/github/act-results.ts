/** The results branch: rows, picture and the session's record, always together in one commit. */
import type { ActionOf, StateChange } from "../domain/action.ts";
import { type Appeal, withAppeal } from "../domain/appeal.ts";
import { frontierBranch, resultsBranch, type Sha } from "../domain/names.ts";
import { formatResults, type Row, withRow } from "../domain/results.ts";
import { type SessionRecord, isEnded } from "../domain/session.ts";
import { noNoise } from "../domain/verdict.ts";
import { formatValue, orphanedFrontier } from "../domain/words.ts";
import { draw, isDrawn } from "../drawing.ts";
import type { Context } from "./act.ts";
import { completeCopies } from "./act-trial.ts";
import { NeedsPerson, Superseded } from "./errors.ts";
import { checkSchema } from "./facts.ts";
import { readLabelling } from "./observe-labels.ts";
import { intentOf } from "./session-of.ts";
import { foldCheck, repoOf } from "./view.ts";
import { contentKey, readMutable } from "./files.ts";
import { createBranch, createCommit, createTree, type FileChange, moveBranch, readCommit } from "./git.ts";

function recordText(record: SessionRecord): FileChange {
  return { path: "session.json", text: `${JSON.stringify(record, null, 2)}\n` };
}

/** The frontier first, then the record: a session exists from the moment its results branch does. */
export async function start({ start }: ActionOf<"start">, context: Context): Promise<void> {
  const { client, view, now } = context;
  const { issue } = view.key;
  const at = new Date(now()).toISOString();
  const untouched = await readMutable(client, view, start.base, start.config.mutable);
  const record: SessionRecord = {
    version: 1,
    startedBy: start.by,
    startedAt: at,
    base: start.base,
    baseBranch: start.baseBranch,
    program: start.program,
    config: start.config,
    state: "running",
    since: at,
    by: start.by,
    because: `started by @${start.by}`,
    order: null,
    rowsBefore: 0,
    noise: noNoise,
    frontierAttempts: 0,
    labelEvent: view.labelled?.event ?? null,
    appeals: [],
    tried: [contentKey(untouched)],
  };
  if (!(await makeFrontier(start.base, context))) throw new NeedsPerson(orphanedFrontier(issue));
  const files = [recordText(record), { path: "results.tsv", text: formatResults([], start.config.metric.name) }];
  const tree = await createTree(client, view, null, files);
  const commit = await createCommit(client, view, { message: `Start session #${issue}`, tree, parents: [] });
  if (!(await createBranch(client, view, resultsBranch(issue), commit)))
    throw new Superseded("the session was started meanwhile");
  view.frontier = start.base;
  view.start = null;
  view.checks.clear();
  fold(view, commit, record, []);
}

/**
 * A frontier without a record is what a dead start left behind: it is at the base, or at an older one. One that holds
 * anything else (somebody deleted the results branch) is not ours to move: false.
 */
async function makeFrontier(base: Sha, { client, view }: Context): Promise<boolean> {
  const branch = frontierBranch(view.key.issue);
  if (await createBranch(client, view, branch, base)) return true;
  try {
    await moveBranch(client, view, branch, base);
    return true;
  } catch (error) {
    if (error instanceof Superseded) return false;
    throw error;
  }
}

/** The record with another state; `restart` carries what a new start changes besides. */
export async function setState(
  change: StateChange,
  restart: Partial<SessionRecord> | null,
  context: Context,
): Promise<void> {
  const { client, view, now } = context;
  const before = view.record!;
  // What the label's next event is held against; a running session does not ask.
  if (change.state !== "running" && change.state !== "paused") await readLabelling(client, view);
  const record: SessionRecord = {
    ...before,
    ...restart,
    ...change,
    since: new Date(now()).toISOString(),
    labelEvent: view.labelled?.event ?? before.labelEvent,
    rowsBefore: change.state === "running" ? view.rows.length : before.rowsBefore,
  };
  if (record.base !== before.base) {
    await moveBranch(client, view, frontierBranch(view.key.issue), record.base, true);
    view.frontier = record.base;
    await readCommit(client, view, record.base);
  }
  // Before the state, which is what a later pass would go by: it would not look at this check any more.
  if (isEnded(change.state)) await completeFrontierCheck("cancelled", `Not measured: ${change.because}`, context);
  // While it goes on the picture may be a little behind; what is left at the end shows all.
  const picture = isEnded(change.state) ? await pictureOf(view.rows, record, context) : [];
  await commitResults(
    [recordText(record), ...picture],
    `${change.state}: ${change.because}`,
    record,
    view.rows,
    context,
  );
  view.start = null;
}

/** The record with an appeal in it; the row of a settled experiment goes, until there is a new one. */
export async function noteAppeal(appeal: Appeal, order: number, context: Context): Promise<void> {
  const { view } = context;
  const before = view.record!;
  const rows = view.rows.filter((row) => row.experiment !== appeal.experiment);
  const dropped = view.rows.findIndex((row) => row.experiment === appeal.experiment);
  const record: SessionRecord = {
    ...before,
    order,
    appeals: withAppeal(before.appeals, appeal),
    rowsBefore: dropped >= 0 && dropped < before.rowsBefore ? before.rowsBefore - 1 : before.rowsBefore,
  };
  const files = [recordText(record)];
  if (dropped >= 0) files.push({ path: "results.tsv", text: formatResults(rows, record.config.metric.name) });
  await commitResults(files, `${appeal.what} experiment ${appeal.experiment}: @${appeal.by}`, record, rows, context);
}

export async function record(action: ActionOf<"record">, context: Context): Promise<void> {
  const { view } = context;
  const before = view.record!;
  const rows = withRow(view.rows, action.row);
  const tried = action.key === null || before.tried.includes(action.key) ? before.tried : [...before.tried, action.key];
  const frontier = view.frontier ?? null;
  const intent = frontier === null ? null : intentOf(view, { commit: frontier, experiment: 0 }, context.identity);
  const measured = action.row.experiment === 0 ? (intent?.attempt ?? 0) : 0;
  const frontierAttempts = Math.max(before.frontierAttempts, measured);
  const record: SessionRecord = { ...before, noise: action.noise, tried, frontierAttempts };
  const { metric } = record.config;
  const files = [
    recordText(record),
    { path: "results.tsv", text: formatResults(rows, metric.name) },
    ...(isDrawn(rows, action.row.outcome) ? await pictureOf(rows, record, context) : []),
  ];
  const { row } = action;
  const what = row.experiment === 0 ? row.description : `experiment ${row.experiment}`;
  // The row comes last: once it is there, no pass looks at this check again.
  if (row.experiment === 0 && row.value !== null) {
    await completeFrontierCheck("success", `${metric.name} ${formatValue(row.value)} (${row.because})`, context);
  }
  await commitResults(files, `Record ${what}: ${row.outcome}`, record, rows, context);
}

/** The picture as a file to write; none where there is nothing to show, or it could not be drawn. */
async function pictureOf(rows: readonly Row[], record: SessionRecord, { view }: Context): Promise<FileChange[]> {
  if (rows.length === 0) return [];
  const { name: metric, direction } = record.config.metric;
  const text = await draw(rows, { metric, direction, title: view.issue?.title ?? "" });
  return text === null ? [] : [{ path: "progress.svg", text }];
}

/** The frontier's own check says what became of its measurement; left open, its commit would look unfinished for ever. */
async function completeFrontierCheck(conclusion: string, title: string, context: Context): Promise<void> {
  const { client, view, identity } = context;
  if (view.frontier == null) return;
  const tracked = { commit: view.frontier, experiment: 0 };
  const intent = intentOf(view, tracked, identity);
  await completeCopies(tracked, conclusion, context);
  if (intent === null || intent.check.status === "completed") return;
  const output = { title: title.slice(0, 250), summary: `The frontier of the session #${view.key.issue}.` };
  const answer = await client.write("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    ...repoOf(view),
    check_run_id: intent.check.id,
    status: "completed",
    conclusion,
    output,
  });
  foldCheck(view, checkSchema.parse(answer));
}

async function commitResults(
  files: readonly FileChange[],
  message: string,
  record: SessionRecord,
  rows: readonly Row[],
  { client, view }: Context,
): Promise<void> {
  const tip = view.results!;
  const { tree: base } = await readCommit(client, view, tip);
  const tree = await createTree(client, view, base, files);
  const commit = await createCommit(client, view, { message, tree, parents: [tip] });
  await moveBranch(client, view, resultsBranch(view.key.issue), commit);
  fold(view, commit, record, rows);
}

function fold(view: Context["view"], commit: Sha, record: SessionRecord, rows: readonly Row[]): void {
  view.results = commit;
  view.resultsKnown = true;
  view.record = record;
  view.rows = rows;
}
