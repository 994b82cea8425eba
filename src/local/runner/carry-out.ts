/**
 * Carries out one job: its steps in order, each in a process of its own, then its outputs.
 *
 * Always: resolves with no process of the job left and its folder removed, whatever the steps do.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { messageOf } from "../../domain/thrown.ts";
import { type Contexts, evaluateCondition, evaluateText, type Json } from "../github/actions/expression.ts";
import type { JobMessage, StepState } from "../github/actions/messages.ts";
import { isUploadAction } from "../github/actions/workflow.ts";
import type { Completion, Identity } from "./client.ts";
import { masked, parseFileCommand, StepLines } from "./commands.ts";
import { readOwnAction } from "./own-action.ts";
import { runProcess, type StepCommand } from "./step-process.ts";
import { uploadArtifact } from "./upload-artifact.ts";
import { makeWorkspace, type Workspace } from "./workspace.ts";

type Step = JobMessage["steps"][number];
type Outcome = "success" | "failure" | "cancelled" | "skipped";

export type JobRun = {
  readonly job: JobMessage;
  readonly identity: Identity;
  readonly work: string;
  /** A line for the job's log; nothing secret is in it. */
  readonly say: (line: string) => void;
  /** Hands an artifact in. */
  readonly onArtifact: (name: string, file: Buffer) => Promise<"kept" | "taken" | "gone">;
  readonly onSteps: (steps: readonly StepState[]) => void;
  /** Aborted when the job is to be cancelled; its reason is the sentence for the log. */
  readonly cancel: AbortSignal;
  readonly now: () => Date;
};

type Progress = {
  readonly masks: Set<string>;
  readonly steps: Record<string, Json>;
  /** Set by steps through GITHUB_ENV. */
  readonly env: Record<string, string>;
  failed: boolean;
  readonly states: StepState[];
};

export async function carryOut(run: JobRun): Promise<Completion> {
  const { job } = run;
  const masks = new Set([job.token, Buffer.from(`x-access-token:${job.token}`).toString("base64")]);
  const progress: Progress = { masks, steps: {}, env: {}, failed: false, states: job.steps.map(firstState) };
  const workspace = makeWorkspace(run.work, job, run.identity);
  const sayCancelled = (): void => run.say(`##[error]${String(run.cancel.reason)}`);
  run.cancel.addEventListener("abort", sayCancelled, { once: true });
  try {
    run.say(`Runner ${run.identity.name}, job ${job.name}`);
    for (const [index, step] of job.steps.entries()) await takeStep(run, workspace, progress, step, index);
    const conclusion = run.cancel.aborted ? "cancelled" : progress.failed ? "failure" : "success";
    return { conclusion, outputs: jobOutputs(run, workspace, progress), steps: progress.states };
  } catch (error) {
    run.say(`##[error]${masked(messageOf(error), masks)}`);
    return { conclusion: "failure", outputs: {}, steps: progress.states };
  } finally {
    run.cancel.removeEventListener("abort", sayCancelled);
    workspace.remove();
  }
}

function firstState(step: Step, index: number): StepState {
  const name = step.name ?? (step.uses === null ? `Run ${step.run!.split("\n")[0]}` : `Run ${step.uses}`);
  return { name, number: index + 1, status: "queued", conclusion: null, startedAt: null, completedAt: null };
}

async function takeStep(
  run: JobRun,
  workspace: Workspace,
  progress: Progress,
  step: Step,
  index: number,
): Promise<void> {
  const time = (): string => `${run.now().toISOString().slice(0, 19)}Z`;
  const note = (state: Partial<StepState>): void => {
    progress.states[index] = { ...progress.states[index]!, ...state };
    run.onSteps([...progress.states]);
  };
  const env = { ...run.job.env, ...progress.env };
  const contexts = contextsOf(run, workspace, progress, env);
  const cancelled = run.cancel.aborted;
  const status = { success: !progress.failed && !cancelled, failure: progress.failed && !cancelled, cancelled };
  let outcome: Outcome = "skipped";
  let outputs: Record<string, string> = {};
  if (evaluateCondition(step.if, contexts, status)) {
    note({ status: "in_progress", startedAt: time() });
    try {
      ({ outcome, outputs } = await runStep(run, workspace, progress, step, contexts, index));
    } catch (error) {
      run.say(`##[error]${masked(messageOf(error), progress.masks)}`);
      outcome = "failure";
    }
  }
  const conclusion = outcome === "failure" && step.continueOnError ? "success" : outcome;
  progress.failed ||= conclusion === "failure";
  if (step.id !== null) progress.steps[step.id] = { outputs, outcome, conclusion };
  note({
    status: "completed",
    conclusion,
    startedAt: progress.states[index]!.startedAt ?? time(),
    completedAt: time(),
  });
}

