import { expect, test } from "vitest";
import { startHeldWorld } from "../support/held.ts";
import { scripted, until, type World } from "../support/world.ts";

const ideas = [
  { title: "first", set: { VALUE: 1.9 } },
  { title: "second", set: { OTHER: -0.1 } },
];
const config = "limits: {experiments: 2}\n";

function requestsOfBot(world: World): number {
  return world.github.requests().total;
}

/** Waits until the bot has asked nothing for a while. */
async function quiet(world: World): Promise<void> {
  let before = -1;
  await until("the bot asks nothing any more", async () => {
    const now = requestsOfBot(world);
    const still = now === before;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return still;
  });
}

test.each([
  [
    "removed from the account and installed again",
    (world: World) => world.github.world.uninstall(world.app.appId, "ada"),
    (world: World) => void world.github.world.install(world.app.appId, "ada/model"),
  ],
  [
    "suspended and woken",
    (world: World) => world.github.world.suspend(world.app.appId, "ada", true),
    (world: World) => world.github.world.suspend(world.app.appId, "ada", false),
  ],
  [
    "taken off the repository and let in again",
    (world: World) => world.github.world.removeFromInstallation(world.app.appId, "ada/model"),
    (world: World) => void world.github.world.install(world.app.appId, "ada/model"),
  ],
])("an app that is %s in mid-session rests, and goes on where it was", async (_, away, back) => {
  const world = await startHeldWorld([1], { researcher: scripted(ideas), config });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  away(world);
  // The trial ends meanwhile; that the bot hears of it or not makes no difference.
  world.release(1);
  await world.comment(issue, "anybody there?");
  await quiet(world);
  expect((await world.rows(issue)).map((row) => row.experiment)).toEqual([0]);
  expect((await world.record(issue))!.state).toBe("running");

  back(world);
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
    [2, "keep"],
  ]);
  const trials = (await world.runs()).map((run) => run.display_title);
  expect(new Set(trials).size).toBe(trials.length);
});

test("a renamed repository takes its session along: one session, under the new name", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted(ideas),
    config,
    exempt: { furtherPass: "asked by the old name" },
  });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const octokit = world.as("ada");
  await octokit.rest.repos.update({ ...world.at, name: "renamed" });
  world.at.repo = "renamed";
  world.site.repo = "ada/renamed";
  world.release(1);
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
    [2, "keep"],
  ]);
  expect(await world.metrics()).not.toMatch(/session="ada\/model#/);
});

test("a renamed default branch is followed: trials are dispatched there, and the report goes there", async () => {
  const world = await startHeldWorld([1], { researcher: scripted(ideas), config });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  await world.github.world.renameBranch("ada/model", "main", "trunk", "ada");
  await until("the record says so", async () => (await world.record(issue))?.baseBranch === "trunk");
  expect((await world.record(issue))!.because).toBe("the default branch is trunk now, and was main");
  world.release(1);
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
    [0, "keep"],
    [1, "keep"],
    [2, "keep"],
  ]);
  expect((await world.pulls()).at(-1)!.base.ref).toBe("trunk");
  // The trial that was under way counts.
  const trials = (await world.runs()).map((run) => run.display_title).filter((title) => title.includes(`${issue}:1:`));
  expect(trials).toEqual([`autoresearch ${issue}:1:1`]);
});

test("another default branch without our workflow blocks the session, with the reason", async () => {
  const world = await startHeldWorld([1], { researcher: scripted(ideas), config });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const octokit = world.as("ada");
  const tree = await world.git("hash-object", "-t", "tree", "-w", "/dev/null");
  const { data: empty } = await octokit.rest.git.createCommit({ ...world.at, message: "empty", tree });
  await octokit.rest.git.createRef({ ...world.at, ref: "refs/heads/empty", sha: empty.sha });
  await octokit.rest.repos.update({ ...world.at, default_branch: "empty" });
  await until("it is blocked", async () => (await world.record(issue))?.state === "blocked");
  expect((await world.record(issue))!.because).toBe(
    "the default branch is empty now, and was main; .github/workflows/autoresearch.yml is not on it",
  );
  await until("the dashboard says so", async () => (await world.dashboard(issue))?.includes("is not on it"));
  await octokit.rest.repos.update({ ...world.at, default_branch: "main" });
  world.release(1);
  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
});

test("in an archived repository the session rests; out of the archive it goes on", async () => {
  const world = await startHeldWorld([1], { researcher: scripted(ideas), config });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const octokit = world.as("ada");
  await octokit.rest.repos.update({ ...world.at, archived: true });
  await quiet(world);
  expect((await world.record(issue))!.state).toBe("running");
  await octokit.rest.repos.update({ ...world.at, archived: false });
  world.release(1);
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => row.experiment)).toEqual([0, 1, 2]);
});
