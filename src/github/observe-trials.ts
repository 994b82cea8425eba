/**
 * Runs and checks of the commits that are being measured. A commit on which the bot wrote no intent has no trial, and is
 * not looked at again until everything is.
 */
import {
  type Sha,
  formatReportJobName,
  formatRunName,
  parseRunName,
  parseTrialId,
  verdictCheck,
  workflowFile,
} from "../domain/names.ts";
import { historyOf } from "../domain/history.ts";
import type { CheckFact, RunFact } from "../domain/trial.ts";
import type { Client } from "./client.ts";
import { checksSchema, jobsSchema, runSchema, runsSchema } from "./facts.ts";
import { type Identity, type View, repoOf } from "./view.ts";
import { readCommit } from "./git.ts";
import { isUnheardOf } from "./strays.ts";
import {
  type Tracked,
  intentOf,
  numberOfPull,
  ownChecks,
  ownCommit,
  ownMerge,
  trackedCommits,
  trialsOn,
  unsettled,
} from "./tracked.ts";

export async function observeTrials(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  if (view.record === null || view.frontier == null) return;
  await readWithParents(client, view, view.frontier);
  await readMerges(client, view);
  for (const { commit, experiment } of trackedCommits(view)) {
    if (experiment > 0) await readDown(client, view, commit);
    else
      for (const parent of (await readCommit(client, view, commit)).parents)
        await readWithParents(client, view, parent);
  }
  await observeRuns(client, view, identity, nowMs);
  await observeChecks(client, view, identity, nowMs);
}

/** Reads a head and what is below it down to the bot's own commit, which says what the experiment is. */
async function readDown(client: Client, view: View, head: Sha): Promise<void> {
  let own = ownCommit(view, head);
  while (typeof own === "string") {
    await readCommit(client, view, own);
    own = ownCommit(view, head);
  }
  for (const parent of own?.parents ?? []) await readWithParents(client, view, parent);
}

/** Reads the frontier down to what was merged and has no row yet: others may have put commits on top of it since. */
async function readMerges(client: Client, view: View): Promise<void> {
  const recorded = historyOf(view.rows).byExperiment;
  for (const pull of unsettled(view)) {
    if (pull.state !== "merged" || recorded.has(numberOfPull(pull))) continue;
    let merge = ownMerge(view, pull.head);
    while (typeof merge === "string") {
      await readCommit(client, view, merge);
      merge = ownMerge(view, pull.head);
    }
  }
}

/** A merge's parents tell whether its trailers speak of its tree. */
async function readWithParents(client: Client, view: View, commit: Sha): Promise<void> {
  const { parents } = await readCommit(client, view, commit);
  if (parents[1] !== undefined) await readCommit(client, view, parents[1]);
}

async function observeRuns(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  if (!view.old.has("runs")) return;
  const unknown = view.checks.size === 0;
  const underWay = [...view.runs.values()].some((run) => run.status !== "completed");
  if (unknown || underWay || hasOpenTrial(view, identity)) {
    const seen = await listRuns(client, view, nowMs);
    for (const run of view.runs.values()) {
      if (run.status !== "completed" && !seen.has(run.id)) await readRun(client, view, run.id, nowMs);
    }
    lookAnew(view, identity);
  }
  view.old.delete("runs");
}

/**
 * Where another process dispatched a trial of which we know nothing, or the one that we know of too, its commit's checks are
 * read again, or its pull request.
 */
function lookAnew(view: View, identity: Identity): void {
  for (const run of view.runs.values()) {
    const id = parseRunName(run.name);
    if (id === null || run.status === "completed") continue;
    const tracked = trackedCommits(view).find((each) => each.experiment === id.experiment);
    if (isUnheardOf(view, run, identity)) {
      if (tracked === undefined) view.old.add("pulls");
      else view.checks.delete(tracked.commit);
    } else if (tracked !== undefined) {
      const twins = [...view.runs.values()].filter((each) => each.name === run.name).length;
      // The first check has all attempts but those of a copy.
      if (twins > ownChecks(view, tracked, identity).length) view.checks.delete(tracked.commit);
    }
  }
}

/** Takes a run into the view, and keeps when it was first seen to be in progress, and to be over. */
function foldRun(view: View, run: RunFact, nowMs: number): void {
  const known = view.runs.get(run.id);
  const first = (seenMs: number | undefined) => (seenMs === undefined || seenMs === 0 ? nowMs : seenMs);
  view.runs.set(run.id, {
    ...run,
    seenStartMs: run.status === "in_progress" ? first(known?.seenStartMs) : 0,
    seenEndMs: run.status === "completed" ? first(known?.seenEndMs) : 0,
  });
}

const runsOnPage = 100;

