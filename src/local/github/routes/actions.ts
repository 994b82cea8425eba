/** GitHub Actions: workflows, their dispatch, runs, jobs and their logs, runners. */
import { z } from "zod";
import { existsSync } from "node:fs";
import { checkInputs } from "../actions/dispatch-inputs.ts";
import { logFile } from "../actions/job-log.ts";
import { logAddress } from "../actions/log-address.ts";
import { filterRuns } from "../actions/run-filters.ts";
import { artifactsOf, jobOfRunner, jobsOf, runsOf, type WorkflowJob, type WorkflowRun } from "../actions/rows.ts";
import { cancelRun, giveUpJob, restartRun, startRun } from "../actions/runs.ts";
import { findWorkflow, listWorkflows, sourceAt } from "../actions/workflow-files.ts";
import { parseWorkflow, type Workflow, WorkflowError } from "../actions/workflow.ts";
import { type Answer, ApiError, noContent, notFound, ok, unprocessable } from "../answer.ts";
import { doerOf } from "../core.ts";
import { pageOf } from "../pagination.ts";
import { bodyOf, choiceOf, numberOf, type RepoCall, repoRoute } from "../route.ts";
import { runPage, shapeArtifact, shapeJob, shapeRun, shapeRunner, shapeWorkflow } from "../shapes/actions.ts";
import { repoApi } from "../shapes/links.ts";

const reading = { app: ["actions:read"], person: "read" } as const;
const writing = { app: ["actions:write"], person: "write" } as const;

const dispatchBody = z.object({
  ref: z.string(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  return_run_details: z.boolean().nullish(),
});

export const actionsRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/actions/workflows", reading, async (call) => {
    const workflows = await listWorkflows(call.core, call.repo);
    const { items, headers } = pageOf(call, workflows);
    const shaped = items.map(({ row, name }) => shapeWorkflow(call.core, call.repo, row, name));
    return ok({ total_count: workflows.length, workflows: shaped }, headers);
  }),

  repoRoute("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}", reading, async (call) => {
    const { row, name } = await findWorkflow(call.core, call.repo, call.params["workflow_id"]!);
    return ok(shapeWorkflow(call.core, call.repo, row, name));
  }),

  repoRoute("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", writing, dispatch),

  repoRoute("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", reading, async (call) => {
    const { row } = await findWorkflow(call.core, call.repo, call.params["workflow_id"]!);
    return runList(call, (run) => run.workflowId === row.id);
  }),

  repoRoute("GET /repos/{owner}/{repo}/actions/runs", reading, (call) => runList(call, () => true)),

  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}", reading, (call) => ok(shapeRun(call.core, runOf(call)))),

  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", reading, (call) => {
    const all = choiceOf(call, "filter", ["latest", "all"], "latest") === "all";
    const jobs = jobsOf(call.core.store, runOf(call), all ? "all" : undefined);
    const { items, headers } = pageOf(call, jobs);
    return ok({ total_count: jobs.length, jobs: items.map((job) => shapeJob(call.core, job)) }, headers);
  }),

  repoRoute("GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", reading, (call) => {
    const named = call.query.get("name");
    const all = artifactsOf(call.core.store, runOf(call).id);
    const artifacts = all.filter((artifact) => named === null || artifact.name === named);
    const { items, headers } = pageOf(call, artifacts);
    const shaped = items.map((artifact) => shapeArtifact(call.core, artifact));
    return ok({ total_count: artifacts.length, artifacts: shaped }, headers);
  }),

  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", writing, (call) => {
    const run = runOf(call);
    if (run.status === "completed") throw new ApiError(409, "Cannot cancel a workflow run that is completed.");
    cancelRun(call.core, run.id);
    return { status: 202, body: {} };
  }),

  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/force-cancel", writing, (call) => {
    const run = runOf(call);
    if (run.status === "completed") throw new ApiError(409, "Cannot cancel a workflow run that is completed.");
    cancelRun(call.core, run.id);
    for (const job of jobsOf(call.core.store, run)) {
      if (job.status === "in_progress") giveUpJob(call.core, job, "cancelled", "The run was cancelled by force.");
    }
    return { status: 202, body: {} };
  }),

  repoRoute("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun", writing, (call) => {
    const run = runOf(call);
    if (run.status !== "completed") throw new ApiError(403, "This workflow is already running");
    restartRun(call.core, run.id, doerOf(call.actor).userId);
    return { status: 201, body: {} };
  }),

  repoRoute("GET /repos/{owner}/{repo}/actions/jobs/{job_id}", reading, (call) => ok(shapeJob(call.core, jobOf(call)))),

  repoRoute("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", reading, (call) => {
    const job = jobOf(call);
    if (!existsSync(logFile(call.core, job.id))) throw notFound();
    return { status: 302, headers: { location: logAddress(call.core, job.id) } };
  }),

  repoRoute("GET /repos/{owner}/{repo}/actions/runners", { app: ["administration:read"], person: "admin" }, (call) => {
    const { store } = call.core;
    const runners = store.all("runner").filter((runner) => !runner.hosted);
    const named = runners.filter((runner) => [null, "", runner.name].includes(call.query.get("name")));
    const { items, headers } = pageOf(call, named);
    const shaped = items.map((runner) => shapeRunner(runner, jobOfRunner(store, runner.id) !== undefined));
    return ok({ total_count: named.length, runners: shaped }, headers);
  }),
];

