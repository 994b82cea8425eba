import { expect, test } from "vitest";
import type { Researcher } from "../../src/domain/proposal.ts";
import { type HeldWorld, labelsOf, pullOf, startHeldWorld } from "../support/held.ts";
import { scripted, until, type World } from "../support/world.ts";

const ideas = [
  { title: "first", set: { VALUE: 1.9 } },
  { title: "second", set: { OTHER: -0.1 } },
  { title: "third", set: { VALUE: 1.7 } },
];

/** The first is on the frontier and in the rows, the second in training. */
async function firstKept(world: HeldWorld, issue: number): Promise<void> {
  await world.inTraining(issue, 2);
  await until("the first is recorded", async () => (await world.rows(issue)).some((row) => row.experiment === 1));
}

async function commitOn(world: World, branch: string, replace: (text: string) => string): Promise<string> {
  const octokit = world.as("ada");
  const { data: file } = await octokit.rest.repos.getContent({ ...world.at, path: "train.py", ref: branch });
  if (!("content" in file)) throw new Error("train.py is a file");
  const content = Buffer.from(replace(Buffer.from(file.content, "base64").toString())).toString("base64");
  const change = { ...world.at, path: "train.py", branch, message: "mine", content, sha: file.sha };
  return (await octokit.rest.repos.createOrUpdateFileContents(change)).data.commit.sha!;
}

test("what a person pushes to the frontier is measured before anything is held against it, and the dashboard says so", async () => {
  const world = await startHeldWorld([1], {
    researcher: scripted(ideas),
    config: "limits: {experiments: 1}\nrunner: {concurrency: 2}\n",
  });
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const frontier = `autoresearch/${issue}/frontier`;
  const pushed = await commitOn(world, frontier, (text) => text.replace(/^OTHER = .*$/m, "OTHER = -0.05"));
  await until("the pushed frontier is measured", async () =>
    (await world.rows(issue)).some((row) => row.description === "frontier moved by a person"),
  );
  const row = (await world.rows(issue)).at(-1)!;
  expect([row.experiment, row.value, pushed.startsWith(row.commit)]).toEqual([0, 1.95, true]);
  world.release(1);
  await world.settled(issue, "done");
  // The experiment was carried onto what the person pushed, and measured there.
  const kept = (await world.rows(issue)).at(-1)!;
  expect([kept.outcome, kept.value, pushed.startsWith(kept.parent)]).toEqual(["keep", 1.85, true]);
});

test("a frontier that a person puts back is gone on with from there, and the dashboard says so", async () => {
  const world = await startHeldWorld([2], {
    researcher: scripted(ideas),
    config: "limits: {experiments: 3}\n",
    exempt: { frontier: "a person made it worse", pulls: "its merge is not on it any more" },
  });
  const issue = await world.openSession();
  await firstKept(world, issue);
  const frontier = `autoresearch/${issue}/frontier`;
  const { base } = (await world.record(issue))!;
  const octokit = world.as("ada");
  await octokit.rest.git.updateRef({ ...world.at, ref: `heads/${frontier}`, sha: base, force: true });
  const said = await until("the dashboard says so", async () => {
    const body = await world.dashboard(issue);
    return body?.includes("A person moved the frontier back to") === true ? body : null;
  });
  expect(said).toContain(`back to \`${base.slice(0, 7)}\`. The session goes on from there.`);
  expect(said).toContain("**val_bpb 2.0000**");
  world.release(2);
  await world.settled(issue, "done");
  const rows = await world.rows(issue);
  // The second was carried onto the base and held against its value.
  const second = rows.find((row) => row.experiment === 2)!;
  expect([second.outcome, second.value, base.startsWith(second.parent)]).toEqual(["keep", 1.9, true]);
  expect(await world.dashboard(issue)).not.toContain("A person moved");
});

