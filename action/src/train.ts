/**
 * Mode `train`: runs one trial and hands over its measurement. Read this first.
 *
 * Always: the token is used for the fetch and never reaches the candidate; the measurement is made here, outside the
 * candidate's process; whatever the candidate does, the result is a measurement (a crash is one too). An Error means that
 * there is nothing to report: wrong inputs, no network, a sandbox that is not there.
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Measurement } from "../../src/domain/measurement.ts";
import { candidateEnv } from "./candidate-env.ts";
import { type Checkout, makeCheckout } from "./checkout.ts";
import { conclude, type Ending, type Evidence, formatClock, type Surface, trainingFailure } from "./conclude.ts";
import { basicCredentials } from "./git.ts";
import type { TrainInputs } from "./inputs.ts";
import type { JobLog } from "./job-log.ts";
import { logTail } from "./log-tail.ts";
import { changedPaths, hashFiles, type Hashes } from "./protected-files.ts";
import { redact } from "./redact.ts";
import { type CommandResult, runCommand } from "./run-command.ts";
import { type Sandbox, sandboxFor } from "./sandbox.ts";
import { mutableMatcher } from "./surface.ts";

/** What a trial needs, beside its inputs. */
export type TrainContext = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: JobLog;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
};

/** Carries out the trial. Resolves with no process of it left and its files removed. */
export async function train(inputs: TrainInputs, context: TrainContext): Promise<Measurement> {
  const secrets = inputs.token === "" ? [] : [inputs.token, basicCredentials(inputs.token)];
  for (const secret of secrets) context.log.mask(secret);
  const sandbox = sandboxFor(inputs.spec.sandbox);
  const folder = await realpath(await mkdtemp(join(inputs.RUNNER_TEMP, "autoresearch-")));
  try {
    const trial = await runTrial(inputs, context, folder, sandbox);
    return measurementOf(trial, inputs, sandbox, secrets);
  } finally {
    // Best effort: a candidate may have made a folder that can't be removed, and its measurement counts all the same.
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch((error: Error) =>
      context.log.say(error.message),
    );
  }
}

type Trial = { readonly ending: Ending; readonly evidence: Evidence | null; readonly protectedCount: number };

/** The steps of a trial, in order. Each may end it. */
async function runTrial(inputs: TrainInputs, context: TrainContext, folder: string, sandbox: Sandbox): Promise<Trial> {
  const { spec } = inputs;
  const isMutable = mutableMatcher(spec.mutable);
  // 1. The base's files with the candidate's mutable ones laid over them, or a refusal.
  const checkout = await fetchCheckout(inputs, context, folder, isMutable);
  if (checkout === null) return ended("cancelled", "cancelled before the training began", 0);
  const { root, protectedPaths, refusal } = checkout;
  if (refusal !== null) return ended("rejected", refusal, protectedPaths.length);
  // 2. What the protected files are before anything runs.
  const before = await hashFiles(root, protectedPaths);
  context.log.say(`${before.size} protected files hashed; sandbox: ${sandbox.name}`);
  // 3. The training.
  const run = async (command: string, name: string) =>
    runInGroup(command, name, inputs, context, { root, folder, sandbox });
  const training = await run(spec.command, "training");
  // 4. The evaluation, by protected files that are still what they were.
  const surface: Surface = { root, isMutable };
  let evidence: Evidence = { training, evaluation: null, changed: await changesSince(before, root) };
  if (spec.evaluate !== null && trainingFailure(evidence, spec, surface) === null) {
    const evaluation = await run(spec.evaluate, "evaluation");
    evidence = { training, evaluation, changed: await changesSince(before, root) };
  }
  // 5. The judgement.
  return { ending: conclude(evidence, spec, surface), evidence, protectedCount: protectedPaths.length };
}

function ended(status: "cancelled" | "rejected", because: string, protectedCount: number): Trial {
  return { ending: { status, value: null, because, at: null }, evidence: null, protectedCount };
}

async function changesSince(before: Hashes, root: string): Promise<string[]> {
  return changedPaths(before, await hashFiles(root, [...before.keys()]));
}

