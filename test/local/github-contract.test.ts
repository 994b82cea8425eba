/** Every route, driven through Octokit; the answers are checked against GitHub's description by the world's contract. */
import { beforeAll, describe, expect, it } from "vitest";
import { contentRoutes } from "../../src/local/github/content-routes.ts";
import { allRoutes } from "../../src/local/github/routes.ts";
import { actionsRoutes } from "../../src/local/github/routes/actions.ts";
import { notifyingRoutes, operationOf } from "../support/openapi.ts";
import { at, commitOn, openPullRequest, startTestWorld, tipOf } from "./github-world.ts";

const driven = new Set<string>();
const actions = new Set(actionsRoutes.map((route) => `${route.method} ${route.template}`));
const routeNames = allRoutes.map((route) => `${route.method} ${route.template}`);

async function world() {
  const world = await startTestWorld();
  return Object.assign(world, { done: () => world.contract.seen.forEach((name) => driven.add(name)) });
}

beforeAll(() => {
  // Reads the description, so that no test pays for it.
  operationOf("GET", "/user");
});

describe("the lists", () => {
  it("have only routes of GitHub's description", () => {
    const strange = allRoutes.filter((route) => operationOf(route.method, route.template) === null);
    // GraphQL has a schema of its own, and no place in the description of the REST API.
    expect(strange.map((route) => route.template)).toEqual(["/graphql"]);
  });

  it("know the same notifying routes as the description", () => {
    expect([...contentRoutes].toSorted()).toEqual(notifyingRoutes().toSorted());
  });
});

describe("apps and accounts", () => {
  it("show themselves, their installations and tokens", async () => {
    const { asApp, bot, as, app, installationId, done } = await world();
    expect((await asApp.rest.apps.getAuthenticated()).data).toMatchObject({ id: app.appId, slug: "tester" });
    expect((await asApp.rest.apps.listInstallations()).data.map((one) => one.id)).toEqual([installationId]);
    expect((await asApp.rest.apps.getInstallation({ installation_id: installationId })).data.app_id).toBe(app.appId);
    expect((await asApp.rest.apps.getRepoInstallation(at)).data.id).toBe(installationId);
    const token = await asApp.rest.apps.createInstallationAccessToken({
      installation_id: installationId,
      repositories: ["lab"],
      permissions: { issues: "read" },
    });
    expect(token.data.token).toMatch(/^ghs_/);
    expect((await bot.rest.apps.listReposAccessibleToInstallation()).data.repositories[0]?.full_name).toBe("octo/lab");
    expect((await as("ada").rest.users.getAuthenticated()).data.login).toBe("ada");
    expect((await bot.rest.users.getByUsername({ username: "tester[bot]" })).data.type).toBe("Bot");
    expect((await bot.rest.rateLimit.get()).data.resources.core.limit).toBe(5_000);
    expect((await bot.rest.repos.get(at)).data.default_branch).toBe("main");
    const role = await bot.rest.repos.getCollaboratorPermissionLevel({ ...at, username: "ada" });
    expect(role.data).toMatchObject({ permission: "write", role_name: "write" });
    done();
  });

  it("show deliveries and send one again", async () => {
    const { asApp, bot, heard, done } = await world();
    await bot.rest.issues.create({ ...at, title: "One" });
    const [first] = await heard("issues", "opened");
    const { data } = await asApp.rest.apps.listWebhookDeliveries({ per_page: 10, status: "success" });
    expect(data[0]).toMatchObject({ guid: first!.guid, event: "issues", action: "opened", redelivery: false });
    const one = await asApp.rest.apps.getWebhookDelivery({ delivery_id: data[0]!.id });
    expect(one.data.request.payload).toMatchObject({ action: "opened" });
    const again = await asApp.rest.apps.redeliverWebhookDelivery({ delivery_id: data[0]!.id });
    expect(again.status).toBe(202);
    const received = await heard("issues", "opened");
    expect(received.map((hook) => hook.guid)).toEqual([first!.guid, first!.guid]);
    done();
  });
});

