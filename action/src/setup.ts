/**
 * `trial.setup`: gets what the training needs before the sandbox shuts (`uv sync --frozen`). It runs in the base's own
 * files, before the candidate's are laid over them, with the network and without the token.
 */
import { type TrialSpec, setupLimitSeconds } from "../../src/domain/measurement.ts";
import { boundsFor } from "./bounds.ts";
import { setupEnv } from "./candidate-env.ts";
import { type Bench, logFileOf, makePlace } from "./commands.ts";
import { redactReading } from "./redact-reading.ts";
import { type CommandResult, runCommand } from "./run-command.ts";
import { noSandbox } from "./sandbox.ts";

/** The set-up of a trial; where none is said, a project of uv that is trained by `uv run` gets its environment. */
export function setupCommand(spec: TrialSpec, protectedPaths: readonly string[]): string | null {
  if (spec.setup !== null) return spec.setup;
  return /^uv run\b/.test(spec.command) && protectedPaths.includes("uv.lock") ? "uv sync --frozen" : null;
}

/** False when the job was cancelled meanwhile. @throws Error when it fails: that is the repository's fault, not the candidate's */
export async function runSetup(bench: Bench, command: string, folder: string): Promise<boolean> {
  const { log, own, signal, inputs } = bench;
  const job = { name: "set-up", cwd: folder, writable: [folder], readable: [], hidden: [] };
  const place = await makePlace(bench.folder, job);
  const bounds = await boundsFor(bench.folder, own);
  log.beginGroup(`set-up: ${command}`);
  const foreign = log.beginForeign();
  const result = await runCommand({
    command,
    place,
    env: {
      ...setupEnv(own),
      AUTORESEARCH_TRIAL: inputs.trial,
      // What it leaves behind is found by this.
      AUTORESEARCH_MARK: `${bench.mark}-set-up`,
    },
    sandbox: noSandbox("it is the repository's own, and needs the network and the caches"),
    timeoutSeconds: setupLimitSeconds,
    bounds,
    metric: inputs.spec.metric,
    logFile: logFileOf(bench.folder, "set-up"),
    echo: foreign.write,
    signal,
    pipes: null,
  }).finally(() => {
    foreign.end();
    log.endGroup();
  });
  if (signal.aborted) return false;
  if (result.ended === "itself" && result.exitCode === 0) return true;
  const said = redactReading(result.log, bench.secrets).lastLine.trim().slice(-500);
  throw new Error(`the set-up command \`${command}\` failed (${endPhrase(result)}): ${said}. Nothing was trained.`);
}

function endPhrase({ ended, exceeded, exitCode, signal }: CommandResult): string {
  if (ended === "timeout") return `ended after ${setupLimitSeconds / 60} minutes`;
  if (ended === "bound") return `ended because it ${exceeded ?? "used too much"}`;
  return signal === null ? `exit status ${exitCode ?? "none"}` : `killed by ${signal}`;
}
