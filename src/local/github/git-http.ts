/**
 * git over HTTP: clone, fetch and push through git's own `git http-backend`.
 *
 * Always: a push is answered only after the world has followed it (pull requests, webhooks), so that who pushed and then
 * asks the API sees the push.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { execa } from "execa";
import { atLeast, holds, roleOf } from "./access.ts";
import { ApiError } from "./answer.ts";
import { type Actor, actorOf } from "./auth.ts";
import { type Core, doerOf } from "./core.ts";
import type { Repository } from "./entities.ts";
import { findRenamed, findRepository } from "./finders.ts";
import { gitEnvironment } from "./git-command.ts";
import { followRefs } from "./ref-changes.ts";

const address = /^\/([^/]+)\/([^/]+)\.git\/(info\/refs|git-upload-pack|git-receive-pack|HEAD|objects\/.*)$/;

let backend: Promise<string> | null = null;

/** True when the path is git's. */
export function isGitPath(pathname: string): boolean {
  return address.test(pathname);
}

/** Serves one request of a git client; answers on `response`. */
export async function serveGit(core: Core, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", core.url);
  const [, owner = "", name = "", rest = ""] = address.exec(url.pathname) ?? [];
  const pushing = rest === "git-receive-pack" || url.searchParams.get("service") === "git-receive-pack";
  try {
    const actor = await actorOf(core, request.headers.authorization);
    const at = [decodeURIComponent(owner), decodeURIComponent(name)] as const;
    const repo = findRepository(core.store, ...at) ?? findRenamed(core.store, ...at);
    if (repo === undefined || !mayRead(core, repo, actor)) return refuse(response, actor, 404, "Repository not found.");
    if (pushing && !mayPush(core, repo, actor)) {
      return refuse(response, actor, 403, "Write access to repository not granted.");
    }
    const output = await runBackend(repo, actor, request, { url, rest, response });
    if (output === null) return;
    // The world follows before the client hears that its push is done.
    if (rest === "git-receive-pack") await core.alone(repo, () => followRefs(core, repo, doerOf(actor)));
    sendCgi(response, output);
  } catch (error) {
    if (error instanceof ApiError) return refuse(response, { kind: "anonymous" }, error.status, error.message);
    throw error;
  }
}

function mayRead(core: Core, repo: Repository, actor: Actor): boolean {
  if (!repo.private) return true;
  if (actor.kind === "person") return atLeast(roleOf(core.store, repo, actor.user), "read");
  return (
    actor.kind === "installation" &&
    actor.repositoryIds.includes(repo.id) &&
    holds(actor.permissions, "contents", "read")
  );
}

function mayPush(core: Core, repo: Repository, actor: Actor): boolean {
  if (actor.kind === "person") return atLeast(roleOf(core.store, repo, actor.user), "write");
  return (
    actor.kind === "installation" &&
    actor.repositoryIds.includes(repo.id) &&
    holds(actor.permissions, "contents", "write")
  );
}

function refuse(response: ServerResponse, actor: Actor, status: number, message: string): void {
  if (actor.kind === "anonymous") {
    response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"', "content-type": "text/plain" });
    response.end("Authentication required.\n");
    return;
  }
  response.writeHead(status, { "content-type": "text/plain" });
  response.end(`${message}\n`);
}

type Place = { readonly url: URL; readonly rest: string; readonly response: ServerResponse };

/** Runs the backend. A push's answer is gathered and given back; anything else streams to the client, and null is given. */
async function runBackend(
  repo: Repository,
  actor: Actor,
  request: IncomingMessage,
  place: Place,
): Promise<Buffer | null> {
  backend ??= execa("git", ["--exec-path"]).then(({ stdout }) => path.join(stdout, "git-http-backend"));
  const child = spawn(await backend, [], {
    env: {
      PATH: process.env["PATH"] ?? "",
      ...gitEnvironment,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROJECT_ROOT: path.dirname(repo.directory),
      PATH_INFO: `/${path.basename(repo.directory)}/${place.rest}`,
      PATH_TRANSLATED: path.join(repo.directory, place.rest),
      QUERY_STRING: place.url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      REMOTE_USER: actor.kind === "anonymous" ? "" : "signed-in",
      REMOTE_ADDR: "127.0.0.1",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      ...(actor.kind === "installation" && !holds(actor.permissions, "workflows", "write")
        ? { AUTORESEARCH_NO_WORKFLOWS: "1" }
        : {}),
    },
  });
  child.stderr.resume();
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  place.response.on("close", () => child.kill());
  if (place.rest === "git-receive-pack") return gathered(child);
  await streamed(child, place.response);
  return null;
}

async function gathered(child: ChildProcess): Promise<Buffer> {
  const parts: Buffer[] = [];
  child.stdout?.on("data", (bytes: Buffer) => parts.push(bytes));
  await ended(child);
  return Buffer.concat(parts);
}

async function streamed(child: ChildProcess, response: ServerResponse): Promise<void> {
  let head: Buffer | null = Buffer.alloc(0);
  child.stdout?.on("data", (bytes: Buffer) => {
    if (head === null) {
      if (!response.write(bytes)) {
        child.stdout?.pause();
        response.once("drain", () => child.stdout?.resume());
      }
      return;
    }
    head = Buffer.concat([head, bytes]);
    const split = splitCgi(head);
    if (split === null) return;
    head = null;
    response.writeHead(split.status, split.headers);
    response.write(split.body);
  });
  await ended(child);
  if (!response.headersSent) response.writeHead(500);
  response.end();
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}

function sendCgi(response: ServerResponse, output: Buffer): void {
  const split = splitCgi(output);
  if (split === null) {
    response.writeHead(500).end();
    return;
  }
  response.writeHead(split.status, split.headers);
  response.end(split.body);
}

function splitCgi(output: Buffer): { status: number; headers: Record<string, string>; body: Buffer } | null {
  const end = output.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of output.toString("utf8", 0, end).split("\r\n")) {
    const [name = "", value = ""] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers[name.toLowerCase()] = value;
  }
  return { status, headers, body: output.subarray(end + 4) };
}
