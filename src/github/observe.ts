/**
 * Observe: brings the old parts of a view up to date. Reads only what a hint named, what was never read, and what a
 * session in this state needs; the sweep names everything, so nothing stays wrong for longer than a sweep.
 *
 * Always: what is read here decides nothing; `sessionOf` and the domain do. Only comments and bodies of the bot itself
 * are taken for its own, whatever marker a text carries.
 */
import { z } from "zod";
import {
  formatExperimentBranch,
  frontierBranch,
  parseExperimentBranch,
  resultsBranch,
  triggerLabel,
} from "../domain/names.ts";
import { parseResults } from "../domain/results.ts";
import { type Gone, isEnded, recordSchema } from "../domain/session.ts";
import { isPutOnAgain } from "../domain/starting.ts";
import { startRefusal } from "../domain/words.ts";
import type { Client } from "./client.ts";
import { Renamed, Resting, Superseded, Unsettled } from "./errors.ts";
import { readBlob } from "./files.ts";
import {
  contentSchema,
  issueSchema,
  pullSchema,
  refSchema,
  repositorySchema,
  type IssueFact,
  type PullFact,
} from "./facts.ts";
import { forgetSettled } from "./forget.ts";
import { readCommit } from "./git.ts";
import { observeEdit } from "./issue-text.ts";
import { distrustOrders, readComments } from "./observe-comments.ts";
import { readLabelling } from "./observe-labels.ts";
import { observeTrials } from "./observe-trials.ts";
import { trackedCommits, unsettled } from "./tracked.ts";
import { readStart } from "./read-start.ts";
import { type Aspect, type Identity, type View, aspects, repoOf } from "./view.ts";
import type { Sha } from "../domain/names.ts";

/** Brings the view up to date. Throws what the client throws; what was not read stays old. */
export async function observe(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  if (view.repository === null) view.old.add("repository");
  if (view.old.size === aspects.length) {
    // A look at everything trusts no memory of comments: people edit and delete them, and another process may have answered.
    distrustOrders(view);
    view.ownComments.clear();
  }
  await observeStanding(client, view, nowMs);
  if (view.issue === null) return;
  const orders = view.orders.length;
  if (view.gone === null) await part(view, "comments", () => readComments(client, view, identity, nowMs));
  if (view.orders.length > orders) {
    // Who speaks may have done something first: what was read ahead of their words may be older than that.
    for (const aspect of standing) view.old.add(aspect);
    await observeStanding(client, view, nowMs);
  }
  await observeTrials(client, view, identity, nowMs);
  forgetSettled(view);
}

/** What is read ahead of the comments. */
const standing = ["repository", "refs", "issue", "pulls"] as const satisfies readonly Aspect[];

async function observeStanding(client: Client, view: View, nowMs: number): Promise<void> {
  await part(view, "repository", () => observeRepository(client, view));
  await part(view, "refs", () => observeRefs(client, view, nowMs));
  await part(view, "issue", () => observeIssue(client, view, nowMs));
  if (view.issue === null) return;
  // The event of a label may be listed later than the label: it is looked for until it is there.
  if (view.record === null && view.start === null && isLabelled(view)) view.old.add("issue");
  await part(view, "pulls", () => observePulls(client, view));
}

/** Looks at the issue and its comments again: before anything that can't be taken back. */
export async function lookForStop(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  const orders = view.orders.length;
  const handled = view.handled.size;
  await observeIssue(client, view, nowMs);
  if (view.gone !== null) throw new Superseded(view.gone.because);
  await readComments(client, view, identity, nowMs);
  if (view.handled.size > handled) throw new Superseded("another process answered an order meanwhile");
  if (!isLabelled(view) || view.orders.length > orders) throw new Superseded("somebody spoke meanwhile");
}

function isLabelled({ issue }: View): boolean {
  return issue !== null && issue.state === "open" && issue.labels.includes(triggerLabel);
}

