import { generateKeyPairSync } from "node:crypto";
import nock from "nock";
import { Probot } from "probot";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pino } from "pino";
import { sha } from "../../src/domain/names.ts";
import { GitHubApp } from "../../src/github/app.ts";
import type { Client, OctokitLike } from "../../src/github/client.ts";
import { classify } from "../../src/github/errors.ts";
import { checkSchema } from "../../src/github/facts.ts";
import { type Exchange, metered } from "../../src/github/meter.ts";
import { Held } from "../../src/github/pace.ts";
import { BotOctokit, githubApiUrl } from "../../src/github/octokit.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const dispatches = "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches";
const at = { owner: "ada", repo: "model" };

/** A client as the bot has it, on an installation whose token is served. */
async function clientOf(apiUrl: string, heard: (exchange: Exchange) => void = () => {}): Promise<Client> {
  const { origin, pathname } = new URL(apiUrl);
  const prefix = pathname === "/" ? "" : pathname;
  nock(origin)
    .get(`${prefix}/repos/ada/model/installation`)
    .reply(200, { id: 7 })
    .post(`${prefix}/app/installations/7/access_tokens`)
    .reply(201, { token: "ghs_secret", expires_at: "2999-01-01T00:00:00Z", permissions: {} });
  const log = pino({ level: "silent" });
  const probot = new Probot({ appId: 1, privateKey, secret: "s", log, baseUrl: apiUrl, Octokit: BotOctokit });
  await probot.ready();
  const app = new GitHubApp(async (id) => {
    const octokit: unknown = await (id === undefined ? probot.auth() : probot.auth(id));
    return metered(octokit as OctokitLike, String(id), heard);
  });
  return app.clientFor({ owner: "ada", repo: "model" });
}

beforeEach(() => {
  nock.disableNetConnect();
});
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
});

describe.each([githubApiUrl, "https://ghe.example.com/api/v3"])("on %s", (apiUrl) => {
  test.each([500, 502, 409, 405])("a write that is answered %i is sent once", async (status) => {
    const client = await clientOf(apiUrl);
    let sent = 0;
    nock(apiUrl)
      .post("/repos/ada/model/actions/workflows/autoresearch.yml/dispatches")
      .times(5)
      .reply(() => {
        sent += 1;
        return [status, { message: "no" }];
      });
    await expect(client.write(dispatches, { ...at, workflow_id: "autoresearch.yml", ref: "main" })).rejects.toThrow(
      "no",
    );
    expect(sent).toBe(1);
  });
});

test("what did not change is taken from memory", async () => {
  const client = await clientOf("https://ghe.example.com/api/v3");
  const address = "https://ghe.example.com/api/v3";
  const first = nock(address, { badheaders: ["if-none-match"] });
  first.get("/repos/ada/model/issues/12").reply(200, { number: 12 }, { etag: '"abc"' });
  const route = "GET /repos/{owner}/{repo}/issues/{issue_number}";
  expect(await client.read(route, { ...at, issue_number: 12 })).toEqual({ number: 12 });

  const second = nock(address, { reqheaders: { "if-none-match": '"abc"' } });
  second.get("/repos/ada/model/issues/12").reply(304);
  expect(await client.read(route, { ...at, issue_number: 12 })).toEqual({ number: 12 });
  expect(second.isDone()).toBe(true);
});

test("a list is read to its last page", async () => {
  const client = await clientOf("https://ghe.example.com/api/v3");
  const next = { link: '<https://ghe.example.com/api/v3/x?page=2>; rel="next"' };
  nock("https://ghe.example.com/api/v3")
    .get("/repos/ada/model/issues?per_page=100&page=1")
    .reply(200, [1, 2], next)
    .get("/repos/ada/model/issues?per_page=100&page=2")
    .reply(200, [3]);
  expect(await client.readAll("GET /repos/{owner}/{repo}/issues", at)).toEqual([1, 2, 3]);
});

const enterprise = "https://ghe.example.com/api/v3";
const issueRoute = "GET /repos/{owner}/{repo}/issues/{issue_number}";
const commentRoute = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments";

