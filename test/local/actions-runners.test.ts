import { describe, expect, it } from "vitest";
import { at, startActionsWorld, twoJobs, until } from "./actions-world.ts";
import { fakeRunner } from "./fake-runner.ts";

describe("the queue", () => {
  it("gives the oldest job that the labels allow, to one runner only", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const runs = [await world.dispatch({ a: "1" }, "one.yml"), await world.dispatch({ a: "2" }, "one.yml")];
    const [a, b, c] = [
      await fakeRunner(world, "a", ["self-hosted", "gpu"]),
      await fakeRunner(world, "b", ["gpu", "self-hosted", "extra"]),
      await fakeRunner(world, "c", ["self-hosted"]),
    ];
    const taken = [await a.acquire(), await b.acquire(), await c.acquire()];
    expect(taken.map((job) => job?.contexts["inputs"])).toEqual([{ a: "1", b: "x" }, { a: "2", b: "x" }, undefined]);
    expect(await a.acquire()).toBeNull();
    expect(runs).toHaveLength(2);
  });

  it("is waited at: a job that comes is given at once, to one of those who wait", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const runners = [
      await fakeRunner(world, "a", ["self-hosted", "gpu"]),
      await fakeRunner(world, "b", ["self-hosted", "gpu"]),
    ];
    const waiting = runners.map(async (runner) => runner.acquire(20));
    await world.dispatch({ a: "1" }, "one.yml");
    expect(await Promise.race(waiting)).toMatchObject({ name: "first" });
    await world.dispatch({ a: "2" }, "one.yml");
    const jobs = await Promise.all(waiting);
    expect(new Set(jobs.map((job) => job!.jobId)).size).toBe(2);
  });

  it("gives nothing to a runner that hung up while it waited", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const [gone, there] = [
      await fakeRunner(world, "gone", ["self-hosted", "gpu"]),
      await fakeRunner(world, "there", ["self-hosted", "gpu"]),
    ];
    const hangUp = new AbortController();
    const waiting = gone.acquire(20, hangUp.signal).catch(() => "hung up");
    await there.acquire();
    hangUp.abort();
    expect(await waiting).toBe("hung up");
    await there.acquire();
    const run = await world.dispatch({ a: "1" }, "one.yml");
    expect((await world.jobs(run)).map(({ status, runner_name }) => [status, runner_name])).toEqual([["queued", null]]);
    expect(await there.acquire()).toMatchObject({ name: "first" });
  });

  it("is left after a day: the job fails", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const world = await startActionsWorld({ files: twoJobs, now: () => new Date(nowMs) });
    const id = await world.dispatch({ a: "1" }, "one.yml");
    nowMs += 24 * 3_600_000;
    world.github.actions.sweep();
    expect((await world.run(id)).status).toBe("queued");
    nowMs += 1_000;
    world.github.actions.sweep();
    expect(await world.run(id)).toMatchObject({ status: "completed", conclusion: "failure" });
    const [job] = await world.jobs(id);
    expect(await world.log(job!.id)).toContain("no runner with the labels self-hosted, gpu took it");
  });
});

describe("a runner that is not heard of", () => {
  it("is lost with its job, and has no more say when it comes back", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const world = await startActionsWorld({
      files: twoJobs,
      now: () => new Date(nowMs),
      actions: { lostAfterSeconds: 60 },
    });
    const id = await world.dispatch({ a: "1" }, "one.yml");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const job = (await gpu.acquire())!;
    nowMs += 59_000;
    await gpu.heartbeat(job.jobId);
    nowMs += 59_000;
    world.github.actions.sweep();
    expect((await world.run(id)).status).toBe("in_progress");
    nowMs += 2_000;
    world.github.actions.sweep();
    expect(await world.run(id)).toMatchObject({ conclusion: "failure" });
    expect((await gpu.heartbeat(job.jobId)).status).toBe(410);
    expect((await gpu.log(job.jobId, 0, "late\n")).status).toBe(410);
    expect((await gpu.complete(job.jobId, "success", { o: "late" })).status).toBe(410);
    expect(await world.log(job.jobId)).toMatch(
      /^\S+Z ##\[error\]The self-hosted runner: gpu-1 lost communication with the server\.[^\n]*\n$/,
    );
    expect((await world.jobs(id)).map(({ conclusion }) => conclusion)).toEqual(["failure", "skipped"]);
  });
});

describe("logs", () => {
  it("arrive once, whatever is sent twice, and are read at an address that needs no token for a minute", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const world = await startActionsWorld({ files: twoJobs, now: () => new Date(nowMs) });
    await world.dispatch({ a: "1" }, "one.yml");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const job = (await gpu.acquire())!;
    await gpu.log(job.jobId, 0, "one\n");
    await gpu.log(job.jobId, 0, "one\ntwo\n");
    await gpu.log(job.jobId, 4, "two\n");
    expect(await world.log(job.jobId)).toBe("one\ntwo\n");
    const { headers } = await fetch(`${world.github.apiUrl}/repos/ada/model/actions/jobs/${job.jobId}/logs`, {
      redirect: "manual",
      headers: { authorization: `token ${world.github.world.personalToken("ada")}`, "user-agent": "test" },
    });
    const address = headers.get("location")!;
    expect(await (await fetch(address)).text()).toBe("one\ntwo\n");
    expect((await fetch(address.replace(String(job.jobId), String(job.jobId + 1)))).status).toBe(403);
    nowMs += 61_000;
    expect((await fetch(address)).status).toBe(403);
  });
});

describe("runners", () => {
  it("are listed for who may administer, GitHub's own not among them", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    await fakeRunner(world, "h", ["ubuntu-latest"], true);
    const { data } = await world.as("ada").rest.actions.listSelfHostedRunnersForRepo(at);
    expect(data).toMatchObject({ total_count: 1, runners: [{ name: "gpu-1", status: "online", busy: false }] });
    expect(data.runners[0]!.labels.map(({ name, type }) => [name, type])).toEqual([
      ["self-hosted", "read-only"],
      ["gpu", "custom"],
    ]);
    world.github.world.setPermission("ada/model", "bob", "write");
    await expect(world.as("bob").rest.actions.listSelfHostedRunnersForRepo(at)).rejects.toMatchObject({ status: 403 });
  });

  it("show their secret, or are sent away", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    for (const path of ["runners", "runners/1/acquire", "jobs/1/complete"]) {
      const response = await fetch(`${world.github.url}/_local/${path}`, {
        method: "POST",
        headers: { authorization: "Bearer x" },
        body: "{}",
      });
      expect(response.status).toBe(401);
    }
  });
});

describe("a local GitHub that starts again", () => {
  it("goes on with every run where it was", async () => {
    const world = await startActionsWorld({ files: twoJobs });
    const id = await world.dispatch({ a: "1" }, "one.yml");
    const gpu = await fakeRunner(world, "gpu-1", ["self-hosted", "gpu"]);
    const first = (await gpu.acquire())!;
    await world.restart();
    await gpu.complete(first.jobId, "success", { o: "1" });
    const hosted = await fakeRunner(world, "h", ["ubuntu-latest"], true);
    const second = await until(async () => hosted.acquire(1));
    await hosted.complete(second.jobId, "success");
    expect(await world.run(id)).toMatchObject({ conclusion: "success" });
  });
});