describe("issues", () => {
  it("are opened, read, edited, listed and closed", async () => {
    const { bot, as, done } = await world();
    const { data: issue } = await as("ada").rest.issues.create({ ...at, title: "Lower val_bpb", body: "Please" });
    expect(issue).toMatchObject({ number: 1, state: "open", user: { login: "ada" }, labels: [] });
    await bot.rest.issues.update({ ...at, issue_number: 1, title: "Lower it", body: "Now", labels: ["autoresearch"] });
    expect((await bot.rest.issues.get({ ...at, issue_number: 1 })).data).toMatchObject({
      title: "Lower it",
      body: "Now",
    });
    const listed = await bot.rest.issues.listForRepo({
      ...at,
      labels: "autoresearch",
      state: "open",
      sort: "updated",
      direction: "asc",
      creator: "ada",
      since: "2020-01-01T00:00:00Z",
    });
    expect(listed.data.map((one) => one.number)).toEqual([1]);
    await bot.rest.issues.update({ ...at, issue_number: 1, state: "closed", state_reason: "not_planned" });
    await bot.rest.issues.update({ ...at, issue_number: 1, state: "open" });
    const events = await bot.rest.issues.listEvents({ ...at, issue_number: 1 });
    expect(events.data.map((one) => one.event)).toEqual(["renamed", "labeled", "closed", "reopened"]);
    expect(events.data[1]).toMatchObject({ label: { name: "autoresearch" }, actor: { login: "tester[bot]" } });
    await bot.rest.issues.lock({ ...at, issue_number: 1 });
    expect((await bot.rest.issues.get({ ...at, issue_number: 1 })).data.locked).toBe(true);
    await bot.rest.issues.unlock({ ...at, issue_number: 1 });
    const query =
      "query IssueText($owner: String!, $repo: String!, $number: Int!) { repository(owner: $owner, name: $repo) { issue(number: $number) { title body lastEditedAt editor { __typename login } } } }";
    const { repository } = await bot.graphql<{ repository: { issue: { title: string } } }>(query, { ...at, number: 1 });
    expect(repository.issue).toMatchObject({ title: "Lower it", body: "Now" });
    const renamed = await as("octo").rest.repos.update({ ...at, archived: false });
    expect(renamed.data.name).toBe(at.repo);
    await bot.rest.reactions.createForIssue({ ...at, issue_number: 1, content: "eyes" });
    expect((await bot.rest.reactions.listForIssue({ ...at, issue_number: 1 })).data).toHaveLength(1);
    expect((await bot.rest.issues.get({ ...at, issue_number: 1 })).data.reactions?.eyes).toBe(1);
    done();
  });

  it("have comments with reactions", async () => {
    const { bot, as, done } = await world();
    await bot.rest.issues.create({ ...at, title: "One" });
    const { data: mine } = await bot.rest.issues.createComment({ ...at, issue_number: 1, body: "Dashboard" });
    const { data: theirs } = await as("bob").rest.issues.createComment({
      ...at,
      issue_number: 1,
      body: "/autoresearch stop",
    });
    expect(mine).toMatchObject({ user: { login: "tester[bot]" }, performed_via_github_app: { slug: "tester" } });
    await bot.rest.issues.updateComment({ ...at, comment_id: mine.id, body: "Dashboard, edited" });
    const first = await bot.rest.reactions.createForIssueComment({ ...at, comment_id: theirs.id, content: "+1" });
    const second = await bot.rest.reactions.createForIssueComment({ ...at, comment_id: theirs.id, content: "+1" });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect((await bot.rest.reactions.listForIssueComment({ ...at, comment_id: theirs.id })).data).toHaveLength(1);
    const { data: fresh } = await bot.rest.issues.getComment({ ...at, comment_id: theirs.id });
    expect(fresh.reactions?.["+1"]).toBe(1);
    const inIssue = await bot.rest.issues.listComments({ ...at, issue_number: 1, since: "2020-01-01T00:00:00Z" });
    expect(inIssue.data.map((one) => one.id)).toEqual([mine.id, theirs.id]);
    const inRepo = await bot.rest.issues.listCommentsForRepo({ ...at, sort: "updated", direction: "desc" });
    expect(inRepo.data).toHaveLength(2);
    expect((await bot.rest.issues.get({ ...at, issue_number: 1 })).data.comments).toBe(2);
    await bot.rest.issues.deleteComment({ ...at, comment_id: mine.id });
    expect((await bot.rest.issues.listComments({ ...at, issue_number: 1 })).data).toHaveLength(1);
    done();
  });

  it("have labels", async () => {
    const { bot, done } = await world();
    await bot.rest.issues.create({ ...at, title: "One", labels: ["autoresearch"] });
    await bot.rest.issues.createLabel({ ...at, name: "keep", color: "0e8a16", description: "Better" });
    await bot.rest.issues.updateLabel({ ...at, name: "keep", new_name: "kept", color: "ffffff" });
    expect((await bot.rest.issues.getLabel({ ...at, name: "kept" })).data).toMatchObject({ color: "ffffff" });
    expect((await bot.rest.issues.listLabelsForRepo(at)).data.map((one) => one.name)).toEqual(["autoresearch", "kept"]);
    const names = (answer: { data: { name: string }[] }): string[] => answer.data.map((one) => one.name);
    const issue = { ...at, issue_number: 1 };
    expect(names(await bot.rest.issues.addLabels({ ...issue, labels: ["kept"] }))).toEqual(["autoresearch", "kept"]);
    expect(names(await bot.rest.issues.removeLabel({ ...issue, name: "autoresearch" }))).toEqual(["kept"]);
    expect(names(await bot.rest.issues.setLabels({ ...issue, labels: ["a", "b"] }))).toEqual(["a", "b"]);
    expect(names(await bot.rest.issues.listLabelsOnIssue(issue))).toEqual(["a", "b"]);
    await bot.rest.issues.removeAllLabels(issue);
    await bot.rest.issues.deleteLabel({ ...at, name: "kept" });
    expect(names(await bot.rest.issues.listLabelsForRepo(at))).toEqual(["autoresearch", "a", "b"]);
    done();
  });
});

