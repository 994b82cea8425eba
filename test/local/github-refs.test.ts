/** Refs under contention, git over HTTP, and what becomes of pull requests when branches move. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, expect, it } from "vitest";
import { gitEnvironment } from "../../src/local/github/git-command.ts";
import {
  at,
  commitOn,
  gitAt,
  openPullRequest,
  refusal,
  startTestWorld,
  type TestWorld,
  tipOf,
} from "./github-world.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A clone over HTTP in the name of whose token it is. */
async function cloned(world: TestWorld, token: string) {
  const folder = mkdtempSync(path.join(tmpdir(), "clone-"));
  folders.push(folder);
  const url = `${world.github.url.replace("//", `//x-access-token:${token}@`)}/octo/lab.git`;
  await execa("git", ["clone", "--quiet", url, folder], { env: { ...gitEnvironment } });
  const git = async (...args: string[]): Promise<string> => (await gitAt(folder, args)).trim();
  await git("config", "user.name", "Ada");
  await git("config", "user.email", "ada@example.org");
  return {
    git,
    commit: async (file: string, text: string): Promise<string> => {
      writeFileSync(path.join(folder, file), text);
      await git("add", "--all");
      await git("commit", "--quiet", "--message", `Change ${file}`);
      return git("rev-parse", "HEAD");
    },
  };
}

it("of many who create the same ref one wins, and the others are told so", async () => {
  const { bot, git } = await startTestWorld();
  const main = await tipOf(bot, "main");
  const commits = await Promise.all(["a", "b", "c", "d"].map((name) => commitOn(bot, main, { [name]: name })));
  const attempts = await Promise.allSettled(
    commits.map((sha) => bot.rest.git.createRef({ ...at, ref: "refs/heads/exp-0001", sha })),
  );
  const lost = attempts.filter((one) => one.status === "rejected");
  expect(lost).toHaveLength(3);
  for (const one of lost) {
    expect(await refusal(Promise.reject(one.reason))).toEqual({ status: 422, message: "Reference already exists" });
  }
  const winner = attempts.findIndex((one) => one.status === "fulfilled");
  expect(await git("rev-parse", "exp-0001")).toBe(commits[winner]);
});

it("of many who move a ref without force one wins, and the ref only goes forward", async () => {
  const { bot, git } = await startTestWorld();
  const main = await tipOf(bot, "main");
  const commits = await Promise.all(["a", "b", "c", "d"].map((name) => commitOn(bot, main, { [name]: name })));
  const attempts = await Promise.allSettled(
    commits.map((sha) => bot.rest.git.updateRef({ ...at, ref: "heads/main", sha, force: false })),
  );
  const winner = attempts.findIndex((one) => one.status === "fulfilled");
  for (const one of attempts.filter((each) => each.status === "rejected")) {
    expect(await refusal(Promise.reject(one.reason))).toEqual({ status: 422, message: "Update is not a fast forward" });
  }
  expect(attempts.filter((one) => one.status === "fulfilled")).toHaveLength(1);
  expect(await git("rev-parse", "main", "main~1")).toBe(`${commits[winner]}\n${main}`);
});

it("refs answer what they can't do as GitHub does", async () => {
  const { bot } = await startTestWorld();
  const main = await tipOf(bot, "main");
  const { createRef, updateRef, deleteRef, getRef } = bot.rest.git;
  const nothing = "1".repeat(40);
  const cases: [() => Promise<unknown>, number, string][] = [
    [() => createRef({ ...at, ref: "refs/heads/new", sha: nothing }), 422, "Object does not exist"],
    [() => createRef({ ...at, ref: "refs/heads/main/below", sha: main }), 422, "Reference update failed"],
    [() => updateRef({ ...at, ref: "heads/none", sha: main }), 422, "Reference does not exist"],
    [() => deleteRef({ ...at, ref: "heads/none" }), 422, "Reference does not exist"],
    [() => getRef({ ...at, ref: "heads/none" }), 404, "Not Found"],
    [() => getRef({ ...at, ref: "heads/mai" }), 404, "Not Found"],
  ];
  for (const [request, status, message] of cases) expect(await refusal(request())).toEqual({ status, message });
});