async function part(view: View, aspect: Aspect, read: () => Promise<void>): Promise<void> {
  if (!view.old.has(aspect)) return;
  await read();
  view.old.delete(aspect);
}

async function observeIssue(client: Client, view: View, nowMs: number): Promise<void> {
  const at = { ...repoOf(view), issue_number: view.key.issue };
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/issues/{issue_number}", at);
  const found = answer === null ? null : issueSchema.parse(answer);
  view.gone = await goneOf(client, view, found);
  view.issue = view.gone === null ? found : shutIssue(view);
  if (view.issue === null || view.gone !== null) return;
  const labelled = isLabelled(view);
  const state = view.record?.state ?? null;
  const mayStart = labelled && (state === null || isEnded(state) || state === "blocked");
  const mayStop = !labelled && state !== null && !isEnded(state);
  view.start = null;
  if (state !== null && !isEnded(state)) await observeEdit(client, view);
  if (!mayStart && !mayStop) return;

  const renamings = await readLabelling(client, view);
  const { labelled: on } = view;
  const unexplained = mayStart && on === null;
  view.unexplainedSinceMs = unexplained ? (view.unexplainedSinceMs ?? nowMs) : null;
  if (unexplained && nowMs - view.unexplainedSinceMs! > explainedWithinMs) {
    view.start = { kind: "refused", problem: startRefusal("I can't see who put the label on.") };
  }
  if (!mayStart || on === null || (view.record !== null && !isPutOnAgain(on, view.record))) return;
  const renamers = renamings.flatMap(({ by, atMs }) => (atMs >= on.atMs ? [by] : []));
  view.start = await readStart(client, view, { by: on.by, atMs: on.atMs, renamers });
}

async function observeRepository(client: Client, view: View): Promise<void> {
  const { owner, repo } = view.key;
  view.repository = repositorySchema.parse(await client.read("GET /repos/{owner}/{repo}", repoOf(view)));
  const { full_name: name, archived } = view.repository;
  if (name !== `${owner}/${repo}`) throw new Renamed(name);
  if (archived) throw new Resting("the repository is archived");
}

/** What became of the issue of a session; null: it is there. GitHub leads on from a moved issue, where the app may follow. */
async function goneOf(client: Client, view: View, found: IssueFact | null): Promise<Gone | null> {
  const [, owner = "", repo = ""] = /\/repos\/([^/]+)\/([^/]+)$/.exec(found?.repository_url ?? "") ?? [];
  const { key } = view;
  const here = owner === key.owner && repo === key.repo && found?.number === key.issue;
  if (here || (found === null && view.record === null)) return null;
  // That nothing is there may mean that we may not see it any more.
  await observeRepository(client, view);
  if (found === null) return { because: "the issue was deleted, or moved to where I see nothing", to: null };
  const told = view.gone?.to?.told ?? false;
  return {
    because: `the issue was moved to ${owner}/${repo}#${found.number}`,
    to: { owner, repo, issue: found.number, told },
  };
}

/** An issue that is gone is as good as a closed one; where no session was begun there is nothing to do. */
function shutIssue({ issue, key, record }: View): IssueFact | null {
  if (record === null) return null;
  const unknown = { title: "", body: "", user: null, repository_url: "", locked: false };
  return { ...unknown, ...issue, number: key.issue, state: "closed", labels: [], closed_by: null };
}

async function readRef(client: Client, view: View, branch: string): Promise<Sha | null> {
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/git/ref/{ref}", {
    ...repoOf(view),
    ref: `heads/${branch}`,
  });
  return answer === null ? null : refSchema.parse(answer);
}

/** The event of a label is listed within this time, if it ever is: an issue that was moved may have lost its events. */
const explainedWithinMs = 60_000;
/** A branch that was there and is not listed counts as deleted after this long. */
const goneAfterMs = 30_000;