describe("git data and contents", () => {
  it("make blobs, trees, commits and refs, and read them", async () => {
    const { bot, git, done } = await world();
    const main = await tipOf(bot, "main");
    const { data: blob } = await bot.rest.git.createBlob({ ...at, content: "bGls", encoding: "base64" });
    expect((await bot.rest.git.getBlob({ ...at, file_sha: blob.sha })).data).toMatchObject({
      content: "bGls\n",
      size: 3,
    });
    const { data: tree } = await bot.rest.git.createTree({
      ...at,
      base_tree: (await bot.rest.git.getCommit({ ...at, commit_sha: main })).data.tree.sha,
      tree: [
        { path: "a/b/c.txt", mode: "100644", type: "blob", content: "deep\n" },
        { path: "data.bin", mode: "100755", type: "blob", sha: blob.sha },
        { path: "docs/notes.md", mode: "100644", type: "blob", sha: null },
      ],
    });
    const { data: commit } = await bot.rest.git.createCommit({
      ...at,
      message: "All",
      tree: tree.sha,
      parents: [main],
    });
    expect(commit.author).toMatchObject({ name: "tester[bot]" });
    await bot.rest.git.createRef({ ...at, ref: "refs/heads/exp/1", sha: main });
    await bot.rest.git.updateRef({ ...at, ref: "heads/exp/1", sha: commit.sha, force: false });
    expect(await git("show", "exp/1:a/b/c.txt")).toBe("deep");
    expect(await git("ls-tree", "-r", "--name-only", "exp/1")).toBe("a/b/c.txt\ndata.bin\ntrain.py");
    expect(await git("fsck", "--strict", "--no-dangling")).toBe("");
    const listed = await bot.rest.git.getTree({ ...at, tree_sha: tree.sha, recursive: "1" });
    expect(listed.data.tree.map((one) => one.path)).toEqual(["a", "a/b", "a/b/c.txt", "data.bin", "train.py"]);
    const refs = await bot.rest.git.listMatchingRefs({ ...at, ref: "heads/exp/" });
    expect(refs.data.map((one) => one.ref)).toEqual(["refs/heads/exp/1"]);
    await bot.rest.git.deleteRef({ ...at, ref: "heads/exp/1" });
    expect(await git("for-each-ref", "refs/heads/exp")).toBe("");
    done();
  });

  it("read and write files", async () => {
    const { bot, git, done } = await world();
    const { data: file } = await bot.rest.repos.getContent({ ...at, path: "train.py", ref: "main" });
    expect(file).toMatchObject({ type: "file", encoding: "base64", size: 9 });
    const { data: folder } = await bot.rest.repos.getContent({ ...at, path: "docs" });
    expect(folder).toMatchObject([{ name: "notes.md", type: "file" }]);
    const content = Buffer.from("LR = 0.2\n").toString("base64");
    const edit = { ...at, path: "train.py", message: "Higher", content, branch: "main" };
    await bot.rest.repos.createOrUpdateFileContents({ ...edit, sha: (file as { sha: string }).sha });
    expect(await git("show", "main:train.py")).toBe("LR = 0.2");
    const made = await bot.rest.repos.createOrUpdateFileContents({ ...edit, path: "new/file.txt" });
    expect(made.status).toBe(201);
    done();
  });

  it("list, show and compare commits", async () => {
    const { bot, done } = await world();
    const main = await tipOf(bot, "main");
    const one = await commitOn(bot, main, { "train.py": "LR = 0.2\n", "docs/notes.md": null });
    await bot.rest.git.createRef({ ...at, ref: "refs/heads/side", sha: one });
    const { data: shown } = await bot.rest.repos.getCommit({ ...at, ref: "side" });
    expect(shown.stats).toEqual({ total: 3, additions: 1, deletions: 2 });
    expect(shown.files?.map((each) => [each.filename, each.status])).toEqual([
      ["docs/notes.md", "removed"],
      ["train.py", "modified"],
    ]);
    expect(shown.files?.[1]?.patch).toBe("@@ -1 +1 @@\n-LR = 0.1\n+LR = 0.2");
    const { data: list } = await bot.rest.repos.listCommits({ ...at, sha: "side", per_page: 1 });
    expect(list.map((each) => each.sha)).toEqual([one]);
    const { data: compared } = await bot.rest.repos.compareCommitsWithBasehead({ ...at, basehead: "main...side" });
    expect(compared).toMatchObject({ status: "ahead", ahead_by: 1, behind_by: 0, total_commits: 1 });
    expect(compared.merge_base_commit.sha).toBe(main);
    done();
  });
});