describe("an error of GitHub", () => {
  async function errorOf(status: number, message: string, headers: Record<string, string> = {}): Promise<unknown> {
    const client = await clientOf(enterprise);
    nock(enterprise).get("/user").reply(status, { message }, headers);
    return client.read("GET /user").catch((error: unknown) => error);
  }

  test.each([
    [502, "Server Error", { kind: "later" }],
    [403, "Resource not accessible by integration", { kind: "person" }],
    [404, "Not Found", { kind: "stale" }],
    [409, "Head branch was modified", { kind: "stale" }],
    [422, "Update is not a fast forward", { kind: "stale" }],
  ] as const)("%i %s", async (status, message, kind) => {
    expect(classify(await errorOf(status, message), Date.now())).toMatchObject(kind);
  });

  test("a limit is waited for as long as it says", async () => {
    const error = await errorOf(403, "You have exceeded a secondary rate limit", { "retry-after": "30" });
    expect(error).toBeInstanceOf(Held);
    expect(classify(error, (error as Held).untilMs - 30_000)).toMatchObject({ kind: "later", afterMs: 30_000 });
  });

  test("no answer at all is looked at later, not repeated", async () => {
    const client = await clientOf(enterprise);
    nock(enterprise).get("/user").replyWithError("socket hang up");
    const error = await client.read("GET /user").catch((each: unknown) => each);
    expect(classify(error, Date.now())).toMatchObject({ kind: "later" });
  });
});

test("while a limit holds nothing is sent", async () => {
  const client = await clientOf(enterprise);
  nock(enterprise).get("/repos/ada/model/issues/1").reply(429, { message: "wait" }, { "retry-after": "30" });
  await expect(client.read(issueRoute, { ...at, issue_number: 1 })).rejects.toBeInstanceOf(Held);
  const next = nock(enterprise).get("/repos/ada/model/issues/2").reply(200, {});
  await expect(client.read(issueRoute, { ...at, issue_number: 2 })).rejects.toBeInstanceOf(Held);
  expect(next.isDone()).toBe(false);
});

describe("a token that is refused before its time", () => {
  const fetched = (token: string) =>
    nock(enterprise)
      .post("/app/installations/7/access_tokens")
      .reply(201, { token, expires_at: "2999-01-01T00:00:00Z", permissions: {} });
  const withToken = (token: string) => nock(enterprise, { reqheaders: { authorization: `token ${token}` } });

  /** A client whose token is older than the five seconds for which it may be unknown to some of GitHub's servers. */
  async function settledClient(): Promise<Client> {
    vi.useFakeTimers({ toFake: ["Date"] });
    const client = await clientOf(enterprise);
    withToken("ghs_secret").get("/repos/ada/model/issues/1").reply(200, {});
    await client.read(issueRoute, { ...at, issue_number: 1 });
    vi.setSystemTime(Date.now() + 600_000);
    return client;
  }

  afterEach(() => {
    vi.useRealTimers();
  });

  test("is replaced once, and a read is asked again", async () => {
    const client = await settledClient();
    withToken("ghs_secret").get("/repos/ada/model/issues/2").reply(401, { message: "Bad credentials" });
    fetched("ghs_new");
    withToken("ghs_new").get("/repos/ada/model/issues/2").reply(200, { number: 2 });
    expect(await client.read(issueRoute, { ...at, issue_number: 2 })).toEqual({ number: 2 });
  });

  test("is replaced for a GraphQL query, which is a read", async () => {
    const client = await settledClient();
    const asked = (token: string) =>
      nock("https://ghe.example.com", { reqheaders: { authorization: `token ${token}` } }).post("/api/graphql");
    asked("ghs_secret").reply(401, { message: "Bad credentials" });
    fetched("ghs_new");
    asked("ghs_new").reply(200, { data: { viewer: { login: "ada" } } });
    expect(await client.graphql("query { viewer { login } }", {})).toEqual({ viewer: { login: "ada" } });
  });

  test("makes a write look again, with the new token, and not wait for a person", async () => {
    const client = await settledClient();
    const comment = { ...at, issue_number: 2, body: "Hello" };
    withToken("ghs_secret").post("/repos/ada/model/issues/2/comments").reply(401, { message: "Bad credentials" });
    fetched("ghs_new");
    const error = await client.write(commentRoute, comment).catch((each: unknown) => each);
    expect(classify(error, Date.now())).toMatchObject({ kind: "stale" });
    withToken("ghs_new").post("/repos/ada/model/issues/2/comments").reply(201, { id: 5 });
    expect(await client.write(commentRoute, comment)).toEqual({ id: 5 });
  });

  test("and whose successor is refused too is not replaced over and over", async () => {
    const client = await settledClient();
    nock(enterprise)
      .get("/repos/ada/model/issues/2")
      .times(9)
      .reply(() => {
        vi.setSystemTime(Date.now() + 10_000);
        return [401, { message: "Bad credentials" }];
      });
    fetched("ghs_new");
    await expect(client.read(issueRoute, { ...at, issue_number: 2 })).rejects.toMatchObject({ status: 401 });
    const another = fetched("ghs_newer");
    await expect(client.read(issueRoute, { ...at, issue_number: 2 })).rejects.toMatchObject({ status: 401 });
    expect(another.isDone()).toBe(false);
  });
});

