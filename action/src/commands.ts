/** Runs the commands of one trial: each with the trial's environment, bounds, log file and a part of the job's log. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Bounds, boundsFor } from "./bounds.ts";
import { candidateEnv } from "./candidate-env.ts";
import { formatClock } from "../../src/domain/numbers.ts";
import type { TrainInputs } from "./inputs.ts";
import type { JobLog } from "./job-log.ts";
import type { Machine } from "./machine.ts";
import { type CommandResult, type Pipes, runCommand } from "./run-command.ts";
import { redactReading } from "./redact-reading.ts";
import type { Place, Sandbox } from "./sandbox.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the commands of a trial have in common. */
export type Bench = {
  readonly inputs: TrainInputs;
  readonly own: Environment;
  readonly log: JobLog;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  readonly folder: string;
  readonly machine: Machine;
  readonly sandbox: Sandbox;
  readonly mark: string;
  /** Values that may stand in nothing that leaves the machine. */
  readonly secrets: readonly string[];
};

export type Job = {
  /** `training`, `evaluation`, `serving`: also the name of its log file and its scratch. */
  readonly name: string;
  readonly command: string;
  readonly cwd: string;
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** Outside the trial's folder; not to be seen. */
  readonly hidden: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly pipes?: Pipes;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
};

/** A scratch of its own for each command, so that none finds what another left. */
export async function makePlace(folder: string, job: Omit<Job, "command">): Promise<Place> {
  const scratch = join(folder, `scratch-${job.name}`);
  for (const part of ["tmp", "home"]) await mkdir(join(scratch, part), { recursive: true });
  return { cwd: job.cwd, writable: job.writable, readable: job.readable, hidden: job.hidden, scratch };
}

/** The log of a command, as the action keeps it. */
export function logFileOf(folder: string, name: string): string {
  return join(folder, `${name}.log`);
}

/** Runs it to its end; see `runCommand`. What it prints is shown in the job's log as it comes. */
export async function runJob(bench: Bench, job: Job): Promise<CommandResult> {
  const { inputs, own, log, folder, machine, sandbox } = bench;
  const { spec } = inputs;
  const place = await makePlace(folder, job);
  const bounds: Bounds = await boundsFor(folder, own);
  const isShown = job.pipes?.as !== "answers";
  if (isShown) log.beginGroup(`${job.name}: ${job.command}`);
  const foreign = isShown ? log.beginForeign() : null;
  try {
    const result = await runCommand({
      command: job.command,
      place,
      env: {
        ...candidateEnv(own, {
          id: inputs.trial,
          budgetSeconds: spec.budgetSeconds,
          mark: `${bench.mark}-${job.name}`,
          isolates: sandbox.isolates,
          temp: join(place.scratch, "tmp"),
          home: machine.home,
        }),
        ...job.variables,
      },
      sandbox,
      timeoutSeconds: job.timeoutSeconds ?? spec.timeoutSeconds,
      bounds,
      metric: spec.metric,
      logFile: logFileOf(folder, job.name),
      echo: foreign?.write ?? (() => {}),
      signal: job.signal ?? bench.signal,
      pipes: job.pipes ?? null,
    });
    foreign?.end();
    if (isShown) log.endGroup();
    if (isShown) log.say(`${job.name} ${endPhrase(result)} after ${formatClock(result.seconds)}`);
    return { ...result, log: redactReading(result.log, bench.secrets) };
  } catch (error) {
    foreign?.end();
    if (isShown) log.endGroup();
    throw error;
  }
}

function endPhrase({ ended, exceeded, exitCode, signal }: CommandResult): string {
  if (ended === "bound") return `was ended because it ${exceeded}`;
  if (ended !== "itself") return ended === "timeout" ? "was ended by its time-out" : "was cancelled";
  return signal === null ? `ended with exit status ${exitCode}` : `was ended by ${signal}`;
}
