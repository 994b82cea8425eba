/** Runners for many sessions at once: each trial takes the same time, whatever the number of runners would be. */
import type { Measurement } from "../../src/domain/measurement.ts";
import type { Runner, WorkflowJob } from "../../src/local/github/actions/rows.ts";
import { endJob, giveUpJob, takeJob } from "../../src/local/github/actions/runs.ts";
import { digest } from "../../src/local/github/auth.ts";
import type { Core } from "../../src/local/github/core.ts";
import type { LocalGitHub } from "../../src/local/github/server.ts";
import { endReport, trained, trainPyOf, trainingOf } from "../../test/support/instant-runner.ts";

/** Starts them; they end with the process. */
export function startRunners({ core }: LocalGitHub, trialMs: number): void {
  const runner = (name: string, labels: string[], hosted: boolean): Runner =>
    // Not online: nobody waits for its heartbeat.
    core.store.put("runner", { id: core.store.nextId(), name, labels, hosted, os: "linux", online: false });
  const runners = [runner("simulated", ["self-hosted", "gpu"], false), runner("hosted", ["ubuntu-latest"], true)];
  core.signals.on("change", (change) => {
    if (change.kind !== "other" || change.topic !== "job" || change.action !== "queued") return;
    setImmediate(() => {
      for (const each of runners) {
        for (let taken = takeJob(core, each); taken !== null; taken = takeJob(core, each)) {
          const { job } = taken;
          setTimeout(() => void carryOut(core, job.id), job.key === "train" ? trialMs : 0);
        }
      }
    });
  });
}

async function carryOut(core: Core, id: number): Promise<void> {
  const job = (): WorkflowJob => core.store.get("workflowJob", id)!;
  const run = core.store.get("workflowRun", job().runId)!;
  const training = await trainingOf(core, run);
  const outputs = training === null ? {} : asLongAsReal(trained(await trainPyOf(core, training), run));
  // It may have been cancelled while the file was read.
  const now = job();
  if (now.status !== "in_progress") return;
  if (now.cancelledAt !== null) giveUpJob(core, now, "cancelled", "The run was cancelled.");
  else if (now.key === "report") endReport(core, now, run);
  else endJob(core, now, { conclusion: "success", outputs, steps: [] });
}

/** With a curve and a log: what a session remembers of a measurement is to be seen in the memory. */
function asLongAsReal(outputs: Record<string, string>): Record<string, string> {
  const measurement = JSON.parse(outputs["measurement"]!) as Measurement;
  const line = "step 00953 (100.0%) | loss: 2.997800 | lrm: 0.00 | dt: 326ms | tok/sec: 1,609,000\n";
  const curve = Array.from({ length: 100 }, (_, step): [number, number] => [step, 4 - step / 100]);
  const json = JSON.stringify({ ...measurement, curve, logTail: line.repeat(60) });
  return { measurement: json, digest: digest(json) };
}
