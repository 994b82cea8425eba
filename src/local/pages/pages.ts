/**
 * Plain web pages of the local GitHub: what github.com would show of issues, pull requests, checks, runs and code. Made on
 * the server and complete without JavaScript; a few lines of script keep an open page up to date.
 *
 * Always: every answer has a content policy that lets nothing in from elsewhere; a request by a foreign `Host` is refused,
 * and so is a form that did not come from a page of this process (guard.ts).
 */
import { randomBytes } from "node:crypto";
import { ApiError } from "../github/answer.ts";
import type { LocalGitHub, PageHandler } from "../github/server.ts";
import { pageAt } from "./addresses.ts";
import { type VersionOf, watchChanges } from "./changes.ts";
import { fileHeaders, hostsOf, pageHeaders, refusalOf } from "./guard.ts";
import { markup } from "./html.ts";
import { documentOf, icon, stylesheet } from "./layout.ts";
import { answerForm } from "./posts.ts";
import { Missing, type Page, type Site } from "./site.ts";

export type PagesOptions = {
  /** The login in whose name the forms act; not given: the pages only show. */
  readonly actAs?: string;
};

/** Give the result to `github.serve`. */
export function pagesOf(github: LocalGitHub, options: PagesOptions = {}): PageHandler {
  const site: Site = {
    core: github.core,
    actAs: options.actAs ?? null,
    formToken: randomBytes(24).toString("base64url"),
  };
  const hosts = hostsOf(github.url);
  const versionOf = watchChanges(github);
  let token: string | null = null;
  const tokenOf = (): string => (token ??= github.world.personalToken(options.actAs ?? ""));

  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const isOwn = pathname.startsWith("/_pages/");
    // Addresses that begin with an underscore belong to the machinery.
    if (pathname.startsWith("/_") && !isOwn) return null;
    const refusal = refusalOf(request, hosts);
    if (refusal !== null) return textResponse(`${refusal}\n`, 403);
    if (isOwn) return ownFile(pathname, searchParams, versionOf);
    // Before the page is made, so that no change falls between the two.
    const versions = { still: versionOf({ logs: false }), logs: versionOf({ logs: true }) };
    const answer = await answerTo(site, request, tokenOf);
    if (answer === null || answer instanceof Response) return answer;
    const nonce = randomBytes(16).toString("base64url");
    const version = answer.logs === true ? versions.logs : versions.still;
    const body = documentOf(site, answer, { version, nonce });
    return new Response(body, { status: answer.status ?? 200, headers: pageHeaders(nonce) });
  };
}

async function answerTo(site: Site, request: Request, tokenOf: () => string): Promise<Page | Response | null> {
  const { pathname, searchParams } = new URL(request.url);
  try {
    if (request.method === "POST") return await answerForm(site, request, pathname, tokenOf);
    return request.method === "GET" || request.method === "HEAD" ? await pageAt(site, pathname, searchParams) : null;
  } catch (error) {
    const isMissing = error instanceof Missing || (error instanceof ApiError && error.status === 404);
    if (!isMissing) throw error;
    const sentence = error instanceof Missing ? error.message : "There is nothing at this address.";
    return {
      title: "Not found",
      live: markup`<h1>Not found</h1>
        <p>${sentence}</p>`,
      status: 404,
    };
  }
}

function ownFile(pathname: string, query: URLSearchParams, versionOf: VersionOf): Response | null {
  const file = (type: string, body: string): Response =>
    new Response(body, {
      headers: { ...fileHeaders, "content-type": type, "cache-control": "private, max-age=31536000, immutable" },
    });
  switch (pathname) {
    case "/_pages/version":
      return textResponse(versionOf({ logs: query.has("logs") }), 200);
    case "/_pages/style.css":
      return file("text/css; charset=utf-8", stylesheet);
    case "/_pages/icon.svg":
      return file("image/svg+xml", icon);
    default:
      return null;
  }
}

function textResponse(text: string, status: number): Response {
  const headers = { ...fileHeaders, "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
  return new Response(text, { status, headers });
}
