/**
 * The local GitHub with instant runners, in a process of its own, so that what is measured is the bot. Told what to do by the
 * process that forked it (simulation/world.ts).
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { openIssue, putLabels } from "../../src/local/github/issue-changes.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import { makeOlder } from "../../test/support/history.ts";
import { trainPy } from "../../test/support/train-py.ts";
import { startRunners } from "./runners.ts";

export type Ask =
  | {
      readonly kind: "start";
      readonly botPort: number;
      readonly repositories: readonly string[];
      readonly config: string;
      readonly trialMs: number;
    }
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
      return makeOlder(github, ask);
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
  startRunners(github, trialMs);
  github.webhooks.mode = { kind: "parallel" };
  for (const repository of repositories) {
    const [owner = "", name = ""] = repository.split("/");
    await github.world.createRepo({ owner, name, files, private: true });
    github.world.install(app.appId, repository);
  }
  github.world.setWebhookUrl(app.appId, `http://127.0.0.1:${botPort}/api/github/webhooks`);
  return { apiUrl: github.apiUrl, app };
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
