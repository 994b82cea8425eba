import { actionsRoutes } from "../../src/local/github/routes/actions.ts";
import { describe, expect, it } from "vitest";
import { at, octokitWith, startActionsWorld, twoJobs } from "./actions-world.ts";
import { fakeRunner } from "./fake-runner.ts";

const dispatchRoute = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";

describe("dispatch", () => {
  it("starts a run of the branch's workflow, with the id when it is asked for", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const ada = world.as("ada");
    const plain = await ada.rest.actions.createWorkflowDispatch({
      ...at,
      workflow_id: "one.yml",
      ref: "main",
      inputs: { a: "1" },
    });
    expect(plain.status).toBe(204);
    const { status, data } = await ada.request(dispatchRoute, {
      ...at,
      workflow_id: "one.yml",
      ref: "refs/heads/main",
      inputs: { a: "2" },
      return_run_details: true,
    });
    const { data: list } = await ada.rest.actions.listWorkflowRunsForRepo(at);
    expect(status).toBe(200);
    expect(
      list.workflow_runs.map(({ display_title, run_number, status }) => [display_title, run_number, status]),
    ).toEqual([
      ["run 2 of ada", 2, "queued"],
      ["run 1 of ada", 1, "queued"],
    ]);
    const [newest] = list.workflow_runs;
    expect(data).toEqual({ workflow_run_id: newest!.id, run_url: newest!.url, html_url: newest!.html_url });
    expect(newest!.head_sha).toBe(world.github.core.git(world.github.world.repo("ada/model")).branch("main"));
  });

  it.each([
    ["a file that is not there", { workflow_id: "none.yml" }, 404, "Not Found"],
    ["a branch that is not there", { ref: "nowhere" }, 422, "No ref found for: nowhere"],
    [
      "a workflow that is not started so",
      { workflow_id: "push.yml" },
      422,
      "Workflow does not have 'workflow_dispatch' trigger",
    ],
    ["a missing input", { inputs: {} }, 422, "Required input 'a' not provided"],
    ["an input too many", { inputs: { a: "1", c: "2" } }, 422, 'Unexpected inputs provided: ["c"]'],
    [
      "no choice",
      { inputs: { a: "1", b: "z" } },
      422,
      "Provided value 'z' for input 'b' not in the list of allowed values",
    ],
  ])("refuses %s", async (_, wrong, status, message) => {
    const world = await startActionsWorld({ files: twoJobs });
    const call = world
      .as("ada")
      .request(dispatchRoute, { ...at, workflow_id: "one.yml", ref: "main", inputs: { a: "1" }, ...wrong });
    await expect(call).rejects.toMatchObject({ status, response: { data: { message } } });
    expect(world.github.core.store.all("workflowRun")).toEqual([]);
  });

  it("is for those who may: a reader and a job's token may not", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    world.github.world.setPermission("ada/model", "bob", "read");
    const job = octokitWith(world.github.apiUrl, world.github.world.jobToken("ada/model", { contents: "read" }));
    for (const octokit of [world.as("bob"), job]) {
      const call = octokit.rest.actions.createWorkflowDispatch({
        ...at,
        workflow_id: "one.yml",
        ref: "main",
        inputs: { a: "1" },
      });
      await expect(call).rejects.toMatchObject({ status: 403 });
    }
  });
});

