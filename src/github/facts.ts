/**
 * GitHub's answers, parsed at the border: each schema takes what the bot uses of a resource, in the domain's types, and
 * nothing else gets in. https://docs.github.com/en/rest
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { measurementJsonOf } from "../domain/measurement.ts";
import { type Sha, sha } from "../domain/names.ts";
import type { CheckFact, JobFact, RunFact } from "../domain/trial.ts";

const shaText = z.string().transform((text): Sha => sha(text));
const time = z.string().transform((text) => Date.parse(text));
const maybeTime = z
  .string()
  .nullish()
  .transform((text) => (text == null ? null : Date.parse(text)));
const user = z.object({ login: z.string(), type: z.string().default("User") });
const labels = z
  .array(z.union([z.string(), z.object({ name: z.string() })]))
  .transform((list) => list.map((label) => (typeof label === "string" ? label : label.name).toLowerCase()));

export const issueSchema = z.object({
  number: z.int(),
  state: z.enum(["open", "closed"]),
  title: z.string(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  user: user.nullable(),
  labels,
  closed_by: user.nullish(),
  locked: z.boolean().default(false),
  repository_url: z.string(),
  pull_request: z.unknown().optional(),
});
export type IssueFact = z.output<typeof issueSchema>;

export const commentSchema = z.object({
  id: z.int(),
  issue_url: z.string(),
  user: user.nullable(),
  body: z
    .string()
    .nullish()
    .transform((body) => body ?? ""),
  created_at: z.string(),
  updated_at: z.string(),
  reactions: z.object({ total_count: z.int() }).optional(),
});
export type CommentFact = z.output<typeof commentSchema>;

/** The issue or pull request that a comment stands on. */
export function numberOf(comment: CommentFact): number {
  return Number(/\/issues\/(\d+)$/.exec(comment.issue_url)?.[1] ?? 0);
}

export const pullSchema = z
  .object({
    number: z.int(),
    state: z.enum(["open", "closed"]),
    title: z.string(),
    body: z
      .string()
      .nullish()
      .transform((body) => body ?? ""),
    merged_at: z.string().nullish(),
    labels,
    head: z.object({ ref: z.string(), sha: shaText, repo: z.object({ full_name: z.string() }).nullish() }),
    base: z.object({ ref: z.string(), repo: z.object({ full_name: z.string() }) }),
  })
  .transform((pull) => ({
    number: pull.number,
    state: pull.merged_at == null ? pull.state : ("merged" as const),
    title: pull.title,
    body: pull.body,
    labels: pull.labels,
    head: pull.head.sha,
    branch: pull.head.ref,
    base: pull.base.ref,
    /** False for a fork's: a stranger can name a branch as we do. */
    ours: pull.head.repo?.full_name === pull.base.repo.full_name,
  }));
export type PullFact = z.output<typeof pullSchema>;

export const refSchema = z.object({ object: z.object({ sha: shaText }) }).transform((ref) => ref.object.sha);

export const commitSchema = z
  .object({
    sha: shaText,
    message: z.string(),
    tree: z.object({ sha: shaText }),
    parents: z.array(z.object({ sha: shaText })),
  })
  .transform((commit) => ({
    sha: commit.sha,
    message: commit.message,
    tree: commit.tree.sha,
    parents: commit.parents.map((parent) => parent.sha),
  }));
export type CommitFact = z.output<typeof commitSchema>;

export const treeSchema = z.object({
  sha: shaText,
  truncated: z.boolean().default(false),
  tree: z.array(
    z.object({
      path: z.string(),
      mode: z.string(),
      type: z.string(),
      sha: z.string(),
      /** Bytes of a blob. */
      size: z.int().optional(),
    }),
  ),
});
export type TreeFact = z.output<typeof treeSchema>;

export const createdShaSchema = z.object({ sha: shaText }).transform((created) => created.sha);

export const checkSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    head_sha: shaText,
    external_id: z.string().nullish(),
    status: z.string(),
    started_at: maybeTime,
    output: z.object({ text: z.string().nullish() }),
    app: z.object({ slug: z.string().optional() }).nullish(),
  })
  .transform((check): CheckFact => {
    const json = measurementJsonOf(check.output.text ?? "");
    return {
      id: check.id,
      name: check.name,
      head: check.head_sha,
      externalId: check.external_id ?? "",
      app: check.app?.slug ?? "",
      status: check.status,
      json,
      digest: json === null ? null : createHash("sha256").update(json).digest("hex"),
      startedMs: check.started_at ?? 0,
    };
  });
export const checksSchema = z.object({ check_runs: z.array(checkSchema) });

export const runSchema = z
  .object({
    id: z.int(),
    display_title: z.string(),
    path: z.string(),
    event: z.string(),
    head_branch: z.string().nullish(),
    actor: user.nullish(),
    status: z.string().nullish(),
    conclusion: z.string().nullish(),
    created_at: time,
    run_started_at: maybeTime,
    updated_at: time,
    html_url: z.string(),
  })
  .transform((run): RunFact => ({
    id: run.id,
    name: run.display_title,
    path: run.path.replace(/@.*$/, ""),
    event: run.event,
    branch: run.head_branch ?? "",
    actor: run.actor?.login ?? "",
    status: run.status ?? "queued",
    conclusion: run.conclusion ?? null,
    createdMs: run.created_at,
    startedMs: run.run_started_at ?? run.created_at,
    updatedMs: run.updated_at,
    seenStartMs: 0,
    seenEndMs: 0,
    url: run.html_url,
  }));
export const runsSchema = z.object({ workflow_runs: z.array(runSchema) });

export const jobsSchema = z.object({
  jobs: z.array(
    z
      .object({ name: z.string(), conclusion: z.string().nullish(), runner_name: z.string().nullish() })
      .transform((job): JobFact => ({
        name: job.name,
        conclusion: job.conclusion ?? null,
        runner: job.runner_name ?? null,
      })),
  ),
});

/** Answer of a dispatch that was asked for the run's details. */
export const dispatchedSchema = z.object({ workflow_run_id: z.int(), html_url: z.string() });

export const repositorySchema = z.object({
  default_branch: z.string(),
  html_url: z.string(),
  full_name: z.string(),
  private: z.boolean(),
  archived: z.boolean().default(false),
});
export type RepositoryFact = z.output<typeof repositorySchema>;

export const labelEventSchema = z.object({
  id: z.int(),
  event: z.string(),
  actor: user.nullish(),
  created_at: z.string().optional(),
  label: z.object({ name: z.string().transform((name) => name.toLowerCase()) }).optional(),
});

export const permissionSchema = z.object({ permission: z.string(), role_name: z.string().optional() });

export const reactionSchema = z.object({ user: user.nullable(), content: z.string() });

/** A file as the contents API gives it: above 1 MB without its content. */
export const contentSchema = z.object({ sha: shaText, content: z.string().default(""), encoding: z.string() });

export const blobSchema = z
  .object({ content: z.string(), encoding: z.string() })
  .transform(({ content, encoding }) =>
    encoding === "base64" ? Buffer.from(content, "base64").toString("utf8") : content,
  );
