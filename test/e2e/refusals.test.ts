import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { until, type World, type WorldOptions } from "../support/world.ts";

const workflow = ".github/workflows/autoresearch.yml";
const shipped = readFileSync(path.resolve(import.meta.dirname, "../..", workflow), "utf8");

async function refusalOf(options: WorldOptions, body?: string, prepare?: (world: World) => void): Promise<string> {
  const world = await startWorld(options);
  prepare?.(world);
  const issue = await world.openSession(body);
  const said = await until("the bot answers", async () => (await world.comments(issue))[0]?.body);
  await until("the label is off", async () => (await world.labels(issue)).length === 0);
  expect(await world.git("for-each-ref", "refs/heads/autoresearch/")).toBe("");
  expect(await world.comments(issue)).toHaveLength(1);
  return said.split("\n")[0]!;
}

test("a wrong value is answered with its line", async () => {
  expect(
    await refusalOf({ files: { ".github/autoresearch.yml": "mutable: [train.py]\ntrial:\n  budget: 5 parsecs\n" } }),
  ).toBe(
    "I can't start: `.github/autoresearch.yml` line 3: `trial.budget` must be a duration such as `5m`, got `5 parsecs`. Mend it and put the label on again.",
  );
});

test("an unknown key in the issue's front matter is answered with its line", async () => {
  expect(await refusalOf({}, "---\nlimits:\n  experimnts: 3\n---\nDo research.")).toBe(
    "I can't start: The issue line 3: I don't know the key `limits.experimnts`. Did you mean `experiments`? Mend it and put the label on again.",
  );
});

test("a permission that the app lacks is named; once it is given, the label starts the session", async () => {
  const world = await startWorld({ permissions: { checks: "read" }, config: "limits: {experiments: 1}\n" });
  const issue = await world.openSession();
  const said = await until("the bot answers", async () => (await world.comments(issue))[0]?.body);
  expect(said.split("\n")[0]).toBe(
    "I can't start: the app lacks checks: write (it has read). Whoever owns the app can mend it: add it on the app's settings page under *Permissions & events*, and accept the change where the app is installed. Mend it and put the label on again.",
  );
  await until("the label is off", async () => (await world.labels(issue)).length === 0);
  const { store } = world.github.core;
  const app = store.get("app", world.app.appId)!;
  store.put("app", { ...app, permissions: { ...app.permissions, checks: "write" } });
  await world.as("ada").rest.issues.addLabels({ ...world.at, issue_number: issue, labels: ["autoresearch"] });
  await until("the session has begun", () => world.record(issue));
});

test("a missing workflow file is named", async () => {
  expect(await refusalOf({ files: { ".github/workflows/autoresearch.yml": null } })).toMatch(
    /^I can't start: `\.github\/workflows\/autoresearch\.yml` is not on `main`\./,
  );
});

test("a workflow file that is not ours in what matters is refused with the place; versions and comments are free", async () => {
  const free = shipped.replaceAll("action@v1", "action@0123456789abcdef0123456789abcdef01234567");
  expect(await refusalOf({ files: { [workflow]: free.replace(/^ {4}if: needs.*\n/m, "    # no condition\n") } })).toBe(
    "I can't start: `.github/workflows/autoresearch.yml` on `main` is not the one that I work with: `jobs.report.if` is missing, and should be `needs.train.outputs.measurement != ''`. Copy it there anew as the README says. Mend it and put the label on again.",
  );
  const world = await startWorld({ files: { [workflow]: free }, config: "limits: {experiments: 1}\n" });
  const issue = await world.openSession();
  await until("the session has begun", () => world.record(issue));
});

test("a public repository with a self-hosted runner is refused, unless its own file names it", async () => {
  const config = "mutable: [train.py]\nrunner: {allow_public: ada/else}\n";
  // Anybody can write an issue: what its front matter says does not count for this.
  const said = await refusalOf(
    { public: true, files: { ".github/autoresearch.yml": config } },
    "---\nrunner: {allow_public: ada/model}\n---\nDo research.",
  );
  expect(said).toMatch(/^I can't start: `ada\/model` is public and its runner may be a machine of yours: /);
  expect(said).toContain("Make the repository private.");
  expect(said).toContain("`runner: {allow_public: ada/model}`");
});

test("a program without text is none", async () => {
  expect(await refusalOf({}, "---\nlimits: {experiments: 3}\n---\n\n<!-- nothing yet -->\n")).toMatch(
    /^I can't start: the issue has no text\./,
  );
});

test("a mutable path must exist", async () => {
  expect(await refusalOf({ files: { ".github/autoresearch.yml": "mutable: [trian.py]\n" } })).toMatch(
    /^I can't start: `mutable` names `trian\.py`, which does not exist on `main`/,
  );
});

test("mended, with the label on again, the session starts", async () => {
  const world = await startWorld({ config: "researcher: {kind: mutate}\n" });
  const issue = await world.openSession("---\nlimits: {experiments: none}\n---\nDo research.");
  await until(
    "it is refused",
    async () => (await world.labels(issue)).length === 0 && (await world.comments(issue)).length === 1,
  );
  const octokit = world.as("ada");
  await octokit.rest.issues.update({
    ...world.at,
    issue_number: issue,
    body: "---\nlimits: {experiments: 1}\n---\nDo research.",
  });
  await octokit.rest.issues.addLabels({ ...world.at, issue_number: issue, labels: ["autoresearch"] });
  await world.settled(issue, "done");
});

test("work of an earlier session, whose results branch is gone, is not run over", async () => {
  const world = await startWorld();
  const octokit = world.as("ada");
  const base = await world.git("rev-parse", "main");
  const tree = await world.git("rev-parse", "main^{tree}");
  const { data: commit } = await octokit.rest.git.createCommit({
    ...world.at,
    message: "found",
    tree,
    parents: [base],
  });
  await octokit.rest.git.createRef({ ...world.at, ref: "refs/heads/autoresearch/1/frontier", sha: commit.sha });
  const issue = await world.openSession();
  expect(issue).toBe(1);
  const said = await until("the bot answers", async () => (await world.comments(issue))[0]?.body);
  expect(said).toContain("holds an earlier session's work");
  expect(await world.git("rev-parse", "autoresearch/1/frontier")).toBe(commit.sha);
});
