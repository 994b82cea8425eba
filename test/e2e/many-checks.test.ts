import { expect, test } from "vitest";
import { Client } from "../../src/github/client.ts";
import { runSchema } from "../../src/github/facts.ts";
import { readEvidence } from "../../src/github/observe-trials.ts";
import { emptyView } from "../../src/github/view.ts";
import { sha } from "../../src/domain/names.ts";
import { startWorld } from "../support/e2e.ts";
import { octokitWith, scripted } from "../support/world.ts";

test("our checks are found behind those of a large CI, which fill more than a page", async () => {
  const world = await startWorld({
    researcher: scripted([{ title: "better", set: { VALUE: 1.9 } }]),
    config: "limits: {experiments: 1}\n",
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const base = await world.git("rev-parse", "main");
  const { owner, repo } = world.at;
  const job = world.github.world.jobToken(`${owner}/${repo}`, { checks: "write", actions: "read", contents: "read" });
  const octokit = octokitWith(world.github, job);
  const lint = { owner, repo, head_sha: base, status: "completed", conclusion: "success" } as const;
  // GitHub lists the newest first.
  for (let index = 0; index < 120; index += 1) await octokit.rest.checks.create({ ...lint, name: `lint ${index}` });

  const view = emptyView({ owner, repo, issue });
  view.record = await world.record(issue);
  for (const run of await world.runs()) view.runs.set(run.id, runSchema.parse(run));
  await readEvidence(new Client(octokit), view, sha(base), 0);
  expect(view.checks.get(sha(base))!.map((check) => check.name)).toEqual(
    expect.arrayContaining(["autoresearch", "val_bpb"]),
  );
  expect(view.checks.get(sha(base))).toHaveLength(2);
});
