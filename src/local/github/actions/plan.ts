/**
 * What a run does next. Pure: the same run and jobs give the same answer, so it may be asked as often as one likes.
 *
 * Always: each job of the workflow is begun or passed over once an attempt; a run ends when none is left.
 */
import { messageOf } from "../../../domain/thrown.ts";
import type { Permissions } from "../entities.ts";
import { jobContexts, type Place, statusFor } from "./contexts.ts";
import { evaluate, evaluateCondition, evaluateText } from "./expression.ts";
import type { Conclusion, WorkflowJob, WorkflowRun } from "./rows.ts";
import type { JobDefinition, Workflow } from "./workflow.ts";

export type NextJob = { readonly key: string; readonly name: string } & (
  | { readonly kind: "queue"; readonly labels: readonly string[]; readonly permissions: Permissions }
  | { readonly kind: "skip" }
  /** It can't be carried out; the sentence goes into its log. */
  | { readonly kind: "fail"; readonly because: string }
);

/** The jobs whose turn it is, in the order of the file. */
export function nextJobs(workflow: Workflow, run: WorkflowRun, place: Place, jobs: readonly WorkflowJob[]): NextJob[] {
  const ready = workflow.jobs.filter(
    (definition) =>
      !jobs.some((job) => job.key === definition.key) &&
      definition.needs.every((need) => jobs.some((job) => job.key === need && job.status === "completed")),
  );
  return ready.map((definition) => nextJob(workflow, definition, run, place, jobs));
}

function nextJob(
  workflow: Workflow,
  definition: JobDefinition,
  run: WorkflowRun,
  place: Place,
  jobs: readonly WorkflowJob[],
): NextJob {
  const { key } = definition;
  let name = definition.name ?? key;
  try {
    const contexts = jobContexts(run, place, definition, jobs);
    name = evaluateText(name, contexts);
    if (!evaluateCondition(definition.if, contexts, statusFor(workflow, definition, jobs, run.cancelled))) {
      return { kind: "skip", key, name };
    }
    if (definition.unsupported !== null) return { kind: "fail", key, name, because: definition.unsupported };
    const lines = typeof definition.runsOn === "string" ? [definition.runsOn] : definition.runsOn;
    const labels = lines.flatMap((line) => labelsOf(evaluate(line, contexts)));
    if (labels.length === 0) return { kind: "fail", key, name, because: "`runs-on` names no label" };
    return { kind: "queue", key, name, labels, permissions: definition.permissions };
  } catch (error) {
    return { kind: "fail", key, name, because: messageOf(error) };
  }
}

function labelsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(labelsOf);
  if (typeof value === "string" && value !== "") return [value];
  throw new Error(`\`runs-on\` must be a label or a list of labels, not ${JSON.stringify(value)}`);
}

/** How the run ended; null while something is left to do. */
export function conclusionOf(workflow: Workflow, run: WorkflowRun, jobs: readonly WorkflowJob[]): Conclusion | null {
  const all = workflow.jobs.map(({ key }) => jobs.find((job) => job.key === key));
  if (!all.every((job) => job?.status === "completed")) return null;
  const conclusions = all.map((job) => job?.conclusion);
  if (run.cancelled && conclusions.includes("cancelled")) return "cancelled";
  if (conclusions.includes("failure")) return "failure";
  if (conclusions.includes("cancelled")) return "cancelled";
  return conclusions.every((conclusion) => conclusion === "skipped") ? "skipped" : "success";
}

/** Machines of GitHub's own. A job that asks for one of them never goes to a self-hosted runner. */
const hostedLabels = new Set(["ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"]);

/** True when a runner takes jobs with these labels: it has every one of them, whatever their case. */
export function takes(
  runner: { readonly labels: readonly string[]; readonly hosted: boolean },
  wanted: readonly string[],
): boolean {
  const lower = wanted.map((label) => label.toLowerCase());
  if (lower.some((label) => hostedLabels.has(label)) !== runner.hosted) return false;
  const held = new Set(runner.labels.map((label) => label.toLowerCase()));
  return lower.every((label) => held.has(label));
}
