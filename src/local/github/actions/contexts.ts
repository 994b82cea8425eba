/** The contexts that expressions of a run see, and what its jobs' states mean for those that need them. Pure. */
import type { Contexts, Json, StatusView } from "./expression.ts";
import type { WorkflowJob, WorkflowRun } from "./rows.ts";
import type { JobDefinition, Workflow } from "./workflow.ts";

/** What of the world stands in a run's `github` context. */
export type Place = {
  readonly serverUrl: string;
  readonly apiUrl: string;
  /** `owner/name` */
  readonly repository: string;
  readonly repositoryId: number;
  readonly actor: string;
  readonly triggeringActor: string;
};

/** The payload of the event, as far as workflows read it. */
function eventOf(run: WorkflowRun, place: Place): { readonly [name: string]: Json } {
  const [owner = "", name = ""] = place.repository.split("/");
  return {
    inputs: Object.fromEntries(Object.entries(run.inputs).map(([input, value]) => [input, textOf(value)])),
    ref: `refs/heads/${run.headBranch}`,
    workflow: run.path,
    repository: { id: place.repositoryId, name, full_name: place.repository, owner: { login: owner } },
    sender: { login: place.actor },
  };
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Contexts of a run, without a job: those of `run-name`. */
export function runContexts(run: WorkflowRun, place: Place): Contexts {
  return { github: githubContext(run, place, ""), inputs: run.inputs, vars: {} };
}

/** Contexts of a job's own lines (`if`, `name`, `runs-on`). */
export function jobContexts(
  run: WorkflowRun,
  place: Place,
  job: JobDefinition,
  jobs: readonly WorkflowJob[],
): Contexts {
  const needed = jobs.filter((other) => job.needs.includes(other.key));
  const needs = Object.fromEntries(
    needed.map((other) => [other.key, { result: other.conclusion ?? "", outputs: other.outputs }]),
  );
  return { github: githubContext(run, place, job.key), inputs: run.inputs, vars: {}, needs };
}

function githubContext(run: WorkflowRun, place: Place, job: string): Json {
  return {
    action: "",
    actor: place.actor,
    api_url: place.apiUrl,
    base_ref: "",
    event: eventOf(run, place),
    event_name: run.event,
    graphql_url: place.apiUrl.replace(/\/v3$/, "/graphql"),
    head_ref: "",
    job,
    ref: `refs/heads/${run.headBranch}`,
    ref_name: run.headBranch,
    ref_protected: false,
    ref_type: "branch",
    repository: place.repository,
    repository_id: String(place.repositoryId),
    repository_owner: place.repository.split("/")[0] ?? "",
    retention_days: "90",
    run_attempt: String(run.attempt),
    run_id: String(run.id),
    run_number: String(run.number),
    server_url: place.serverUrl,
    sha: run.headSha,
    triggering_actor: place.triggeringActor,
    workflow: run.workflowName,
    workflow_ref: `${place.repository}/${run.path}@refs/heads/${run.headBranch}`,
    workflow_sha: run.headSha,
  };
}

/** What `success()` and the others mean for a job: the jobs that it needs, and those that they need. */
export function statusFor(
  workflow: Workflow,
  job: JobDefinition,
  jobs: readonly WorkflowJob[],
  cancelled: boolean,
): StatusView {
  const ancestors = new Set<string>();
  const visit = (keys: readonly string[]): void => {
    for (const key of keys) {
      if (ancestors.has(key)) continue;
      ancestors.add(key);
      visit(workflow.jobs.find((other) => other.key === key)?.needs ?? []);
    }
  };
  visit(job.needs);
  const conclusions = jobs.filter((other) => ancestors.has(other.key)).map((other) => other.conclusion);
  return {
    success: !cancelled && conclusions.every((conclusion) => conclusion === "success"),
    failure: !cancelled && conclusions.includes("failure"),
    cancelled,
  };
}
