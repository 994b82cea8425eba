/** What a runner and the local GitHub say to each other, outside GitHub's API: paths below `/_local/`, JSON, a bearer secret. */
import { z } from "zod";
import type { Json } from "./expression.ts";

const json: z.ZodType<Json> = z.json();
const progress = z.enum(["queued", "in_progress", "completed"]);
const conclusion = z.enum(["success", "failure", "cancelled", "skipped"]);
const texts = z.record(z.string(), z.string());

const stepStateSchema = z.object({
  name: z.string(),
  number: z.int(),
  status: progress,
  conclusion: conclusion.nullable(),
  startedAt: z.string().nullable(),
  completedAt: z.string().nullable(),
});

/** `POST /_local/runners`: a runner says who it is. What it had before is lost. */
export const registerSchema = z.object({
  name: z.string().min(1).max(64),
  labels: z.array(z.string().min(1)).min(1).max(100),
  hosted: z.boolean(),
  os: z.string(),
});
export const registeredSchema = z.object({ id: z.int() });

const stepSchema = z.object({
  id: z.string().nullable(),
  name: z.string().nullable(),
  if: z.string().optional(),
  uses: z.string().nullable(),
  run: z.string().nullable(),
  with: texts,
  env: texts,
  workingDirectory: z.string().nullable(),
  continueOnError: z.boolean(),
});

/** `POST /_local/runners/{id}/acquire?wait=SECONDS`: a job, or 204 when none came in that time. */
export const jobMessageSchema = z.object({
  jobId: z.int(),
  name: z.string(),
  repository: z.string(),
  token: z.string(),
  /** `github` (without the token), `inputs`, `vars`, `needs` */
  contexts: z.record(z.string(), json),
  env: texts,
  outputs: texts,
  steps: z.array(stepSchema),
  timeoutMinutes: z.number(),
});

/**
 * `POST /_local/jobs/{id}/heartbeat?wait=SECONDS`: answered when the job is cancelled, at the latest after that time.
 * 410 here and on the other paths of a job: it is not this runner's any more.
 */
export const heartbeatSchema = z.object({ cancel: z.boolean() });

/** `POST /_local/jobs/{id}/steps` */
export const stepsSchema = z.object({ steps: z.array(stepStateSchema) });

/** `POST /_local/jobs/{id}/complete` */
export const completeSchema = z.object({ conclusion, outputs: texts, steps: z.array(stepStateSchema) });

// `POST /_local/jobs/{id}/artifact?name=NAME`: a file; 409 when the run has one of this name.
// `POST /_local/jobs/{id}/log?offset=BYTES`: a part of the log, as text, at this place.

export type JobMessage = z.infer<typeof jobMessageSchema>;
export type StepState = z.infer<typeof stepStateSchema>;
