/**
 * Mode `train`: runs one trial and hands over its measurement. Read this first.
 *
 * Always: the token is used for the fetch and never reaches the candidate; the measurement is made here, outside the
 * candidate's process; whatever the candidate does, the result is a measurement (a crash is one too). An Error means that
 * there is nothing to report: wrong inputs, no network, a set-up that fails, a sandbox that is not there.
 */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Measurement } from "../../src/domain/measurement.ts";
import { secretValues } from "./candidate-env.ts";
import { type Fetched, fetchCommits, type Folders, foldersIn, madePaths, writeBase, writeTrial } from "./checkout.ts";
import { type Bench, type Environment, makePlace, runJob } from "./commands.ts";
import { conclude, type Ending, type Evidence, type Surface, trainingFailure } from "./conclude.ts";
import { evaluate, layOut } from "./evaluation.ts";
import { basicCredentials } from "./git.ts";
import { type Guard, guardOver } from "./guard.ts";
import type { TrainInputs } from "./inputs.ts";
import type { JobLog } from "./job-log.ts";
import { readMachine } from "./machine.ts";
import { keepLog } from "./keep-log.ts";
import { removeAll } from "./made-things.ts";
import { measurementOf, type Trial } from "./measurement-of.ts";
import { expectFiles, hiddenOutside, outsideOf, type Outside } from "./outside.ts";
import { filesBelow, matchingFiles } from "./protected-files.ts";
import { linksAmong, readOnlyParts } from "./read-only.ts";
import { chooseSandbox } from "./sandbox.ts";
import { runSetup, setupCommand } from "./setup.ts";
import { mutableMatcher, type PrivateSurface, privateSurface } from "./surface.ts";

/** What a trial needs, beside its inputs. */
export type TrainContext = {
  readonly environment: Environment;
  readonly log: JobLog;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
};

export type Trained = {
  readonly measurement: Measurement;
  /** The whole log, redacted, in the runner's temporary folder; null when there is none. */
  readonly logFile: string | null;
};

/** Carries out the trial. Resolves with no process of it left and its files removed, but for the log. */
export async function train(inputs: TrainInputs, context: TrainContext): Promise<Trained> {
  const own = inputs.token === "" ? [] : [inputs.token, basicCredentials(inputs.token)];
  for (const secret of own) context.log.mask(secret);
  const secrets = [...new Set([...own, ...secretValues(context.environment)])];
  const folder = await realpath(await mkdtemp(join(inputs.RUNNER_TEMP, "autoresearch-")));
  try {
    const outside = outsideOf(inputs.spec, context.environment);
    const bench = await makeBench(inputs, context, folder, outside, secrets);
    return { measurement: measurementOf(await runTrial(bench, outside), bench), logFile: await keepLog(bench) };
  } finally {
    // Best effort: a candidate may have made a folder that can't be removed, and its measurement counts all the same.
    await removeAll(folder).catch((error: Error) => context.log.say(error.message));
  }
}

async function makeBench(
  inputs: TrainInputs,
  context: TrainContext,
  folder: string,
  outside: Outside,
  secrets: readonly string[],
): Promise<Bench> {
  const { environment, log, signal } = context;
  const emptyFile = join(folder, "empty");
  await writeFile(emptyFile, "");
  const machine = readMachine(environment, folder, outside.shown, emptyFile);
  const probe = join(folder, "probe");
  await mkdir(probe);
  const place = await makePlace(folder, { name: "probe", cwd: probe, writable: [probe], readable: [], hidden: [] });
  const sandbox = await chooseSandbox(inputs.spec.sandbox, machine, place);
  return { inputs, own: environment, log, signal, folder, machine, sandbox, mark: randomUUID(), secrets };
}

