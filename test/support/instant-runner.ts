/**
 * Runners that train in no time, or as long as the candidate's `SLEEP` says: they take jobs inside the local GitHub, read the
 * value off `train.py`, and hand in what the shipped action would. A test says when a training may end, and so in which order
 * things come about.
 */
import { checkOf } from "../../action/src/check.ts";
import type { Measurement } from "../../src/domain/measurement.ts";
import { parseTrialId, type TrialId } from "../../src/domain/names.ts";
import {
  jobOfRunner,
  jobsOf,
  jobsWith,
  type Runner,
  type WorkflowJob,
  type WorkflowRun,
} from "../../src/local/github/actions/rows.ts";
import { endJob, giveUpJob, takeJob } from "../../src/local/github/actions/runs.ts";
import { digest } from "../../src/local/github/auth.ts";
import { createCheckRun } from "../../src/local/github/check-changes.ts";
import type { Core } from "../../src/local/github/core.ts";
import type { LocalGitHub } from "../../src/local/github/server.ts";

/** A trial in the hands of a runner. */
export type InTraining = {
  readonly trial: TrialId;
  readonly commit: string;
  /** The commit of the frontier that the candidate is built on; null where it has no parent. */
  readonly parent: string | null;
  readonly run: WorkflowRun;
};

export type InstantRunnerOptions = {
  readonly count: number;
  /** Whether this training may end now; asked again whenever something has changed. */
  readonly mayEnd?: (training: InTraining) => boolean;
};

/** Starts them; gives the function that ends them. */
export function startInstantRunners(github: LocalGitHub, options: InstantRunnerOptions): () => void {
  const { core } = github;
  const runners = Array.from({ length: options.count + 1 }, (_, index): Runner => {
    const hosted = index === options.count;
    const labels = hosted ? ["ubuntu-latest"] : ["self-hosted", "gpu"];
    // Not online: nobody waits for its heartbeat.
    return { id: core.store.nextId(), name: `instant-${index + 1}`, labels, hosted, os: "linux", online: false };
  });
  for (const runner of runners) core.store.put("runner", runner);
  let scheduled = false;
  let stopped = false;
  const sleeping = new Map<number, Sleep>();
  const schedule = (): void => {
    if (scheduled || stopped) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (!stopped) step(core, runners, mayEnd).catch((error: unknown) => console.error(error));
    });
  };
  const mayEnd = (training: InTraining, sleepSeconds: number): boolean => {
    const { id } = training.run;
    if (!sleeping.has(id) && sleepSeconds > 0) {
      sleeping.set(id, "asleep");
      setTimeout(() => {
        sleeping.set(id, "awake");
        schedule();
      }, sleepSeconds * 1_000).unref();
    }
    return sleeping.get(id) !== "asleep" && (options.mayEnd?.(training) ?? true);
  };
  const off = core.signals.on("change", schedule);
  return () => {
    stopped = true;
    off();
  };
}

type Sleep = "asleep" | "awake";

async function step(
  core: Core,
  runners: readonly Runner[],
  mayEnd: (training: InTraining, sleepSeconds: number) => boolean,
): Promise<void> {
  for (const runner of runners) if (jobOfRunner(core.store, runner.id) === undefined) takeJob(core, runner);
  const own = new Set(runners.map(({ id }) => id));
  for (const { id } of jobsWith(core.store, "in_progress").filter((job) => own.has(job.runnerId ?? 0))) {
    const run = core.store.get("workflowRun", core.store.get("workflowJob", id)!.runId)!;
    const training = await trainingOf(core, run);
    const text = training === null ? "" : await trainPyOf(core, training);
    // It may have been cancelled while the file was read.
    const job = core.store.get("workflowJob", id)!;
    if (job.status !== "in_progress") continue;
    if (job.cancelledAt !== null) giveUpJob(core, job, "cancelled", "The run was cancelled.");
    else if (job.key === "report") endReport(core, job, run);
    else if (training !== null && mayEnd(training, constantIn(text, "SLEEP")))
      endJob(core, job, { conclusion: "success", outputs: trained(text, training.run), steps: [] });
  }
}

function input(run: WorkflowRun, name: string): string {
  return run.inputs[name] as string;
}

/** What a run is about; null: no trial. */
export async function trainingOf(core: Core, run: WorkflowRun): Promise<InTraining | null> {
  const trial = parseTrialId(input(run, "trial"));
  if (trial === null) return null;
  const commit = input(run, "commit");
  const candidate = await core.git(core.store.get("repository", run.repoId)!).commit(commit);
  return { trial, commit, parent: candidate?.parents.at(-1) ?? null, run };
}

/** The candidate's train.py. */
export async function trainPyOf(core: Core, { run, commit }: InTraining): Promise<string> {
  const file = await core.git(core.store.get("repository", run.repoId)!).object(`${commit}:train.py`);
  return file?.content.toString() ?? "";
}

function constantIn(trainPy: string, name: string): number {
  return Number(new RegExp(`^${name} = (.*)$`, "m").exec(trainPy)?.[1] ?? 0);
}

/** How Python ends on the line that divides by zero. */
function crashOf(trainPy: string) {
  const message = "ZeroDivisionError: division by zero";
  const lines = trainPy.split("\n");
  const index = lines.indexOf("1 / (1 - CRASH)");
  const place = `  File "train.py", line ${index + 1}, in <module>\n    ${lines[index]}`;
  return {
    because: message,
    at: { path: "train.py", line: index + 1, message },
    logTail: `step 00001 (50.0%) | loss: 3.0\nTraceback (most recent call last):\n${place}\n${message}\n`,
  };
}

/** The outputs of the job `train`, by what the candidate's train.py says. */
export function trained(trainPy: string, run: WorkflowRun): Record<string, string> {
  const constant = (name: string) => constantIn(trainPy, name);
  const common = {
    version: 1 as const,
    trial: input(run, "trial"),
    commit: input(run, "commit"),
    base: input(run, "base"),
    seconds: 1,
    metrics: { peak_vram_mb: 2048, num_steps: 10 },
    exitCode: 0,
    signal: null,
    sandbox: "none",
    protectedFiles: { count: 1, changed: [] },
    runner: "instant",
    curve: [],
    logTail: "",
    at: null,
  };
  const value = Number((constant("VALUE") + constant("OTHER")).toFixed(6));
  const measurement: Measurement =
    constant("CRASH") === 1
      ? { ...common, ...crashOf(trainPy), status: "crash", exitCode: 1 }
      : { ...common, status: "measured", because: "", value };
  const json = JSON.stringify(measurement);
  return { measurement: json, digest: digest(json) };
}

/** Posts the check, as the job `report` does by the API. */
export function endReport(core: Core, job: WorkflowJob, run: WorkflowRun): void {
  const json = jobsOf(core.store, run).find(({ key }) => key === "train")!.outputs["measurement"]!;
  const { metric } = JSON.parse(input(run, "spec")) as { metric: string };
  const told = { metric, frontier: null, runUrl: `${core.url}/runs/${run.id}` };
  const check = checkOf(json, JSON.parse(json) as Measurement, told);
  const app = core.store.all("app").find(({ slug }) => slug === "github-actions")!;
  const repo = core.store.get("repository", run.repoId)!;
  createCheckRun(
    core,
    repo,
    {
      name: check.name,
      headSha: check.head_sha,
      appId: app.id,
      externalId: check.external_id,
      status: check.status,
      conclusion: check.conclusion,
      output: { ...check.output, annotations: [] },
    },
    { userId: app.botId, appId: app.id },
  );
  endJob(core, job, { conclusion: "success", outputs: {}, steps: [] });
}
