import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { artifactFile, keepArtifact } from "../../src/local/github/actions/artifacts.ts";
import { measurementJsonOf, measurementSchema, type TrialSpec } from "../../src/domain/measurement.ts";
import {
  type ActionsWorld,
  at,
  ended,
  isAlive,
  octokitWith,
  pidsIn,
  shippedWorkflow,
  startActionsWorld,
  until,
} from "./actions-world.ts";

const spec: TrialSpec = {
  version: 1,
  command: "bash train.sh",
  setup: null,
  evaluate: null,
  serve: null,
  protect: [],
  private: [],
  budgetSeconds: 1,
  timeoutSeconds: 60,
  mutable: ["train.sh"],
  metric: "val_bpb",
  direction: "lower",
  // Process ids in a sandbox are its own.
  sandbox: "off",
  frontier: null,
};
const filesWith = (train: string) => ({
  ".github/workflows/autoresearch.yml": shippedWorkflow,
  "train.sh": train,
  "prepare.py": "DATA = 1\n",
});
const good = "echo \"the trial is $AUTORESEARCH_TRIAL\"\nprintf '%s\\n' --- 'val_bpb: 0.9979' 'num_steps: 9'\n";
/** Ends on no signal but SIGKILL. */
const stubborn =
  "trap '' TERM INT\n(trap '' TERM INT; echo \"pid: $BASHPID\"; sleep 600) &\necho \"pid: $$\"\nwhile :; do sleep 0.1; done\n";

async function trialOn(world: ActionsWorld): Promise<number> {
  const { data } = await world.as("ada").rest.repos.get(at);
  expect(data.default_branch).toBe("main");
  const commit = world.github.core.git(world.github.world.repo("ada/model")).branch("main")!;
  return world.dispatch({
    trial: "12:0:1",
    commit,
    base: commit,
    spec: JSON.stringify(spec),
    runs_on: JSON.stringify(["self-hosted", "GPU"]),
  });
}

const trainLog = async (world: ActionsWorld, run: number): Promise<string> => {
  const job = (await world.jobs(run)).find(({ name }) => name === "train");
  return job === undefined ? "" : world.log(job.id).catch(() => "");
};

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

describe("a job's token", () => {
  it("is masked in the log and ends with the job", async () => {
    const workflow = [
      "on: workflow_dispatch",
      "permissions: {}",
      "jobs:",
      "  one:",
      "    runs-on: self-hosted",
      "    outputs: {kept: '${{ steps.s.outputs.kept }}', secret: '${{ steps.s.outputs.secret }}'}",
      "    steps:",
      "      - id: s",
      "        env: {TOKEN: '${{ github.token }}'}",
      "        run: |",
      '          echo "it is $TOKEN."; printf %s "$TOKEN" > "$HOME/token"',
      '          echo kept=yes >> $GITHUB_OUTPUT; echo "secret=$TOKEN" >> $GITHUB_OUTPUT',
      "",
    ].join("\n");
    const world = await startActionsWorld({ files: { ".github/workflows/w.yml": workflow } });
    world.startRunner("r", "self-hosted");
    const run = await world.completed(await world.dispatch({}, "w.yml"));
    expect(run.conclusion).toBe("success");
    const [job] = world.github.core.store.all("workflowJob");
    const log = await world.log(job!.id);
    expect(log).toContain("it is ***.");
    expect(log).not.toContain("ghs_");
    expect(job!.outputs).toEqual({ kept: "yes", secret: "" });
    expect(log).toContain("Skip output 'secret' since it may contain secret.");
    const token = readFileSync(path.join(world.dir, "token"), "utf8");
    expect(token).toMatch(/^ghs_/);
    await expect(octokitWith(world.github.apiUrl, token).rest.repos.get(at)).rejects.toMatchObject({ status: 401 });
  });
});

