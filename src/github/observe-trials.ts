/**
 * Runs and checks of the commits that are being measured. A commit on which the bot wrote no intent has no trial, and is
 * not looked at again until everything is.
 */
import { type Sha, formatReportJobName, verdictCheck, workflowFile } from "../domain/names.ts";
import { type CheckFact, runIdOf } from "../domain/trial.ts";
import type { Client } from "./client.ts";
import { checksSchema, jobsSchema, runSchema, runsSchema } from "./facts.ts";
import { type Identity, type View, repoOf } from "./view.ts";
import { readCommit } from "./git.ts";
import { intentOf, trackedCommits, trialsOn } from "./session-of.ts";

export async function observeTrials(client: Client, view: View, identity: Identity): Promise<void> {
  if (view.record === null || view.frontier == null) return;
  await readCommit(client, view, view.frontier);
  for (const { commit } of trackedCommits(view)) {
    for (const parent of view.commits.get(commit)?.parents ?? []) await readCommit(client, view, parent);
  }
  await observeRuns(client, view, identity);
  await observeChecks(client, view, identity);
}

async function observeRuns(client: Client, view: View, identity: Identity): Promise<void> {
  if (!view.old.has("runs")) return;
  const unknown = view.checks.size === 0;
  if (unknown || hasOpenTrial(view, identity)) {
    const at = { ...repoOf(view), workflow_id: workflowFile, event: "workflow_dispatch", per_page: 100 };
    const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", at);
    const listed = answer === null ? [] : runsSchema.parse(answer).workflow_runs;
    for (const run of listed) view.runs.set(run.id, run);
    const seen = new Set(listed.map((run) => run.id));
    for (const run of view.runs.values()) {
      if (run.status !== "completed" && !seen.has(run.id)) await readRun(client, view, run.id);
    }
  }
  view.old.delete("runs");
}

function hasOpenTrial(view: View, identity: Identity): boolean {
  return trackedCommits(view).some((tracked) =>
    trialsOn(view, tracked, identity, 0).some((trial) => trial.phase.kind !== "measured"),
  );
}

async function readRun(client: Client, view: View, id: number): Promise<void> {
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/runs/{run_id}", {
    ...repoOf(view),
    run_id: id,
  });
  if (answer === null) view.runs.delete(id);
  else view.runs.set(id, runSchema.parse(answer));
}

async function observeChecks(client: Client, view: View, identity: Identity): Promise<void> {
  const old = view.old.has("checks");
  for (const tracked of trackedCommits(view)) {
    const known = view.checks.get(tracked.commit);
    const open = known !== undefined && intentOf(known, identity) !== null;
    const unmeasured = open && trialsOn(view, tracked, identity, 0).some((trial) => trial.phase.kind !== "measured");
    if (known !== undefined && !(old && unmeasured)) continue;
    view.checks.set(tracked.commit, await readChecks(client, view, tracked.commit));
    await readVouchers(client, view, tracked.commit);
  }
  view.old.delete("checks");
}

async function readChecks(client: Client, view: View, commit: Sha): Promise<CheckFact[]> {
  const answer = await client.read("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
    ...repoOf(view),
    ref: commit,
    filter: "all",
    per_page: 100,
  });
  return checksSchema.parse(answer).check_runs.filter((check) => {
    return check.name === verdictCheck || check.name === view.record?.config.metric.name;
  });
}

/** The runs and jobs that the checks of a commit call as witnesses. */
async function readVouchers(client: Client, view: View, commit: Sha): Promise<void> {
  for (const check of view.checks.get(commit) ?? []) {
    const run = check.digest === null ? null : runIdOf(check.detailsUrl);
    if (run === null || check.digest === null) continue;
    if (!view.runs.has(run)) await readRun(client, view, run);
    const vouched = formatReportJobName(check.digest);
    if (!view.runs.has(run) || view.jobs.get(run)?.some((job) => job.name === vouched)) continue;
    const at = { ...repoOf(view), run_id: run, per_page: 100 };
    const answer = await client.readIfThere("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", at);
    if (answer !== null) view.jobs.set(run, jobsSchema.parse(answer).jobs);
  }
}