it("a push moves the pull request's head, tells of it and is seen at once through the API", async () => {
  const world = await startTestWorld();
  const { number, head } = await openPullRequest(world.bot, "exp", { "train.py": "LR = 0.2\n" });
  const clone = await cloned(world, world.github.world.personalToken("ada"));
  await clone.git("checkout", "--quiet", "exp");
  const pushed = await clone.commit("train.py", "LR = 0.5\n");
  await clone.git("push", "--quiet", "origin", "exp");
  const { data } = await world.bot.rest.pulls.get({ ...at, pull_number: number });
  expect(data.head.sha).toBe(pushed);
  const [hook] = await world.heard("pull_request", "synchronize");
  expect(hook!.body).toMatchObject({ before: head, after: pushed, sender: { login: "ada" } });
  const [push] = (await world.heard("push")).slice(-1);
  expect(push!.body).toMatchObject({ ref: "refs/heads/exp", before: head, after: pushed, forced: false });
});

it("a commit is fetched by its id although no branch has it", async () => {
  const world = await startTestWorld();
  const orphan = await commitOn(world.bot, await tipOf(world.bot, "main"), { "only.txt": "here\n" });
  const clone = await cloned(world, world.github.world.jobToken("octo/lab", { contents: "read" }));
  await clone.git("fetch", "--quiet", "--depth", "1", "origin", orphan);
  expect(await clone.git("show", `${orphan}:only.txt`)).toBe("here");
});

it("who may not push is refused, and a private repository is not even there for strangers", async () => {
  const world = await startTestWorld({ private: true });
  await expect(cloned(world, world.github.world.personalToken("stranger"))).rejects.toThrow(/not found|403|404/i);
  world.github.world.setPermission("octo/lab", "reader", "read");
  const clone = await cloned(world, world.github.world.personalToken("reader"));
  await clone.commit("train.py", "LR = 9\n");
  await expect(clone.git("push", "--quiet", "origin", "main")).rejects.toThrow(/403/);
  expect(await world.git("show", "main:train.py")).toBe("LR = 0.1");
});

it("an app without the workflows permission brings no workflow, by API or by push", async () => {
  const world = await startTestWorld();
  const main = await tipOf(world.bot, "main");
  const file = ".github/workflows/evil.yml";
  const sha = await commitOn(world.bot, main, { [file]: "on: push\n" });
  const refused = await refusal(world.bot.rest.git.createRef({ ...at, ref: "refs/heads/evil", sha }));
  expect(refused).toMatchObject({ status: 403, message: expect.stringContaining("without `workflows` permission") });
  const clone = await cloned(world, world.botToken);
  await clone.git("fetch", "--quiet", "origin", sha);
  await expect(clone.git("push", "origin", `${sha}:refs/heads/evil`)).rejects.toThrow(/refusing to allow a GitHub App/);
  expect(await world.git("for-each-ref", "refs/heads/evil")).toBe("");
  await clone.commit("train.py", "LR = 0.7\n");
  await clone.git("push", "--quiet", "origin", "HEAD:refs/heads/fine");
  expect(await world.git("show", "fine:train.py")).toBe("LR = 0.7");
});

it("a pull request whose head the base reaches is merged, however it came there", async () => {
  const { bot, heard, git } = await startTestWorld();
  const main = await tipOf(bot, "main");
  const { number, head } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  const other = await openPullRequest(bot, "other", { "other.txt": "x\n" });
  const tree = (await bot.rest.git.getCommit({ ...at, commit_sha: head })).data.tree.sha;
  const merge = await bot.rest.git.createCommit({ ...at, message: "Merge", tree, parents: [main, head] });
  await bot.rest.git.updateRef({ ...at, ref: "heads/main", sha: merge.data.sha, force: false });
  const { data } = await bot.rest.pulls.get({ ...at, pull_number: number });
  expect(data).toMatchObject({ state: "closed", merged: true, merge_commit_sha: merge.data.sha });
  const [closed] = await heard("pull_request", "closed");
  expect(closed!.body).toMatchObject({ number, pull_request: { merged: true } });
  const events = await bot.rest.issues.listEvents({ ...at, issue_number: number });
  expect(events.data.map((one) => one.event)).toEqual(["merged", "closed"]);
  expect((await bot.rest.pulls.get({ ...at, pull_number: other.number })).data.state).toBe("open");
  // The branch may go; the pull request keeps its commits.
  await bot.rest.git.deleteRef({ ...at, ref: "heads/exp" });
  expect(await git("rev-parse", `refs/pull/${number}/head`)).toBe(head);
});

