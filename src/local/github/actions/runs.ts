/**
 * The life of a run: dispatched → its jobs queued, taken, completed → the next ones → completed.
 *
 * Always: every step here is one synchronous stretch (no await), so two requests never see a run half moved; `advance` may
 * be called at any time and does what is due, no more. A job belongs to at most one runner, and only that one may end it.
 *
 * Races: a runner completes while the run is cancelled — the runner's word stands. A runner that was given up comes back —
 * its job is not its own any more, and it is told so.
 */
import { digest } from "../auth.ts";
import { type Core, timestamp } from "../core.ts";
import type { Repository } from "../entities.ts";
import { fullName, repositoryOf, userOf } from "../finders.ts";
import { jobToken } from "../world.ts";
import { type Place, runContexts } from "./contexts.ts";
import { tellJob, tellRun } from "./events.ts";
import { evaluateText, type Json } from "./expression.ts";
import { appendLine } from "./job-log.ts";
import { conclusionOf, type NextJob, nextJobs, takes } from "./plan.ts";
import {
  type Conclusion,
  jobsOf,
  jobsWith,
  type JobStep,
  runCountOf,
  type Runner,
  type WorkflowJob,
  type WorkflowRow,
  type WorkflowRun,
} from "./rows.ts";
import { parseWorkflow, type Workflow } from "./workflow.ts";

export type Dispatch = {
  readonly repo: Repository;
  readonly workflow: WorkflowRow;
  readonly sourceId: string;
  readonly inputs: Readonly<Record<string, Json>>;
  readonly branch: string;
  readonly head: Pick<WorkflowRun, "headSha" | "headCommit">;
  readonly actorId: number;
};

/** Starts a run. */
export function startRun(core: Core, dispatch: Dispatch): WorkflowRun {
  const now = timestamp(core);
  const definition = parseWorkflow(core.store.get("workflowSource", dispatch.sourceId)!.text);
  const name = definition.name ?? dispatch.workflow.path;
  const plain: WorkflowRun = {
    id: core.store.nextId(),
    repoId: dispatch.repo.id,
    workflowId: dispatch.workflow.id,
    sourceId: dispatch.sourceId,
    number: runCountOf(core.store, dispatch.workflow.id) + 1,
    attempt: 1,
    workflowName: name,
    displayTitle: name,
    path: dispatch.workflow.path,
    event: "workflow_dispatch",
    inputs: dispatch.inputs,
    headBranch: dispatch.branch,
    ...dispatch.head,
    actorId: dispatch.actorId,
    triggeringActorId: dispatch.actorId,
    suiteId: core.store.nextId(),
    status: "queued",
    conclusion: null,
    cancelled: false,
    createdAt: now,
    updatedAt: now,
    startedAt: now,
  };
  const title = titleOf(core, plain, definition);
  const run = core.store.put("workflowRun", { ...plain, displayTitle: title });
  tellRun(core, run, "requested");
  advance(core, run.id);
  return run;
}

function titleOf(core: Core, run: WorkflowRun, definition: Workflow): string {
  const title =
    definition.runName === null ? "" : evaluateText(definition.runName, runContexts(run, placeOf(core, run)));
  return title === "" ? run.workflowName : title;
}

export function placeOf(core: Core, run: WorkflowRun): Place {
  const repo = repositoryOf(core.store, run.repoId);
  return {
    serverUrl: core.url,
    apiUrl: core.apiUrl,
    repository: fullName(core.store, repo),
    repositoryId: repo.id,
    actor: userOf(core.store, run.actorId).login,
    triggeringActor: userOf(core.store, run.triggeringActorId).login,
  };
}

export function workflowOf(core: Core, run: WorkflowRun): Workflow {
  return parseWorkflow(core.store.get("workflowSource", run.sourceId)!.text);
}

function runOf(core: Core, runId: number): WorkflowRun {
  const run = core.store.get("workflowRun", runId);
  if (run === undefined) throw new Error(`no run ${runId}`);
  return run;
}

/** Makes the jobs whose turn it is, and ends the run when none is left. */
export function advance(core: Core, runId: number): void {
  const run = runOf(core, runId);
  if (run.status === "completed") return;
  const workflow = workflowOf(core, run);
  for (;;) {
    const next = nextJobs(workflow, run, placeOf(core, run), jobsOf(core.store, run));
    if (next.length === 0) break;
    for (const job of next) makeJob(core, run, job);
  }
  const conclusion = conclusionOf(workflow, run, jobsOf(core.store, run));
  if (conclusion === null) return;
  const ended = { ...runOf(core, runId), status: "completed", conclusion, updatedAt: timestamp(core) } as const;
  tellRun(core, core.store.put("workflowRun", ended), "completed");
}

