/** `npm run demo`: `local` on a copy of examples/tiny, with six experiments. A demo that ended begins anew. */
import { cpSync, existsSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { claimDirectory, readJson } from "./directory.ts";
import { parseOptions } from "./options.ts";
import { runLocal } from "./run.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const example = path.join(root, "examples/tiny");
const options = parseOptions(process.argv.slice(2), {
  dir: path.join(root, ".demo"),
  repo: example,
  program: path.join(example, "program.md"),
});
if ("problem" in options) {
  console.error(options.problem);
  process.exit(2);
}

if (hasEnded(options.dir)) rmSync(options.dir, { recursive: true, force: true });
const claimed = claimDirectory(options.dir);
if (claimed !== null) {
  console.error(claimed.problem);
  process.exit(2);
}
const target = path.join(options.dir, "tiny");
await copyExample(target);
process.exitCode = await runLocal(
  { ...options, repo: target, experiments: options.experiments ?? 6 },
  "autoresearch demo",
);

function hasEnded(dir: string): boolean {
  const summary = readJson(path.join(dir, "summary.json")) as { state: string } | null;
  return summary !== null && summary.state !== "running" && summary.state !== "paused";
}

/** The example as a repository of its own, the same commit for everybody. */
async function copyExample(to: string): Promise<void> {
  if (existsSync(path.join(to, ".git"))) return;
  await mkdir(to, { recursive: true });
  cpSync(example, to, { recursive: true, filter: (source) => !source.includes("__pycache__") });
  const date = "2026-01-01T00:00:00Z";
  const identity = {
    GIT_AUTHOR_NAME: "you",
    GIT_AUTHOR_EMAIL: "you@localhost",
    GIT_COMMITTER_NAME: "you",
    GIT_COMMITTER_EMAIL: "you@localhost",
  };
  const git = (...args: string[]) =>
    execa("git", ["-C", to, ...args], { env: { ...identity, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date } });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "A tiny language model");
}