async function observeRefs(client: Client, view: View, nowMs: number): Promise<void> {
  const results = await readRef(client, view, resultsBranch(view.key.issue));
  const frontier = await readRef(client, view, frontierBranch(view.key.issue));
  const vanished = (results === null && view.results != null) || (frontier === null && view.frontier != null);
  view.goneSinceMs = vanished ? (view.goneSinceMs ?? nowMs) : null;
  if (vanished && nowMs - view.goneSinceMs! < goneAfterMs) throw new Unsettled("a branch of the session is not listed");
  if (results !== view.results || !view.resultsKnown) {
    view.record = results === null ? null : await readRecord(client, view, results);
    view.rows = results === null ? [] : parseResults((await readFile(client, view, "results.tsv", results)) ?? "");
    view.notes = results === null ? null : await readFile(client, view, "notes.md", results);
    view.results = results;
    view.resultsKnown = true;
  }
  view.frontier = frontier;
}

async function readRecord(client: Client, view: View, commit: Sha): Promise<View["record"]> {
  const text = await readFile(client, view, "session.json", commit);
  if (text === null) return null;
  return recordSchema.parse(JSON.parse(text));
}

async function readFile(client: Client, view: View, path: string, ref: Sha): Promise<string | null> {
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/contents/{path}", { ...repoOf(view), path, ref });
  if (answer === null) return null;
  const { content, encoding, sha: blob } = contentSchema.parse(answer);
  // Above 1 MB the contents API gives no content.
  return encoding === "base64" ? Buffer.from(content, "base64").toString("utf8") : readBlob(client, repoOf(view), blob);
}

/** Every open pull request of the session, and the newest closed ones: what is not settled is among them. */
async function observePulls(client: Client, view: View): Promise<void> {
  if (view.record === null) return;
  const base = frontierBranch(view.key.issue);
  const per_page = Math.min(100, view.record.config.runner.concurrency + 10);
  const route = "GET /repos/{owner}/{repo}/pulls";
  // Into whatever branch: a person may have pointed one elsewhere.
  const open = await client.readAll(route, { ...repoOf(view), state: "open" });
  const newest = { sort: "updated", direction: "desc", per_page } as const;
  const closed = asArray(await client.read(route, { ...repoOf(view), base, state: "closed", ...newest }));
  const waitedFor = unsettled(view).map((pull) => pull.number);
  view.pulls.clear();
  for (const pull of z.array(pullSchema).parse([...closed, ...open])) {
    if (isExperiment(pull, view)) view.pulls.set(pull.number, pull);
  }
  // One that is in no list is closed, elsewhere or before many others.
  for (const number of waitedFor.filter((each) => !view.pulls.has(each))) {
    const at = { ...repoOf(view), pull_number: number };
    const answer = await client.readIfThere("GET /repos/{owner}/{repo}/pulls/{pull_number}", at);
    if (answer !== null) view.pulls.set(number, pullSchema.parse(answer));
  }
  // Another process may have moved the frontier after we looked at it: what is merged is judged by where the frontier is now.
  if (hasFreshMerge(view)) view.frontier = await readRef(client, view, frontierBranch(view.key.issue));
  for (const { commit } of trackedCommits(view)) await readCommit(client, view, commit);
  if (view.record.state === "done" && view.report === null) {
    const head = `${view.key.owner}:${base}`;
    const reports = z
      .array(pullSchema)
      .parse(await client.read("GET /repos/{owner}/{repo}/pulls", { ...repoOf(view), head, state: "all" }));
    view.report = reports[0]?.number ?? null;
  }
}

function hasFreshMerge(view: View): boolean {
  const recorded = new Set(view.rows.map((row) => row.pullRequest));
  return [...view.pulls.values()].some((pull) => pull.state === "merged" && !recorded.has(pull.number));
}

function asArray(data: unknown): unknown[] {
  return z.array(z.unknown()).parse(data);
}

function isExperiment(pull: PullFact, view: View): boolean {
  const named = parseExperimentBranch(pull.branch);
  return pull.ours && named !== null && formatExperimentBranch(view.key.issue, named.experiment) === pull.branch;
}