describe("steps", () => {
  it("run in order with their conditions, environment and outputs, and a failure stops what asks for success", async () => {
    const workflow = [
      "on: {workflow_dispatch: {inputs: {who: {default: world}}}}",
      "env: {A: workflow, B: workflow}",
      "jobs:",
      "  one:",
      "    runs-on: [self-hosted]",
      "    env: {B: job}",
      "    outputs: {said: '${{ steps.say.outputs.text }}', after: '${{ steps.after.outcome }}'}",
      "    steps:",
      "      - {id: say, run: 'echo \"text=hello ${{ inputs.who }} $A $B $C\" >> $GITHUB_OUTPUT', env: {C: step}}",
      "      - {run: 'echo D=set >> $GITHUB_ENV; echo \"$INPUT_NOTHING|${{ env.B }}|${{ runner.name }}\"'}",
      "      - {id: soft, run: 'exit 3', continue-on-error: true}",
      "      - {name: sees, run: 'echo \"D is $D, soft was ${{ steps.soft.outcome }}\"'}",
      "      - {name: breaks, run: 'false'}",
      "      - {name: passed over, run: 'echo never'}",
      "      - {id: after, if: failure(), run: 'echo \"::group::cleaning\"; echo always'}",
      "  two:",
      "    needs: one",
      "    runs-on: self-hosted",
      "    steps: [{run: 'true'}]",
      "  three:",
      "    needs: [one, two]",
      "    if: always() && needs.one.result == 'failure'",
      "    name: after ${{ needs.one.outputs.said }}",
      "    runs-on: self-hosted",
      "    steps: [{run: 'echo three'}]",
      "",
    ].join("\n");
    const world = await startActionsWorld({ files: { ".github/workflows/w.yml": workflow } });
    world.startRunner("r", "self-hosted");
    const run = await world.completed(await world.dispatch({}, "w.yml"));
    expect(run.conclusion).toBe("failure");
    const jobs = await world.jobs(run.id);
    expect(jobs.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ["one", "failure"],
      ["two", "skipped"],
      ["after hello world workflow job step", "success"],
    ]);
    expect(jobs[0]!.steps!.map(({ name, conclusion }) => [name, conclusion])).toEqual([
      ['Run echo "text=hello ${{ inputs.who }} $A $B $C" >> $GITHUB_OUTPUT', "success"],
      ['Run echo D=set >> $GITHUB_ENV; echo "$INPUT_NOTHING|${{ env.B }}|${{ runner.name }}"', "success"],
      ["Run exit 3", "success"],
      ["sees", "success"],
      ["breaks", "failure"],
      ["passed over", "skipped"],
      ['Run echo "::group::cleaning"; echo always', "success"],
    ]);
    const log = await world.log(jobs[0]!.id);
    for (const text of [
      "|job|r",
      "D is set, soft was failure",
      "##[error]Process completed with exit code 3.",
      "##[group]cleaning",
      "always",
    ]) {
      expect(log).toContain(text);
    }
    expect(log).not.toContain("never");
  });

  it("that need what is not here fail with a sentence", async () => {
    const workflow =
      "on: workflow_dispatch\njobs:\n  one:\n    runs-on: self-hosted\n    steps: [{uses: actions/checkout@v6}]\n";
    const world = await startActionsWorld({ files: { ".github/workflows/w.yml": workflow } });
    const run = await world.completed(await world.dispatch({}, "w.yml"));
    const [job] = await world.jobs(run.id);
    expect([run.conclusion, job!.conclusion]).toEqual(["failure", "failure"]);
    expect(await world.log(job!.id)).toContain(
      "##[error]the local GitHub runs the action of autoresearch-app and actions/upload-artifact, no other: it can't carry out `uses: actions/checkout@v6`",
    );
  });
});

