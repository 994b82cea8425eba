/** Who may do what, what it costs, and what goes wrong on a bad day. */
import { describe, expect, it } from "vitest";
import { newPrivateKey } from "../../src/local/github/world.ts";
import { at, commitOn, jwtOf, openPullRequest, refusal, startTestWorld, tipOf } from "./github-world.ts";

describe("what it costs", () => {
  it("a 304 is free, and is counted apart", async () => {
    const { bot, github } = await startTestWorld();
    const first = await bot.rest.repos.get(at);
    const left = Number(first.headers["x-ratelimit-remaining"]);
    const headers = { "if-none-match": first.headers.etag! };
    const second = await bot.rest.repos.get({ ...at, headers }).catch((error: unknown) => error);
    expect(second).toMatchObject({ status: 304 });
    expect((second as { response: { headers: object } }).response.headers).toMatchObject({
      "x-ratelimit-remaining": String(left),
    });
    await bot.rest.issues.create({ ...at, title: "One" });
    const changed = await bot.rest.repos.get({ ...at, headers });
    expect(changed.status).toBe(200);
    await bot.rest.issues.addLabels({ ...at, issue_number: 1, labels: ["a"] });
    const { byKind, byRoute } = github.requests();
    expect(byKind).toEqual({ read: 2, notModified: 1, write: 1, content: 1 });
    expect(byRoute["GET /repos/{owner}/{repo}"]).toEqual({ read: 2, notModified: 1 });
  });

  it("people's requests are not counted", async () => {
    const { as, github } = await startTestWorld();
    await as("ada").rest.issues.create({ ...at, title: "One" });
    expect(github.requests().total).toBe(0);
  });

  it("when nothing is left every request is refused until the reset", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const { bot, github, installationId } = await startTestWorld({ now: () => new Date(nowMs) });
    github.faults.add({}, { kind: "primaryLimit", resetInSeconds: 60 });
    const refused = await bot.rest.repos.get(at).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 403,
      response: {
        headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(nowMs / 1000 + 60) },
        data: { message: `API rate limit exceeded for installation ID ${installationId}.` },
      },
    });
    // To ask what is left costs nothing.
    expect((await bot.rest.rateLimit.get()).data.rate.remaining).toBe(0);
    nowMs += 61_000;
    const again = await bot.rest.repos.get(at);
    expect(again.headers["x-ratelimit-remaining"]).toBe("4999");
  });

  it("limits can be tightened, and what notifies people has its own", async () => {
    let nowMs = Date.parse("2026-11-23T12:00:00Z");
    const { bot, github } = await startTestWorld({ now: () => new Date(nowMs) });
    github.core.limits.tighten({
      requests: { most: 4, withinSeconds: 20 },
      content: { most: 1, withinSeconds: 10 },
    });
    await bot.rest.issues.create({ ...at, title: "One" });
    const second = await bot.rest.issues.create({ ...at, title: "Two" }).catch((error: unknown) => error);
    expect(second).toMatchObject({
      status: 403,
      message: expect.stringContaining("secondary rate limit"),
      response: { headers: { "retry-after": "10", "x-ratelimit-limit": "4", "x-ratelimit-remaining": "2" } },
    });
    await bot.rest.issues.addLabels({ ...at, issue_number: 1, labels: ["a"] });
    nowMs += 10_000;
    await bot.rest.issues.create({ ...at, title: "Two" });
    expect((await refusal(bot.rest.repos.get(at))).message).toContain("API rate limit exceeded");
    nowMs += 10_000;
    expect((await bot.rest.repos.get(at)).headers["x-ratelimit-remaining"]).toBe("3");
  });

  it("lists come in pages with links", async () => {
    const { bot, as } = await startTestWorld();
    for (const title of ["1", "2", "3", "4", "5"]) await as("ada").rest.issues.create({ ...at, title });
    const { headers, data } = await bot.rest.issues.listForRepo({ ...at, per_page: 2, page: 2 });
    expect(data.map((issue) => issue.number)).toEqual([3, 2]);
    expect(headers.link).toMatch(/page=1>; rel="prev".*page=3>; rel="next".*page=3>; rel="last".*page=1>; rel="first"/);
    const all = await bot.paginate(bot.rest.issues.listForRepo, { ...at, per_page: 2 });
    expect(all.map((issue) => issue.number)).toEqual([5, 4, 3, 2, 1]);
  });
});

