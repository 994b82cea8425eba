/**
 * `trial.setup`: gets what the training needs before the sandbox shuts (`uv sync --frozen`). It runs in the base's own
 * files, before the candidate's are laid over them, with the network and without the token.
 */
import { spawn } from "node:child_process";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { setupEnv } from "./candidate-env.ts";
import type { Bench } from "./commands.ts";
import { startWatchdog } from "./watchdog.ts";

const limitMs = 30 * 60_000;

/** The set-up of a trial; where none is said, a project of uv that is trained by `uv run` gets its environment. */
export function setupCommand(spec: TrialSpec, protectedPaths: readonly string[]): string | null {
  if (spec.setup !== null) return spec.setup;
  return /^uv run\b/.test(spec.command) && protectedPaths.includes("uv.lock") ? "uv sync --frozen" : null;
}

/** False when the job was cancelled meanwhile. @throws Error when it fails: that is the repository's fault, not the candidate's */
export async function runSetup(bench: Bench, command: string, folder: string): Promise<boolean> {
  const { log, own, signal } = bench;
  log.beginGroup(`set-up: ${command}`);
  const foreign = log.beginForeign();
  const watchdog = startWatchdog();
  const child = spawn("bash", ["-c", `exec 2>&1; ${command}`], {
    cwd: folder,
    env: { ...setupEnv(own), AUTORESEARCH_TRIAL: bench.inputs.trial },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  watchdog.watch(child.pid);
  let end = "";
  child.stdout.on("data", (chunk: Buffer) => {
    foreign.write(chunk);
    end = (end + chunk.toString()).slice(-500);
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  const timer = setTimeout(kill, limitMs);
  signal.addEventListener("abort", kill, { once: true });
  const status = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
    child.on("error", () => resolve(null));
  });
  clearTimeout(timer);
  signal.removeEventListener("abort", kill);
  kill();
  watchdog.dismiss();
  foreign.end();
  log.endGroup();
  if (signal.aborted) return false;
  if (status === 0) return true;
  const said = end.trim().split("\n").at(-1) ?? "";
  throw new Error(
    `the set-up command \`${command}\` failed (exit status ${status ?? "none"}): ${said}. Nothing was trained.`,
  );
}