describe("pull requests", () => {
  it("are opened, read, edited, listed and merged", async () => {
    const { bot, as, git, done } = await world();
    const { number, head } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.3\n" });
    const { data: pull } = await bot.rest.pulls.get({ ...at, pull_number: number });
    expect(pull).toMatchObject({
      mergeable: true,
      mergeable_state: "clean",
      commits: 1,
      additions: 1,
      changed_files: 1,
    });
    await bot.rest.pulls.update({ ...at, pull_number: number, title: "Faster", body: "Because" });
    await bot.rest.issues.addLabels({ ...at, issue_number: number, labels: ["keep"] });
    const search = { ...at, state: "all", head: "octo:exp", base: "main", sort: "updated", direction: "asc" } as const;
    expect((await bot.rest.pulls.list(search)).data.map((one) => one.title)).toEqual(["Faster"]);
    const { data: files } = await bot.rest.pulls.listFiles({ ...at, pull_number: number });
    expect(files.map((one) => one.filename)).toEqual(["train.py"]);
    const { data: commits } = await bot.rest.pulls.listCommits({ ...at, pull_number: number });
    expect(commits.map((one) => one.sha)).toEqual([head]);
    const { data: merged } = await bot.rest.pulls.merge({ ...at, pull_number: number, sha: head });
    expect(await git("rev-parse", "main")).toBe(merged.sha);
    expect(await git("show", "--format=%P", "--no-patch", "main")).toContain(head);
    expect((await bot.rest.pulls.get({ ...at, pull_number: number })).data).toMatchObject({
      state: "closed",
      merged: true,
      merge_commit_sha: merged.sha,
      merged_by: { login: "tester[bot]" },
    });
    const second = await openPullRequest(as("ada"), "squashed", { "more.txt": "More\n" });
    await as("ada").rest.pulls.merge({ ...at, pull_number: second.number, merge_method: "squash" });
    expect(await git("show", "--format=%s %P", "--no-patch", "main")).toBe(
      `squashed (#${second.number}) ${merged.sha}`,
    );
    const issue = await bot.rest.issues.get({ ...at, issue_number: second.number });
    expect(issue.data.pull_request?.merged_at).toMatch(/Z$/);
    done();
  });
});

