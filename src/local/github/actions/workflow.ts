/**
 * Workflow files: the part of GitHub's form that workflows of this project use. Pure.
 *
 * Always: what is not understood is never passed over. A file that can't be read at all throws; a job that uses what is
 * not here (`strategy`, `container`, another action, …) carries a sentence in `unsupported`, and fails with it.
 */
import { parse } from "yaml";
import { z } from "zod";
import { messageOf } from "../../../domain/thrown.ts";
import type { PermissionLevel, Permissions } from "../entities.ts";

export type DispatchInput = {
  readonly type: "string" | "boolean" | "number" | "choice" | "environment";
  readonly required: boolean;
  readonly default: string | null;
  readonly options: readonly string[];
};

type Step = {
  readonly id: string | null;
  readonly name: string | null;
  readonly if: string | undefined;
  readonly uses: string | null;
  readonly run: string | null;
  readonly with: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly shell: string | null;
  readonly workingDirectory: string | null;
  readonly continueOnError: boolean;
};

export type JobDefinition = {
  /** Its name in the file. */
  readonly key: string;
  readonly name: string | null;
  readonly needs: readonly string[];
  readonly if: string | undefined;
  /** Labels; each, or the only one, may be an expression. */
  readonly runsOn: string | readonly string[];
  /** Its own, or else those of the workflow. */
  readonly permissions: Permissions;
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMinutes: number;
  readonly steps: readonly Step[];
  /** Why this job can't be carried out here; null when it can. */
  readonly unsupported: string | null;
};

export type Workflow = {
  readonly name: string | null;
  readonly runName: string | null;
  /** null: it is not started by workflow_dispatch. */
  readonly inputs: Readonly<Record<string, DispatchInput>> | null;
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: readonly JobDefinition[];
};

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.record(z.string(), z.union([scalar, z.null().transform(() => "")]));
const listed = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

const stepSchema = z.object({
  id: z.string().nullish(),
  name: scalar.nullish(),
  if: scalar.optional(),
  uses: z.string().nullish(),
  run: z.string().nullish(),
  with: texts.nullish(),
  env: texts.nullish(),
  shell: z.string().nullish(),
  "working-directory": z.string().nullish(),
  "continue-on-error": z.boolean().nullish(),
});

const permissionsSchema = z.union([
  z.enum(["read-all", "write-all"]),
  z.record(z.string(), z.enum(["read", "write", "none"])),
  z.null().transform((): Record<string, "none"> => ({})),
]);
type WantedPermissions = "read-all" | "write-all" | Readonly<Record<string, "read" | "write" | "none">>;

const jobSchema = z.object({
  name: scalar.nullish(),
  needs: listed.nullish(),
  if: scalar.optional(),
  "runs-on": z.union([
    z.string(),
    z.array(z.string()),
    z.object({ group: z.string().optional(), labels: listed.optional() }).transform(({ labels }) => labels ?? []),
  ]),
  permissions: permissionsSchema.optional(),
  outputs: texts.nullish(),
  env: texts.nullish(),
  "timeout-minutes": z.number().positive().optional(),
  steps: z.array(stepSchema.loose()).min(1),
});

const inputSchema = z.object({
  type: z.enum(["string", "boolean", "number", "choice", "environment"]).nullish(),
  required: z.boolean().nullish(),
  default: scalar.nullish(),
  options: z.array(scalar).nullish(),
});

const workflowSchema = z.object({
  name: scalar.nullish(),
  "run-name": scalar.nullish(),
  on: z.unknown(),
  permissions: permissionsSchema.optional(),
  env: texts.nullish(),
  jobs: z.record(z.string().regex(/^[A-Za-z_][\w-]*$/, "is not a name for a job"), z.record(z.string(), z.unknown())),
});

const dispatchSchema = z.object({ inputs: z.record(z.string(), inputSchema.nullable()).nullish() }).nullish();

/** A workflow file that can't be read; the message says where. */
export class WorkflowError extends Error {}

const parsed = new Map<string, Workflow>();

/** Parses a workflow file. Throws a WorkflowError. */
export function parseWorkflow(text: string): Workflow {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const workflow = readWorkflow(text);
  if (parsed.size > 100) parsed.clear();
  parsed.set(text, workflow);
  return workflow;
}

function readWorkflow(text: string): Workflow {
  const source = checked(workflowSchema, yamlOf(text), "");
  const whole = unknownKeys(yamlOf(text), workflowSchema, "a workflow");
  const jobs = Object.entries(source.jobs).map(([key, job]) => readJob(key, job, source.permissions, whole));
  for (const job of jobs) {
    const missing = job.needs.find((need) => !jobs.some((other) => other.key === need));
    if (missing !== undefined) throw new WorkflowError(`job ${job.key} needs ${missing}, which is not there`);
  }
  return {
    name: source.name ?? null,
    runName: source["run-name"] ?? null,
    inputs: dispatchInputs(source.on),
    env: source.env ?? {},
    jobs,
  };
}

