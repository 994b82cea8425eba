import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { scripted, until, type World } from "../support/world.ts";

/** Waits until a trial of the experiment is in the hands of a runner. */
function inTraining(world: World, issue: number, experiment: number) {
  return until(`experiment ${experiment} is in training`, async () => {
    const runs = await world.runs();
    return runs.find(
      (run) => run.display_title.startsWith(`autoresearch ${issue}:${experiment}:`) && run.status === "in_progress",
    );
  });
}

function pullOf(world: World, experiment: number) {
  return until(`experiment ${experiment} has its pull request`, async () =>
    (await world.pulls()).find((pull) => pull.title.startsWith(`exp ${experiment}:`)),
  );
}

test("stop in the middle of a training ends all of it within seconds", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([
      { title: "slow", set: { VALUE: 1.9, SLEEP: 15 } },
      { title: "next", set: { OTHER: -0.1 } },
    ]),
  });
  const issue = await world.openSession();
  await inTraining(world, issue, 1);
  await until("it trains", async () => world.processes().some((command) => command.includes("train.py")));
  const comment = await world.comment(issue, "I have seen enough.\n\n/autoresearch stop");
  await world.settled(issue, "stopped");

  const runs = await until("the run is over", async () => {
    const all = await world.runs();
    return all.every((run) => run.status === "completed") ? all : null;
  });
  expect(runs.find((run) => run.display_title === `autoresearch ${issue}:1:1`)!.conclusion).toBe("cancelled");
  expect(world.processes()).toEqual([]);
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "withdrawn"],
    [2, "withdrawn"],
  ]);
  for (const pull of await world.pulls()) {
    expect(pull.state).toBe("closed");
    expect(pull.labels.map((label) => label.name)).toContain("withdrawn");
  }
  expect(await world.dashboard(issue)).toMatch(/stopped by @ada, \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  const { data: reactions } = await world
    .as("ada")
    .rest.reactions.listForIssueComment({ ...world.at, comment_id: comment });
  expect(reactions.map((reaction) => [reaction.user?.login, reaction.content])).toEqual([[world.bot, "+1"]]);
});

test("closing the issue, or taking the label off, is stop by other means", async () => {
  // One of them may be prepared and never opened.
  const slow = [1, 2, 3].map((each) => ({ title: `slow ${each}`, set: { SLEEP: 15, OTHER: each } }));
  const world = await startWorld({ researcher: scripted(slow) });
  const closed = await world.openSession();
  await inTraining(world, closed, 1);
  await world.as("ada").rest.issues.update({ ...world.at, issue_number: closed, state: "closed" });
  await world.settled(closed, "stopped");
  expect((await world.record(closed))!.because).toBe("the issue was closed");
  expect((await world.record(closed))!.by).toBe("ada");

  const unlabelled = await world.openSession();
  await inTraining(world, unlabelled, 1);
  await world.as("ada").rest.issues.removeLabel({ ...world.at, issue_number: unlabelled, name: "autoresearch" });
  await world.settled(unlabelled, "stopped");
  expect((await world.record(unlabelled))!.because).toContain("taken off");
});

test("pause starts nothing new, resume goes on", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "first", set: { VALUE: 1.9, SLEEP: 2 } },
      { title: "second", set: { OTHER: -0.1 } },
    ]),
    config: "limits: {experiments: 2}\n",
  });
  const issue = await world.openSession();
  await inTraining(world, issue, 1);
  await world.comment(issue, "/autoresearch pause");
  await until("the running trial is settled", async () =>
    (await world.rows(issue)).some((row) => row.experiment === 1),
  );
  await until("it is paused", async () => (await world.labels(issue)).includes("autoresearch:paused"));
  expect((await world.runs()).some((run) => run.display_title.startsWith(`autoresearch ${issue}:2:`))).toBe(false);

  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => row.experiment)).toEqual([0, 1, 2]);
});