describe("a GraphQL query", () => {
  const api = "https://ghe.example.com";
  const query = "query { viewer { login } }";
  const data = { viewer: { login: "ada" } };
  const errorOf = (client: Client) => client.graphql(query, {}).catch((error: unknown) => error);
  /** What else the installation asks is not sent. */
  async function expectHeld(client: Client): Promise<void> {
    const next = nock(enterprise).get("/repos/ada/model/issues/2").reply(200, {});
    await expect(client.read(issueRoute, { ...at, issue_number: 2 })).rejects.toBeInstanceOf(Held);
    expect(next.isDone()).toBe(false);
  }

  test("that meets a secondary limit makes everything wait, and no person is needed", async () => {
    const client = await clientOf(enterprise);
    const message = "You have exceeded a secondary rate limit";
    nock(api).post("/api/graphql").reply(403, { message }, { "retry-after": "30" });
    const error = await errorOf(client);
    expect(error).toBeInstanceOf(Held);
    expect(classify(error, (error as Held).untilMs - 30_000)).toMatchObject({ kind: "later", afterMs: 30_000 });
    await expectHeld(client);
  });

  test.each([
    [{ type: "RATE_LIMITED", message: "API rate limit exceeded for installation ID 7" }, 900],
    [{ type: "RATE_LIMIT", message: "No more points" }, 900],
    [{ message: "You have exceeded a secondary rate limit" }, null],
  ])("that is answered 200 with %j has met a limit", async (refusal, resetSeconds) => {
    const client = await clientOf(enterprise);
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const spent = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "0", "x-ratelimit-resource": "graphql" };
    const headers = { ...spent, "x-ratelimit-reset": String(nowSeconds + (resetSeconds ?? 0)) };
    nock(api)
      .post("/api/graphql")
      .reply(200, { errors: [refusal] }, resetSeconds === null ? {} : headers);
    const error = await errorOf(client);
    expect(error).toBeInstanceOf(Held);
    const waitsSeconds = (error as Held).untilMs / 1_000 - nowSeconds;
    expect(Math.abs(waitsSeconds - (resetSeconds ?? 60))).toBeLessThan(5);
    await expectHeld(client);
  });

  test("that is refused for another reason holds nothing", async () => {
    const client = await clientOf(enterprise);
    const refusal = { type: "NOT_FOUND", message: "Could not resolve to a Repository" };
    nock(api)
      .post("/api/graphql")
      .reply(200, { errors: [refusal] });
    expect(await errorOf(client)).toMatchObject({ message: expect.stringContaining("Could not resolve") });
    nock(api).post("/api/graphql").reply(200, { data });
    expect(await client.graphql(query, {})).toEqual(data);
  });

  test("is counted, and its own limit is not taken for that of the other requests", async () => {
    const heard: Exchange[] = [];
    const client = await clientOf(enterprise, (exchange) => heard.push(exchange));
    const headers = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-resource": "graphql" };
    nock(api).post("/api/graphql").reply(200, { data }, headers).post("/api/graphql").reply(502, {}, headers);
    await client.graphql(query, {});
    await errorOf(client);
    const counted = { route: "POST /graphql", installation: "7", limit: null, remaining: null };
    expect(heard.slice(-2)).toEqual([
      { ...counted, status: 200 },
      { ...counted, status: 502 },
    ]);
  });
});

test("a check without an app, a text or an id is no measurement, and no error", () => {
  const head = "a".repeat(40);
  const check = { id: 1, name: "val_bpb", head_sha: head, status: "completed", output: { text: null }, app: null };
  expect(checkSchema.parse(check)).toMatchObject({
    head: sha(head),
    app: "",
    externalId: "",
    json: null,
    digest: null,
  });
});
