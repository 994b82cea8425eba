/** One request to the API and its answer: what tests check against GitHub's description, and what is counted. */
import type { Actor } from "./auth.ts";
import { contentRoutes } from "./content-routes.ts";

export type RequestKind = "read" | "notModified" | "write" | "content";

export type Exchange = {
  readonly method: string;
  /** The path below the API's root, still encoded. */
  readonly path: string;
  /** The route's template; null where there is none. */
  readonly template: string | null;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  /** 0: the connection was cut. */
  readonly status: number;
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** undefined: no body. */
  readonly responseBody: unknown;
  readonly actor: Actor["kind"] | "job";
  readonly kind: RequestKind;
  /** A fault made the answer: it says nothing of the route. */
  readonly faulted: boolean;
  readonly milliseconds: number;
};

/** What a request costs: `content` is GitHub's `triggersNotification`, and a write that is none of those is `write`. */
export function kindOf(method: string, template: string | null, status: number): RequestKind {
  if (status === 304) return "notModified";
  if (method === "GET") return "read";
  return template !== null && contentRoutes.has(`${method} ${template}`) ? "content" : "write";
}

export type RequestTotals = {
  readonly total: number;
  readonly byKind: Readonly<Record<RequestKind, number>>;
  /** `GET /repos/{owner}/{repo}/pulls` → how many, by kind. */
  readonly byRoute: Readonly<Record<string, Readonly<Partial<Record<RequestKind, number>>>>>;
};

/** Counts the requests of apps: JWT, installations and jobs. People's own requests cost the session nothing. */
export class RequestCounter {
  #byKind: Record<RequestKind, number> = { read: 0, notModified: 0, write: 0, content: 0 };
  #byRoute: Record<string, Partial<Record<RequestKind, number>>> = {};

  count(exchange: Exchange): void {
    if (exchange.actor === "person" || exchange.actor === "anonymous") return;
    this.#byKind[exchange.kind] += 1;
    const route = (this.#byRoute[`${exchange.method} ${exchange.template ?? exchange.path}`] ??= {});
    route[exchange.kind] = (route[exchange.kind] ?? 0) + 1;
  }

  totals(): RequestTotals {
    const byKind = { ...this.#byKind };
    const total = byKind.read + byKind.notModified + byKind.write + byKind.content;
    return { total, byKind, byRoute: structuredClone(this.#byRoute) };
  }

  reset(): void {
    this.#byKind = { read: 0, notModified: 0, write: 0, content: 0 };
    this.#byRoute = {};
  }
}