/** Null when the job was cancelled meanwhile. */
async function fetchCheckout(
  inputs: TrainInputs,
  { log, signal }: TrainContext,
  folder: string,
  isMutable: (path: string) => boolean,
): Promise<Checkout | null> {
  log.beginGroup(`Fetch ${inputs.commit.slice(0, 7)} and its base ${inputs.base.slice(0, 7)}`);
  try {
    return await makeCheckout({
      serverUrl: inputs.GITHUB_SERVER_URL.replace(/\/+$/, ""),
      repository: inputs.GITHUB_REPOSITORY,
      token: inputs.token,
      base: inputs.base,
      commit: inputs.commit,
      isMutable,
      folder,
      signal,
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    log.endGroup();
  }
}

async function runInGroup(
  command: string,
  name: string,
  inputs: TrainInputs,
  { environment, log, signal }: TrainContext,
  place: { root: string; folder: string; sandbox: Sandbox },
): Promise<CommandResult> {
  const { spec, trial } = inputs;
  log.beginGroup(`${name}: ${command}`);
  const foreign = log.beginForeign();
  try {
    const result = await runCommand({
      command,
      folder: place.root,
      env: candidateEnv(environment, { id: trial, budgetSeconds: spec.budgetSeconds }),
      sandbox: place.sandbox,
      timeoutSeconds: spec.timeoutSeconds,
      metric: spec.metric,
      logFile: join(place.folder, name === "training" ? "run.log" : "evaluate.log"),
      echo: foreign.write,
      signal,
    });
    foreign.end();
    log.endGroup();
    log.say(`${name} ${endPhrase(result)} after ${formatClock(result.seconds)}`);
    return result;
  } catch (error) {
    foreign.end();
    log.endGroup();
    throw error;
  }
}

function endPhrase({ ended, exitCode, signal }: CommandResult): string {
  if (ended !== "itself") return ended === "timeout" ? "was ended by its time-out" : "was cancelled";
  return signal === null ? `ended with exit status ${exitCode}` : `was ended by ${signal}`;
}

function measurementOf(trial: Trial, inputs: TrainInputs, sandbox: Sandbox, secrets: readonly string[]): Measurement {
  const { ending, evidence, protectedCount } = trial;
  const training = evidence?.training ?? null;
  const { spec } = inputs;
  const hide = (text: string, limit: number) => redact(text, secrets).slice(0, limit);
  const common = {
    version: 1 as const,
    trial: inputs.trial,
    commit: inputs.commit,
    base: inputs.base,
    because: hide(ending.because, 1_000),
    seconds: Number((training?.seconds ?? 0).toFixed(3)),
    metrics: metricsOf(evidence, spec.metric, ending.value),
    exitCode: training?.exitCode ?? null,
    signal: training?.signal ?? null,
    sandbox: sandbox.name,
    protectedFiles: {
      count: protectedCount,
      changed: (evidence?.changed ?? []).slice(0, 50).map((path) => path.slice(0, 200)),
    },
    runner: inputs.RUNNER_NAME.slice(0, 200),
    curve: (training?.log.curve ?? []).map(([step, loss]): [number, number] => [step, loss]),
    logTail: logTail(shownLog(evidence), secrets),
    at: ending.at === null ? null : { ...ending.at, message: hide(ending.at.message, 500) },
  };
  const { status, value } = ending;
  if (status !== "measured") return { ...common, status };
  if (value === null) throw new Error("a measured trial without a value");
  return { ...common, status, value };
}

/** The numbers of the summary block; of the metric itself only the value that counts. */
function metricsOf(evidence: Evidence | null, metric: string, value: number | null): Record<string, number> {
  const numbers = [...(evidence?.training.log.numbers ?? []), ...(evidence?.evaluation?.log.numbers ?? [])];
  return Object.fromEntries([...(value === null ? [] : [[metric, value] as const]), ...numbers]);
}

function shownLog(evidence: Evidence | null): string {
  if (evidence === null) return "";
  const { training, evaluation } = evidence;
  return evaluation === null ? training.log.tail : `${training.log.tail}\n=== evaluate ===\n${evaluation.log.tail}`;
}