describe("a run", () => {
  it("goes job by job: each is told of, and the next sees what the one before gave", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const id = await world.dispatch({ a: "1" }, "one.yml");
    const [gpu, hosted] = [
      await fakeRunner(world, "gpu-1", ["self-hosted", "GPU"]),
      await fakeRunner(world, "h", ["ubuntu-latest"], true),
    ];
    expect(await hosted.acquire()).toBeNull();
    const first = (await gpu.acquire())!;
    expect(first).toMatchObject({ repository: "ada/model", name: "first", contexts: { inputs: { a: "1", b: "x" } } });
    expect((await world.run(id)).status).toBe("in_progress");
    await gpu.complete(first.jobId, "success", { o: "done" });
    const second = (await hosted.acquire())!;
    expect(second).toMatchObject({
      name: "second done",
      contexts: { needs: { first: { result: "success", outputs: { o: "done" } } } },
    });
    await hosted.complete(second.jobId, "success");
    expect(await world.run(id)).toMatchObject({ status: "completed", conclusion: "success" });
    await world.github.webhooks.settled();
    const ours = world.heard.filter(({ event }) => event.startsWith("workflow_"));
    const told = ours.map(({ event, action, body }) => [
      event,
      action,
      (body["workflow_job"] as { name?: string } | undefined)?.name,
    ]);
    expect(told).toEqual([
      ["workflow_run", "requested", undefined],
      ["workflow_job", "queued", "first"],
      ["workflow_run", "in_progress", undefined],
      ["workflow_job", "in_progress", "first"],
      ["workflow_job", "completed", "first"],
      ["workflow_job", "queued", "second done"],
      ["workflow_job", "in_progress", "second done"],
      ["workflow_job", "completed", "second done"],
      ["workflow_run", "completed", undefined],
    ]);
  });

  it("passes over a job whose condition does not hold", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const id = await world.dispatch({ a: "1" }, "one.yml");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const job = (await gpu.acquire())!;
    await gpu.complete(job.jobId, "success", { o: "" });
    expect(await world.run(id)).toMatchObject({ status: "completed", conclusion: "success" });
    expect((await world.jobs(id)).map(({ conclusion }) => conclusion)).toEqual(["success", "skipped"]);
  });

  it("gives tokens that may what the job's permissions say, and no more", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    await world.dispatch({ a: "1" }, "one.yml");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const job = (await gpu.acquire())!;
    const octokit = octokitWith(world.github.apiUrl, job.token);
    await expect(octokit.rest.repos.get(at)).resolves.toMatchObject({ status: 200 });
    await expect(octokit.rest.checks.create({ ...at, name: "x", head_sha: "1".repeat(40) })).rejects.toMatchObject({
      status: 403,
    });
    await gpu.complete(job.jobId, "success", { o: "1" });
    await expect(octokit.rest.repos.get(at)).rejects.toMatchObject({ status: 401 });
  });

  it("can be listed by what one knows of it", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const ada = world.as("ada");
    const [first, second] = [await world.dispatch({ a: "1" }, "one.yml"), await world.dispatch({ a: "2" }, "one.yml")];
    await ada.rest.actions.cancelWorkflowRun({ ...at, run_id: first });
    const ids = async (query: Record<string, string>) =>
      (await ada.request("GET /repos/{owner}/{repo}/actions/runs", { ...at, ...query })).data.workflow_runs.map(
        (run) => run.id,
      );
    expect(await ids({ status: "completed" })).toEqual([first]);
    expect(await ids({ status: "cancelled" })).toEqual([first]);
    expect(await ids({ status: "queued" })).toEqual([second]);
    expect(await ids({ branch: "main", event: "workflow_dispatch", actor: "Ada" })).toEqual([second, first]);
    expect(await ids({ actor: "bob" })).toEqual([]);
    expect(await ids({ branch: "other" })).toEqual([]);
    expect(await ids({ created: "2999-01-01T00:00:00Z" })).toEqual([]);
    expect(await ids({ created: "2998-01-01T00:00:00Z..2999-01-01T00:00:00Z" })).toEqual([]);
    const { data } = await ada.rest.actions.listWorkflowRuns({ ...at, workflow_id: "one.yml", per_page: 1 });
    expect([data.total_count, data.workflow_runs.length]).toEqual([2, 1]);
  });

  it("can be run again when it is over, as a new attempt", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const ada = world.as("ada");
    const id = await world.dispatch({ a: "1" }, "one.yml");
    await expect(ada.rest.actions.reRunWorkflow({ ...at, run_id: id })).rejects.toMatchObject({ status: 403 });
    await ada.rest.actions.cancelWorkflowRun({ ...at, run_id: id });
    await ada.rest.actions.reRunWorkflow({ ...at, run_id: id });
    expect(await world.run(id)).toMatchObject({ status: "queued", conclusion: null, run_attempt: 2 });
    expect((await world.jobs(id)).map(({ run_attempt, status }) => [run_attempt, status])).toEqual([[2, "queued"]]);
    const all = await ada.rest.actions.listJobsForWorkflowRun({ ...at, run_id: id, filter: "all" });
    expect(all.data.jobs.map(({ run_attempt, conclusion }) => [run_attempt, conclusion])).toEqual([
      [1, "cancelled"],
      [1, "skipped"],
      [2, null],
    ]);
  });
});

