/** What a process that died, or whose clock is wrong, leaves to the next one; instant trials, and no waiting. */
import { expect, test } from "vitest";
import type { Researcher } from "../../src/domain/proposal.ts";
import { startWorld } from "../support/e2e.ts";
import { scripted, until } from "../support/world.ts";

const ideas = [
  { title: "first", set: { VALUE: 1.9 } },
  { title: "second", set: { OTHER: -0.1 } },
  { title: "third", set: { OTHER: -0.2 } },
];
const pulls = "/repos/{owner}/{repo}/pulls";

/** Counts what is asked. */
function counted(researcher: Researcher): Researcher & { asked: () => number } {
  let asked = 0;
  return {
    propose: (brief, signal) => {
      asked += 1;
      return researcher.propose(brief, signal);
    },
    asked: () => asked,
  };
}

test("an idea whose branch a dead process left is opened, and the one that was prepared since is not lost", async () => {
  const world = await startWorld({
    researcher: scripted(ideas),
    config: "limits: {experiments: 3}\n",
  });
  const fault = world.github.faults.add(
    { method: "POST", route: pulls, by: "bot", skip: 1, times: Number.POSITIVE_INFINITY },
    { kind: "fail", when: "before", status: 502 },
  );
  const issue = await world.openSession();
  await until("the second pull request was not opened", async () => fault.hits > 0);
  await world.stopBot();
  fault.remove();
  await world.startBot();
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => [row.experiment, row.description])).toEqual([
    [0, "baseline"],
    [1, "first"],
    [2, "second"],
    [3, "third"],
  ]);
});

test("an idea that was opened by a request without an answer is not opened again", async () => {
  const world = await startWorld({
    researcher: scripted(ideas),
    config: "limits: {experiments: 3}\n",
  });
  world.github.faults.add({ method: "POST", route: pulls, by: "bot", skip: 1 }, { kind: "drop", when: "after" });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect((await world.rows(issue)).map((row) => row.description)).toEqual(["baseline", "first", "second", "third"]);
});

test("after a restart the run of an open attempt is found behind a hundred of other sessions", async () => {
  let held = true;
  const world = await startWorld({
    researcher: scripted(ideas.slice(0, 1)),
    training: ({ trial }) => trial.experiment === 0 || !held,
    config: "limits: {experiments: 1}\n",
  });
  const issue = await world.openSession();
  const { store } = world.github.core;
  const training = await until("experiment 1 is in training", async () =>
    store
      .all("workflowRun")
      .find((run) => run.displayTitle === `autoresearch ${issue}:1:1` && run.status === "in_progress"),
  );
  await world.stopBot();
  for (let number = 1; number <= 130; number += 1) {
    const displayTitle = `autoresearch 99:${number}:1`;
    const over = { status: "completed", conclusion: "success" } as const;
    store.put("workflowRun", { ...training, ...over, id: store.nextId(), displayTitle });
  }
  await world.startBot();
  held = false;
  world.github.core.signals.emit("change", { kind: "other", repoId: training.repoId, topic: "job", id: 0, action: "" });
  await world.settled(issue, "done");
  expect((await world.runs()).map((run) => run.display_title).filter((name) => name.includes(`${issue}:1:`))).toEqual(
    [],
  );
  const own = store.all("workflowRun").filter((run) => run.displayTitle.startsWith(`autoresearch ${issue}:`));
  expect(own.map((run) => run.displayTitle)).toEqual([`autoresearch ${issue}:0:1`, `autoresearch ${issue}:1:1`]);
  expect((await world.rows(issue)).map((row) => row.value)).toEqual([2, 1.9]);
});