async function runStep(
  run: JobRun,
  workspace: Workspace,
  progress: Progress,
  step: Step,
  contexts: Contexts,
  index: number,
): Promise<{ outcome: Outcome; outputs: Record<string, string> }> {
  if (step.uses !== null && isUploadAction(step.uses)) {
    const succeeded = await uploadArtifact({
      inputs: evaluated(step.with, contexts),
      send: run.onArtifact,
      say: run.say,
    });
    return { outcome: succeeded ? "success" : "failure", outputs: {} };
  }
  const files = fileCommands(workspace, index);
  const stepEnv = evaluated({ ...run.job.env, ...step.env }, contexts);
  const action = step.uses === null ? null : readOwnAction();
  const command: StepCommand =
    action === null
      ? { kind: "shell", script: evaluateText(step.run!, contexts) }
      : { kind: "node", module: action.main };
  const lines = new StepLines(progress.masks);
  const exitCode = await runProcess({
    command,
    folder: path.join(workspace.folder, step.workingDirectory ?? "."),
    env: {
      ...workspace.env,
      ...progress.env,
      ...stepEnv,
      ...files.variables,
      GITHUB_ACTION: step.id ?? `__run_${index + 1}`,
      ...(action === null ? {} : action.inputVariables(step.with, contexts)),
    },
    onLine: (line) => {
      const shown = lines.read(line);
      if (shown !== null) run.say(shown);
    },
    cancel: run.cancel,
  });
  const outputs = withoutSecrets(parseFileCommand(files.output()), progress.masks, run.say);
  Object.assign(progress.env, parseFileCommand(files.env()));
  const cancelled = run.cancel.aborted;
  if (exitCode !== 0 && !cancelled) run.say(`##[error]Process completed with exit code ${exitCode ?? "unknown"}.`);
  const succeeded = exitCode === 0 && !lines.failed;
  return { outcome: cancelled ? "cancelled" : succeeded ? "success" : "failure", outputs };
}

function evaluated(texts: Readonly<Record<string, string>>, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, evaluateText(text, contexts)]));
}

function contextsOf(
  run: JobRun,
  workspace: Workspace,
  progress: Progress,
  env: Readonly<Record<string, string>>,
): Contexts {
  const { job, identity } = run;
  const github = job.contexts["github"] as { readonly [name: string]: Json };
  return {
    ...job.contexts,
    github: { ...github, token: job.token, workspace: workspace.folder },
    env,
    job: { status: run.cancel.aborted ? "cancelled" : progress.failed ? "failure" : "success" },
    runner: { name: identity.name, os: "Linux", arch: process.arch.toUpperCase(), temp: workspace.temp },
    secrets: { GITHUB_TOKEN: job.token },
    steps: progress.steps,
    strategy: {},
    matrix: {},
  };
}

function fileCommands(workspace: Workspace, index: number) {
  const names = {
    GITHUB_OUTPUT: "output",
    GITHUB_ENV: "env",
    GITHUB_PATH: "path",
    GITHUB_STATE: "state",
    GITHUB_STEP_SUMMARY: "summary",
  };
  const entries = Object.entries(names).map(
    ([variable, name]) => [variable, path.join(workspace.temp, `${name}-${index}`)] as const,
  );
  for (const [, file] of entries) writeFileSync(file, "");
  const variables = Object.fromEntries(entries) as Record<keyof typeof names, string>;
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");
  return { variables, output: () => read(variables.GITHUB_OUTPUT), env: () => read(variables.GITHUB_ENV) };
}

function jobOutputs(run: JobRun, workspace: Workspace, progress: Progress): Record<string, string> {
  const contexts = contextsOf(run, workspace, progress, { ...run.job.env, ...progress.env });
  return withoutSecrets(evaluated(run.job.outputs, contexts), progress.masks, run.say);
}

/** GitHub hands no output on that holds a masked value; it says which it left out. */
function withoutSecrets(
  outputs: Readonly<Record<string, string>>,
  masks: ReadonlySet<string>,
  say: (line: string) => void,
): Record<string, string> {
  const kept = Object.entries(outputs).filter(([name, value]) => {
    const clean = masked(value, masks) === value;
    if (!clean) say(`##[warning]Skip output '${name}' since it may contain secret.`);
    return clean;
  });
  return Object.fromEntries(kept);
}