/** The steps of a trial, in order. Each may end it. */
async function runTrial(bench: Bench, outside: Outside): Promise<Trial> {
  const { spec } = bench.inputs;
  const folders = foldersIn(bench.folder);
  const isMutable = mutableMatcher(spec.mutable);
  const surfaceOfPrivate = privateSurface(outside.privateInside);
  const { isPrivate } = surfaceOfPrivate;
  const request = { ...requestOf(bench), isMutable, isPrivate };
  // 1. The two commits, or a refusal.
  const fetched = await fetchInGroup(bench, request);
  if (fetched === null) return ended("cancelled", "cancelled before the training began", 0);
  const { protectedPaths } = fetched;
  if (fetched.refusal !== null) return ended("rejected", fetched.refusal, protectedPaths.length);
  // 2. The set-up, in the base's own files; then the candidate's are laid over them.
  const made = await setUp(bench, fetched, folders, surfaceOfPrivate);
  if (made === null) return ended("cancelled", "cancelled before the training began", protectedPaths.length);
  const refusal = await writeTrial(fetched, folders, request, made);
  if (refusal !== null) return ended("rejected", refusal, protectedPaths.length);
  // 3. What the protected files are before anything of the candidate runs.
  await expectFiles(outside, [...protectedPaths, ...made]);
  const stock = await takeStock({
    folders,
    visible: protectedPaths.filter((path) => !isPrivate(path)),
    shared: made.filter((path) => !isPrivate(path)),
    outside,
    isEvaluated: spec.evaluate !== null,
  });
  const { guard } = stock;
  bench.log.say(`${guard.count} protected files hashed; sandbox: ${bench.sandbox.name}`);
  // 4. The training.
  const training = await runJob(bench, {
    name: "training",
    command: spec.command,
    cwd: folders.checkout,
    writable: [folders.checkout],
    readable: readOnlyParts(folders.checkout, stock.visible, stock.shared),
    hidden: stock.hidden,
  });
  if (training.notStarted !== null) {
    throw new Error(`the sandbox could not be made: ${training.notStarted}. Nothing was trained.`);
  }
  // 5. The evaluation, by protected files that are still what they were.
  const surface: Surface = { roots: [folders.checkout, folders.trained], isMutable };
  const trained: Evidence = { training, evaluation: null, changed: await guard.changedByTraining() };
  const trial = (evidence: Evidence, ending: Ending): Trial => ({ ending, evidence, protectedCount: guard.count });
  const failure = trainingFailure(trained, spec, surface);
  if (failure !== null || spec.evaluate === null) return trial(trained, failure ?? conclude(trained, spec, surface));
  try {
    const evidence = await evaluated(bench, stock, training);
    // 6. The judgement.
    return trial(evidence, conclude(evidence, spec, surface));
  } catch (error) {
    // What the set-up, the checkout and the machine gave was in order before the training: this is the candidate's doing.
    const because = `could not be evaluated: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    return trial(trained, { status: "crash", value: null, because, at: null });
  }
}

type Things = {
  readonly folders: Folders;
  /** Protected files that the candidate sees, by paths in the checkout. */
  readonly visible: readonly string[];
  /** What the set-up made, but for what is private. */
  readonly shared: readonly string[];
};

/** What there is besides the candidate's files before anything of it runs. */
type Stock = Things & {
  /** Private files of the checkout, that lie in `folders.hidden`. */
  readonly secret: readonly string[];
  /** Private files and folders outside the checkout. */
  readonly hidden: readonly string[];
  readonly guard: Guard;
};

async function takeStock({
  outside,
  isEvaluated,
  ...things
}: Things & { readonly outside: Outside; readonly isEvaluated: boolean }): Promise<Stock> {
  const { folders, visible, shared } = things;
  const secret = (await filesBelow(folders.hidden)).map((file) => relative(folders.hidden, file));
  const guard = await guardOver(folders, {
    visible,
    secret,
    // What the evaluation moves, and so must find as the set-up left it; what is not read-only, in any case.
    standing: isEvaluated ? shared : linksAmong(folders.checkout, shared),
    outsideNow: () => matchingFiles([...outside.protectedGlobs, ...outside.privateGlobs]),
  });
  return { ...things, secret, hidden: await hiddenOutside(outside), guard };
}

async function evaluated(bench: Bench, stock: Stock, training: Evidence["training"]): Promise<Evidence> {
  const { folders, shared, secret, hidden, guard } = stock;
  await layOut(folders, shared, secret);
  // What judges has lain in reach of a candidate without a sandbox, and could put itself right before it is hashed again.
  const broken = await guard.changedInCheckout();
  if (broken.length > 0) return { training, evaluation: null, changed: broken };
  const evaluation = await evaluate(bench, folders, shared, hidden);
  return { training, evaluation, changed: await guard.changedByEvaluation() };
}

function requestOf({ inputs, folder, signal }: Bench) {
  return {
    serverUrl: inputs.GITHUB_SERVER_URL,
    repository: inputs.GITHUB_REPOSITORY,
    token: inputs.token,
    base: inputs.base,
    commit: inputs.commit,
    folder,
    signal,
  };
}

function ended(status: "cancelled" | "rejected", because: string, protectedCount: number): Trial {
  const ending: Ending = { status, value: null, because, at: null };
  return { ending, evidence: null, protectedCount };
}

/** Null when the job was cancelled meanwhile. */
async function fetchInGroup(
  { log, inputs, signal }: Bench,
  request: Parameters<typeof fetchCommits>[0],
): Promise<Fetched | null> {
  log.beginGroup(`Fetch ${inputs.commit.slice(0, 7)} and its base ${inputs.base.slice(0, 7)}`);
  try {
    return await fetchCommits(request);
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    log.endGroup();
  }
}

/** What the set-up made; null when the job was cancelled meanwhile. @throws Error when the set-up fails */
async function setUp(
  bench: Bench,
  fetched: Fetched,
  folders: Folders,
  secret: PrivateSurface,
): Promise<string[] | null> {
  const command = setupCommand(bench.inputs.spec, fetched.protectedPaths);
  if (command === null) return [];
  await writeBase(fetched);
  if (!(await runSetup(bench, command, folders.checkout))) return null;
  return madePaths(fetched, folders, secret);
}