test("a winner without its row is recorded as kept, though a person pushed onto it while no bot lived", async () => {
  const world = await startWorld({ researcher: scripted(ideas.slice(0, 1)), config: "limits: {experiments: 1}\n" });
  // The start, the baseline's row, the candidate; then the row of the winner, which is never written.
  const fault = world.github.faults.add(
    { method: "POST", route: "/repos/{owner}/{repo}/git/trees", by: "bot", skip: 3, times: Number.POSITIVE_INFINITY },
    { kind: "fail", when: "before", status: 502 },
  );
  const issue = await world.openSession();
  await until("the row can't be written", async () => fault.hits > 0);
  await world.stopBot();
  fault.remove();
  const frontier = `autoresearch/${issue}/frontier`;
  const merge = await world.git("rev-parse", frontier);
  expect(await world.git("log", "-1", "--format=%B", frontier)).toContain("Val-Bpb: 1.900000");
  const octokit = world.as("ada").rest;
  for (const other of [-0.03, -0.05]) {
    const { data: file } = await octokit.repos.getContent({ ...world.at, path: "train.py", ref: frontier });
    if (!("content" in file)) throw new Error("train.py is a file");
    const text = Buffer.from(file.content, "base64")
      .toString()
      .replace(/^OTHER = .*$/m, `OTHER = ${other}`);
    const change = {
      path: "train.py",
      branch: frontier,
      message: "mine",
      content: Buffer.from(text).toString("base64"),
    };
    await octokit.repos.createOrUpdateFileContents({ ...world.at, ...change, sha: file.sha });
  }
  await world.startBot();
  await world.settled(issue, "done");
  const rows = await world.rows(issue);
  expect(rows.find((row) => row.experiment === 1)).toMatchObject({ outcome: "keep", value: 1.9 });
  expect(rows.find((row) => row.description === "frontier moved by a person")?.value).toBe(1.85);
  const [pull] = await world.pulls();
  expect([pull!.merged_at !== null, pull!.labels.map((label) => label.name).sort()]).toEqual([
    true,
    ["autoresearch", "keep"],
  ]);
  expect(await world.git("merge-base", "--is-ancestor", merge, frontier)).toBe("");
});

test("GitHub's clock minutes ahead of ours: a session that was stopped stays so, until the label is put on again", async () => {
  const world = await startWorld({
    researcher: scripted(ideas.slice(0, 1)),
    training: ({ trial }) => trial.experiment === 0,
    skewMs: 300_000,
  });
  const issue = await world.openSession();
  await until("experiment 1 is in training", async () =>
    (await world.runs()).some((run) => run.display_title === `autoresearch ${issue}:1:1`),
  );
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  await world.stopBot();
  await world.startBot();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await world.record(issue))?.state).toBe("stopped");
  const octokit = world.as("ada").rest.issues;
  await octokit.removeLabel({ ...world.at, issue_number: issue, name: "autoresearch" });
  await octokit.addLabels({ ...world.at, issue_number: issue, labels: ["autoresearch"] });
  // It goes on, and finds its script at the end.
  await world.settled(issue, "done");
});

test("what is found after going on is in the report that was there", async () => {
  const world = await startWorld({
    researcher: scripted(ideas),
    config: "limits: {experiments: 1}\n",
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const octokit = world.as("ada").rest.issues;
  const body = "---\nlimits: {experiments: 2}\n---\nLower it.";
  await octokit.update({ ...world.at, issue_number: issue, body });
  await octokit.removeLabel({ ...world.at, issue_number: issue, name: "autoresearch" });
  await octokit.addLabels({ ...world.at, issue_number: issue, labels: ["autoresearch"] });
  await until("a second experiment is there", async () => (await world.rows(issue)).length === 3);
  await world.settled(issue, "done");
  const reports = (await world.pulls()).filter((pull) => pull.base.ref === "main");
  expect(reports.map((pull) => pull.title)).toEqual([`autoresearch #${issue}: val_bpb 2.0000 → 1.8000 (−10.00 %)`]);
  expect(reports[0]!.body).toContain("second");
});

test("an error that can't be told, for GitHub fails again, costs a pause and no idea", async () => {
  const researcher = counted(scripted(ideas.slice(0, 1)));
  const world = await startWorld({ researcher, config: "limits: {experiments: 1}\n" });
  const refused = {
    kind: "fail",
    when: "before",
    status: 403,
    message: "Resource not accessible by integration",
  } as const;
  world.github.faults.add({ method: "POST", route: pulls, by: "bot", times: 2 }, refused);
  const trees = { method: "POST", route: "/repos/{owner}/{repo}/git/trees", by: "bot" } as const;
  // The start, the idea's own, and then the record that was to say why it is blocked.
  const fault = world.github.faults.add({ ...trees, skip: 2 }, { kind: "fail", when: "before", status: 502 });
  const issue = await world.openSession();
  await until("it is blocked", async () => (await world.record(issue))?.state === "blocked");
  expect(fault.hits).toBe(1);
  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
  expect(researcher.asked()).toBe(1);
});
