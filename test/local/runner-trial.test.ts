/** A trial on the local runner, from the dispatch to the check. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { measurementJsonOf, measurementSchema } from "../../src/domain/measurement.ts";
import { artifactFile, keepArtifact } from "../../src/local/github/actions/artifacts.ts";
import { at, startActionsWorld, until } from "./actions-world.ts";
import { filesWith, good, trialOn } from "./trial-on-runner.ts";

describe("the shipped workflow", () => {
  it("trains on the GPU runner, then reports from GitHub's own machine under a name that binds the digest", async () => {
    const world = await startActionsWorld({ files: filesWith(good) });
    world.startRunner("gpu-1", "self-hosted,gpu");
    world.startRunner("hosted-1", "ubuntu-latest");
    const run = await world.completed(await trialOn(world));
    expect(run).toMatchObject({
      conclusion: "success",
      display_title: "autoresearch 12:0:1",
      event: "workflow_dispatch",
      head_branch: "main",
    });
    const [check, ...others] = world.github.core.store.all("checkRun");
    expect(others).toEqual([]);
    expect(check).toMatchObject({
      name: "val_bpb",
      externalId: "12:0:1",
      headSha: run.head_sha,
      conclusion: "success",
      // GitHub takes no address from a job.
      detailsUrl: null,
    });
    const page = `${world.github.url}/ada/model/actions/runs/${run.id}`;
    expect(run.html_url).toBe(page);
    expect(check!.output.summary).toContain(`[the run](${page}) · the whole log is the run's artifact \`log\``);
    const json = measurementJsonOf(check!.output.text!)!;
    expect(measurementSchema.parse(JSON.parse(json))).toMatchObject({ value: 0.9979, runner: "gpu-1" });
    const jobs = await world.jobs(run.id);
    expect(jobs.map(({ name, conclusion, runner_name, labels }) => [name, conclusion, runner_name, labels])).toEqual([
      ["train", "success", "gpu-1", ["self-hosted", "GPU"]],
      [`report ${createHash("sha256").update(json).digest("hex")}`, "success", "hosted-1", ["ubuntu-latest"]],
    ]);
    const { data } = await world.as("ada").rest.actions.listWorkflowRunArtifacts({ ...at, run_id: run.id });
    expect(data.artifacts.map(({ name, workflow_run: of }) => [name, of?.id])).toEqual([["log", run.id]]);
    const kept = readFileSync(artifactFile(world.github.core, data.artifacts[0]!.id), "utf8");
    expect(kept).toBe(`=== training ===\nthe trial is 12:0:1\n---\nval_bpb: 0.9979\nnum_steps: 9\n`);
    expect(data.artifacts[0]!.size_in_bytes).toBe(kept.length);
    const log = await world.log(jobs[0]!.id);
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z the trial is 12:0:1$/m);
    expect(log).toContain("##[group]training: bash train.sh");
    for (const runner of ["gpu-1", "hosted-1"]) {
      await until(() => !readdirSync(path.join(world.dir, "work", runner)).some((name) => name.startsWith("job-")));
    }
  });
});

describe("a message of the candidate", () => {
  it.each(["##[set-env name=A]b", "##[add-mask]crash", "::add-mask::crash"])("is no command: %s", async (message) => {
    const world = await startActionsWorld({ files: filesWith(`python3 -c "raise Exception('${message}')"\n`) });
    world.startRunner("gpu-1", "self-hosted,gpu");
    world.startRunner("hosted-1", "ubuntu-latest");
    expect((await world.completed(await trialOn(world))).conclusion).toBe("success");
    const [check] = world.github.core.store.all("checkRun");
    expect(check!.output.title).toContain(message);
  });
});

describe("a log that GitHub does not take", () => {
  it("costs the log alone: the measurement is reported", async () => {
    const world = await startActionsWorld({ files: filesWith(good) });
    const runId = await trialOn(world);
    const [job] = world.github.core.store.all("workflowJob");
    keepArtifact(world.github.core, job!, "log", Buffer.from("of somebody else"));
    world.startRunner("gpu-1", "self-hosted,gpu");
    world.startRunner("hosted-1", "ubuntu-latest");
    expect((await world.completed(runId)).conclusion).toBe("success");
    expect(await world.log(job!.id)).toContain("The artifact log was not taken");
    expect(world.github.core.store.all("checkRun").map((check) => check.conclusion)).toEqual(["success"]);
  });
});
