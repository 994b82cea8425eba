/** Webhooks: who is told of what, how it is signed, and what goes wrong on the way. */
import { expect, it } from "vitest";
import { openIssue } from "../../src/local/github/issue-changes.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import {
  allPermissions,
  at,
  commitOn,
  openPullRequest,
  refusal,
  signatureOf,
  startTestWorld,
  tipOf,
} from "./github-world.ts";

/** `issues.opened`, in the order of arrival. */
function names(hooks: readonly { event: string; action: string | null }[]): string[] {
  return hooks.map(({ event, action }) => (action === null ? event : `${event}.${action}`));
}

it("a webhook is signed over its body and names its event, delivery and installation", async () => {
  const { as, app, heard, installationId } = await startTestWorld();
  await as("ada").rest.issues.create({ ...at, title: "One" });
  const [hook] = await heard("issues", "opened");
  expect(hook!.headers["x-hub-signature-256"]).toBe(signatureOf(app.webhookSecret, hook!.headers["digest"]!));
  expect(hook!.headers["user-agent"]).toMatch(/^GitHub-Hookshot\//);
  expect(hook!.guid).toMatch(/^[0-9a-f-]{36}$/);
  expect(hook!.body).toMatchObject({ installation: { id: installationId }, sender: { login: "ada" } });
});

it("issues and comments tell of each change, in the order of the changes", async () => {
  const { as, hooks, github } = await startTestWorld();
  const ada = as("ada");
  hooks.length = 0;
  await ada.rest.issues.create({ ...at, title: "One", labels: ["autoresearch"] });
  const { data: comment } = await ada.rest.issues.createComment({ ...at, issue_number: 1, body: "Hello" });
  await ada.rest.issues.updateComment({ ...at, comment_id: comment.id, body: "Hello again" });
  await ada.rest.issues.deleteComment({ ...at, comment_id: comment.id });
  await ada.rest.issues.update({ ...at, issue_number: 1, body: "Text" });
  await ada.rest.issues.removeLabel({ ...at, issue_number: 1, name: "autoresearch" });
  await ada.rest.issues.update({ ...at, issue_number: 1, state: "closed" });
  await ada.rest.issues.update({ ...at, issue_number: 1, state: "open" });
  await github.webhooks.settled();
  expect(names(hooks)).toEqual([
    "issues.opened",
    "issues.labeled",
    "issue_comment.created",
    "issue_comment.edited",
    "issue_comment.deleted",
    "issues.edited",
    "issues.unlabeled",
    "issues.closed",
    "issues.reopened",
  ]);
  expect(hooks[1]!.body).toMatchObject({ label: { name: "autoresearch" } });
  expect(hooks[3]!.body).toMatchObject({ changes: { body: { from: "Hello" } } });
});

it("pull requests and branches tell of each change", async () => {
  const { bot, as, hooks, github } = await startTestWorld();
  hooks.length = 0;
  const { number, head } = await openPullRequest(bot, "exp", { "train.py": "LR = 0.2\n" });
  await bot.rest.issues.addLabels({ ...at, issue_number: number, labels: ["keep"] });
  await bot.rest.issues.removeLabel({ ...at, issue_number: number, name: "keep" });
  await bot.rest.pulls.update({ ...at, pull_number: number, title: "Faster" });
  const next = await commitOn(bot, head, { "train.py": "LR = 0.3\n" });
  await bot.rest.git.updateRef({ ...at, ref: "heads/exp", sha: next });
  await as("ada").rest.pulls.update({ ...at, pull_number: number, state: "closed" });
  await as("ada").rest.pulls.update({ ...at, pull_number: number, state: "open" });
  await bot.rest.git.deleteRef({ ...at, ref: "heads/exp" });
  await github.webhooks.settled();
  expect(names(hooks)).toEqual([
    "push",
    "create",
    "pull_request.opened",
    "pull_request.labeled",
    "pull_request.unlabeled",
    "pull_request.edited",
    "push",
    "pull_request.synchronize",
    "pull_request.closed",
    "pull_request.reopened",
    "push",
    "delete",
    "pull_request.closed",
  ]);
  expect(hooks[7]!.body).toMatchObject({ before: head, after: next, sender: { login: "tester[bot]" } });
  expect(hooks[12]!.body).toMatchObject({ pull_request: { merged: false } });
});

it("a button and a re-run reach the app that posted the check, and no other", async () => {
  const { bot, github, withToken, heard, receiver } = await startTestWorld();
  const other = github.world.createApp({
    slug: "other",
    permissions: allPermissions,
    events: ["check_run"],
    webhookUrl: receiver.url,
  });
  github.world.install(other.appId, "octo/lab");
  const head_sha = await tipOf(bot, "main");
  const button = { label: "Stop", description: "Stops the session", identifier: "stop" };
  const { data: run } = await bot.rest.checks.create({ ...at, name: "autoresearch", head_sha, actions: [button] });
  // Both apps hear of checks, whoever posted them.
  expect(await heard("check_run", "created")).toHaveLength(2);
  github.world.requestedAction(run.id, "stop", "ada");
  github.world.rerequested(run.id, "ada");
  const [pressed, ...more] = await heard("check_run", "requested_action");
  expect(more).toEqual([]);
  expect(pressed!.body).toMatchObject({ requested_action: { identifier: "stop" }, sender: { login: "ada" } });
  expect(await heard("check_run", "rerequested")).toHaveLength(1);
  // A job's check belongs to github-actions: nobody here is told that its re-run was asked for.
  const job = withToken(github.world.jobToken("octo/lab", { checks: "write" }));
  const { data: theirs } = await job.rest.checks.create({ ...at, name: "val_bpb", head_sha, conclusion: "success" });
  github.world.rerequested(theirs.id, "ada");
  expect(await heard("check_run", "rerequested")).toHaveLength(1);
  expect(await heard("check_run", "completed")).toHaveLength(2);
  expect((await refusal(bot.rest.checks.update({ ...at, check_run_id: theirs.id, name: "x" }))).status).toBe(403);
});

it("an app hears only of what it subscribed to and may read", async () => {
  const { github, as, receiver, heard } = await startTestWorld({ permissions: { pull_requests: "write" } });
  const silent = github.world.createApp({
    slug: "silent",
    permissions: { issues: "read" },
    events: [],
    webhookUrl: receiver.url,
  });
  github.world.install(silent.appId, "octo/lab");
  await as("ada").rest.issues.create({ ...at, title: "One" });
  expect(await heard("issues")).toEqual([]);
  expect(await heard("installation", "created")).toHaveLength(2);
});

it("a failed delivery stays failed until the app asks for it again", async () => {
  const { asApp, as, receiver, heard, hooks } = await startTestWorld();
  receiver.answer.status = 500;
  await as("ada").rest.issues.create({ ...at, title: "One" });
  await heard("issues");
  hooks.length = 0;
  receiver.answer.status = 200;
  const { data: failed } = await asApp.rest.apps.listWebhookDeliveries({ status: "failure" });
  expect(failed.map((one) => [one.event, one.status_code])).toEqual([["issues", 500]]);
  expect(await heard("issues")).toEqual([]);
  await asApp.rest.apps.redeliverWebhookDelivery({ delivery_id: failed[0]!.id });
  const [again] = await heard("issues", "opened");
  expect(again!.guid).toBe(failed[0]!.guid);
  const { data: log } = await asApp.rest.apps.listWebhookDeliveries({ per_page: 1 });
  expect(log[0]).toMatchObject({ redelivery: true, status_code: 200 });
});

it("the log of deliveries is read page by page with a cursor", async () => {
  const { asApp, as, github } = await startTestWorld();
  for (const title of ["One", "Two", "Three"]) await as("ada").rest.issues.create({ ...at, title });
  await github.webhooks.settled();
  const all = await asApp.paginate(asApp.rest.apps.listWebhookDeliveries, { per_page: 2 });
  expect(all.map((one) => one.event)).toEqual(["issues", "issues", "issues", "installation"]);
});

it("deliveries can be dropped, doubled, delayed and shuffled", async () => {
  const { as, github, heard, hooks } = await startTestWorld();
  const open = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await as("ada").rest.issues.create({ ...at, title: `Issue ${n}` });
  };
  github.webhooks.mode = { kind: "drop" };
  await open(1);
  expect(await heard("issues")).toEqual([]);
  github.webhooks.mode = { kind: "double" };
  await open(1);
  const doubled = await heard("issues");
  expect(doubled.map((hook) => hook.guid)).toEqual([doubled[0]!.guid, doubled[0]!.guid]);
  hooks.length = 0;
  const waits = [0.9, 0.1];
  github.webhooks.mode = { kind: "shuffle", windowMs: 400, random: () => waits.shift() ?? 0 };
  await open(2);
  const shuffled = (await heard("issues")).map((hook) => (hook.body["issue"] as unknown as { title: string }).title);
  expect(shuffled).toEqual(["Issue 1", "Issue 0"]);
  hooks.length = 0;
  github.webhooks.mode = { kind: "delay", ms: 30 };
  await open(1);
  expect(await heard("issues")).toHaveLength(1);
});