async function dispatch(call: RepoCall): Promise<Answer> {
  const { core, repo, git } = call;
  const body = bodyOf(call, dispatchBody);
  const { row } = await findWorkflow(core, repo, call.params["workflow_id"]!);
  const branch = body.ref.replace(/^refs\/(?:heads|tags)\//, "");
  const headSha = await git.resolve(branch);
  if (headSha === null || /^[0-9a-f]{40}$/.test(body.ref)) throw unprocessable(`No ref found for: ${body.ref}`);
  // The default branch says whether there is such a workflow; the ref says what it is.
  const source = await sourceAt(core, repo, headSha, row.path);
  const inputs = source === null ? null : readWorkflow(source.text).inputs;
  if (source === null || inputs === null) throw unprocessable("Workflow does not have 'workflow_dispatch' trigger");
  const checked = checkInputs(inputs, body.inputs ?? {});
  if (checked.kind === "bad") throw unprocessable(checked.message);
  const commit = (await git.commit(headSha))!;
  const run = startRun(core, {
    repo,
    workflow: row,
    sourceId: source.id,
    inputs: checked.inputs,
    branch,
    head: {
      headSha,
      headCommit: {
        treeId: commit.tree,
        message: commit.message.trimEnd(),
        timestamp: `${commit.committer.date.toISOString().slice(0, 19)}Z`,
        author: { name: commit.author.name, email: commit.author.email },
        committer: { name: commit.committer.name, email: commit.committer.email },
      },
    },
    actorId: doerOf(call.actor).userId,
  });
  if (body.return_run_details !== true) return noContent();
  const url = `${repoApi(core, repo)}/actions/runs/${run.id}`;
  return ok({ workflow_run_id: run.id, run_url: url, html_url: runPage(core, run) });
}

function readWorkflow(text: string): Workflow {
  try {
    return parseWorkflow(text);
  } catch (error) {
    if (error instanceof WorkflowError) throw unprocessable(`failed to parse workflow: ${error.message}`);
    throw error;
  }
}

function runList(call: RepoCall, belongs: (run: WorkflowRun) => boolean): Answer {
  const runs = runsOf(call.core.store, call.repo.id).filter(belongs).reverse();
  const wanted = filterRuns(call, runs);
  const { items, headers } = pageOf(call, wanted);
  return ok({ total_count: wanted.length, workflow_runs: items.map((run) => shapeRun(call.core, run)) }, headers);
}

function runOf(call: RepoCall): WorkflowRun {
  const run = call.core.store.get("workflowRun", numberOf(call, "run_id"));
  if (run === undefined || run.repoId !== call.repo.id) throw notFound();
  return run;
}

function jobOf(call: RepoCall): WorkflowJob {
  const job = call.core.store.get("workflowJob", numberOf(call, "job_id"));
  if (job === undefined || job.repoId !== call.repo.id) throw notFound();
  return job;
}
