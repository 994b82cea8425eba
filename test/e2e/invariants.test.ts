import { expect, test } from "vitest";
import { mintToken } from "../../src/local/github/auth.ts";
import { startWorld } from "../support/e2e.ts";
import { unfinishedIn, wrongsIn } from "../support/invariants.ts";
import { octokitWith, scripted, type World } from "../support/world.ts";

/** Speaks in the bot's name, as a bot with a fault would. */
function asBot(world: World) {
  const { store } = world.github.core;
  const installation = store.all("installation").find((each) => each.appId === world.app.appId)!;
  const { permissions } = store.get("app", world.app.appId)!;
  const grant = { kind: "installation", installationId: installation.id, permissions, repositoryIds: null, job: false };
  return octokitWith(world.github, mintToken(store, grant as never, null));
}

/** A second trial of the same candidate: its check, its run, and the job that vouches. */
function trialAgain(world: World, trial: string, again: string): void {
  const { store } = world.github.core;
  const check = store.all("checkRun").find((each) => each.externalId === trial && each.output.text !== null)!;
  store.put("checkRun", { ...check, id: store.nextId(), externalId: again });
  const run = store.all("workflowRun").find((each) => each.displayTitle.endsWith(` ${trial}`))!;
  const copy = { ...run, id: store.nextId(), displayTitle: run.displayTitle.replace(trial, again) };
  store.put("workflowRun", copy);
  for (const job of store.all("workflowJob").filter((each) => each.runId === run.id))
    store.put("workflowJob", { ...job, id: store.nextId(), runId: copy.id });
}

test("each invariant is told when it is broken", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "better", set: { VALUE: 1.9 } },
      { title: "worse", set: { OTHER: 0.5 } },
    ]),
    config: "limits: {experiments: 2}\n",
    exempt: Object.fromEntries(
      [
        "frontier",
        "trials",
        "protectedFiles",
        "rows",
        "pulls",
        "stop",
        "comments",
        "prepared",
        "dispatches",
        "furtherPass",
      ].map((name) => [name, "the test breaks them all"]),
    ),
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect(await unfinishedIn(world.site)).toEqual([]);
  await world.stopBot();
  expect(await wrongsIn(world.site)).toEqual([]);

  const { at } = world;
  const bot = asBot(world);
  const frontier = `autoresearch/${issue}/frontier`;
  const tip = await world.git("rev-parse", frontier);
  const [, candidate] = (await world.git("log", "-1", "--format=%P", frontier)).split(" ");
  const message = (await world.git("log", "-1", "--format=%B", frontier)).replace(
    /^Val-Bpb: .*$/m,
    "Val-Bpb: 1.950000",
  );

  // A tree that nobody measured, with a protected file changed, said to be the winner's, and worse than before.
  const files = [{ path: "prepare.py", mode: "100644" as const, type: "blob" as const, content: "DATA = 2\n" }];
  const { data: tree } = await bot.rest.git.createTree({ ...at, base_tree: tip, tree: files });
  const parents = [tip, candidate!];
  const { data: merge } = await bot.rest.git.createCommit({ ...at, message, tree: tree.sha, parents });
  await bot.rest.git.updateRef({ ...at, ref: `heads/${frontier}`, sha: merge.sha });
  // Second copies: a row, a pull request of the same experiment (after a stop, one more than may be), a comment, a run.
  const rows = await world.text("results.tsv", `autoresearch/${issue}/results`);
  const { data: results } = await bot.rest.repos.getContent({
    ...at,
    path: "results.tsv",
    ref: `autoresearch/${issue}/results`,
  });
  await bot.rest.repos.createOrUpdateFileContents({
    ...at,
    path: "results.tsv",
    branch: `autoresearch/${issue}/results`,
    message: "again",
    content: Buffer.from(`${rows}${rows!.trimEnd().split("\n").at(-1)}\n`).toString("base64"),
    sha: (results as { sha: string }).sha,
  });
  const stop = await world.comment(issue, "/autoresearch stop");
  await bot.rest.reactions.createForIssueComment({ ...at, comment_id: stop, content: "+1" });
  for (const number of [2, 3, 4, 5]) {
    const head = `autoresearch/${issue}/exp-000${number}`;
    if (number > 2) await bot.rest.git.createRef({ ...at, ref: `refs/heads/${head}`, sha: candidate! });
    else await bot.rest.git.updateRef({ ...at, ref: `heads/${head}`, sha: candidate!, force: true });
    await bot.rest.pulls.create({ ...at, title: `exp ${number}: again`, head, base: "main" });
  }
  await bot.rest.issues.createComment({ ...at, issue_number: issue, body: (await world.dashboard(issue))! });
  trialAgain(world, `${issue}:1:1`, `${issue}:1:2`);
  const [run] = await world.runs();
  const row = world.github.core.store.get("workflowRun", run!.id)!;
  world.github.core.store.put("workflowRun", { ...row, id: world.github.core.store.nextId() });

  const wrongs = await wrongsIn(world.site);
  const tellsOf = (rule: string, what: string) =>
    expect(wrongs.filter((wrong) => wrong.startsWith(`#${issue} ${rule}: `)).join("\n")).toContain(what);
  tellsOf("frontier", "holds another tree than its candidate");
  tellsOf("frontier", "says 1.95 of 1 trials, and 1.9, 1.9 was measured");
  tellsOf("frontier", "(1.95) after 1.9");
  tellsOf("trials", "counts 1 of 2 trials");
  tellsOf("protectedFiles", "changed prepare.py");
  tellsOf("rows", "2 is there twice");
  tellsOf("pulls", "the pull request of 2 is there twice");
  tellsOf("stop", "was opened after the stop");
  tellsOf("stop", "was dispatched after the stop");
  tellsOf("comments", "dashboard is there twice");
  tellsOf("prepared", "is one more than 2 prepared experiments");
  tellsOf("dispatches", "is there twice");
  expect((await unfinishedIn(world.site, {}, 0)).join("\n")).toContain("a further pass would");
});