it("a backlog that is longer than the log is delivered all the same", async () => {
  const { github, heard } = await startTestWorld();
  const repo = github.world.repo(`${at.owner}/${at.repo}`);
  const doer = { userId: repo.ownerId, appId: null };
  github.webhooks.mode = { kind: "delay", ms: 1_000 };
  for (let n = 0; n < 1_050; n += 1)
    openIssue(github.core, repo, { title: `Issue ${n}`, body: null, labels: [] }, doer);
  expect(await heard("issues", "opened")).toHaveLength(1_050);
});

it("no answer waits for a receiver, and what never arrived is in the log", async () => {
  const { as, app, dir, github, receiver } = await startTestWorld();
  receiver.server.removeAllListeners("request");
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  receiver.server.on("request", (request, response) => {
    request.resume();
    void held.then(() => response.end("ok"));
  });
  const answered = await as("ada").rest.issues.create({ ...at, title: "One" });
  expect(answered.status).toBe(201);
  expect(github.webhooks.deliveries()[0]?.status).toBe("pending");
  // What was under way when the process ends is a failed delivery at the next start, and is not sent by itself.
  await github.stop();
  release();
  const next = await startLocalGitHub({ dir });
  const [last] = next.webhooks.deliveries(app.appId);
  expect(last).toMatchObject({ event: "issues", status: "process ended", statusCode: 0 });
  await next.stop();
});
