/**
 * GitHub's own description as a judge: every exchange with the local GitHub (what we sent, what it answered) and every
 * webhook is checked against `@octokit/openapi` and `@octokit/openapi-webhooks`.
 *
 * The descriptions are read once in a process, and a schema is compiled when it is first needed.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import type { Exchange } from "../../src/local/github/exchange.ts";

type Json = { readonly [key: string]: unknown };

export type Contract = {
  /** Checks an exchange; gives (and keeps) what is wrong with it. Made for `onExchange`. */
  readonly take: (exchange: Exchange) => string[];
  /** Checks the body of a webhook. */
  readonly takeWebhook: (webhook: { event: string; action: string | null; body: unknown }) => string[];
  /** All that was found wrong so far, each once. */
  readonly violations: () => string[];
  /** Drops what was found, where a test broke the contract on purpose. */
  readonly forget: () => void;
  /** `GET /repos/{owner}/{repo}` of every route that answered with success. */
  readonly seen: ReadonlySet<string>;
};

export type ContractOptions = {
  /** `accepted`: what we sent is not checked where the answer is 4xx, for tests that send nonsense on purpose. */
  readonly requests?: "all" | "accepted";
};

/** A judge that collects violations. */
export function contractOf(options: ContractOptions = {}): Contract {
  const violations = new Set<string>();
  const seen = new Set<string>();
  const kept = (found: string[]): string[] => {
    for (const one of found) violations.add(one);
    return found;
  };
  return {
    take: (exchange) => {
      if (exchange.status >= 200 && exchange.status < 400 && exchange.template !== null)
        seen.add(`${exchange.method} ${exchange.template}`);
      return kept(wrongsOf(exchange, options.requests ?? "all"));
    },
    takeWebhook: (webhook) => kept(wrongsOfWebhook(webhook)),
    violations: () => [...violations],
    forget: () => violations.clear(),
    seen,
  };
}

/** The operation of a route in the description, or null. */
export function operationOf(method: string, template: string): Json | null {
  const operations = at(rest().document, "paths", template);
  return at(operations, method.toLowerCase()) ?? null;
}

/** Routes that the description marks as notifying people. */
export function notifyingRoutes(): string[] {
  const found: string[] = [];
  for (const [template, operations] of Object.entries(at(rest().document, "paths")!)) {
    for (const [method, operation] of Object.entries(operations as Json)) {
      if (at(operation, "x-github")?.["triggersNotification"] === true)
        found.push(`${method.toUpperCase()} ${template}`);
    }
  }
  return found;
}

function wrongsOf(exchange: Exchange, requests: "all" | "accepted"): string[] {
  const name = `${exchange.method} ${exchange.template ?? exchange.path}`;
  if (exchange.template === null) return [`${name}: unknown route (${exchange.status})`];
  // The description is REST's; GraphQL has a schema of its own.
  if (exchange.template === "/graphql") return [];
  const operation = operationOf(exchange.method, exchange.template);
  if (operation === null) return [`${name}: not in GitHub's description`];
  const wrongs: string[] = [];
  const refused = exchange.status >= 400 && exchange.status < 500;
  if (requests === "all" || !refused) wrongs.push(...wrongsOfRequest(name, operation, exchange));
  if (!exchange.faulted) wrongs.push(...wrongsOfResponse(name, operation, exchange));
  return wrongs;
}

// --- requests

function wrongsOfRequest(name: string, operation: Json, exchange: Exchange): string[] {
  const wrongs: string[] = [];
  const parameters = new Map<string, Json>();
  for (const one of (operation["parameters"] ?? []) as Json[]) {
    const parameter = resolved(one);
    if (parameter["in"] === "query") parameters.set(String(parameter["name"]), parameter);
  }
  for (const [key, value] of Object.entries(exchange.query)) {
    const parameter = parameters.get(key);
    if (parameter === undefined) wrongs.push(`${name}: query ${key} is not known`);
    else if (!isValue(parameter["schema"] as Json, value)) wrongs.push(`${name}: query ${key}=${value} is not allowed`);
  }
  const schema = at(operation["requestBody"], "content", "application/json", "schema");
  const required = at(operation, "requestBody")?.["required"] === true;
  if (exchange.requestBody === undefined) {
    if (required) wrongs.push(`${name}: a body is required`);
    return wrongs;
  }
  if (schema === undefined) return [...wrongs, `${name}: no body is expected`];
  const problem = rest().problem(`body of ${name}`, schema, exchange.requestBody);
  if (problem !== null) wrongs.push(`${name}: body: ${problem}`);
  for (const key of unknownKeys(schema, exchange.requestBody)) wrongs.push(`${name}: body: ${key} is not known`);
  return wrongs;
}

