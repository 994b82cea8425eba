/** What the Actions half remembers: workflows, runs, jobs, runners. Rows are immutable; a change puts a new row. */
import type { Permissions, Timestamp } from "../entities.ts";
import { indexOf, type Store } from "../store.ts";
import type { Json } from "./expression.ts";

/** A workflow file that was seen on the default branch. */
export type WorkflowRow = {
  readonly id: number;
  readonly repoId: number;
  readonly path: string;
  readonly createdAt: Timestamp;
};

/** The text of a workflow file; `id` is its blob. */
export type WorkflowSource = { readonly id: string; readonly text: string };

export type Conclusion = "success" | "failure" | "cancelled" | "skipped";
export type Progress = "queued" | "in_progress" | "completed";
type Person = { readonly name: string; readonly email: string };

export type WorkflowRun = {
  readonly id: number;
  readonly repoId: number;
  readonly workflowId: number;
  readonly sourceId: string;
  /** Counts the runs of one workflow, from 1. */
  readonly number: number;
  /** Counts the attempts of one run, from 1. */
  readonly attempt: number;
  readonly workflowName: string;
  readonly displayTitle: string;
  readonly path: string;
  readonly event: "workflow_dispatch";
  readonly inputs: Readonly<Record<string, Json>>;
  readonly headBranch: string;
  readonly headSha: string;
  readonly headCommit: {
    readonly treeId: string;
    readonly message: string;
    readonly timestamp: Timestamp;
    readonly author: Person;
    readonly committer: Person;
  };
  readonly actorId: number;
  readonly triggeringActorId: number;
  readonly suiteId: number;
  readonly status: Progress;
  readonly conclusion: Conclusion | null;
  /** Somebody cancelled it: what is not begun never begins. */
  readonly cancelled: boolean;
  readonly createdAt: Timestamp;
  readonly updatedAt: Timestamp;
  readonly startedAt: Timestamp;
};

export type JobStep = {
  readonly name: string;
  readonly number: number;
  readonly status: Progress;
  readonly conclusion: Conclusion | null;
  readonly startedAt: Timestamp | null;
  readonly completedAt: Timestamp | null;
};

export type WorkflowJob = {
  readonly id: number;
  readonly repoId: number;
  readonly runId: number;
  readonly attempt: number;
  /** Its name in the workflow file. */
  readonly key: string;
  /** As shown: the `name` of the job, evaluated. */
  readonly name: string;
  readonly labels: readonly string[];
  readonly status: Progress;
  readonly conclusion: Conclusion | null;
  readonly steps: readonly JobStep[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly runnerId: number | null;
  readonly runnerName: string | null;
  readonly permissions: Permissions;
  /** The job's token, by its digest; it ends with the job. */
  readonly tokenId: string | null;
  /** When the runner was told to cancel; null: it was not. */
  readonly cancelledAt: Timestamp | null;
  readonly createdAt: Timestamp;
  readonly startedAt: Timestamp | null;
  readonly completedAt: Timestamp | null;
};

export type Runner = {
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
  /** GitHub's own machines, as it were: they take `ubuntu-latest`, and no list shows them. */
  readonly hosted: boolean;
  readonly os: string;
  readonly online: boolean;
};

/** A file that a run handed in; the bytes are in the world's folder. */
export type Artifact = {
  readonly id: number;
  readonly repoId: number;
  readonly runId: number;
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly digest: string;
  readonly createdAt: Timestamp;
};

declare module "../entities.ts" {
  interface Tables {
    workflow: WorkflowRow;
    workflowSource: WorkflowSource;
    workflowRun: WorkflowRun;
    workflowJob: WorkflowJob;
    runner: Runner;
    artifact: Artifact;
  }
}

const workflowsByRepo = indexOf("workflow", (row) => String(row.repoId));
const runsByRepo = indexOf("workflowRun", (row) => String(row.repoId));
const runsByWorkflow = indexOf("workflowRun", (row) => String(row.workflowId));
const runsByStatus = indexOf("workflowRun", (row) => row.status);
const jobsByRun = indexOf("workflowJob", (row) => String(row.runId));
const jobsByStatus = indexOf("workflowJob", (row) => row.status);
const artifactsByRun = indexOf("artifact", (row) => String(row.runId));
const runnersByName = indexOf("runner", (row) => row.name.toLowerCase());

/** Oldest first. */
export function artifactsOf(store: Store, runId: number): Artifact[] {
  return store.by(artifactsByRun, String(runId));
}

export function workflowsOf(store: Store, repoId: number): WorkflowRow[] {
  return store.by(workflowsByRepo, String(repoId));
}

/** Oldest first. */
export function runsOf(store: Store, repoId: number): WorkflowRun[] {
  return store.by(runsByRepo, String(repoId));
}

export function runCountOf(store: Store, workflowId: number): number {
  return store.count(runsByWorkflow, String(workflowId));
}

export function runsWith(store: Store, status: Progress): WorkflowRun[] {
  return store.by(runsByStatus, status);
}

/** Jobs of one attempt (the latest when not said), oldest first. */
export function jobsOf(store: Store, run: WorkflowRun, attempt: number | "all" = run.attempt): WorkflowJob[] {
  const jobs = store.by(jobsByRun, String(run.id));
  return attempt === "all" ? jobs : jobs.filter((job) => job.attempt === attempt);
}

/** In the order in which they were made. */
export function jobsWith(store: Store, status: Progress): WorkflowJob[] {
  return store.by(jobsByStatus, status).sort((a, b) => a.id - b.id);
}

export function runnerNamed(store: Store, name: string): Runner | undefined {
  return store.one(runnersByName, name.toLowerCase());
}

/** The job that a runner has, if any. */
export function jobOfRunner(store: Store, runnerId: number): WorkflowJob | undefined {
  return store.by(jobsByStatus, "in_progress").find((job) => job.runnerId === runnerId);
}