test("what a person took off the frontier, and no hook told of, does not come back with the next winner", async () => {
  // The second is thought of when the first is settled, so that it is built on it.
  const { promise: firstSettled, resolve: thinkOn } = Promise.withResolvers<void>();
  const script = scripted(ideas);
  const researcher: Researcher = {
    propose: async (brief, signal) => {
      if (brief.experiment === 2) await firstSettled;
      return script.propose(brief, signal);
    },
  };
  const world = await startHeldWorld([2], {
    researcher,
    config: "limits: {experiments: 2}\n",
    app: { sweepEveryMs: 3_600_000 },
    exempt: { frontier: "a person made it worse", pulls: "its merge is not on it any more" },
  });
  const issue = await world.openSession();
  const first = await pullOf(world, 1);
  await until("the first is settled", async () => (await labelsOf(world, first.number)).includes("keep"));
  thinkOn();
  await world.inTraining(issue, 2);
  const frontier = `autoresearch/${issue}/frontier`;
  const off = await world.git("rev-parse", frontier);
  const { base } = (await world.record(issue))!;
  world.github.webhooks.mode = { kind: "drop" };
  await world.as("ada").rest.git.updateRef({ ...world.at, ref: `heads/${frontier}`, sha: base, force: true });
  world.github.webhooks.mode = { kind: "deliver" };
  world.release(2);
  await world.settled(issue, "done");
  // The second was built on it, and carried off it: its history tells of it, and the frontier's own does not.
  expect((await world.git("rev-list", "--first-parent", frontier)).split("\n")).not.toContain(off);
  expect(await world.text("train.py", frontier)).not.toContain("VALUE = 1.9");
  const second = (await world.rows(issue)).find((row) => row.experiment === 2)!;
  expect([second.outcome, second.value, base.startsWith(second.parent)]).toEqual(["keep", 1.9, true]);
});

test("a deleted frontier blocks the session with the reason; restored and resumed it goes on", async () => {
  const world = await startHeldWorld([2], { researcher: scripted(ideas), config: "limits: {experiments: 3}\n" });
  const issue = await world.openSession();
  await firstKept(world, issue);
  const frontier = `autoresearch/${issue}/frontier`;
  const tip = await world.git("rev-parse", frontier);
  // A branch that was there is deleted for sure after half a minute; a fresh process sees it at once, the pass after a minute.
  await world.as("ada").rest.git.deleteRef({ ...world.at, ref: `heads/${frontier}` });
  await until("it is blocked", async () => (await world.record(issue))?.state === "blocked", 120_000);
  expect((await world.record(issue))!.because).toBe(
    `the branch \`${frontier}\` was deleted; restore it (its tip is in the pull request that was merged last)`,
  );
  await until("the label says so", async () => (await world.labels(issue)).includes("autoresearch:blocked"));
  expect(await world.dashboard(issue)).toContain("was deleted");

  await world.as("ada").rest.git.createRef({ ...world.at, ref: `refs/heads/${frontier}`, sha: tip });
  world.release(2);
  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
  expect(await world.git("merge-base", "--is-ancestor", tip, frontier)).toBe("");
  const rows = await world.rows(issue);
  expect(new Set(rows.map((row) => row.experiment)).size).toBe(rows.length);
});

test("a deleted results branch is told on the issue, and nothing is begun on top of what was found", async () => {
  const world = await startHeldWorld([2], {
    researcher: scripted(ideas),
    config: "limits: {experiments: 3}\n",
    exempt: Object.fromEntries(
      ["frontier", "rows", "pulls", "furtherPass", "prepared"].map((rule) => [rule, "a person deleted the record"]),
    ),
  });
  const issue = await world.openSession();
  await firstKept(world, issue);
  const frontier = `autoresearch/${issue}/frontier`;
  const tip = await world.git("rev-parse", frontier);
  await world.as("ada").rest.git.deleteRef({ ...world.at, ref: `heads/autoresearch/${issue}/results` });
  const said = await until(
    "the bot says what is in the way",
    async () => (await world.comments(issue)).find((each) => each.body?.includes("I can't start yet"))?.body,
    120_000,
  );
  expect(said).toContain("that tells of it. Restore that one, or rename or delete the first");
  expect(await world.git("rev-parse", frontier)).toBe(tip);
});
