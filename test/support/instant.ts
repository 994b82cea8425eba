/**
 * Runners that train nothing: each job ends as soon as it is queued (or so many milliseconds later), with what the constants
 * `VALUE` and `OTHER` of the candidate's train.py say. They live in the local GitHub's process and cost the bot nothing.
 */
import { createHash } from "node:crypto";
import { checkOf } from "../../action/src/check.ts";
import { type Measurement, trialSpecSchema } from "../../src/domain/measurement.ts";
import { jobsWith, type Runner, type WorkflowJob } from "../../src/local/github/actions/rows.ts";
import { endJob, takeJob } from "../../src/local/github/actions/runs.ts";
import type { Core } from "../../src/local/github/core.ts";
import { fullName, repositoryOf } from "../../src/local/github/finders.ts";
import type { LocalGitHub } from "../../src/local/github/server.ts";

/** Lets them in; answers how to send them home. */
export function startInstantRunners(github: LocalGitHub, options: { readonly trialMs?: number } = {}): () => void {
  const { core } = github;
  const runner = (name: string, labels: string[], hosted: boolean): Runner =>
    core.store.put("runner", { id: core.store.nextId(), name, labels, hosted, os: "linux", online: true });
  // Registered afresh they would be taken for lost; rows that say offline are never looked at.
  const runners = [runner("instant", ["self-hosted", "gpu"], false), runner("instant-hosted", ["ubuntu-latest"], true)];
  const timers = new Set<NodeJS.Timeout>();
  const off = github.on("change", (change) => {
    if (change.kind !== "other" || change.topic !== "job" || change.action !== "queued") return;
    setImmediate(() => {
      for (const each of runners) {
        for (let taken = takeJob(core, { ...each, online: true }); taken !== null; taken = takeJob(core, each)) {
          const { job, token } = taken;
          const end = () => void carryOut(core, job, token);
          if (job.key !== "train" || options.trialMs === undefined) end();
          else {
            const timer = setTimeout(() => {
              timers.delete(timer);
              end();
            }, options.trialMs);
            timers.add(timer);
          }
        }
      }
    });
  });
  for (const each of runners) core.store.put("runner", { ...each, online: false });
  if (jobsWith(core.store, "queued").length > 0)
    throw new Error("jobs were queued before there was anybody to take them");
  return () => {
    off();
    for (const timer of timers) clearTimeout(timer);
  };
}

async function carryOut(core: Core, job: WorkflowJob, token: string): Promise<void> {
  const run = core.store.get("workflowRun", job.runId)!;
  const inputs = run.inputs as Record<"trial" | "commit" | "base" | "spec", string>;
  const end = (outputs: Record<string, string>) => {
    const now = core.store.get("workflowJob", job.id);
    if (now?.status !== "in_progress") return;
    const conclusion = now.cancelledAt === null ? "success" : "cancelled";
    endJob(core, now, { conclusion, outputs: conclusion === "success" ? outputs : {}, steps: [] });
  };
  if (job.key === "train") {
    const measurement = JSON.stringify(await measure(core, job, inputs));
    end({ measurement, digest: createHash("sha256").update(measurement).digest("hex") });
    return;
  }
  const train = [...core.store.all("workflowJob")].find((each) => each.runId === job.runId && each.key === "train");
  const json = train!.outputs["measurement"]!;
  const repository = fullName(core.store, repositoryOf(core.store, job.repoId));
  const spec = trialSpecSchema.parse(JSON.parse(inputs.spec));
  const runUrl = `${core.url}/${repository}/actions/runs/${run.id}`;
  const check = checkOf(json, JSON.parse(json) as Measurement, {
    metric: spec.metric,
    frontier: spec.frontier,
    runUrl,
  });
  const answer = await fetch(`${core.apiUrl}/repos/${repository}/check-runs`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "instant", "content-type": "application/json" },
    body: JSON.stringify(check),
  });
  if (!answer.ok) throw new Error(`the report was refused: ${await answer.text()}`);
  end({});
}

async function measure(
  core: Core,
  job: WorkflowJob,
  inputs: Record<"trial" | "commit" | "base", string>,
): Promise<Measurement> {
  const git = core.git(repositoryOf(core.store, job.repoId));
  const text = (await git.object(`${inputs.commit}:train.py`))!.content.toString("utf8");
  const constant = (name: string) => Number(new RegExp(`^${name} = (.*)$`, "m").exec(text)?.[1] ?? 0);
  const { trial, commit, base } = inputs;
  return {
    version: 1,
    trial,
    commit,
    base,
    status: "measured",
    value: constant("VALUE") + constant("OTHER"),
    because: "",
    seconds: 300,
    metrics: { val_bpb: constant("VALUE") + constant("OTHER"), peak_vram_mb: 45_060.2, num_steps: 953 },
    exitCode: 0,
    signal: null,
    sandbox: "none",
    protectedFiles: { count: 12, changed: [] },
    runner: "instant",
    curve: Array.from({ length: 100 }, (_, step) => [step, 4 - step / 100]),
    // As long as karpathy's is in the end: what a session remembers of a measurement is to be seen in the memory.
    logTail: "step 00953 (100.0%) | loss: 2.997800 | lrm: 0.00 | dt: 326ms | tok/sec: 1,609,000\n".repeat(60),
    at: null,
  };
}