/** Whether the text of a query parameter is of the type that the schema wants. */
function isValue(schema: Json, text: string): boolean {
  const whole = schema["$ref"] === undefined ? schema : resolved(schema);
  const isOne = (one: string) =>
    rest().problem(`value ${JSON.stringify(schema)}`, schema, typed(one, whole["type"])) === null;
  // The description says that `created` may be a range of times, and its schema does not.
  return whole["format"] === "date-time" ? text.split("..").every(isOne) : isOne(text);
}

function typed(text: string, type: unknown): unknown {
  switch (type) {
    case "integer":
    case "number":
      return Number(text);
    case "boolean":
      return text === "true";
    case "array":
      return [text];
    default:
      return text;
  }
}

function unknownKeys(schema: Json, body: unknown): string[] {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return [];
  const known = propertiesOf(schema);
  return known === null ? [] : Object.keys(body).filter((key) => !known.has(key));
}

/** Names that the schema knows; null where it takes any. */
function propertiesOf(given: Json): Set<string> | null {
  const schema = resolved(given);
  if (schema["additionalProperties"] === true || typeof schema["additionalProperties"] === "object") return null;
  const known = new Set(Object.keys(schema["properties"] ?? {}));
  for (const word of ["allOf", "anyOf", "oneOf"]) {
    for (const part of (schema[word] ?? []) as Json[]) {
      const more = propertiesOf(part);
      if (more === null) return null;
      for (const key of more) known.add(key);
    }
  }
  return known;
}

// --- responses

function wrongsOfResponse(name: string, operation: Json, exchange: Exchange): string[] {
  const { status, responseBody, responseHeaders } = exchange;
  const wrongs: string[] = [];
  for (const header of ["x-github-request-id", "x-ratelimit-remaining", "x-ratelimit-reset"]) {
    if (responseHeaders[header] === undefined) wrongs.push(`${name}: no header ${header}`);
  }
  // Any address of a repository leads on when the repository has another name.
  if (status === 301 || status === 307)
    return responseHeaders["location"] === undefined ? [...wrongs, `${name}: ${status} leads nowhere`] : wrongs;
  if (status === 304) return responseBody === undefined ? wrongs : [...wrongs, `${name}: 304 with a body`];
  const documented = at(operation, "responses", String(status));
  if (documented === undefined) {
    if (status < 400) return [...wrongs, `${name}: status ${status} is not in the description`];
    // Errors that the description leaves out all have GitHub's common form.
    const said = at(responseBody)?.["message"];
    return typeof said === "string" ? wrongs : [...wrongs, `${name}: ${status} without a message`];
  }
  const content = at(resolved(documented), "content", "application/json");
  if (content === undefined) {
    const empty = responseBody === undefined || status >= 400;
    return empty ? wrongs : [...wrongs, `${name}: ${status} should have no body`];
  }
  if (responseBody === undefined) return [...wrongs, `${name}: ${status} without a body`];
  const schema = at(content, "schema");
  const problem = schema === undefined ? null : rest().problem(`${status} of ${name}`, schema, responseBody);
  return problem === null ? wrongs : [...wrongs, `${name}: ${status}: ${problem}`];
}

// --- webhooks

function wrongsOfWebhook({ event, action, body }: { event: string; action: string | null; body: unknown }): string[] {
  const name = (action === null ? event : `${event}-${action}`).replaceAll("_", "-");
  const operation = at(hooks().document, "webhooks", name, "post");
  if (operation === undefined) return [`webhook ${name}: not in GitHub's description`];
  const schema = at(operation, "requestBody", "content", "application/json", "schema");
  const problem = schema === undefined ? "no schema" : hooks().problem(`webhook ${name}`, schema, body);
  return problem === null ? [] : [`webhook ${name}: ${problem}`];
}

