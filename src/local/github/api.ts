/**
 * The way of one request through the API: who asks → faults → limits → route → access → the work → ETag → headers →
 * the record of the exchange. Every answer goes this one way, errors too.
 */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { checkAccess } from "./access.ts";
import { type Answer, ApiError, documentation, notFound } from "./answer.ts";
import { type Actor, actorOf } from "./auth.ts";
import type { Core } from "./core.ts";
import { type Exchange, kindOf } from "./exchange.ts";
import type { Asked, Effect, StaleView } from "./faults.ts";
import { findRenamed, findRepository, fullName } from "./finders.ts";
import type { GitRepository } from "./git-repository.ts";
import { secondaryLimit } from "./limits.ts";
import { type Call, type Route, routeOf } from "./route.ts";

const apiVersion = "2022-11-28";

/** null: the connection is to be closed with no answer. */
export type ApiResult = {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
} | null;

export type ApiRequest = {
  readonly method: string;
  /** Below the API's root, still encoded, with the query. */
  readonly target: string;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
};

export type ApiOptions = {
  readonly routes: readonly Route[];
  readonly onExchange: (exchange: Exchange) => void;
  readonly onUnknown: (name: string) => void;
};

type Progress = { actor: Actor; template: string | null; params: Record<string, string>; faulted: boolean };

/** Answers a request. Never throws. */
export async function answerApi(core: Core, options: ApiOptions, request: ApiRequest): Promise<ApiResult> {
  const startedMs = performance.now();
  const [path = "", search = ""] = request.target.split("?", 2);
  const query = new URLSearchParams(search);
  const progress: Progress = { actor: { kind: "anonymous" }, template: null, params: {}, faulted: false };
  let requestBody: unknown;
  let answer: Answer | null;
  try {
    requestBody = parsedBody(request.body);
    answer = await answerOf(core, options, request, { path, query, requestBody, progress });
  } catch (error) {
    answer = error instanceof ApiError ? withAddress(core, error).answer() : brokenAnswer(error);
  }
  // A connection that was cut has cost a request all the same, if the work was done.
  const result = answer === null ? null : finished(core, request, progress, answer);
  const { actor, template } = progress;
  const status = result?.status ?? 0;
  options.onExchange({
    method: request.method,
    path,
    template,
    params: progress.params,
    query: Object.fromEntries(query),
    requestBody,
    status,
    responseHeaders: result?.headers ?? {},
    responseBody: result === null || result.body === "" ? undefined : answer?.body,
    actor: actor.kind === "installation" && actor.job ? "job" : actor.kind,
    kind: kindOf(request.method, template, status),
    faulted: progress.faulted,
    milliseconds: performance.now() - startedMs,
  });
  return result;
}

/** Refuses what the local GitHub would answer otherwise than GitHub: other versions of the API, other forms than JSON. */
function checkForm(request: ApiRequest): void {
  const version = request.header("x-github-api-version");
  if (version !== undefined && version !== apiVersion) {
    throw new ApiError(400, `The local GitHub speaks version ${apiVersion} of the API, not ${version}.`);
  }
  const accept = request.header("accept") ?? "";
  if (/application\/vnd\.github(\.v3)?\.(raw|diff|patch|sha|text|html|full|object)\b/.test(accept)) {
    throw new ApiError(501, `The local GitHub has no ${accept}.`);
  }
}

type Request = { path: string; query: URLSearchParams; requestBody: unknown; progress: Progress };

async function answerOf(core: Core, options: ApiOptions, request: ApiRequest, asked: Request): Promise<Answer | null> {
  const { path, query, requestBody, progress } = asked;
  // 1. The route, so that faults can name it; then who asks.
  const found = routeOf(options.routes, request.method, path);
  progress.template = found?.route.template ?? null;
  progress.params = found?.params ?? {};
  if (request.header("user-agent") === undefined) {
    throw new ApiError(
      403,
      "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
    );
  }
  checkForm(request);
  progress.actor = await actorOf(core, request.header("authorization"));
  // 2. What a test wants to go wrong before the work.
  const fault: Asked = { method: request.method, template: progress.template, path, actor: progress.actor };
  const effects = core.faults.effectsOn(fault);
  for (const effect of effects) {
    progress.faulted ||= effect.kind !== "latency";
    if (await happens(core, progress.actor, effect, "before")) return null;
  }
  // 3. The limit.
  if (progress.template !== "/rate_limit") core.limits.check(progress.actor);
  if (kindOf(request.method, progress.template, 0) === "content") core.limits.checkContent(progress.actor);
  if (found === null) {
    options.onUnknown(`${request.method} ${path}`);
    return unknownAnswer(request.method, path);
  }
  // 4. The work.
  const stale = core.faults.staleViewFor(fault);
  const call: Call = {
    core,
    actor: progress.actor,
    params: found.params,
    query,
    url: `${core.apiUrl}${request.target}`,
    rawBody: requestBody,
  };
  const answer = await worked(found.route, call, stale);
  // 5. What a test wants to go wrong after it.
  for (const effect of effects) if (await happens(core, progress.actor, effect, "after")) return null;
  return answer;
}