describe("who may", () => {
  it("an installation does only what its permissions say", async () => {
    const { bot, as } = await startTestWorld({ permissions: { issues: "write", contents: "read" } });
    await as("ada").rest.issues.create({ ...at, title: "One" });
    await bot.rest.issues.createComment({ ...at, issue_number: 1, body: "Hello" });
    const sha = await tipOf(bot, "main");
    const no = { status: 403, message: "Resource not accessible by integration" };
    expect(await refusal(bot.rest.git.createRef({ ...at, ref: "refs/heads/x", sha }))).toEqual(no);
    expect(await refusal(bot.rest.checks.create({ ...at, name: "x", head_sha: sha }))).toEqual(no);
    expect(await refusal(bot.rest.pulls.list(at))).toEqual(no);
  });

  it("a token can be narrower than its installation, never wider", async () => {
    const { asApp, installationId, withToken } = await startTestWorld({ permissions: { issues: "write" } });
    const make = (permissions: object) =>
      asApp.rest.apps.createInstallationAccessToken({ installation_id: installationId, permissions });
    const narrow = withToken((await make({ issues: "read" })).data.token);
    expect((await narrow.rest.issues.listForRepo(at)).data).toEqual([]);
    expect((await refusal(narrow.rest.issues.create({ ...at, title: "x" }))).status).toBe(403);
    expect((await refusal(make({ contents: "write" }))).status).toBe(422);
  });

  it("an app that touches pull requests alone touches no plain issue", async () => {
    const permissions = { pull_requests: "write", contents: "write" } as const;
    const { bot, as } = await startTestWorld({ permissions });
    await as("ada").rest.issues.create({ ...at, title: "One" });
    const { number } = await openPullRequest(bot, "exp", { "train.py": "LR = 2\n" });
    await bot.rest.issues.addLabels({ ...at, issue_number: number, labels: ["keep"] });
    expect((await refusal(bot.rest.issues.addLabels({ ...at, issue_number: 1, labels: ["keep"] }))).status).toBe(403);
  });

  it("a stranger reads and comments on a public repository, and nothing more", async () => {
    const { as, bot } = await startTestWorld();
    const stranger = as("stranger");
    await as("ada").rest.issues.create({ ...at, title: "One" });
    await stranger.rest.issues.createComment({ ...at, issue_number: 1, body: "/autoresearch stop" });
    const own = await stranger.rest.issues.create({ ...at, title: "Mine", labels: ["autoresearch"] });
    expect(own.data.labels).toEqual([]);
    await stranger.rest.issues.update({ ...at, issue_number: own.data.number, state: "closed" });
    const sha = await tipOf(stranger, "main");
    const attempts = [
      () => stranger.rest.issues.addLabels({ ...at, issue_number: 1, labels: ["autoresearch"] }),
      () => stranger.rest.issues.update({ ...at, issue_number: 1, state: "closed" }),
      () => stranger.rest.git.createRef({ ...at, ref: "refs/heads/x", sha }),
      () => stranger.rest.checks.create({ ...at, name: "val_bpb", head_sha: sha, conclusion: "success" }),
    ];
    for (const attempt of attempts) expect((await refusal(attempt())).status).toBe(403);
    expect((await bot.rest.issues.get({ ...at, issue_number: 1 })).data).toMatchObject({ state: "open", labels: [] });
  });

  it("a private repository is 404 for those who can't see it", async () => {
    const { as, withToken, github } = await startTestWorld({ private: true });
    expect((await refusal(as("stranger").rest.repos.get(at))).status).toBe(404);
    expect((await as("ada").rest.repos.get(at)).data.private).toBe(true);
    await github.world.createRepo({ owner: "octo", name: "other", files: {} });
    const elsewhere = withToken(github.world.jobToken("octo/other", { contents: "read" }));
    expect((await refusal(elsewhere.rest.repos.get(at))).status).toBe(404);
  });

  it("an app's own token is its JWT: signed with its key, ten minutes at most", async () => {
    const { withToken, app, asApp } = await startTestWorld();
    const lateMs = Date.now() + 3_600_000;
    const jwts = [await jwtOf(app, Date.now() - 3_600_000), await jwtOf(app, lateMs)];
    jwts.push(await jwtOf({ appId: app.appId, privateKey: newPrivateKey() }));
    for (const jwt of jwts) expect((await refusal(withToken(jwt).rest.apps.getAuthenticated())).status).toBe(401);
    const elsewhere = await jwtOf({ appId: 7, privateKey: app.privateKey });
    expect((await refusal(withToken(elsewhere).rest.apps.getAuthenticated())).status).toBe(404);
    expect((await asApp.rest.apps.getAuthenticated()).status).toBe(200);
  });

  it("a token ends after an hour", async () => {
    let nowMs = Date.now();
    const { bot } = await startTestWorld({ now: () => new Date(nowMs) });
    expect((await bot.rest.repos.get(at)).status).toBe(200);
    nowMs += 3_600_000;
    expect((await refusal(bot.rest.repos.get(at))).status).toBe(401);
  });

  it("bad credentials are 401", async () => {
    const { withToken } = await startTestWorld();
    const said = await refusal(withToken("ghs_none").rest.repos.get(at));
    expect(said).toEqual({ status: 401, message: "Bad credentials" });
  });

  it("checks keep to the limits of the Checks API", async () => {
    const { bot } = await startTestWorld();
    const run = { ...at, name: "x", head_sha: await tipOf(bot, "main") };
    const button = { label: "Stop", description: "Stops", identifier: "stop" };
    const annotation = { path: "a", start_line: 1, end_line: 1, annotation_level: "notice", message: "m" } as const;
    const attempts = [
      { actions: [button, button, button, button] },
      { actions: [{ ...button, label: "x".repeat(21) }] },
      { actions: [{ ...button, description: "x".repeat(41) }] },
      { output: { title: "x", summary: "x".repeat(65_536) } },
      { output: { title: "x", summary: "x", annotations: Array.from({ length: 51 }, () => annotation) } },
      { status: "completed" as const },
      { head_sha: "1".repeat(40) },
    ];
    for (const attempt of attempts) {
      expect((await refusal(bot.rest.checks.create({ ...run, ...attempt }))).status).toBe(422);
    }
    const whole = {
      title: "x",
      summary: "x".repeat(65_535),
      annotations: Array.from({ length: 50 }, () => annotation),
    };
    const { data } = await bot.rest.checks.create({ ...run, output: whole, actions: [button, button, button] });
    expect(data.output.annotations_count).toBe(50);
  });
});

