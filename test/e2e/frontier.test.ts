import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { scripted } from "../support/world.ts";

test("with two runners the second winner is stale: it is carried onto the new frontier and measured again", async () => {
  const world = await startWorld({
    runners: 2,
    researcher: scripted([
      { title: "a gain", set: { VALUE: 1.9, SLEEP: 2 } },
      { title: "another gain", set: { OTHER: -0.1 } },
    ]),
    config: "runner: {concurrency: 2}\nlimits: {experiments: 2}\n",
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");

  const rows = await world.rows(issue);
  expect(rows.map((row) => row.outcome)).toEqual(["keep", "keep", "keep"]);
  expect(rows.at(-1)!.value).toBeCloseTo(1.8, 6);
  const frontier = `autoresearch/${issue}/frontier`;
  const train = await world.text("train.py", frontier);
  expect(train).toContain("VALUE = 1.9");
  expect(train).toContain("OTHER = -0.1");
  // Whichever came second was trained twice: on the base, and on what the first had made of the frontier.
  const trials = (await world.runs())
    .map((run) => run.display_title)
    .filter((title) => !title.startsWith(`autoresearch ${issue}:0:`));
  expect(trials).toHaveLength(3);
  const merges = (
    await world.git("log", "--first-parent", "--format=%T %P", `${(await world.record(issue))!.base}..${frontier}`)
  ).split("\n");
  expect(merges).toHaveLength(2);
  for (const merge of merges) {
    const [tree, , candidate] = merge.split(" ");
    expect(await world.git("rev-parse", `${candidate}^{tree}`)).toBe(tree);
  }
  // The carried commit says what was tried before it: a later process need not find the runs.
  const carried = merges[0]!.split(" ")[2]!;
  const message = await world.git("log", "-1", "--format=%B", carried);
  expect(message).toContain("\nAttempts-Before: 1");
  const former = /^Contents-Before: (\w+)$/m.exec(message)![1]!;
  expect(await world.git("log", "-1", "--format=%B", `${carried}^1`)).toContain(`\nContents: ${former}`);
  expect((await world.record(issue))!.tried).toContain(former);
});

test("a gain within the noise is measured again before anybody believes it", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([
      { title: "luck", set: { OTHER: -0.0003 } },
      { title: "a gain", set: { OTHER: -0.1 } },
    ]),
    config: "limits: {experiments: 2}\n",
    files: {
      ".github/autoresearch.yml":
        "mutable: [train.py]\ntrial: {command: python3 train.py, budget: 3s, timeout: 20s}\nkeep: {baseline_trials: 1, trials: 2, noise: 0.0004}\nlimits: {experiments: 2}\n",
    },
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const rows = await world.rows(issue);
  expect(rows.map((row) => row.outcome)).toEqual(["keep", "within_noise", "keep"]);
  const trials = (await world.runs()).map((run) => run.display_title).sort();
  expect(trials).toEqual(
    [1, 2]
      .map((attempt) => `autoresearch ${issue}:1:${attempt}`)
      .concat(`autoresearch ${issue}:0:1`, `autoresearch ${issue}:2:1`)
      .sort(),
  );
});

test("a training that does not end is ended, and called a time-out", async () => {
  const world = await startWorld({
    training: "real",
    researcher: scripted([{ title: "endless", set: { SLEEP: 600 } }]),
    files: {
      ".github/autoresearch.yml":
        "mutable: [train.py]\ntrial: {command: python3 train.py, budget: 1s, timeout: 2s}\nkeep: {baseline_trials: 1}\nlimits: {experiments: 1}\n",
    },
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const row = (await world.rows(issue)).at(-1)!;
  expect([row.outcome, row.value]).toEqual(["timeout", null]);
  const pull = (await world.pulls())[0]!;
  expect(pull.labels.map((label) => label.name)).toContain("timeout");
  const verdict = (await world.checks(pull.head.sha)).find((check) => check.name === "autoresearch")!;
  expect(verdict.conclusion).toBe("timed_out");
});
