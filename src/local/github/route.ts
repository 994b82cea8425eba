/**
 * A route: its template as in GitHub's description, what it asks of who calls it, and the work. A file of routes exports
 * `Route[]`; `routes.ts` lists them all. Where two templates fit a path, the one listed first has it.
 */
import type { z } from "zod";
import type { Access } from "./access.ts";
import { type Answer, ApiError, validationFailed } from "./answer.ts";
import type { Actor } from "./auth.ts";
import type { Core } from "./core.ts";
import type { Repository } from "./entities.ts";
import type { GitRepository } from "./git-repository.ts";

export type Call = {
  readonly core: Core;
  readonly actor: Actor;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The request's full URL. */
  readonly url: string;
  /** The parsed body; undefined where there is none. */
  readonly rawBody: unknown;
};

/** A call about a repository that exists, that the actor sees, and where it may do this. */
export type RepoCall = Call & { readonly repo: Repository; readonly git: GitRepository };

export type Route = {
  readonly method: string;
  /** `/repos/{owner}/{repo}/issues/{issue_number}` */
  readonly template: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
} & (
  | {
      readonly about: "repository";
      readonly access: Access;
      readonly handle: (call: RepoCall) => Promise<Answer> | Answer;
    }
  | { readonly about: "account"; readonly handle: (call: Call) => Promise<Answer> | Answer }
);

/** A route below `/repos/{owner}/{repo}`: `repoRoute("GET /repos/{owner}/{repo}/issues", { app: ["issues:read"], person: "read" }, …)`. */
export function repoRoute(name: string, access: Access, handle: (call: RepoCall) => Promise<Answer> | Answer): Route {
  return { ...parsed(name), about: "repository", access, handle };
}

/** A route that is about no repository; it looks at `call.actor` itself. */
export function accountRoute(name: string, handle: (call: Call) => Promise<Answer> | Answer): Route {
  return { ...parsed(name), about: "account", handle };
}

/** Parameters whose values hold slashes. */
const long = new Set(["path", "ref", "basehead"]);

function parsed(name: string): Pick<Route, "method" | "template" | "pattern" | "names"> {
  const [method = "", template = ""] = name.split(" ");
  const names: string[] = [];
  const source = template.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    names.push(parameter);
    return long.has(parameter) ? "(.+)" : "([^/]+)";
  });
  return { method, template, pattern: new RegExp(`^${source}$`), names };
}

/** The route of a path below the API's root, with its parameters decoded; null where none fits. */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = route.pattern.exec(path);
    if (match === null) continue;
    const params: Record<string, string> = {};
    for (const [at, name] of route.names.entries()) params[name] = decode(match[at + 1]!);
    return { route, params };
  }
  return null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The body as the schema says; 422 with the first thing wrong. */
export function bodyOf<S extends z.ZodType>(call: Call, schema: S): z.output<S> {
  const result = schema.safeParse(call.rawBody ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = issue?.path.map(String).join("/") ?? "";
  throw new ApiError(422, `Invalid request.\n\nFor 'properties/${at}': ${issue?.message ?? "not valid"}.`, {
    errors: [{ field: at, code: "invalid" }],
  });
}

/** A number in the path, such as `issue_number`; 404 where it is none. */
export function numberOf(call: Call, name: string): number {
  const text = call.params[name] ?? "";
  if (!/^\d{1,15}$/.test(text)) throw new ApiError(404, "Not Found");
  return Number(text);
}

/** A query parameter that is one of the allowed words; 422 for another. */
export function choiceOf<T extends string>(call: Call, name: string, allowed: readonly T[], otherwise: T): T {
  const text = call.query.get(name);
  if (text === null || text === "") return otherwise;
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw validationFailed({ resource: "Search", field: name, code: "invalid", value: text });
  return found;
}
