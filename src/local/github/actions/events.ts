/** Tells the world of runs and jobs: webhooks for the apps, a signal for who looks on in this process. */
import type { Core } from "../core.ts";
import { repositoryOf } from "../finders.ts";
import { shapeJob, shapeRun, shapeWorkflow } from "../shapes/actions.ts";
import { shapeRepository } from "../shapes/repository.ts";
import { shapeUserById } from "../shapes/user.ts";
import type { WorkflowJob, WorkflowRun } from "./rows.ts";

export function tellRun(core: Core, run: WorkflowRun, action: "requested" | "in_progress" | "completed"): void {
  core.signals.emit("change", { kind: "other", repoId: run.repoId, topic: "run", id: run.id, action });
  const repo = repositoryOf(core.store, run.repoId);
  core.webhooks.emit({
    event: "workflow_run",
    action,
    repo,
    payload: () => ({
      action,
      workflow_run: shapeRun(core, run),
      workflow: shapeWorkflow(core, repo, core.store.get("workflow", run.workflowId)!, run.workflowName),
      repository: shapeRepository(core, repo),
      sender: shapeUserById(core, run.triggeringActorId),
    }),
  });
}

export function tellJob(core: Core, job: WorkflowJob, action: "queued" | "in_progress" | "completed"): void {
  core.signals.emit("change", { kind: "other", repoId: job.repoId, topic: "job", id: job.id, action });
  const repo = repositoryOf(core.store, job.repoId);
  core.webhooks.emit({
    event: "workflow_job",
    action,
    repo,
    payload: () => ({
      action,
      workflow_job: shapeJob(core, job),
      repository: shapeRepository(core, repo),
      sender: shapeUserById(core, core.store.get("workflowRun", job.runId)!.triggeringActorId),
    }),
  });
}