describe("faults", () => {
  it("a request can fail before its work, or after it", async () => {
    const { bot, github } = await startTestWorld();
    const route = "/repos/{owner}/{repo}/issues";
    await bot.rest.issues.listForRepo(at);
    const before = github.faults.add({ method: "POST", route }, { kind: "fail", when: "before", status: 502 });
    expect((await refusal(bot.rest.issues.create({ ...at, title: "One" }))).status).toBe(502);
    expect((await bot.rest.issues.listForRepo(at)).data).toEqual([]);
    github.faults.add({ method: "POST", route }, { kind: "drop", when: "after" });
    await expect(bot.rest.issues.create({ ...at, title: "Two" })).rejects.toMatchObject({ status: 500 });
    expect((await bot.rest.issues.listForRepo(at)).data.map((issue) => issue.title)).toEqual(["Two"]);
    expect(before.hits).toBe(1);
    await bot.rest.issues.create({ ...at, title: "Three" });
  });

  it("a secondary limit says how long to wait", async () => {
    const { bot, github } = await startTestWorld();
    github.faults.add({ method: "POST", skip: 1 }, { kind: "secondaryLimit", retryAfterSeconds: 7 });
    await bot.rest.issues.create({ ...at, title: "before" });
    const error = await bot.rest.issues.create({ ...at, title: "x" }).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      status: 403,
      response: {
        headers: { "retry-after": "7" },
        data: { message: expect.stringMatching(/secondary rate limit/) },
      },
    });
  });

  it("lists can lag behind, single things do not", async () => {
    const { bot, github } = await startTestWorld();
    const { number } = await openPullRequest(bot, "first", { "a.txt": "a\n" });
    const thaw = github.faults.freezeLists();
    const second = await openPullRequest(bot, "second", { "b.txt": "b\n" });
    const numbers = async (): Promise<number[]> => (await bot.rest.pulls.list(at)).data.map((pull) => pull.number);
    const refs = async (): Promise<number> =>
      (await bot.rest.git.listMatchingRefs({ ...at, ref: "heads/" })).data.length;
    expect(await numbers()).toEqual([number]);
    expect(await refs()).toBe(2);
    expect((await bot.rest.pulls.get({ ...at, pull_number: second.number })).data.state).toBe("open");
    thaw();
    expect(await numbers()).toEqual([second.number, number]);
    expect(await refs()).toBe(3);
  });

  it("an unknown route is 501 and kept", async () => {
    const { bot, github, contract } = await startTestWorld();
    expect((await refusal(bot.rest.repos.listForks(at))).status).toBe(501);
    expect(github.unknownRoutes).toEqual(["GET /repos/octo/lab/forks"]);
    // The world would fail this test for it, as it should any other.
    expect(contract.violations()).toEqual(["GET /repos/octo/lab/forks: unknown route (501)"]);
    (github.unknownRoutes as string[]).length = 0;
    contract.forget();
  });
});

it("the judge finds what is wrong", async () => {
  const { bot, exchanges, contract } = await startTestWorld();
  await commitOn(bot, await tipOf(bot, "main"), { "a.txt": "a\n" });
  const good = exchanges.find((one) => one.method === "POST" && one.template?.endsWith("/git/trees") === true)!;
  expect(contract.take(good)).toEqual([]);
  const body = good.requestBody as Record<string, unknown>;
  const answer = good.responseBody as Record<string, unknown>;
  expect(contract.take({ ...good, requestBody: { ...body, branch: "x" } })[0]).toContain("branch is not known");
  expect(contract.take({ ...good, requestBody: { ...body, tree: "x" } })[0]).toContain("must be array");
  expect(contract.take({ ...good, query: { fast: "1" } })[0]).toContain("query fast is not known");
  expect(contract.take({ ...good, responseBody: { ...answer, sha: 7 } })[0]).toContain("must be string");
  expect(contract.take({ ...good, status: 202 })[0]).toContain("status 202");
  expect(contract.takeWebhook({ event: "issues", action: "opened", body: {} })[0]).toContain("required property");
  contract.forget();
});
