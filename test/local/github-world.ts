/**
 * A local GitHub for one test: a repository, an app installed on it, people, and a receiver of webhooks. Every exchange and
 * every webhook is checked against GitHub's description, and the test fails where one was wrong.
 */
import { createHmac, createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Octokit } from "@octokit/rest";
import { execa } from "execa";
import { SignJWT } from "jose";
import { expect, onTestFinished } from "vitest";
import type { Exchange } from "../../src/local/github/exchange.ts";
import { gitEnvironment } from "../../src/local/github/git-command.ts";
import { newPrivateKey } from "../../src/local/github/world.ts";
import { startLocalGitHub } from "../../src/local/github/server.ts";
import { contractOf } from "../support/openapi.ts";

type Hook = {
  readonly event: string;
  readonly action: string | null;
  readonly guid: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Record<string, never> & { readonly [key: string]: unknown };
};

export const at = { owner: "octo", repo: "lab" };
export const allPermissions = {
  actions: "write",
  checks: "write",
  contents: "write",
  issues: "write",
  pull_requests: "write",
} as const;
const allEvents = ["issues", "issue_comment", "pull_request", "check_run", "push", "create", "delete"];

export type TestWorld = Awaited<ReturnType<typeof startTestWorld>>;

/** One for all tests of a file: making it takes longer than anything else here. */
const privateKey = newPrivateKey();

export type TestWorldOptions = {
  readonly private?: boolean;
  readonly permissions?: Readonly<Record<string, "read" | "write">>;
  readonly files?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
};

/** Starts it all; it ends with the test. */
export async function startTestWorld(options: TestWorldOptions = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), "local-github-"));
  const contract = contractOf({ requests: "accepted" });
  const exchanges: Exchange[] = [];
  const github = await startLocalGitHub({
    dir,
    ...(options.now === undefined ? {} : { now: options.now }),
    onExchange: (exchange) => {
      exchanges.push(exchange);
      contract.take(exchange);
    },
  });
  const hooks: Hook[] = [];
  const receiver = await startReceiver(hooks);
  await github.world.createRepo({
    owner: at.owner,
    name: at.repo,
    private: options.private ?? false,
    files: options.files ?? { "train.py": "LR = 0.1\n", "docs/notes.md": "Notes\n" },
  });
  const app = github.world.createApp({
    slug: "tester",
    permissions: options.permissions ?? allPermissions,
    events: allEvents,
    webhookUrl: receiver.url,
    privateKey,
  });
  const installationId = github.world.install(app.appId, `${at.owner}/${at.repo}`);
  github.world.setPermission("octo/lab", "ada", "write");
  await github.webhooks.settled();
  onTestFinished(async () => {
    await github.webhooks.settled();
    await github.stop();
    receiver.server.close();
    receiver.server.closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
    for (const hook of hooks) contract.takeWebhook(hook);
    expect(contract.violations()).toEqual([]);
    expect(github.unknownRoutes).toEqual([]);
  });
  const asApp = octokit(github, { auth: await jwtOf(app, options.now?.().getTime()) });
  const issued = await asApp.rest.apps.createInstallationAccessToken({ installation_id: installationId });
  github.resetRequests();
  return {
    dir,
    github,
    app,
    installationId,
    exchanges,
    contract,
    hooks,
    receiver,
    directory: github.world.repo("octo/lab").directory,
    /** Acts as the app, by JWT. */
    asApp,
    /** Acts as the installation. */
    bot: octokit(github, { auth: issued.data.token }),
    botToken: issued.data.token,
    as: (login: string) => octokit(github, { auth: github.world.personalToken(login) }),
    withToken: (auth: string) => octokit(github, { auth }),
    git: async (...args: string[]) => (await gitAt(github.world.repo("octo/lab").directory, args)).trim(),
    /** Hooks of this event and action so far, once all have arrived. */
    heard: async (event: string, action?: string) => {
      await github.webhooks.settled();
      return hooks.filter((hook) => hook.event === event && (action === undefined || hook.action === action));
    },
  };
}

/** What an app shows of itself: signed with its key, good for nine minutes. */
export async function jwtOf(app: { readonly appId: number; readonly privateKey: string }, now = Date.now()) {
  const seconds = Math.floor(now / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: "RS256" })
    .setIssuer(String(app.appId))
    .setIssuedAt(seconds - 30)
    .setExpirationTime(seconds + 9 * 60)
    .sign(createPrivateKey(app.privateKey));
}

export function octokit(github: { readonly apiUrl: string }, options: object): Octokit {
  const silent = (): void => {};
  return new Octokit({
    baseUrl: github.apiUrl,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    ...options,
  });
}

export async function gitAt(directory: string, args: readonly string[]): Promise<string> {
  return (await execa("git", ["-C", directory, ...args], { env: { ...gitEnvironment } })).stdout;
}

/** A commit on top of `parent` with these files, made through the API; gives its id. */
export async function commitOn(
  octokit: Octokit,
  parent: string,
  files: Readonly<Record<string, string | null>>,
  message = "Change",
): Promise<string> {
  const base = (await octokit.rest.git.getCommit({ ...at, commit_sha: parent })).data.tree.sha;
  const tree = Object.entries(files).map(([file, content]) => ({
    path: file,
    mode: "100644" as const,
    type: "blob" as const,
    ...(content === null ? { sha: null } : { content }),
  }));
  const laid = await octokit.rest.git.createTree({ ...at, base_tree: base, tree });
  const commit = await octokit.rest.git.createCommit({ ...at, message, tree: laid.data.sha, parents: [parent] });
  return commit.data.sha;
}

/** The tip of a branch. */
export async function tipOf(octokit: Octokit, branch: string): Promise<string> {
  return (await octokit.rest.git.getRef({ ...at, ref: `heads/${branch}` })).data.object.sha;
}

/** A branch with one commit on main, and a pull request from it. */
export async function openPullRequest(octokit: Octokit, branch: string, files: Readonly<Record<string, string>>) {
  const head = await commitOn(octokit, await tipOf(octokit, "main"), files, `Change of ${branch}`);
  await octokit.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: head });
  const { data } = await octokit.rest.pulls.create({ ...at, title: branch, head: branch, base: "main", body: "Why" });
  return { number: data.number, head };
}

/** What a refused request was answered. */
export async function refusal(request: Promise<unknown>): Promise<{ status: number; message: string }> {
  try {
    await request;
  } catch (error) {
    const { status, response } = error as { status: number; response?: { data: Record<string, unknown> } };
    const said = response?.data as { message?: string; errors?: { message?: string }[] } | undefined;
    return { status, message: said?.errors?.[0]?.message ?? said?.message ?? "" };
  }
  throw new Error("the request was not refused");
}

async function startReceiver(hooks: Hook[]): Promise<{ server: Server; url: string; answer: { status: number } }> {
  const answer = { status: 200 };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (bytes: Buffer) => parts.push(bytes));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString("utf8");
      const body = JSON.parse(text) as Hook["body"];
      const headers = request.headers as Record<string, string>;
      hooks.push({
        event: headers["x-github-event"]!,
        action: typeof body["action"] === "string" ? body["action"] : null,
        guid: headers["x-github-delivery"]!,
        headers: { ...headers, digest: text },
        body,
      });
      response.writeHead(answer.status).end("ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, answer, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

export function signatureOf(secret: string, text: string): string {
  return `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
}