describe("checks", () => {
  it("are posted, changed, listed and asked for again", async () => {
    const { bot, github, withToken, done, heard } = await world();
    const head_sha = await tipOf(bot, "main");
    const { data: run } = await bot.rest.checks.create({
      ...at,
      name: "autoresearch",
      head_sha,
      status: "in_progress",
      external_id: "1:1:1",
      actions: [{ label: "Stop", description: "Stops the session", identifier: "stop" }],
    });
    expect(run).toMatchObject({ status: "in_progress", conclusion: null, app: { slug: "tester" } });
    const annotation = {
      path: "train.py",
      start_line: 1,
      end_line: 1,
      annotation_level: "failure",
      message: "Here",
    } as const;
    const output = { title: "0.9793", summary: "Better", text: "Log", annotations: [annotation] };
    await bot.rest.checks.update({ ...at, check_run_id: run.id, conclusion: "success", output });
    const { data: fresh } = await bot.rest.checks.get({ ...at, check_run_id: run.id });
    expect(fresh).toMatchObject({ status: "completed", conclusion: "success", output: { title: "0.9793" } });
    const { data: annotations } = await bot.rest.checks.listAnnotations({ ...at, check_run_id: run.id });
    expect(annotations).toMatchObject([{ path: "train.py", annotation_level: "failure" }]);
    const job = withToken(github.world.jobToken("octo/lab", { checks: "write" }));
    await job.rest.checks.create({ ...at, name: "val_bpb", head_sha, conclusion: "success" });
    const { data: list } = await bot.rest.checks.listForRef({
      ...at,
      ref: "main",
      filter: "latest",
      status: "completed",
    });
    expect(list.check_runs.map((one) => one.app?.slug)).toEqual(["github-actions", "tester"]);
    const suites = await bot.rest.checks.listSuitesForRef({ ...at, ref: head_sha });
    expect(suites.data.total_count).toBe(2);
    const suite = { ...at, check_suite_id: run.check_suite!.id };
    expect((await bot.rest.checks.getSuite(suite)).data).toMatchObject({ status: "completed", head_branch: "main" });
    expect((await bot.rest.checks.listForSuite(suite)).data.total_count).toBe(1);
    await bot.rest.checks.rerequestRun({ ...at, check_run_id: run.id });
    expect(await heard("check_run", "rerequested")).toHaveLength(1);
    done();
  });
});

it("every route was driven", () => {
  const missing = routeNames.filter((name) => !driven.has(name) && !actions.has(name));
  expect(missing).toEqual([]);
});