// --- the descriptions

type Description = {
  readonly document: Json;
  /** What is wrong with the value by the schema, which `key` names; null: nothing. */
  readonly problem: (key: string, schema: Json, value: unknown) => string | null;
};

const require = createRequire(import.meta.url);
let restDescription: Description | null = null;
let hooksDescription: Description | null = null;

function rest(): Description {
  restDescription ??= describe(require.resolve("@octokit/openapi/package.json"));
  return restDescription;
}

function hooks(): Description {
  hooksDescription ??= describe(require.resolve("@octokit/openapi-webhooks/package.json"));
  return hooksDescription;
}

function describe(packageFile: string): Description {
  // The packages' own entries load every description there is (hundreds of megabytes): the file is read instead.
  const file = path.join(path.dirname(packageFile), "generated", "api.github.com.json");
  const document = JSON.parse(readFileSync(file, "utf8")) as Json;
  const ajv = new Ajv({ strict: false, validateSchema: false, inlineRefs: false, logger: false, formats });
  const added = new Set<string>();
  const converted = (schema: unknown): unknown =>
    asJsonSchema(schema, (name) => {
      if (added.has(name)) return;
      added.add(name);
      ajv.addSchema(converted(at(document, "components", "schemas", name)) as Json, `component:${name}`);
    });
  const compiled = new Map<string, ValidateFunction>();
  return {
    document,
    problem: (key, schema, value) => {
      const validate = compiled.get(key) ?? ajv.compile(converted(schema) as Json);
      compiled.set(key, validate);
      if (validate(value)) return null;
      const all = (validate.errors ?? []).map((error) => `${error.instancePath || "/"} ${error.message ?? ""}`);
      return [...new Set(all)].slice(0, 8).join("; ");
    },
  };
}

const formats = {
  "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
  uri: /^[a-z][a-z0-9+.-]*:[^\s]+$/i,
  "uri-template": true,
  email: /^[^\s@]+@[^\s@]+$/,
  int64: true,
  "repo.nwo": true,
} as const;

/** The description's dialect (OpenAPI 3.0 with `nullable`) as JSON Schema; `$ref`s of components are reported. */
function asJsonSchema(schema: unknown, onComponent: (name: string) => void): unknown {
  if (Array.isArray(schema)) return schema.map((one) => asJsonSchema(one, onComponent));
  if (typeof schema !== "object" || schema === null) return schema;
  const from = schema as Json;
  if (typeof from["$ref"] === "string") {
    const name = from["$ref"].split("/").at(-1)!;
    onComponent(name);
    return { $ref: `component:${name}` };
  }
  const to: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(from)) {
    if (silent.has(key)) continue;
    if (key === "enum" && Array.isArray(value))
      to[key] = from["nullable"] === true ? [...(value as unknown[]), null] : value;
    else if (key === "properties") to[key] = valuesConverted(value as Json, onComponent);
    else to[key] = asJsonSchema(value, onComponent);
  }
  if (from["nullable"] !== true) return to;
  if (typeof to["type"] === "string") return { ...to, type: [to["type"], "null"] };
  return { anyOf: [{ type: "null" }, to] };
}

function valuesConverted(properties: Json, onComponent: (name: string) => void): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, asJsonSchema(one, onComponent)]));
}

/** Words of a schema that say nothing of what is valid. */
const silent = new Set(
  "description title deprecated readOnly externalDocs nullable example examples discriminator default".split(" "),
);

function resolved(value: Json): Json {
  const ref = value["$ref"];
  if (typeof ref !== "string") return value;
  return at(rest().document, ...ref.replace(/^#\//, "").split("/")) ?? {};
}

function at(value: unknown, ...steps: string[]): Json | undefined {
  let now = value;
  for (const step of steps) now = typeof now === "object" && now !== null ? (now as Json)[step] : undefined;
  return typeof now === "object" && now !== null ? (now as Json) : undefined;
}
