import { expect, test } from "vitest";
import { startHeldWorld } from "../support/held.ts";
import { scripted, until, type World } from "../support/world.ts";

const ideas = [
  { title: "first", set: { VALUE: 1.9 } },
  { title: "second", set: { OTHER: -0.1 } },
];

/** What is on the world's branches of a session whose issue is not there any more. */
async function recordOf(world: World, issue: number) {
  const record = await world.record(issue);
  return record === null ? null : { state: record.state, because: record.because };
}

async function nothingLeft(world: World): Promise<boolean> {
  const [runs, pulls] = [await world.runs(), await world.pulls()];
  return runs.every((run) => run.status === "completed") && pulls.every((pull) => pull.state === "closed");
}

test("a dashboard that a person edits or deletes comes back", async () => {
  const world = await startHeldWorld([1], { researcher: scripted(ideas), config: "limits: {experiments: 1}\n" });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const octokit = world.as("ada");
  const find = () =>
    until("the dashboard is there", async () =>
      (await world.comments(issue)).find((each) => each.body?.startsWith("**autoresearch** · running")),
    );
  const first = await find();
  await octokit.rest.issues.updateComment({
    ...world.at,
    comment_id: first.id,
    body: "I was here <!-- autoresearch:dashboard -->",
  });
  expect((await find()).id).toBe(first.id);
  await octokit.rest.issues.deleteComment({ ...world.at, comment_id: first.id });
  expect((await find()).id).not.toBe(first.id);
  world.release(1);
  await world.settled(issue, "done");
});

test("a deleted issue is a stop: the trial is cancelled, what was open is withdrawn, the record says why", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted(ideas),
    exempt: { furtherPass: "there is no issue any more" },
  });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  world.github.world.deleteIssue("ada/model", issue, "ada");
  await until("nothing of it is left", () => nothingLeft(world));
  expect(await recordOf(world, issue)).toEqual({
    state: "stopped",
    because: "the issue was deleted, or moved to where I see nothing",
  });
  await until("all is recorded", async () => (await world.rows(issue)).length === 3);
  expect((await world.rows(issue)).map((row) => row.outcome)).toEqual(["keep", "withdrawn", "withdrawn"]);
});

test("the session of a moved issue stays behind and stops, and the issue says so at its new place", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted(ideas),
    exempt: { furtherPass: "the issue is elsewhere" },
  });
  await world.github.world.createRepo({
    owner: "ada",
    name: "other",
    files: { "README.md": "other\n" },
    private: true,
  });
  world.github.world.install(world.app.appId, "ada/other");
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  await until("the dashboard is there", () => world.dashboard(issue));
  const number = world.github.world.transferIssue("ada/model", issue, "ada/other", "ada");
  await until("nothing of it is left", () => nothingLeft(world));
  expect(await recordOf(world, issue)).toEqual({
    state: "stopped",
    because: `the issue was moved to ada/other#${number}`,
  });

  const octokit = world.as("ada");
  const there = { owner: "ada", repo: "other", issue_number: number };
  const bodies = async () => (await octokit.rest.issues.listComments(there)).data.map((comment) => comment.body ?? "");
  await until("it is said there", async () => (await bodies()).some((body) => body.includes("stayed behind")));
  expect(await bodies()).toHaveLength(1);
  const [said] = await bodies();
  expect(said).toContain("The session of this issue stayed behind in ada/model, where it is stopped");
  expect(said).not.toContain("autoresearch:dashboard");
});

test("a moved issue that carries the label, in a repository that is set up, starts a session of its own there", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted([...ideas, ...ideas]),
    exempt: { furtherPass: "the issue is elsewhere" },
  });
  const files = Object.fromEntries(
    await Promise.all(
      ["train.py", "prepare.py", ".github/workflows/autoresearch.yml", ".github/autoresearch.yml"].map(
        async (name) => [name, (await world.text(name, "main"))!] as const,
      ),
    ),
  );
  await world.github.world.createRepo({ owner: "ada", name: "other", files, private: true });
  const octokit = world.as("ada");
  const other = { owner: "ada", repo: "other" };
  await octokit.rest.issues.createLabel({ ...other, name: "autoresearch" });
  world.github.world.install(world.app.appId, "ada/other");
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const number = world.github.world.transferIssue("ada/model", issue, "ada/other", "ada");
  await until("the old one is stopped", async () => (await recordOf(world, issue))?.state === "stopped");
  const branch = `heads/autoresearch/${number}/results`;
  await until("there is a session in the new repository", () =>
    octokit.rest.git.getRef({ ...other, ref: branch }).then(
      () => true,
      () => false,
    ),
  );
});

test("on a locked conversation nothing is said and nothing stops; unlocked, the dashboard catches up", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted(ideas),
    config: "limits: {experiments: 2}\n",
    exempt: { furtherPass: "the receipt of what was said while it was locked is owed for ever" },
  });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  await until("the dashboard is there", () => world.dashboard(issue));
  const octokit = world.as("ada");
  await octokit.rest.issues.lock({ ...world.at, issue_number: issue });
  const before = (await world.comments(issue)).map((comment) => comment.body);
  await world.comment(issue, "/autoresearch status");
  world.release(1);
  await until("the session is done", async () => (await world.record(issue))?.state === "done");
  await until("the label says so", async () => (await world.labels(issue)).includes("autoresearch:done"));
  expect((await world.comments(issue)).map((comment) => comment.body)).toEqual([...before, "/autoresearch status"]);

  await octokit.rest.issues.unlock({ ...world.at, issue_number: issue });
  await world.settled(issue, "done");
});
