/**
 * How the bot speaks to GitHub: conditional reads (a 304 costs nothing of the limit) and writes that are sent once.
 * Octokit gives authentication and transport; nothing here retries, because an unknown outcome is looked at, not repeated.
 */
import { lackingPermissions } from "../domain/permissions.ts";
import { Answers } from "./answers.ts";
import { isStatus } from "./errors.ts";
import { Line, type LineOptions, type OctokitLike, type Parameters } from "./line.ts";
import type { Slow } from "./pace.ts";

export type { OctokitLike } from "./line.ts";

export class Client {
  /** For what is not to be remembered, or has pages of another kind. */
  readonly line: Line;
  readonly #answers: Answers;
  readonly #installation: number | null;

  /** `answers` may be shared by all clients of a process. */
  constructor(octokit: OctokitLike, options: LineOptions = { installation: null }, answers = new Answers()) {
    this.line = new Line(octokit, options);
    this.#answers = answers;
    this.#installation = options.installation;
  }

  /** Why this installation's requests go out slowly now; null: they do not. */
  get slow(): Slow | null {
    return this.line.pace.slow;
  }

  /** What the app may not do here, of what it must; null: nothing. Costs a request only where it was less an hour ago. */
  async lackingPermissions(wanted: Readonly<Record<string, string>>): Promise<string | null> {
    const before = lackingPermissions(await this.line.permissions(false), wanted);
    // Somebody may have given it since.
    return before === null ? null : lackingPermissions(await this.line.permissions(true), wanted);
  }

  /** The answer's data; an unchanged answer comes from memory. Throws Octokit's RequestError. */
  async read(route: string, parameters: Parameters = {}): Promise<unknown> {
    return (await this.#read(route, parameters)).data;
  }

  /** As `read`, for what never changes (a git object by its name): once known it is not asked for again. */
  async readOnce(route: string, parameters: Parameters): Promise<unknown> {
    const known = this.#answers.get(this.#keyOf(route, parameters));
    return known === undefined ? this.read(route, parameters) : (JSON.parse(known.text) as unknown);
  }

  /** As `read`, or null where GitHub answers 404 (or 410: it was there). */
  async readIfThere(route: string, parameters: Parameters = {}): Promise<unknown> {
    try {
      return await this.read(route, parameters);
    } catch (error) {
      if (isStatus(error, 404, 410)) return null;
      throw error;
    }
  }

  /** All pages of a list, up to `mostPages`, 100 items each. `pick` takes the list out of a page. */
  async readAll(route: string, parameters: Parameters, mostPages = 10, pick = asList): Promise<unknown[]> {
    const items: unknown[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const answer = await this.#read(route, { per_page: 100, ...parameters, page });
      items.push(...pick(answer.data));
      if (!answer.next) break;
    }
    return items;
  }

  /** Sends a write once and gives the answer's data. */
  async write(route: string, parameters: Parameters): Promise<unknown> {
    return (await this.line.send(route, parameters)).data;
  }

  /** The data of a GraphQL query, for what REST does not say. Throws where the answer holds errors. */
  graphql(query: string, variables: Parameters): Promise<unknown> {
    return this.line.graphql(query, variables);
  }

  async #read(route: string, parameters: Parameters): Promise<{ data: unknown; next: boolean }> {
    const key = this.#keyOf(route, parameters);
    const known = this.#answers.get(key);
    try {
      const headers = known === undefined ? {} : { "if-none-match": known.etag };
      const { data, headers: answered } = await this.line.send(route, { ...parameters, headers });
      const { link, etag } = answered;
      const next = typeof link === "string" && link.includes('rel="next"');
      if (typeof etag === "string") this.#answers.set(key, { etag, text: JSON.stringify(data), next });
      return { data, next };
    } catch (error) {
      if (known === undefined || !isStatus(error, 304)) throw error;
      return { data: JSON.parse(known.text) as unknown, next: known.next };
    }
  }

  /** Installations do not see the same. */
  #keyOf(route: string, parameters: Parameters): string {
    return `${this.#installation ?? "app"} ${route} ${JSON.stringify(parameters)}`;
  }
}

function asList(data: unknown): unknown[] {
  return Array.isArray(data) ? data : [];
}
