/** The results branch: rows, picture and the session's record, always together in one commit. */
import type { ActionOf, StateChange } from "../domain/action.ts";
import { type Appeal, withAppeal } from "../domain/appeal.ts";
import { frontierBranch, resultsBranch, type Sha } from "../domain/names.ts";
import { formatAmount } from "../domain/numbers.ts";
import { formatResults, type Row, withRow } from "../domain/results.ts";
import { emptyLedger, renewed } from "../domain/ledger.ts";
import { addNotes } from "../domain/notes.ts";
import { withTried } from "../domain/proposal.ts";
import { type SessionRecord, isEnded } from "../domain/session.ts";
import { parseCandidate } from "../domain/trailers.ts";
import { withTakers } from "../domain/steering.ts";
import { noNoise } from "../domain/verdict.ts";
import { orphanedFrontier } from "../domain/words.ts";
import { draw, isDrawn } from "../drawing.ts";
import type { Context } from "./act.ts";
import { completeCopies } from "./act-trial.ts";
import { endCheck } from "./checks.ts";
import { NeedsPerson, Superseded } from "./errors.ts";
import { readLabelling } from "./observe-labels.ts";
import { workflowProblem } from "./read-start.ts";
import { intentOf } from "./tracked.ts";
import { contentKey, readMutable } from "./files.ts";
import { createBranch, createCommit, createTree, type FileChange, moveBranch, readCommit } from "./git.ts";

function recordText(record: SessionRecord): FileChange {
  return { path: "session.json", text: `${JSON.stringify(record, null, 2)}\n` };
}

const notesPath = "notes.md";

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
    formerBranches: [],
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
    title: start.title,
    issueDigest: start.issueDigest,
    edit: null,
    ledger: emptyLedger,
    kinds: {},
    steering: [],
    model: null,
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
  view.notes = null;
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
  if (change.state !== "running" && change.state !== "paused" && view.gone === null) await readLabelling(client, view);
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
  await commitResults(picture, `${change.state}: ${change.because}`, record, view.rows, context);
  view.start = null;
}

/** The record with something else changed than its state. */
export async function patchRecord(patch: Partial<SessionRecord>, because: string, context: Context): Promise<void> {
  const { view } = context;
  await commitResults([], because, { ...view.record!, ...patch }, view.rows, context);
}

/** What an experiment that is over leaves in the record, and in the notes (null: as they are). */
function learnt({ row, idea, noise, key }: ActionOf<"record">, view: Context["view"]) {
  const before = view.record!;
  const keys = [...(idea?.keysBefore ?? []), ...(key === null ? [] : [key])];
  const tried = [...new Set([...before.tried, ...keys])];
  const record: SessionRecord = { ...before, noise, tried };
  if (idea === null) return { record, notes: null };
  // What a person withdrew was not tried; what was learnt before it was thought of stays learnt.
  const withdrawn = row.outcome === "withdrawn";
  const kinds = withdrawn ? before.kinds : withTried(before.kinds, idea.kind, row.outcome === "keep");
  const steering = withTakers(before.steering, [{ number: row.experiment, idea }]);
  const notes = addNotes(view.notes, idea.insights, withdrawn ? "" : row.description);
  return { record: { ...record, kinds, steering }, notes: notes === view.notes ? null : notes };
}

/** The tally without a settled experiment, whose row will be written anew. */
function withoutTried(row: Row, view: Context["view"]): SessionRecord["kinds"] {
  const { kinds } = view.record!;
  const head = row.pullRequest === null ? undefined : view.pulls.get(row.pullRequest)?.head;
  const message = head === undefined ? undefined : view.commits.get(head)?.message;
  const idea = message === undefined ? null : parseCandidate(message);
  if (idea === null || row.outcome === "withdrawn") return kinds;
  return withTried(kinds, idea.kind, row.outcome === "keep", -1);
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
    kinds: dropped >= 0 ? withoutTried(view.rows[dropped]!, view) : before.kinds,
    rowsBefore: dropped >= 0 && dropped < before.rowsBefore ? before.rowsBefore - 1 : before.rowsBefore,
  };
  const table = { path: "results.tsv", text: formatResults(rows, record.config.metric.name) };
  const files = dropped >= 0 ? [table] : [];
  view.past.delete(appeal.experiment);
  await commitResults(files, `${appeal.what} experiment ${appeal.experiment}: @${appeal.by}`, record, rows, context);
}