async function worked(route: Route, call: Call, stale: StaleView | null): Promise<Answer> {
  if (route.about === "account") return route.handle(call);
  const { store, apiUrl } = call.core;
  const [owner, name] = [call.params["owner"]!, call.params["repo"]!];
  const repo = findRepository(store, owner, name);
  const renamed = repo === undefined ? findRenamed(store, owner, name) : undefined;
  if (renamed !== undefined) {
    checkAccess(store, renamed, call.actor, route.access);
    const [, rest = ""] = new RegExp(`^${apiUrl}/repos/[^/]+/[^/?]+(.*)$`).exec(call.url) ?? [];
    const location = `${apiUrl}/repos/${fullName(store, renamed)}${rest}`;
    // A write is sent again to the new place as it was.
    const read = route.method === "GET";
    throw new ApiError(read ? 301 : 307, read ? "Moved Permanently" : "Temporary Redirect", { headers: { location } });
  }
  if (repo === undefined) throw notFound();
  checkAccess(store, repo, call.actor, route.access);
  if (repo.archived === true && route.method !== "GET" && route.template !== "/repos/{owner}/{repo}") {
    throw new ApiError(403, "Repository was archived so is read-only.");
  }
  const git = call.core.git(repo);
  const answer = await route.handle({ ...call, repo, git });
  if (stale === null || !isList(answer.body)) return answer;
  const oldGit = Object.create(git, { refs: { value: stale.refs(repo) } }) as GitRepository;
  return route.handle({ ...call, core: { ...call.core, store: stale.store }, repo, git: oldGit });
}

function isList(body: unknown): boolean {
  return Array.isArray(body) || (typeof body === "object" && body !== null && "total_count" in body);
}

/** Carries out what a fault does at this point; true: the connection is to be closed. */
async function happens(core: Core, actor: Actor, effect: Effect, when: "before" | "after"): Promise<boolean> {
  switch (effect.kind) {
    case "latency":
      if (when === "before") await sleep(effect.ms);
      return false;
    case "fail":
      if (effect.when === when) throw new ApiError(effect.status, effect.message ?? "Server Error");
      return false;
    case "drop":
      if (effect.when !== when) return false;
      await effect.first?.();
      return true;
    case "silence":
      if (effect.when !== when) return false;
      await sleep(effect.ms);
      return true;
    case "primaryLimit":
      if (when === "before") core.limits.leave(actor, 0, effect.resetInSeconds);
      return false;
    case "secondaryLimit":
      if (when === "after") return false;
      throw secondaryLimit(effect.retryAfterSeconds, effect.status);
  }
}

function finished(core: Core, request: ApiRequest, progress: Progress, answer: Answer): NonNullable<ApiResult> {
  const body = answer.body === undefined ? "" : JSON.stringify(answer.body);
  const headers: Record<string, string> = {
    "x-github-request-id": `${randomBytes(2).toString("hex")}:${randomBytes(6).toString("hex")}`.toUpperCase(),
    "x-github-media-type": "github.v3; format=json",
    "x-github-api-version-selected": apiVersion,
    "cache-control": "private, max-age=60, s-maxage=60",
    ...(body === "" ? {} : { "content-type": "application/json; charset=utf-8" }),
    ...answer.headers,
  };
  let { status } = answer;
  if (request.method === "GET" && status === 200) {
    headers["etag"] = `W/"${createHash("sha256").update(body).digest("hex")}"`;
    if (matchesEtag(request.header("if-none-match"), headers["etag"])) status = 304;
  }
  if (status !== 304 && status !== 401 && progress.template !== "/rate_limit") core.limits.charge(progress.actor);
  Object.assign(headers, core.limits.headers(progress.actor));
  if (status !== 304) return { status, headers, body };
  delete headers["content-type"];
  return { status, headers, body: "" };
}

/** A place of the API that an answer leads to, as an address. */
function withAddress(core: Core, error: ApiError): ApiError {
  const { location } = error.headers;
  if (location?.startsWith("/") !== true) return error;
  return new ApiError(error.status, error.message, {
    headers: { ...error.headers, location: `${core.apiUrl}${location}` },
  });
}

function matchesEtag(header: string | undefined, etag: string): boolean {
  const bare = (text: string): string => text.trim().replace(/^W\//, "");
  return header !== undefined && header.split(",").some((one) => bare(one) === bare(etag));
}

function parsedBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ApiError(400, "Problems parsing JSON");
  }
}

function unknownAnswer(method: string, path: string): Answer {
  return {
    status: 501,
    body: {
      message: `The local GitHub has no route for ${method} ${path}`,
      documentation_url: documentation,
      status: "501",
    },
  };
}

function brokenAnswer(error: unknown): Answer {
  process.stderr.write(`local GitHub: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { status: 500, body: { message: "Server Error", status: "500" } };
}
