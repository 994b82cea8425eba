/**
 * The local GitHub with instant runners, in a process of its own, so that what is measured is the bot. Told what to do by the
 * process that forked it (simulation/world.ts).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { formatExperimentBranch } from "../../src/domain/names.ts";
import { formatResults, parseResults } from "../../src/domain/results.ts";
import { recordSchema } from "../../src/domain/session.ts";
import { openIssue, putLabels } from "../../src/local/github/issue-changes.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import { startInstantRunners } from "../../test/support/instant.ts";
import { trainPy } from "../../test/support/world.ts";

export type Ask =
  | { readonly kind: "start"; readonly botPort: number; readonly repositories: readonly string[]; readonly config: string; readonly trialMs: number | null }
  | { readonly kind: "open"; readonly repository: string }
  | { readonly kind: "age"; readonly repository: string; readonly issue: number; readonly to: number }
  | { readonly kind: "totals" }
  | { readonly kind: "stop" };

const root = path.resolve(import.meta.dirname, "../..");
const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-bench-"));
const github = await startLocalGitHub({ dir });

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case "start":
      return start(ask);
    case "open": {
      const repo = github.world.repo(ask.repository);
      const doer = { userId: repo.ownerId, appId: null };
      const issue = openIssue(github.core, repo, { title: "Lower it", body: "Lower val_bpb.", labels: [] }, doer);
      putLabels(github.core, repo, issue, { names: ["autoresearch"], keep: true }, doer);
      return issue.number;
    }
    case "age":
      return age(ask);
    case "totals":
      return github.requests();
    case "stop":
      await github.stop();
      rmSync(dir, { recursive: true, force: true });
      setImmediate(() => process.disconnect());
      return null;
  }
}

async function start({ botPort, repositories, config, trialMs }: Extract<Ask, { kind: "start" }>) {
  const files = {
    "train.py": trainPy({ value: 2 }),
    ".github/workflows/autoresearch.yml": readFileSync(path.join(root, ".github/workflows/autoresearch.yml"), "utf8"),
    ".github/autoresearch.yml": config,
  };
  const manifest = parse(readFileSync(path.join(root, "app.yml"), "utf8")) as {
    default_permissions: Record<string, "read" | "write">;
    default_events: string[];
  };
  const app = github.world.createApp({
    slug: "autoresearch",
    permissions: manifest.default_permissions,
    events: manifest.default_events,
  });
  startInstantRunners(github, trialMs === null ? {} : { trialMs });
  for (const repository of repositories) {
    const [owner = "", name = ""] = repository.split("/");
    await github.world.createRepo({ owner, name, files, private: true });
    github.world.install(app.appId, repository);
  }
  github.world.setWebhookUrl(app.appId, `http://127.0.0.1:${botPort}/api/github/webhooks`);
  return { apiUrl: github.apiUrl, app };
}

/**
 * Makes a session older than it is: rows up to experiment `to` in results.tsv, as many keys in session.json, and as many closed
 * pull requests, as if they had been made.
 */
async function age({ repository, issue, to }: Extract<Ask, { kind: "age" }>): Promise<void> {
  const repo = github.world.repo(repository);
  const { core } = github;
  const branch = `autoresearch/${issue}/results`;
  const git = core.git(repo);
  const text = async (name: string) => (await git.object(`refs/heads/${branch}:${name}`))!.content.toString("utf8");
  const record = recordSchema.parse(JSON.parse(await text("session.json")));
  const rows = parseResults(await text("results.tsv"));
  const pulls = core.store.all("issue").filter((each) => each.repoId === repo.id && each.pull !== null);
  const pattern = pulls.find((each) => each.state === "closed" && each.labelIds.length > 0)!;
  const last = rows.at(-1)!;
  const next = Math.max(...rows.map((row) => row.experiment)) + 1;
  for (let experiment = next; experiment <= to; experiment += 1) {
    const number = core.store.all("issue").filter((each) => each.repoId === repo.id).length + 1;
    core.store.put("issue", {
      ...pattern,
      id: core.store.nextId(),
      number,
      title: `exp ${experiment}: an idea of the past`,
      pull: { ...pattern.pull!, id: core.store.nextId(), head: formatExperimentBranch(issue, experiment) },
    });
    const outcome = experiment % 3 === 0 ? "keep" : "discard";
    const value = outcome === "keep" ? 2 - experiment / 10_000 : 2 + (experiment % 17) / 1_000;
    rows.push({ ...last, experiment, pullRequest: number, outcome, value, description: `idea ${experiment}: another learning rate` });
  }
  const tried = [...record.tried, ...rows.map((row) => randomBytes(8).toString("hex").slice(0, 15) + String(row.experiment % 10))];
  const files = [
    { name: "results.tsv", text: formatResults(rows, "val_bpb") },
    { name: "session.json", text: `${JSON.stringify({ ...record, tried }, null, 2)}\n` },
  ];
  const entries = [];
  for (const file of files) entries.push(`100644 blob ${await git.writeBlob(Buffer.from(file.text))}\t${file.name}`);
  const tree = (await execa("git", ["--git-dir", repo.directory, "mktree"], { input: `${entries.join("\n")}\n` })).stdout;
  const identity = ["-c", "user.name=ada", "-c", "user.email=ada@localhost"];
  const commit = (
    await execa("git", ["--git-dir", repo.directory, ...identity, "commit-tree", tree, "-p", `refs/heads/${branch}`, "-m", "Age"])
  ).stdout;
  await execa("git", ["--git-dir", repo.directory, "update-ref", `refs/heads/${branch}`, commit]);
  await github.world.followRefs(repository, "ada");
}

process.on("message", ({ id, ask }: { id: number; ask: Ask }) => {
  answer(ask).then(
    (value) => process.send?.({ id, value: value ?? null }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
// Whoever forked us is gone.
process.on("disconnect", () => {
  rmSync(dir, { recursive: true, force: true });
  process.exit(0);
});
