/**
 * How the bot speaks to GitHub: conditional reads (a 304 costs nothing of the limit) and writes that are sent once.
 * Octokit gives authentication and transport; nothing here retries, because an unknown outcome is looked at, not repeated.
 */
import { isStatus } from "./errors.ts";

/** What we use of an Octokit instance. */
export type OctokitLike = {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, unknown> }>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>;
};

type Parameters = Readonly<Record<string, unknown>>;

/** After so long a request without an answer counts as lost. */
const requestTimeoutMs = 30_000;
/** Answers remembered for conditional reads, per installation. */
const rememberedAnswers = 2_000;

export class Client {
  readonly #octokit: OctokitLike;
  readonly #remembered = new Map<string, { etag: string; data: unknown; next: boolean }>();

  constructor(octokit: OctokitLike) {
    this.#octokit = octokit;
  }

  /** The answer's data; an unchanged answer comes from memory. Throws Octokit's RequestError. */
  async read(route: string, parameters: Parameters = {}): Promise<unknown> {
    return (await this.#read(route, parameters)).data;
  }

  /** As `read`, for what never changes (a git object by its name): once known it is not asked for again. */
  async readOnce(route: string, parameters: Parameters): Promise<unknown> {
    const known = this.#remembered.get(keyOf(route, parameters));
    return known === undefined ? this.read(route, parameters) : known.data;
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
    return (await this.#send(route, parameters)).data;
  }

  /** The data of a GraphQL query, for what REST does not say. Throws where the answer holds errors. */
  async graphql(query: string, variables: Parameters): Promise<unknown> {
    const request = { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 };
    return this.#octokit.graphql(query, { ...variables, request });
  }

  async #read(route: string, parameters: Parameters): Promise<{ data: unknown; next: boolean }> {
    const key = keyOf(route, parameters);
    const known = this.#remembered.get(key);
    try {
      const headers = known === undefined ? {} : { "if-none-match": known.etag };
      const { data, headers: answered } = await this.#send(route, { ...parameters, headers });
      const { link, etag } = answered;
      const next = typeof link === "string" && link.includes('rel="next"');
      if (typeof etag === "string") this.#remember(key, { etag, data, next });
      return { data, next };
    } catch (error) {
      if (known === undefined || !isStatus(error, 304)) throw error;
      this.#remember(key, known);
      return known;
    }
  }

  #remember(key: string, answer: { etag: string; data: unknown; next: boolean }): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, answer);
    if (this.#remembered.size > rememberedAnswers) this.#remembered.delete(this.#remembered.keys().next().value!);
  }

  #send(route: string, parameters: Parameters) {
    return this.#octokit.request(route, {
      ...parameters,
      request: { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 },
    });
  }
}

function keyOf(route: string, parameters: Parameters): string {
  return `${route} ${JSON.stringify(parameters)}`;
}

function asList(data: unknown): unknown[] {
  return Array.isArray(data) ? data : [];
}
