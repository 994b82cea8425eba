/**
 * Makes a session older than it is, as if experiments up to a number had been settled: rows in results.tsv, keys in
 * session.json, closed pull requests. Running a thousand takes minutes, and leaves the same.
 */
import { createHash } from "node:crypto";
import { execa } from "execa";
import { formatExperimentBranch } from "../../src/domain/names.ts";
import { type Row, formatResults, parseResults } from "../../src/domain/results.ts";
import { recordSchema } from "../../src/domain/session.ts";
import { issuesOf } from "../../src/local/github/finders.ts";
import type { LocalGitHub } from "../../src/local/github/server.ts";

export type Age = { readonly repository: string; readonly issue: number; readonly to: number };

/** At least one experiment must be settled; the bot must not write meanwhile. */
export async function makeOlder({ core, world }: LocalGitHub, { repository, issue, to }: Age): Promise<void> {
  const repo = world.repo(repository);
  const git = core.git(repo);
  const ref = `refs/heads/autoresearch/${issue}/results`;
  const text = async (name: string) => (await git.object(`${ref}:${name}`))!.content.toString("utf8");
  const record = recordSchema.parse(JSON.parse(await text("session.json")));
  const rows: Row[] = parseResults(await text("results.tsv"));
  const last = rows.at(-1)!;
  const pattern = issuesOf(core.store, repo).find(
    (each) => each.pull !== null && each.state === "closed" && each.labelIds.length > 0,
  )!;
  let number = issuesOf(core.store, repo).length;
  for (let experiment = last.experiment + 1; experiment <= to; experiment += 1) {
    number += 1;
    core.store.put("issue", {
      ...pattern,
      id: core.store.nextId(),
      number,
      title: `exp ${experiment}: an idea of the past`,
      pull: { ...pattern.pull!, id: core.store.nextId(), head: formatExperimentBranch(issue, experiment) },
    });
    const outcome = experiment % 3 === 0 ? "keep" : "discard";
    const value = outcome === "keep" ? 2 - experiment / 10_000 : 2 + (experiment % 17) / 1_000;
    const description = `idea ${experiment}: another learning rate`;
    rows.push({ ...last, experiment, pullRequest: number, outcome, value, description });
  }
  const keys = rows.map((row) => createHash("sha256").update(String(row.experiment)).digest("hex").slice(0, 16));
  const files = {
    "results.tsv": formatResults(rows, record.config.metric.name),
    "session.json": `${JSON.stringify({ ...record, tried: [...record.tried, ...keys] }, null, 2)}\n`,
  };
  const lines: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    lines.push(`100644 blob ${await git.writeBlob(Buffer.from(content))}\t${name}\n`);
  }
  const run = async (args: string[], input = "") =>
    (await execa("git", ["--git-dir", repo.directory, ...args], { input })).stdout;
  const tree = await run(["mktree"], lines.join(""));
  const identity = ["-c", "user.name=ada", "-c", "user.email=ada@localhost"];
  const commit = await run([...identity, "commit-tree", tree, "-p", ref, "-m", "Grow old"]);
  await run(["update-ref", ref, commit]);
  await world.followRefs(repository, "ada");
}
