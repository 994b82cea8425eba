import { expect, test } from "vitest";
import type { Researcher } from "../../src/domain/proposal.ts";
import { startWorld } from "../support/e2e.ts";
import { scripted, trainPy, until } from "../support/world.ts";

test("a session keeps what gains, closes what loses, and says so everywhere", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([
      { title: "better", set: { VALUE: 1.9 } },
      { title: "worse", set: { OTHER: 0.5 } },
      { title: "broken", set: { CRASH: 1 } },
      { title: "better still", set: { OTHER: -0.1 } },
    ]),
    config: "limits: {experiments: 4}\n",
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");

  const rows = await world.rows(issue);
  expect(rows.map((row) => [row.experiment, row.outcome, row.value])).toEqual([
    [0, "keep", 2],
    [1, "keep", 1.9],
    [2, "discard", 2.4],
    [3, "crash", null],
    [4, "keep", 1.8],
  ]);
  expect(rows[3]!.because).toContain("ZeroDivisionError");

  const frontier = `autoresearch/${issue}/frontier`;
  const base = (await world.record(issue))!.base;
  const merges = (await world.git("log", "--first-parent", "--format=%H %T %P", `${base}..${frontier}`)).split("\n");
  expect(merges).toHaveLength(2);
  for (const merge of merges) {
    const [, tree, , second] = merge.split(" ");
    expect(await world.git("rev-parse", `${second}^{tree}`)).toBe(tree);
    const measured = (await world.checks(second!)).filter((check) => check.name === "val_bpb");
    expect(measured.map((check) => check.conclusion)).toEqual(["success"]);
  }
  expect(await world.git("diff", "--name-only", base, frontier)).toBe("train.py");
  expect(await world.git("log", "-1", "--format=%B", frontier)).toContain("Val-Bpb: 1.800000");

  const pulls = await world.pulls();
  const outcomes = pulls.map((pull) => [
    pull.title,
    pull.state,
    pull.merged_at !== null,
    pull.labels
      .map((label) => label.name)
      .sort()
      .join(),
  ]);
  expect(outcomes.slice(0, 4)).toEqual([
    ["exp 1: better", "closed", true, "autoresearch,keep"],
    ["exp 2: worse", "closed", false, "autoresearch,discard"],
    ["exp 3: broken", "closed", false, "autoresearch,crash"],
    ["exp 4: better still", "closed", true, "autoresearch,keep"],
  ]);
  expect(pulls[4]).toMatchObject({ state: "open", head: { ref: frontier }, base: { ref: "main" } });
  expect(await world.labels(issue)).toEqual(["autoresearch", "autoresearch:done"]);
  expect(await world.text("progress.svg", `autoresearch/${issue}/results`)).toContain("<svg");
});

test("two sessions that begin at the same commit keep apart", async () => {
  // Each session has a script of its own.
  const scripts = new Map<string, Researcher>();
  const researcher: Researcher = {
    propose: (brief, signal) => {
      const script = scripts.get(brief.session) ?? scripted([{ title: "better", set: { VALUE: 1.9 } }]);
      scripts.set(brief.session, script);
      return script.propose(brief, signal);
    },
  };
  const world = await startWorld({ training: "real", researcher, config: "limits: {experiments: 1}\n" });
  const [first, second] = [await world.openSession(), await world.openSession()];
  await world.settled(first, "done");
  await world.settled(second, "done");
  for (const issue of [first, second]) {
    expect((await world.rows(issue)).map((row) => [row.experiment, row.outcome])).toEqual([
      [0, "keep"],
      [1, "keep"],
    ]);
  }
  const base = (await world.record(first))!.base;
  const own = (await world.checks(base)).filter((check) => check.name === "autoresearch");
  expect(own.map((check) => [check.status, check.conclusion])).toEqual([
    ["completed", "success"],
    ["completed", "success"],
  ]);
});

test("a trial whose run was cancelled is asked for again; labels are told apart as GitHub does", async () => {
  const world = await startWorld({
    researcher: scripted([{ title: "broken", set: { CRASH: 1 } }]),
    config: "limits: {experiments: 1}\n",
    files: { "train.py": trainPy({ value: 2, sleep: 2 }) },
  });
  const octokit = world.as("ada");
  await octokit.rest.issues.createLabel({ ...world.at, name: "Crash", color: "ff0000" });
  const issue = await world.openSession();
  const run = await until("the base is in training", async () =>
    (await world.runs()).find((each) => each.status === "in_progress"),
  );
  await octokit.rest.actions.cancelWorkflowRun({ ...world.at, run_id: run.id });
  await world.settled(issue, "done");
  expect((await world.runs()).map((each) => each.display_title)).toContain(`autoresearch ${issue}:0:2`);
  expect((await world.rows(issue)).map((row) => row.outcome)).toEqual(["keep", "crash"]);
});

test("a session that begins at what another one found measures it itself, and goes on later without losing its merges", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "of the first night", set: { VALUE: 1.9 } },
      { title: "of the second night", set: { OTHER: -0.1 } },
      { title: "of the third night", set: { OTHER: -0.2 } },
    ]),
    config: "limits: {experiments: 1}\n",
  });
  const first = await world.openSession();
  await world.settled(first, "done");
  const octokit = world.as("ada").rest;
  const found = await world.git("rev-parse", `autoresearch/${first}/frontier`);
  await octokit.git.updateRef({ ...world.at, ref: "heads/main", sha: found });

  const second = await world.openSession();
  await world.settled(second, "done");
  expect((await world.record(second))!.base).toBe(found);
  const told = async () => (await world.rows(second)).map((row) => [row.description, row.outcome, row.value]);
  expect(await told()).toEqual([
    ["baseline", "keep", 1.9],
    ["of the second night", "keep", 1.8],
  ]);
  expect((await world.runs()).map((run) => run.display_title)).toContain(`autoresearch ${second}:0:1`);

  // Where nothing had been measured, a new start would take the default branch as it is by now.
  const frontier = `autoresearch/${second}/frontier`;
  const merged = await world.git("rev-parse", frontier);
  const content = Buffer.from("# mine\n").toString("base64");
  await octokit.repos.createOrUpdateFileContents({ ...world.at, path: "README.md", message: "mine", content });
  const body = "---\nlimits: {experiments: 2}\n---\nLower it.";
  await octokit.issues.update({ ...world.at, issue_number: second, body });
  await octokit.issues.removeLabel({ ...world.at, issue_number: second, name: "autoresearch" });
  await octokit.issues.addLabels({ ...world.at, issue_number: second, labels: ["autoresearch"] });
  await until("a third row is there", async () => (await world.rows(second)).length === 3);
  await world.settled(second, "done");
  expect((await told()).at(-1)).toEqual(["of the third night", "keep", 1.7]);
  expect(await world.git("merge-base", "--is-ancestor", merged, frontier)).toBe("");
});