/** The session goes along with the default branch, where the workflow is there as it must be; else a person is asked. */
export async function followBranch({ branch, because }: ActionOf<"followBranch">, context: Context): Promise<void> {
  const { client, view } = context;
  const before = view.record!;
  const problem = await workflowProblem(client, view, branch);
  if (problem === null) {
    const formerBranches = [...new Set([...before.formerBranches, before.baseBranch])];
    return setState({ state: before.state, by: null, because }, { baseBranch: branch, formerBranches }, context);
  }
  await setState({ state: "blocked", by: null, because: `${because}; ${problem}` }, null, context);
}

export async function record(action: ActionOf<"record">, context: Context): Promise<void> {
  const { view } = context;
  const rows = withRow(view.rows, action.row);
  const { record: learned, notes } = learnt(action, view);
  const frontier = view.frontier ?? null;
  const intent = frontier === null ? null : intentOf(view, { commit: frontier, experiment: 0 }, context.identity);
  const measured = action.row.experiment === 0 ? (intent?.attempt ?? 0) : 0;
  const record = { ...learned, frontierAttempts: Math.max(learned.frontierAttempts, measured) };
  const { metric } = record.config;
  const files = [
    ...(notes === null ? [] : [{ path: notesPath, text: notes }]),
    { path: "results.tsv", text: formatResults(rows, metric.name) },
    ...(isDrawn(rows, action.row.outcome) ? await pictureOf(rows, record, context) : []),
  ];
  const { row } = action;
  const what = row.experiment === 0 ? row.description : `experiment ${row.experiment}`;
  // The row comes last: once it is there, no pass looks at this check again.
  if (row.experiment === 0 && row.value !== null) {
    await completeFrontierCheck("success", `${metric.name} ${formatAmount(row.value)} (${row.because})`, context);
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
  const { view, identity } = context;
  if (view.frontier == null) return;
  const tracked = { commit: view.frontier, experiment: 0 };
  const intent = intentOf(view, tracked, identity);
  await completeCopies(tracked, conclusion, context);
  if (intent === null || intent.check.status === "completed") return;
  const summary = `The frontier of the session #${view.key.issue}.`;
  await endCheck(intent.check.id, { conclusion, title, summary }, context);
}

/** One commit: the record, with the money booked, and the files. Somebody's commit in between fails it. */
async function commitResults(
  files: readonly FileChange[],
  message: string,
  changed: SessionRecord,
  rows: readonly Row[],
  { client, view, account }: Context,
): Promise<void> {
  const tip = view.results!;
  const { tree: base } = await readCommit(client, view, tip);
  const { cost_usd: limitUsd } = changed.config.limits;
  const ledger = renewed(changed.ledger, account(), limitUsd, changed.state === "running");
  const record = { ...changed, ledger };
  const tree = await createTree(client, view, base, [recordText(record), ...files]);
  const commit = await createCommit(client, view, { message, tree, parents: [tip] });
  await moveBranch(client, view, resultsBranch(view.key.issue), commit);
  view.notes = files.find((file) => file.path === notesPath)?.text ?? view.notes;
  fold(view, commit, record, rows);
}

function fold(view: Context["view"], commit: Sha, record: SessionRecord, rows: readonly Row[]): void {
  view.results = commit;
  view.resultsKnown = true;
  view.record = record;
  view.rows = rows;
}
