import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { labelsOf, pullOf, startHeldWorld } from "../support/held.ts";
import { scripted, until } from "../support/world.ts";

const two = scripted.bind(null, [
  { title: "first", set: { VALUE: 1.9 } },
  { title: "second", set: { OTHER: -0.1 } },
]);

test("a settled experiment that a person opens again is closed again, and told how to ask for more", async () => {
  const world = await startHeldWorld([2], {
    researcher: scripted([
      { title: "worse", set: { OTHER: 0.1 } },
      { title: "held", set: { VALUE: 1.9 } },
    ]),
    config: "limits: {experiments: 2}\n",
  });
  const issue = await world.openSession();
  await world.inTraining(issue, 2);
  const pull = await until("experiment 1 is settled", async () =>
    (await world.pulls()).find((each) => each.state === "closed" && each.labels.length === 2),
  );
  await world.as("ada").rest.pulls.update({ ...world.at, pull_number: pull.number, state: "open" });
  const said = await until("the bot answers", async () => (await world.comments(pull.number))[0]?.body);
  expect(said).toContain("settled (discard), so I closed it again");
  expect(said).toContain("/autoresearch rerun");
  expect((await world.pulls()).find((each) => each.number === pull.number)!.state).toBe("closed");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "discard"],
  ]);

  // Once more is not worth another word.
  await world.as("ada").rest.pulls.update({ ...world.at, pull_number: pull.number, state: "open" });
  await until("it is closed once more", async () =>
    (await world.pulls()).every((each) => each.number !== pull.number || each.state === "closed"),
  );
  expect(await world.comments(pull.number)).toHaveLength(1);
  world.release(2);
  await world.settled(issue, "done");
});

test("an experiment that a person points at another branch is theirs: withdrawn, its trial cancelled, left open", async () => {
  const world = await startHeldWorld([1], { researcher: two(), config: "limits: {experiments: 2}\n" });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const pull = await pullOf(world, 1);
  await world.as("ada").rest.pulls.update({ ...world.at, pull_number: pull.number, base: "main" });
  await world.settled(issue, "done");

  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome, row.because])).toEqual([
    [0, "keep", "measured once"],
    [1, "withdrawn", "a person pointed its pull request at main"],
    [2, "keep", "lower than the frontier by 0.1000"],
  ]);
  const theirs = (await world.pulls()).find((each) => each.number === pull.number)!;
  expect([theirs.state, theirs.base.ref]).toEqual(["open", "main"]);
  expect(await labelsOf(world, pull.number)).toEqual(["autoresearch", "withdrawn"]);
  expect(theirs.body).toContain("**Verdict: withdrawn** — a person pointed its pull request at main.");
  const run = (await world.runs()).find((each) => each.display_title === `autoresearch ${issue}:1:1`)!;
  expect(run.conclusion).toBe("cancelled");
});

test("a process that never saw it opens no second pull request for an experiment that points elsewhere", async () => {
  const world = await startHeldWorld([1], { researcher: two(), config: "limits: {experiments: 2}\n" });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const pull = await pullOf(world, 1);
  await world.stopBot();
  await world.as("ada").rest.pulls.update({ ...world.at, pull_number: pull.number, base: "main" });
  await world.startBot();
  await world.settled(issue, "done");
  const ours = (await world.pulls()).filter((each) => each.head.ref === `autoresearch/${issue}/exp-0001`);
  expect(ours.map((each) => [each.number, each.state])).toEqual([[pull.number, "open"]]);
  expect((await world.rows(issue)).find((row) => row.experiment === 1)!.outcome).toBe("withdrawn");
});

test("what a person pushes to an experiment is measured in its place, and counts as that experiment", async () => {
  const world = await startHeldWorld([1], { researcher: two(), config: "limits: {experiments: 1}\n" });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const branch = `autoresearch/${issue}/exp-0001`;
  const octokit = world.as("ada");
  const push = async (value: number) => {
    const { data: file } = await octokit.rest.repos.getContent({ ...world.at, path: "train.py", ref: branch });
    if (!("content" in file)) throw new Error("train.py is a file");
    const text = Buffer.from(file.content, "base64").toString();
    const content = Buffer.from(text.replace(/^VALUE = .*$/m, `VALUE = ${value}`)).toString("base64");
    const change = { ...world.at, path: "train.py", branch, message: "mine", content, sha: file.sha };
    return (await octokit.rest.repos.createOrUpdateFileContents(change)).data.commit.sha!;
  };
  await push(1.85);
  const head = await push(1.8);
  await until("the new head is in training", async () =>
    (await world.checks(head)).some((check) => check.name === "autoresearch"),
  );
  world.release(1);
  await world.settled(issue, "done");

  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome, row.value, row.description])).toEqual([
    [0, "keep", 2, "baseline"],
    [1, "keep", 1.8, "first"],
  ]);
  expect(await world.text("train.py", `autoresearch/${issue}/frontier`)).toContain("VALUE = 1.8");
  // The trial of what was there before held a runner for nothing.
  const runs = (await world.runs()).filter((run) => run.display_title.startsWith(`autoresearch ${issue}:1:`));
  expect(runs.filter((run) => run.conclusion === "cancelled").length).toBeGreaterThanOrEqual(1);
});

test("a protected file that a person pushes breaks the rules: in an experiment it is rejected, on the frontier it blocks", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([
      { title: "slow", set: { VALUE: 1.9, SLEEP: 3 } },
      { title: "next", set: { OTHER: -0.1, SLEEP: 3 } },
    ]),
    exempt: { protectedFiles: "a person changed one" },
  });
  const issue = await world.openSession();
  const training = (experiment: number) =>
    until(`experiment ${experiment} is in training`, async () =>
      (await world.runs()).find(
        (run) => run.display_title.startsWith(`autoresearch ${issue}:${experiment}:`) && run.status === "in_progress",
      ),
    );
  const change = async (branch: string) => {
    const { data: file } = await world
      .as("ada")
      .rest.repos.getContent({ ...world.at, path: "prepare.py", ref: branch });
    if (!("sha" in file)) throw new Error("prepare.py is a file");
    const content = Buffer.from("DATA = 2\n").toString("base64");
    const edit = { ...world.at, path: "prepare.py", branch, message: "mine", content, sha: file.sha };
    await world.as("ada").rest.repos.createOrUpdateFileContents(edit);
  };
  await training(1);
  await change(`autoresearch/${issue}/exp-0001`);
  const row = await until("experiment 1 is settled", async () =>
    (await world.rows(issue)).find((each) => each.experiment === 1),
  );
  expect([row.outcome, row.because]).toEqual(["rejected", "changes prepare.py, outside the mutable surface"]);

  await training(2);
  await change(`autoresearch/${issue}/frontier`);
  await until("it is blocked", async () => (await world.record(issue))?.state === "blocked");
  expect((await world.record(issue))!.because).toBe(
    "the frontier itself can't be measured: changes prepare.py, outside the mutable surface",
  );
  await until("the dashboard says so", async () => (await world.dashboard(issue))?.includes("can't be measured"));
});