it("deleting the head or the base closes the pull request; a lost branch can't be reopened", async () => {
  const { bot, as } = await startTestWorld();
  const main = await tipOf(bot, "main");
  await bot.rest.git.createRef({ ...at, ref: "refs/heads/frontier", sha: main });
  const { number } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  await bot.rest.pulls.update({ ...at, pull_number: number, base: "frontier" });
  await bot.rest.git.deleteRef({ ...at, ref: "heads/frontier" });
  expect((await bot.rest.pulls.get({ ...at, pull_number: number })).data).toMatchObject({
    state: "closed",
    merged: false,
  });
  const second = await openPullRequest(bot, "exp2", { "train.py": "LR = 0.3\n" });
  await as("ada").rest.git.deleteRef({ ...at, ref: "heads/exp2" });
  expect((await bot.rest.pulls.get({ ...at, pull_number: second.number })).data).toMatchObject({ state: "closed" });
  const again = bot.rest.pulls.update({ ...at, pull_number: second.number, state: "open" });
  expect(await refusal(again)).toMatchObject({ status: 422, message: expect.stringContaining("has been deleted") });
});

it("a fork's pull request has its head here, and is none of the branch that has its name here", async () => {
  const { github, bot, as } = await startTestWorld();
  await github.world.createRepo({ owner: "mallory", name: at.repo, from: github.world.repo("octo/lab").directory });
  const mallory = as("mallory");
  const fork = { owner: "mallory", repo: at.repo };
  const main = await tipOf(bot, "main");
  await mallory.rest.git.createRef({ ...fork, ref: "refs/heads/exp", sha: main });
  await mallory.rest.repos.createOrUpdateFileContents({
    ...fork,
    branch: "exp",
    path: "new.txt",
    message: "Offer",
    content: Buffer.from("theirs").toString("base64"),
  });
  const { data: tip } = await mallory.rest.git.getRef({ ...fork, ref: "heads/exp" });
  const head = tip.object.sha;
  const { data } = await mallory.rest.pulls.create({ ...at, title: "x", head: "mallory:exp", base: "main" });
  expect(data.head).toMatchObject({ ref: "exp", sha: head, label: "mallory:exp", repo: { full_name: "mallory/lab" } });
  expect((await bot.rest.git.getCommit({ ...at, commit_sha: head })).data.message).toBe("Offer");
  // A branch of that name here is another one, with a pull request of its own.
  const own = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  await bot.rest.git.deleteRef({ ...at, ref: "heads/exp" });
  const open = await bot.rest.pulls.list({ ...at, state: "open" });
  expect(open.data.map(({ number, head: { sha } }) => [number, sha])).toEqual([[data.number, head]]);
  expect((await bot.rest.pulls.get({ ...at, pull_number: own.number })).data.state).toBe("closed");
  const listed = await bot.rest.pulls.list({ ...at, head: "octo:exp", state: "all" });
  expect(listed.data.map(({ number }) => number)).toEqual([own.number]);
});

it("pull requests are refused with GitHub's words", async () => {
  const { bot } = await startTestWorld();
  const main = await tipOf(bot, "main");
  const { number, head } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  await bot.rest.git.createRef({ ...at, ref: "refs/heads/same", sha: main });
  const create = (head: string, base = "main") => refusal(bot.rest.pulls.create({ ...at, title: "x", head, base }));
  expect(await create("octo:exp")).toEqual({ status: 422, message: "A pull request already exists for octo:exp." });
  expect(await create("same")).toEqual({ status: 422, message: "No commits between main and same" });
  expect((await create("none")).status).toBe(422);
  expect((await create("exp", "none")).status).toBe(422);
  const merge = (sha?: string) =>
    refusal(bot.rest.pulls.merge({ ...at, pull_number: number, ...(sha === undefined ? {} : { sha }) }));
  expect((await merge(main)).status).toBe(409);
  // The same line changed on main: git can't merge, and GitHub says 405.
  const rival = await commitOn(bot, main, { "train.py": "LR = 7\n" });
  await bot.rest.git.updateRef({ ...at, ref: "heads/main", sha: rival });
  expect((await bot.rest.pulls.get({ ...at, pull_number: number })).data).toMatchObject({
    mergeable: false,
    mergeable_state: "dirty",
    head: { sha: head },
  });
  expect(await merge(head)).toEqual({ status: 405, message: "Pull Request is not mergeable" });
});

it("what a person does to the bare repository by hand is followed when asked", async () => {
  const { bot, git, github } = await startTestWorld();
  const { number, head } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  await git("update-ref", "refs/heads/main", head);
  await github.world.followRefs("octo/lab", "ada");
  expect((await bot.rest.pulls.get({ ...at, pull_number: number })).data).toMatchObject({ merged: true });
});