test("who has no write access has no voice, and is told so; unknown words get the nearest known one", async () => {
  const world = await startWorld({ public: true, researcher: scripted([{ title: "slow", set: { SLEEP: 4 } }]) });
  world.github.world.createUser("bob");
  const issue = await world.openSession();
  await inTraining(world, issue, 1);
  await world.comment(issue, "/autoresearch stop", "bob");
  await world.comment(issue, "/autoresearch stpo");
  await world.comment(issue, "> /autoresearch stop\n\nis what one would say; `/autoresearch stop` in code, too");
  const replies = await until("both are answered", async () => {
    const said = (await world.comments(issue)).filter((comment) => comment.body?.includes("autoresearch:reply"));
    return said.length >= 2 ? said.map((comment) => comment.body!.split("\n")[0]) : null;
  });
  expect(new Set(replies)).toEqual(
    new Set([
      "@bob, only people with write access can steer this session. (`/autoresearch stop` was not carried out.)",
      "I don't know `/autoresearch stpo`. Did you mean `stop`? `/autoresearch help` lists all.",
    ]),
  );
  expect((await world.record(issue))!.state).toBe("running");
  // On a pull request a command counts as well.
  const pull = await pullOf(world, 1);
  await world.comment(pull.number, "/autoresearch stop");
  await world.settled(issue, "stopped");
});

test("who is given write access has a voice from then on, and whose access is taken has none any more", async () => {
  const world = await startWorld({ public: true, researcher: scripted([{ title: "slow", set: { SLEEP: 600 } }]) });
  world.github.world.createUser("bob");
  const issue = await world.openSession();
  await inTraining(world, issue, 1);
  const state = async () => (await world.record(issue))!.state;
  const receiptOf = async (order: string) => {
    const at = { ...world.at, comment_id: await world.comment(issue, `/autoresearch ${order}`, "bob") };
    return until(`the answer to ${order}`, async () => {
      const { data } = await world.as("ada").rest.reactions.listForIssueComment(at);
      return data[0]?.content;
    });
  };
  expect(await receiptOf("pause")).toBe("confused");
  world.github.world.setPermission("ada/model", "bob", "write");
  expect(await receiptOf("pause")).toBe("+1");
  expect(await state()).toBe("paused");
  world.github.world.setPermission("ada/model", "bob", "read");
  expect(await receiptOf("resume")).toBe("confused");
  expect(await state()).toBe("paused");
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
});

test("a person merges one experiment, closes another, and deletes the branch of a third", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "merged by hand", set: { VALUE: 1.9, SLEEP: 6 } },
      { title: "closed by hand", set: { OTHER: -0.01, SLEEP: 6 } },
      { title: "deleted by hand", set: { OTHER: -0.02, SLEEP: 6 } },
      { title: "left alone", set: { OTHER: -0.05, SLEEP: 0 } },
    ]),
    config: "limits: {experiments: 4}\n",
  });
  const octokit = world.as("ada");
  const issue = await world.openSession();

  await inTraining(world, issue, 1);
  await octokit.rest.pulls.merge({ ...world.at, pull_number: (await pullOf(world, 1)).number });
  await inTraining(world, issue, 2);
  await octokit.rest.pulls.update({ ...world.at, pull_number: (await pullOf(world, 2)).number, state: "closed" });
  await inTraining(world, issue, 3);
  await octokit.rest.git.deleteRef({ ...world.at, ref: `heads/autoresearch/${issue}/exp-0003` });
  await world.settled(issue, "done");

  const rows = await world.rows(issue);
  expect(rows.map((row) => [row.experiment, row.outcome, row.value])).toEqual([
    [0, "keep", 2],
    [1, "withdrawn", null],
    [0, "keep", 1.9],
    [2, "withdrawn", null],
    [3, "withdrawn", null],
    [4, "keep", 1.85],
  ]);
  expect(rows[1]!.because).toBe("merged by a person; the frontier is measured as it is now");
  for (const pull of (await world.pulls()).filter((each) => each.base.ref !== "main"))
    expect(pull.state).toBe("closed");
});