/** Takes a page of the runs of this session into the view, newest first (or of those of a time); gives their ids. */
async function listRuns(
  client: Client,
  view: View,
  nowMs: number,
  of: { readonly page: number } | { readonly created: string } = { page: 1 },
): Promise<ReadonlySet<number>> {
  const at = { ...repoOf(view), workflow_id: workflowFile, event: "workflow_dispatch", per_page: runsOnPage, ...of };
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", at);
  const listed = answer === null ? [] : runsSchema.parse(answer).workflow_runs;
  const own = listed.filter((run) => parseRunName(run.name)?.issue === view.key.issue);
  for (const run of own) foldRun(view, run, nowMs);
  if ("page" in of) {
    const oldestMs = listed.reduce((oldest, run) => Math.min(oldest, run.createdMs), Number.POSITIVE_INFINITY);
    const isLast = listed.length < runsOnPage || oldestMs < beginningOf(view);
    view.runPages = isLast ? runPagesAtMost : Math.max(view.runPages, of.page);
  }
  return new Set(own.map((run) => run.id));
}

/** As far back as runs are looked for: the newest thousand, which is as far as GitHub lists them. */
const runPagesAtMost = 10;
/** How much GitHub's clock may differ from ours. */
const clockSkewMs = 300_000;

function beginningOf(view: View): number {
  return Date.parse(view.record!.startedAt) - clockSkewMs;
}

/**
 * Looks further back for the runs of a commit's attempts: a process that was just started knows only the newest, and other
 * sessions of the repository have runs too. Once back, a view does not go there again.
 */
async function lookBack(
  client: Client,
  view: View,
  tracked: Tracked,
  identity: Identity,
  nowMs: number,
): Promise<void> {
  const isMissing = () =>
    trialsOn(view, tracked, identity, Number.POSITIVE_INFINITY).some((trial) => trial.run === null);
  while (view.runPages < runPagesAtMost && isMissing())
    await listRuns(client, view, nowMs, { page: view.runPages + 1 });
}

function hasOpenTrial(view: View, identity: Identity): boolean {
  return trackedCommits(view).some((tracked) =>
    trialsOn(view, tracked, identity, 0).some((trial) => trial.phase.kind !== "measured"),
  );
}

async function readRun(client: Client, view: View, id: number, nowMs: number): Promise<void> {
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/runs/{run_id}", {
    ...repoOf(view),
    run_id: id,
  });
  if (answer === null) view.runs.delete(id);
  else foldRun(view, runSchema.parse(answer), nowMs);
}

async function observeChecks(client: Client, view: View, identity: Identity, nowMs: number): Promise<void> {
  const old = view.old.has("checks");
  for (const tracked of trackedCommits(view)) {
    const known = view.checks.get(tracked.commit);
    const open = known !== undefined && intentOf(view, tracked, identity) !== null;
    const unmeasured = open && trialsOn(view, tracked, identity, 0).some((trial) => trial.phase.kind !== "measured");
    if (known !== undefined && !(old && unmeasured)) continue;
    view.checks.set(tracked.commit, await readChecks(client, view, tracked.commit));
    if (known === undefined) await lookBack(client, view, tracked, identity, nowMs);
    await readVouchers(client, view, tracked.commit, nowMs);
  }
  view.old.delete("checks");
}

/** The checks of a commit with whatever vouches for them, for a look at the past; from memory where they are known. */
export async function readEvidence(client: Client, view: View, commit: Sha, nowMs: number): Promise<void> {
  if (!view.checks.has(commit)) view.checks.set(commit, await readChecks(client, view, commit));
  const measured = (view.checks.get(commit) ?? []).filter((check) => check.digest !== null);
  for (const check of measured) {
    const trial = parseTrialId(check.externalId);
    const name = trial === null ? null : formatRunName(trial);
    if (name === null || [...view.runs.values()].some((run) => run.name === name)) continue;
    await listRuns(client, view, nowMs, { created: dispatchedBefore(check.startedMs) });
  }
  await readVouchers(client, view, commit, nowMs);
}

/** A check is posted at the end of its run, which began hours before at most. */
function dispatchedBefore(ms: number): string {
  const time = (at: number) => new Date(at).toISOString().replace(/\.\d+/, "");
  return `${time(ms - 6 * 3_600_000)}..${time(ms + 60_000)}`;
}

async function readChecks(client: Client, view: View, commit: Sha): Promise<CheckFact[]> {
  // All pages: a repository's own CI may post more checks on a commit than one page holds.
  const at = { ...repoOf(view), ref: commit, filter: "all" };
  const route = "GET /repos/{owner}/{repo}/commits/{ref}/check-runs";
  const listed = await client.readAll(route, at, 10, (page) => checksSchema.parse(page).check_runs);
  return (listed as CheckFact[]).filter((check) => {
    return check.name === verdictCheck || check.name === view.record?.config.metric.name;
  });
}

/** The runs and jobs that may vouch for the checks of a commit. */
async function readVouchers(client: Client, view: View, commit: Sha, nowMs: number): Promise<void> {
  for (const check of view.checks.get(commit) ?? []) {
    const trial = check.digest === null ? null : parseTrialId(check.externalId);
    if (trial === null || check.digest === null) continue;
    const vouched = formatReportJobName(check.digest);
    const named = () => [...view.runs.values()].filter((run) => run.name === formatRunName(trial));
    if (named().length === 0) await listRuns(client, view, nowMs);
    for (const { id } of named()) {
      if (view.jobs.get(id)?.some((job) => job.name === vouched)) continue;
      const at = { ...repoOf(view), run_id: id, per_page: 100 };
      const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", at);
      if (answer !== null) view.jobs.set(id, jobsSchema.parse(answer).jobs);
    }
  }
}
