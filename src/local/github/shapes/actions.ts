/** Bodies of workflows, runs, jobs and runners. */
import type { Artifact, JobStep, Runner, WorkflowJob, WorkflowRow, WorkflowRun } from "../actions/rows.ts";
import type { Core } from "../core.ts";
import type { Repository } from "../entities.ts";
import { repositoryOf } from "../finders.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapeRepository } from "./repository.ts";
import { shapeUserById } from "./user.ts";

/** @param name as the file on the default branch has it */
export function shapeWorkflow(
  core: Core,
  repo: Repository,
  workflow: WorkflowRow,
  name: string,
): Record<string, unknown> {
  const file = workflow.path.split("/").at(-1)!;
  return {
    id: workflow.id,
    node_id: nodeId("Workflow", workflow.id),
    name,
    path: workflow.path,
    state: "active",
    created_at: workflow.createdAt,
    updated_at: workflow.createdAt,
    url: `${repoApi(core, repo)}/actions/workflows/${workflow.id}`,
    html_url: `${repoWeb(core, repo)}/blob/${repo.defaultBranch}/${workflow.path}`,
    badge_url: `${repoWeb(core, repo)}/actions/workflows/${file}/badge.svg`,
  };
}

export function shapeRun(core: Core, run: WorkflowRun): Record<string, unknown> {
  const repo = repositoryOf(core.store, run.repoId);
  const api = repoApi(core, repo);
  const url = `${api}/actions/runs/${run.id}`;
  return {
    id: run.id,
    name: run.workflowName,
    node_id: nodeId("WorkflowRun", run.id),
    check_suite_id: run.suiteId,
    check_suite_node_id: nodeId("CheckSuite", run.suiteId),
    head_branch: run.headBranch,
    head_sha: run.headSha,
    path: run.path,
    run_number: run.number,
    run_attempt: run.attempt,
    referenced_workflows: [],
    event: run.event,
    display_title: run.displayTitle,
    status: run.status,
    conclusion: run.conclusion,
    workflow_id: run.workflowId,
    url,
    html_url: runPage(core, run),
    pull_requests: [],
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    actor: shapeUserById(core, run.actorId),
    triggering_actor: shapeUserById(core, run.triggeringActorId),
    run_started_at: run.startedAt,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${api}/check-suites/${run.suiteId}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${api}/actions/workflows/${run.workflowId}`,
    head_commit: {
      id: run.headSha,
      tree_id: run.headCommit.treeId,
      message: run.headCommit.message,
      timestamp: run.headCommit.timestamp,
      author: run.headCommit.author,
      committer: run.headCommit.committer,
    },
    repository: shapeRepository(core, repo),
    head_repository: shapeRepository(core, repo),
  };
}

/** The run's web page. */
export function runPage(core: Core, run: WorkflowRun): string {
  return `${repoWeb(core, repositoryOf(core.store, run.repoId))}/actions/runs/${run.id}`;
}

export function shapeJob(core: Core, job: WorkflowJob): Record<string, unknown> {
  const api = repoApi(core, repositoryOf(core.store, job.repoId));
  const run = core.store.get("workflowRun", job.runId)!;
  const runner = job.runnerId === null ? undefined : core.store.get("runner", job.runnerId);
  return {
    id: job.id,
    run_id: job.runId,
    workflow_name: run.workflowName,
    head_branch: run.headBranch,
    run_url: `${api}/actions/runs/${job.runId}`,
    run_attempt: job.attempt,
    node_id: nodeId("CheckRun", job.id),
    head_sha: run.headSha,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: `${runPage(core, run)}/job/${job.id}`,
    status: job.status,
    conclusion: job.conclusion,
    created_at: job.createdAt,
    started_at: job.startedAt ?? job.createdAt,
    completed_at: job.completedAt,
    name: job.name,
    steps: job.steps.map(shapeStep),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: [...job.labels],
    runner_id: job.runnerId,
    runner_name: job.runnerName,
    runner_group_id: runner === undefined ? null : runner.hosted ? 0 : 1,
    runner_group_name: runner === undefined ? null : runner.hosted ? "GitHub Actions" : "Default",
  };
}

function shapeStep(step: JobStep): Record<string, unknown> {
  return {
    name: step.name,
    status: step.status,
    conclusion: step.conclusion,
    number: step.number,
    started_at: step.startedAt,
    completed_at: step.completedAt,
  };
}

export function shapeRunner(runner: Runner, busy: boolean): Record<string, unknown> {
  const own = new Set(["self-hosted", "linux", "macos", "windows", "x64", "arm64"]);
  return {
    id: runner.id,
    name: runner.name,
    os: runner.os,
    status: runner.online ? "online" : "offline",
    busy,
    ephemeral: false,
    runner_group_id: 1,
    labels: runner.labels.map((name, index) => ({
      id: runner.id * 100 + index,
      name,
      type: own.has(name.toLowerCase()) ? "read-only" : "custom",
    })),
  };
}

/** Kept for as long as GitHub keeps them by default. */
const artifactMs = 90 * 24 * 3_600_000;

export function shapeArtifact(core: Core, artifact: Artifact): Record<string, unknown> {
  const repo = repositoryOf(core.store, artifact.repoId);
  const run = core.store.get("workflowRun", artifact.runId)!;
  const url = `${repoApi(core, repo)}/actions/artifacts/${artifact.id}`;
  const expiresMs = Date.parse(artifact.createdAt) + artifactMs;
  return {
    id: artifact.id,
    node_id: nodeId("Artifact", artifact.id),
    name: artifact.name,
    size_in_bytes: artifact.bytes,
    url,
    archive_download_url: `${url}/zip`,
    expired: expiresMs <= core.now().getTime(),
    digest: `sha256:${artifact.digest}`,
    created_at: artifact.createdAt,
    updated_at: artifact.createdAt,
    expires_at: `${new Date(expiresMs).toISOString().slice(0, 19)}Z`,
    workflow_run: {
      id: run.id,
      repository_id: repo.id,
      head_repository_id: repo.id,
      head_branch: run.headBranch,
      head_sha: run.headSha,
    },
  };
}