describe("cancellation", () => {
  it("ends a training that ignores signals: no process is left, nothing is reported", async () => {
    const world = await startActionsWorld({ files: filesWith(stubborn) });
    world.startRunner("gpu-1", "self-hosted,gpu");
    world.startRunner("hosted-1", "ubuntu-latest");
    const id = await trialOn(world);
    const pids = await until(async () => {
      const found = pidsIn(await trainLog(world, id));
      return found.length === 2 && found;
    });
    await world.as("ada").rest.actions.cancelWorkflowRun({ ...at, run_id: id });
    const run = await world.completed(id);
    expect(run.conclusion).toBe("cancelled");
    expect(pids.filter(isAlive)).toEqual([]);
    expect((await world.jobs(id)).map(({ name, conclusion }) => [name.split(" ")[0], conclusion])).toEqual([
      ["train", "cancelled"],
      ["report", "skipped"],
    ]);
    expect(world.github.core.store.all("checkRun")).toEqual([]);
    expect(await trainLog(world, id)).toContain("##[error]The operation was canceled.");
  });

  it("kills a step that does not hear: SIGINT, SIGTERM, then the whole tree", async () => {
    const workflow = [
      "on: workflow_dispatch",
      "jobs:",
      "  one:",
      "    runs-on: self-hosted",
      "    steps:",
      "      - run: |",
      ...stubborn
        .trimEnd()
        .split("\n")
        .map((line) => `          ${line}`),
      "",
    ].join("\n");
    const world = await startActionsWorld({ files: { ".github/workflows/w.yml": workflow } });
    world.startRunner("r", "self-hosted");
    const id = await world.dispatch({}, "w.yml");
    const [job] = await until(async () => {
      const jobs = await world.jobs(id);
      return jobs.length > 0 && jobs;
    });
    const pids = await until(async () => {
      const found = pidsIn(await world.log(job!.id).catch(() => ""));
      return found.length === 2 && found;
    });
    await world.as("ada").rest.actions.cancelWorkflowRun({ ...at, run_id: id });
    expect((await world.completed(id)).conclusion).toBe("cancelled");
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("a runner that dies", () => {
  it("with kill -9 leaves no process, and its job is lost: a failure that says so", async () => {
    const world = await startActionsWorld({ files: filesWith(stubborn), actions: { lostAfterSeconds: 8 } });
    const runner = world.startRunner("gpu-1", "self-hosted,gpu");
    const id = await trialOn(world);
    const pids = await until(async () => {
      const found = pidsIn(await trainLog(world, id));
      return found.length === 2 && found;
    });
    await ended(runner, "SIGKILL");
    await until(() => !pids.some(isAlive));
    expect((await world.completed(id)).conclusion).toBe("failure");
    expect(await trainLog(world, id)).toContain("The self-hosted runner: gpu-1 lost communication with the server.");
    const { data } = await world.as("ada").rest.actions.listSelfHostedRunnersForRepo(at);
    expect(data.runners.map(({ name, status, busy }) => [name, status, busy])).toEqual([["gpu-1", "offline", false]]);
  });

  it("and comes back under its name takes the next job, and the one it had is lost at once", async () => {
    const world = await startActionsWorld({
      files: filesWith('echo "pid: $$"; test -e $HOME/second && exit 0; sleep 600\n'),
    });
    const first = world.startRunner("gpu-1", "self-hosted,gpu");
    const id = await trialOn(world);
    await until(async () => pidsIn(await trainLog(world, id)).length === 1);
    await ended(first, "SIGKILL");
    world.startRunner("gpu-1", "self-hosted,gpu");
    expect((await world.completed(id)).conclusion).toBe("failure");
    await until(() => readdirSync(path.join(world.dir, "work", "gpu-1")).every((name) => !name.startsWith("job-")));
  });

  it("in good order (SIGTERM) gives its job back as failed and is offline", async () => {
    const world = await startActionsWorld({ files: filesWith(stubborn) });
    const runner = world.startRunner("gpu-1", "self-hosted,gpu");
    const id = await trialOn(world);
    const pids = await until(async () => {
      const found = pidsIn(await trainLog(world, id));
      return found.length === 2 && found;
    });
    await ended(runner, "SIGTERM");
    expect(pids.filter(isAlive)).toEqual([]);
    expect((await world.run(id)).conclusion).toBe("failure");
    expect(await trainLog(world, id)).toContain("##[error]The runner has received a shutdown signal.");
    const { data } = await world.as("ada").rest.actions.listSelfHostedRunnersForRepo(at);
    expect(data.runners[0]!.status).toBe("offline");
  });
});

describe("a local GitHub that goes away", () => {
  it("and comes back meets a runner that went on: the trial is not lost", async () => {
    const world = await startActionsWorld({
      files: filesWith(`echo started; while ! test -e $HOME/go; do sleep 0.1; done\n${good}`),
    });
    world.startRunner("gpu-1", "self-hosted,gpu");
    world.startRunner("hosted-1", "ubuntu-latest");
    const id = await trialOn(world);
    await until(async () => (await trainLog(world, id)).includes("started"));
    await world.restart();
    writeFileSync(path.join(world.dir, "go"), "");
    expect((await world.completed(id)).conclusion).toBe("success");
    expect(world.github.core.store.all("checkRun")).toHaveLength(1);
  });
});