function yamlOf(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new WorkflowError(messageOf(error));
  }
}

function checked<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = [...(where === "" ? [] : [where]), ...(issue?.path ?? []).map(String)].join(".");
  throw new WorkflowError(`${at === "" ? "the file" : at}: ${issue?.message ?? "not valid"}`);
}

function readJob(
  key: string,
  raw: unknown,
  fallback: WantedPermissions | undefined,
  whole: string | null,
): JobDefinition {
  const job = checked(jobSchema, raw, `jobs.${key}`);
  const steps = job.steps.map(readStep);
  const unsupported =
    whole ??
    unknownKeys(raw, jobSchema, "a job") ??
    firstOf(job.steps, (step) => unknownKeys(step, stepSchema, "a step")) ??
    firstOf(steps, unsupportedStep);
  return {
    key,
    name: job.name ?? null,
    needs: job.needs ?? [],
    if: job.if,
    runsOn: job["runs-on"],
    permissions: permissionsOf(job.permissions ?? fallback),
    outputs: job.outputs ?? {},
    env: job.env ?? {},
    timeoutMinutes: job["timeout-minutes"] ?? 360,
    steps,
    unsupported,
  };
}

function readStep(step: z.output<typeof stepSchema>): Step {
  return {
    id: step.id ?? null,
    name: step.name ?? null,
    if: step.if,
    uses: step.uses ?? null,
    run: step.run ?? null,
    with: step.with ?? {},
    env: step.env ?? {},
    shell: step.shell ?? null,
    workingDirectory: step["working-directory"] ?? null,
    continueOnError: step["continue-on-error"] ?? false,
  };
}

/** The action of this project, whoever's copy the workflow names and at whatever version. */
function isOwnAction(uses: string): boolean {
  return /^[\w.-]+\/autoresearch-app\/action@[^@]+$/.test(uses);
}

/** GitHub's own action for artifacts: the local runner does what it would do with one file. */
export function isUploadAction(uses: string): boolean {
  return /^actions\/upload-artifact@[^@]+$/.test(uses);
}

function unsupportedStep(step: Step): string | null {
  if ((step.uses === null) === (step.run === null)) return "a step must have either `uses` or `run`";
  if (step.uses !== null && !isOwnAction(step.uses) && !isUploadAction(step.uses)) {
    return `the local GitHub runs the action of autoresearch-app and actions/upload-artifact, no other: it can't carry out \`uses: ${step.uses}\``;
  }
  return step.shell === null || step.shell === "bash"
    ? null
    : `the local GitHub knows no shell but bash, not \`${step.shell}\``;
}

function firstOf<T>(all: readonly T[], find: (one: T) => string | null): string | null {
  for (const one of all) {
    const found = find(one);
    if (found !== null) return found;
  }
  return null;
}

function unknownKeys(raw: unknown, schema: z.ZodObject, what: string): string | null {
  const key = Object.keys(raw as object).find((name) => !(name in schema.shape));
  return key === undefined ? null : `the local GitHub does not know \`${key}\` of ${what}`;
}

function permissionsOf(wanted: WantedPermissions | undefined): Permissions {
  // What a new repository gives its jobs where the workflow does not say.
  if (wanted === undefined) return { contents: "read", packages: "read" };
  const all = ["actions", "checks", "contents", "issues", "pull_requests", "statuses"];
  if (typeof wanted === "string") {
    const level = wanted === "read-all" ? "read" : "write";
    return Object.fromEntries(all.map((name) => [name, level]));
  }
  const held = Object.entries(wanted).filter(
    (entry): entry is [string, Exclude<PermissionLevel, "admin">] => entry[1] !== "none",
  );
  return Object.fromEntries(held.map(([name, level]) => [name.replaceAll("-", "_"), level]));
}

function dispatchInputs(on: unknown): Workflow["inputs"] {
  if (on === "workflow_dispatch") return {};
  if (Array.isArray(on)) return on.includes("workflow_dispatch") ? {} : null;
  if (typeof on !== "object" || on === null || !("workflow_dispatch" in on)) return null;
  const inputs = checked(dispatchSchema, on.workflow_dispatch, "on.workflow_dispatch")?.inputs ?? {};
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      {
        type: input?.type ?? "string",
        required: input?.required ?? false,
        default: input?.default ?? null,
        options: input?.options ?? [],
      },
    ]),
  );
}