describe("cancelling", () => {
  it("ends what is queued at once, and tells the runner of what runs", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const ada = world.as("ada");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const [running, queued] = [
      await world.dispatch({ a: "1" }, "one.yml"),
      await world.dispatch({ a: "2" }, "one.yml"),
    ];
    const job = (await gpu.acquire())!;
    const heard = gpu.heartbeat(job.jobId, 20);
    for (const run_id of [running, queued]) {
      expect((await ada.rest.actions.cancelWorkflowRun({ ...at, run_id })).status).toBe(202);
    }
    expect(await heard).toEqual({ status: 200, body: { cancel: true } });
    expect(await world.run(queued)).toMatchObject({ status: "completed", conclusion: "cancelled" });
    expect((await world.run(running)).status).toBe("in_progress");
    await gpu.complete(job.jobId, "cancelled");
    expect(await world.run(running)).toMatchObject({ status: "completed", conclusion: "cancelled" });
    await expect(ada.rest.actions.cancelWorkflowRun({ ...at, run_id: running })).rejects.toMatchObject({ status: 409 });
  });

  it("comes too late for a job that is done: its runner's word stands", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const id = await world.dispatch({ a: "1" }, "one.yml");
    const job = (await gpu.acquire())!;
    await world.as("ada").rest.actions.cancelWorkflowRun({ ...at, run_id: id });
    await gpu.complete(job.jobId, "success", { o: "1" });
    expect((await world.jobs(id)).map(({ conclusion }) => conclusion)).toEqual(["success", "skipped"]);
  });

  it("is carried out without a runner that does not act on it, or by force", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const world = await startActionsWorld({
      files: twoJobs,
      now: () => new Date(nowMs),
      actions: { cancelLimitSeconds: 300, lostAfterSeconds: 1e6 },
    });
    const ada = world.as("ada");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const [slow, forced] = [await world.dispatch({ a: "1" }, "one.yml"), await world.dispatch({ a: "2" }, "one.yml")];
    await gpu.acquire();
    await ada.rest.actions.cancelWorkflowRun({ ...at, run_id: slow });
    nowMs += 299_000;
    world.github.actions.sweep();
    expect((await world.run(slow)).status).toBe("in_progress");
    nowMs += 2_000;
    world.github.actions.sweep();
    expect((await world.run(slow)).conclusion).toBe("cancelled");
    await gpu.acquire();
    await ada.rest.actions.forceCancelWorkflowRun({ ...at, run_id: forced });
    expect((await world.run(forced)).conclusion).toBe("cancelled");
  });
});

describe("GitHub's description", () => {
  it("is kept by every route of Actions", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const rest = world.as("ada").rest.actions;
    const run_id = await world.dispatch({ a: "1" }, "one.yml");
    const { data: workflows } = await rest.listRepoWorkflows(at);
    expect(workflows.workflows.map(({ name, path, state }) => [name, path, state])).toEqual([
      ["One", ".github/workflows/one.yml", "active"],
      ["One", ".github/workflows/push.yml", "active"],
    ]);
    const workflow_id = workflows.workflows[0]!.id;
    expect((await rest.getWorkflow({ ...at, workflow_id })).data.path).toBe(".github/workflows/one.yml");
    await rest.listWorkflowRuns({ ...at, workflow_id });
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const { jobId: job_id } = (await gpu.acquire())!;
    expect((await rest.getJobForWorkflowRun({ ...at, job_id })).data).toMatchObject({
      status: "in_progress",
      runner_name: "gpu-1",
    });
    await gpu.log(job_id, 0, "x\n");
    await world.log(job_id);
    expect(await gpu.artifact(job_id, "log", "some text")).toBe(204);
    expect(await gpu.artifact(job_id, "log", "another text")).toBe(409);
    expect((await rest.listWorkflowRunArtifacts({ ...at, run_id })).data).toMatchObject({
      total_count: 1,
      artifacts: [{ name: "log", size_in_bytes: 9, expired: false, workflow_run: { id: run_id } }],
    });
    await rest.forceCancelWorkflowRun({ ...at, run_id });
    await rest.reRunWorkflow({ ...at, run_id });
    await rest.cancelWorkflowRun({ ...at, run_id });
    await rest.listSelfHostedRunnersForRepo(at);
    await Promise.all([world.run(run_id), world.jobs(run_id), rest.listWorkflowRunsForRepo(at)]);
    const wanted = actionsRoutes.map((route) => `${route.method} ${route.template}`);
    expect(wanted.filter((name) => !world.seen.has(name))).toEqual([]);
  });
});
