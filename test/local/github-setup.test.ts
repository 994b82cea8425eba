/** Repositories and apps come into the world, also a second time after a process that died half-way. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, expect, it } from "vitest";
import { gitEnvironment } from "../../src/local/github/git-command.ts";
import { type LocalGitHub, startLocalGitHub } from "../../src/local/github/server.ts";
import { contractOf } from "../support/openapi.ts";
import { gitAt, jwtOf, octokit, refusal } from "./github-world.ts";

const folders: string[] = [];
const open: LocalGitHub[] = [];
afterEach(async () => {
  for (const github of open.splice(0)) await github.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "local-github-setup-"));
  folders.push(made);
  return made;
}

async function started(dir: string): Promise<LocalGitHub> {
  const github = await startLocalGitHub({ dir });
  open.push(github);
  return github;
}

/** A repository as a person has it: a branch `trunk`, a tag, a stash, a remote's branch. */
async function personsRepository(): Promise<string> {
  const dir = folder();
  await execa("git", ["init", "--quiet", "--initial-branch=trunk", dir], { env: { ...gitEnvironment } });
  const git = (...args: string[]): Promise<string> =>
    gitAt(dir, ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args]);
  writeFileSync(path.join(dir, "train.py"), "LR = 0.1\n");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Begin");
  await git("tag", "v1");
  await git("update-ref", "refs/remotes/upstream/main", "HEAD");
  writeFileSync(path.join(dir, "train.py"), "LR = 0.2\n");
  await git("stash", "--quiet");
  return dir;
}

it("a repository is copied from a person's, with branches and tags and nothing else", async () => {
  const from = await personsRepository();
  const dir = folder();
  const github = await started(dir);
  const directory = path.join(dir, "repo.git");
  const repo = await github.world.createRepo({ owner: "you", name: "tiny", from, directory });
  expect(repo).toMatchObject({ directory, defaultBranch: "trunk" });
  expect((await gitAt(directory, ["for-each-ref", "--format=%(refname)"])).split("\n")).toEqual([
    "refs/heads/trunk",
    "refs/tags/v1",
  ]);
  expect(await gitAt(directory, ["show", "trunk:train.py"])).toBe("LR = 0.1");
  await execa("git", ["clone", "--quiet", `${github.url}/you/tiny.git`, path.join(dir, "clone")], {
    env: { ...gitEnvironment },
  });
  expect(existsSync(path.join(dir, "clone", "train.py"))).toBe(true);
});

it("a person's repository with a detached HEAD is copied with one of its branches as the default", async () => {
  const from = await personsRepository();
  await gitAt(from, ["checkout", "--quiet", "--detach"]);
  const github = await started(folder());
  const repo = await github.world.createRepo({ owner: "you", name: "tiny", from });
  expect(repo.defaultBranch).toBe("trunk");
});

it("what was made before the process died is taken as it is", async () => {
  const dir = folder();
  const first = await started(dir);
  const { directory } = await first.world.createRepo({ owner: "you", name: "tiny", files: { "a.txt": "a\n" } });
  const tip = await gitAt(directory, ["rev-parse", "main"]);
  await first.stop();
  // The journal lost: as if the process had died right after it had made the folder.
  rmSync(path.join(dir, "world"), { recursive: true });
  const second = await started(dir);
  const again = await second.world.createRepo({ owner: "you", name: "tiny", files: { "a.txt": "a\n" } });
  expect(again.directory).toBe(directory);
  expect(await gitAt(directory, ["rev-parse", "main"])).toBe(tip);
});

it("an app that is made once more keeps its id and gets a new key", async () => {
  const github = await started(folder());
  const old = github.world.createApp({ slug: "autoresearch", permissions: { issues: "read" }, events: [] });
  const now = github.world.createApp({ slug: "autoresearch", permissions: { issues: "write" }, events: ["issues"] });
  expect(now.appId).toBe(old.appId);
  const as = async (app: typeof now) => octokit(github, { auth: await jwtOf(app) }).rest.apps.getAuthenticated();
  expect((await as(now)).data?.permissions).toMatchObject({ issues: "write" });
  expect((await refusal(as(old))).status).toBe(401);
});

it("an app on two repositories of one owner has one installation, and is told of each", async () => {
  const github = await started(folder());
  for (const name of ["one", "two"]) await github.world.createRepo({ owner: "you", name, files: {} });
  const app = github.world.createApp({
    slug: "a",
    permissions: { issues: "read" },
    events: [],
    webhookUrl: "http://127.0.0.1:9/",
  });
  const first = github.world.install(app.appId, "you/one");
  expect(github.world.install(app.appId, "you/two")).toBe(first);
  await github.webhooks.settled();
  const contract = contractOf();
  for (const { event, action, guid } of github.webhooks.deliveries(app.appId)) {
    const body: unknown = JSON.parse(github.core.store.get("payload", guid)!.body);
    contract.takeWebhook({ event, action, body });
  }
  expect(contract.violations()).toEqual([]);
  expect(github.webhooks.deliveries(app.appId).map(({ event, action }) => `${event}.${action}`)).toEqual([
    "installation_repositories.added",
    "installation.created",
  ]);
});
