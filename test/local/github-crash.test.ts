/** The process dies at any moment; the world does not. */
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Octokit } from "@octokit/rest";
import { afterEach, expect, it } from "vitest";
import { Store } from "../../src/local/github/store.ts";
import { at, commitOn, gitAt, octokit, openPullRequest, tipOf } from "./github-world.ts";

type Ready = { url: string; token: string; directory: string };
const children: { kill: () => Promise<void> }[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "local-github-crash-"));
  folders.push(made);
  return made;
}

async function started(dir: string) {
  const script = fileURLToPath(new URL("./github-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, dir], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  children.push({ kill });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`exit ${code}`)));
  });
  const ready = JSON.parse(line) as Ready;
  return { ...ready, kill, ada: octokit({ apiUrl: `${ready.url}/api/v3` }, { auth: ready.token }) };
}

/** Works until the server is gone; gives what was answered for. */
async function work(ada: Octokit, enough: (done: number) => void) {
  const issues: number[] = [];
  const branches = new Map<string, string>();
  const comments: number[] = [];
  const main = await tipOf(ada, "main");
  const lanes = [0, 1, 2, 3].map(async (lane) => {
    for (let step = 0; ; step++) {
      const title = `Issue ${lane}.${step}`;
      const { data: issue } = await ada.rest.issues.create({ ...at, title, body: "x".repeat(2_000) });
      issues.push(issue.number);
      const body = `On ${title}`;
      const { data: comment } = await ada.rest.issues.createComment({ ...at, issue_number: issue.number, body });
      comments.push(comment.id);
      const sha = await commitOn(ada, main, { "train.py": `LR = ${lane}.${step}\n` });
      await ada.rest.git.createRef({ ...at, ref: `refs/heads/exp-${lane}-${step}`, sha });
      branches.set(`exp-${lane}-${step}`, sha);
      enough(issues.length);
    }
  });
  await Promise.allSettled(lanes);
  return { issues, branches, comments };
}

it("kill -9 amid the work loses nothing that was answered for", async () => {
  const dir = folder();
  const first = await started(dir);
  const done = await work(first.ada, (count) => {
    if (count === 20) void first.kill();
  });
  expect(done.issues.length).toBeGreaterThanOrEqual(20);
  const { ada, directory } = await started(dir);
  const all = await ada.paginate(ada.rest.issues.listForRepo, { ...at, state: "all", per_page: 100 });
  const numbers = all.map((issue) => issue.number);
  expect(numbers).toEqual(expect.arrayContaining(done.issues));
  expect(new Set(numbers).size).toBe(numbers.length);
  const comments = await ada.paginate(ada.rest.issues.listCommentsForRepo, { ...at, per_page: 100 });
  expect(comments.map((comment) => comment.id)).toEqual(expect.arrayContaining(done.comments));
  for (const [branch, sha] of done.branches) expect(await tipOf(ada, branch)).toBe(sha);
  expect(await gitAt(directory, ["fsck", "--no-dangling"])).toBe("");
  const next = await ada.rest.issues.create({ ...at, title: "Afterwards" });
  expect(next.data.number).toBe(Math.max(...numbers) + 1);
});

it("what git says after a restart is followed: heads that moved, merges that were not marked", async () => {
  const dir = folder();
  const first = await started(dir);
  const moved = await openPullRequest(first.ada, "moved", { "a.txt": "a\n" });
  const merged = await openPullRequest(first.ada, "merged", { "b.txt": "b\n" });
  const gone = await openPullRequest(first.ada, "gone", { "c.txt": "c\n" });
  const next = await commitOn(first.ada, moved.head, { "a.txt": "b\n" });
  await first.kill();
  await gitAt(first.directory, ["update-ref", "refs/heads/moved", next]);
  await gitAt(first.directory, ["update-ref", "refs/heads/main", merged.head]);
  await gitAt(first.directory, ["update-ref", "-d", "refs/heads/gone"]);
  const { ada } = await started(dir);
  const read = async (number: number) => (await ada.rest.pulls.get({ ...at, pull_number: number })).data;
  expect(await read(moved.number)).toMatchObject({ state: "open", head: { sha: next } });
  expect(await read(merged.number)).toMatchObject({ state: "closed", merged: true });
  expect(await read(gone.number)).toMatchObject({ state: "closed", merged: false });
});

it("a line that was cut off is dropped, and ids go on", () => {
  const dir = folder();
  const store = Store.open(dir);
  const label = (id: number) => ({ id, repoId: 1, name: `l${id}`, color: "", description: null, default: false });
  const kept = store.put("label", label(store.nextId()));
  const removed = store.put("label", label(store.nextId()));
  store.remove("label", removed.id);
  store.close();
  appendFileSync(path.join(dir, "journal.ndjson"), '{"t":"label","row":{"id":99');
  const again = Store.open(dir);
  expect(again.all("label")).toEqual([kept]);
  expect(again.nextId()).toBeGreaterThan(removed.id);
  again.close();
});
