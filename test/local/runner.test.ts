import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  type ActionsWorld,
  at,
  ended,
  isAlive,
  octokitWith,
  pidsIn,
  startActionsWorld,
  until,
} from "./actions-world.ts";
import { filesWith, good, trialOn } from "./trial-on-runner.ts";

/** Ends on no signal but SIGKILL. */
const stubborn =
  "trap '' TERM INT\n(trap '' TERM INT; echo \"pid: $BASHPID\"; sleep 600) &\necho \"pid: $$\"\nwhile :; do sleep 0.1; done\n";

const trainLog = async (world: ActionsWorld, run: number): Promise<string> => {
  const job = (await world.jobs(run)).find(({ name }) => name === "train");
  return job === undefined ? "" : world.log(job.id).catch(() => "");
};

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
