import { afterEach, expect, test, vi } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { scripted, until, type World } from "../support/world.ts";

afterEach(() => void vi.useRealTimers());

const idea = [{ title: "better", set: { VALUE: 1.9 } }];

/** Names of the session's runs with their ends, oldest first. */
async function runsOf(world: World): Promise<string[]> {
  const runs = (await world.runs()).toSorted((a, b) => a.id - b.id);
  return runs.map((run) => `${run.display_title.replace("autoresearch ", "")} ${run.conclusion}`);
}

test("no runner online is said on the issue, with the labels and the remedy", async () => {
  const world = await startWorld({ runners: 0, researcher: scripted(idea) });
  const issue = await world.openSession();
  await until("the baseline is dispatched", async () => (await world.runs()).length === 1);
  // A minute later: all clocks are ahead from here on, and something makes the bot look.
  vi.useFakeTimers({ toFake: ["Date"] });
  const ahead = () => vi.setSystemTime(vi.getRealSystemTime() + 61_000);
  ahead();
  const ticking = setInterval(ahead, 20);
  await world.comment(issue, "/autoresearch status");
  const said = await until("it is said", async () => {
    const body = await world.dashboard(issue);
    return body?.includes("No runner has taken") ? body : null;
  });
  expect(said).toMatch(/labels `self-hosted`, `gpu` must be online; the repository's settings list them/);
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  clearInterval(ticking);
});

test("a runner that dies in the middle of a training costs time, never the idea", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([{ title: "better", set: { VALUE: 1.9, SLEEP: 4 } }]),
    actions: { lostAfterSeconds: 10 },
  });
  const issue = await world.openSession();
  await until("it trains", async () => {
    const runs = await world.runs();
    return runs.find((run) => run.display_title.endsWith(`${issue}:1:1`) && run.status === "in_progress");
  });
  world.killRunner("gpu-1");
  await world.settled(issue, "done");
  expect(await runsOf(world)).toEqual([`${issue}:0:1 success`, `${issue}:1:1 failure`, `${issue}:1:2 success`]);
  expect(await world.rows(issue)).toMatchObject([{ experiment: 0 }, { experiment: 1, outcome: "keep", value: 1.9 }]);
});

test("a report whose token has expired is no crash of the idea: it is measured again", async () => {
  const world = await startWorld({ training: "real", researcher: scripted(idea) });
  // The first check of each trial is the bot's own intent; the second is the report's, of the baseline here.
  const expired = world.github.faults.add(
    { method: "POST", route: "/repos/{owner}/{repo}/check-runs", skip: 1, times: 1 },
    { kind: "fail", when: "before", status: 401, message: "Bad credentials" },
  );
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect(expired.hits).toBe(1);
  expect(await runsOf(world)).toEqual([`${issue}:0:1 failure`, `${issue}:0:2 success`, `${issue}:1:1 success`]);
  expect(await world.rows(issue)).toMatchObject([{ value: 2 }, { outcome: "keep", value: 1.9 }]);
});

test("what no runner takes is given up by GitHub, asked for twice more, and then a person is asked", async () => {
  const world = await startWorld({
    runners: 0,
    researcher: scripted(idea),
    actions: { queueLimitHours: 1 / 3600 },
  });
  const issue = await world.openSession();
  await until("it is blocked", async () => (await world.record(issue))?.state === "blocked");
  expect((await world.record(issue))!.because).toBe("the runner was lost 3 times while the frontier was measured");
  expect((await runsOf(world)).map((run) => run.split(" ")[0])).toEqual([1, 2, 3].map((each) => `${issue}:0:${each}`));
  expect(await world.dashboard(issue)).toContain("the runner was lost 3 times");
});