function makeJob(core: Core, run: WorkflowRun, next: NextJob): void {
  const now = timestamp(core);
  const over = next.kind !== "queue";
  const job = core.store.put("workflowJob", {
    id: core.store.nextId(),
    repoId: run.repoId,
    runId: run.id,
    attempt: run.attempt,
    key: next.key,
    name: next.name,
    labels: next.kind === "queue" ? next.labels : [],
    status: over ? "completed" : "queued",
    conclusion: next.kind === "queue" ? null : next.kind === "skip" ? "skipped" : "failure",
    steps: [],
    outputs: {},
    runnerId: null,
    runnerName: null,
    permissions: next.kind === "queue" ? next.permissions : {},
    tokenId: null,
    cancelledAt: null,
    createdAt: now,
    startedAt: over ? now : null,
    completedAt: over ? now : null,
  });
  if (next.kind === "fail") appendLine(core, job.id, `##[error]${next.because}`);
  tellJob(core, job, over ? "completed" : "queued");
}

/** Gives the oldest job that the runner takes, with the job's token; null where there is none. */
export function takeJob(core: Core, runner: Runner): { job: WorkflowJob; token: string } | null {
  const queued = jobsWith(core.store, "queued").find((job) => takes(runner, job.labels));
  if (queued === undefined) return null;
  const token = jobToken(core, repositoryOf(core.store, queued.repoId), queued.permissions);
  const job = core.store.put("workflowJob", {
    ...queued,
    status: "in_progress",
    runnerId: runner.id,
    runnerName: runner.name,
    tokenId: digest(token),
    startedAt: timestamp(core),
  });
  const run = runOf(core, job.runId);
  if (run.status === "queued") {
    const begun = core.store.put("workflowRun", { ...run, status: "in_progress", updatedAt: timestamp(core) });
    tellRun(core, begun, "in_progress");
  }
  tellJob(core, job, "in_progress");
  return { job, token };
}

/** Keeps how far the steps are. */
export function noteSteps(core: Core, job: WorkflowJob, steps: readonly JobStep[]): void {
  core.store.put("workflowJob", { ...job, steps });
}

export type JobEnd = {
  readonly conclusion: Conclusion;
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly JobStep[];
};

/** Ends a job, and with it its token; then what follows from it. */
export function endJob(core: Core, job: WorkflowJob, end: JobEnd): void {
  if (job.tokenId !== null) core.store.remove("token", job.tokenId);
  const now = timestamp(core);
  const ended = core.store.put("workflowJob", {
    ...job,
    ...end,
    status: "completed",
    tokenId: null,
    startedAt: job.startedAt ?? now,
    completedAt: now,
  });
  tellJob(core, ended, "completed");
  advance(core, job.runId);
}

/** Ends a job that nobody else can end any more, with the sentence why. */
export function giveUpJob(core: Core, job: WorkflowJob, conclusion: "failure" | "cancelled", because: string): void {
  appendLine(core, job.id, `##[error]${because}`);
  endJob(core, job, { conclusion, outputs: {}, steps: job.steps });
}

/** Cancels a run: queued jobs end at once, the runners of the others are told. */
export function cancelRun(core: Core, runId: number): void {
  core.store.put("workflowRun", { ...runOf(core, runId), cancelled: true, updatedAt: timestamp(core) });
  for (const job of jobsOf(core.store, runOf(core, runId))) {
    if (job.status === "queued") endJob(core, job, { conclusion: "cancelled", outputs: {}, steps: [] });
    if (job.status !== "in_progress" || job.cancelledAt !== null) continue;
    const told = core.store.put("workflowJob", { ...job, cancelledAt: timestamp(core) });
    core.signals.emit("change", { kind: "other", repoId: job.repoId, topic: "job", id: told.id, action: "cancelling" });
  }
  advance(core, runId);
}

/** Begins a completed run anew, as its next attempt. */
export function restartRun(core: Core, runId: number, actorId: number): void {
  const now = timestamp(core);
  const run = runOf(core, runId);
  core.store.put("workflowRun", {
    ...run,
    attempt: run.attempt + 1,
    triggeringActorId: actorId,
    status: "queued",
    conclusion: null,
    cancelled: false,
    updatedAt: now,
    startedAt: now,
  });
  advance(core, runId);
}
