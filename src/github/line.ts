/**
 * The line to GitHub of one installation (or of the app itself): every request goes out here, in its turn and once.
 *
 * Always: a write is never sent again. A read is, once, where its token was refused before its time (401): a new one is
 * fetched. A write that met the same has done nothing; whoever asked for it looks again, with the new token.
 */
import { RequestError } from "@octokit/request-error";
import { Pace, type Weight } from "./pace.ts";

/** What we use of an Octokit instance. */
export type OctokitLike = {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, unknown> }>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>;
  /** Fetches a token, in place of the one that is remembered. */
  auth(options: { type: "installation"; refresh: true }): Promise<unknown>;
};

export type Parameters = Readonly<Record<string, unknown>>;

export type LineOptions = {
  readonly installation: number | null;
  readonly pace?: Pace;
};

/** After so long a request without an answer counts as lost; the wait for its turn is not counted. */
const requestTimeoutMs = 30_000;
/** A token that is refused right after it was fetched says that something else is wrong. */
const renewEveryMs = 60_000;

/** What the bot sends that people are notified of, as GitHub's description marks it (`triggersNotification`). */
const notifyingRoutes: ReadonlySet<string> = new Set([
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
  "POST /repos/{owner}/{repo}/pulls",
]);

export function weightOf(route: string): Weight {
  if (route.startsWith("GET ")) return "read";
  return notifyingRoutes.has(route) ? "notifying" : "write";
}

export class Line {
  readonly pace: Pace;
  readonly #octokit: OctokitLike;
  readonly #options: LineOptions;
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(octokit: OctokitLike, options: LineOptions) {
    this.#octokit = octokit;
    this.#options = options;
    this.pace = options.pace ?? new Pace({ spaced: false });
  }

  /** Sends a request. Throws Octokit's RequestError, `Held` where a limit forbids it, or what the network threw. */
  async send(route: string, parameters: Parameters): ReturnType<OctokitLike["request"]> {
    try {
      return await this.#once(route, parameters);
    } catch (error) {
      const refused = error instanceof RequestError && error.status === 401;
      if (!refused || !(await this.#renew()) || weightOf(route) !== "read") throw error;
      return this.#once(route, parameters);
    }
  }

  /** The data of a GraphQL query; GitHub counts these apart, so they only wait for their turn. */
  async graphql(query: string, variables: Parameters): Promise<unknown> {
    await this.pace.turn("read");
    try {
      const data = await this.#graphql(query, variables);
      this.pace.lost();
      return data;
    } catch (error) {
      this.pace.lost();
      throw error;
    }
  }

  #graphql(query: string, variables: Parameters): Promise<unknown> {
    const request = { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 };
    return this.#octokit.graphql(query, { ...variables, request });
  }

  async #once(route: string, parameters: Parameters): ReturnType<OctokitLike["request"]> {
    const weight = weightOf(route);
    await this.pace.turn(weight);
    try {
      const answer = await this.#octokit.request(route, {
        ...parameters,
        request: { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 },
      });
      this.pace.heard(weight, answer.status, answer.headers, "");
      return answer;
    } catch (error) {
      const response = error instanceof RequestError ? error.response : undefined;
      const { message } = error instanceof Error ? error : { message: "" };
      if (response === undefined) {
        this.pace.lost();
        throw error;
      }
      throw this.pace.heard(weight, response.status, response.headers, message) ?? error;
    }
  }

  /** Fetches a new token; false where that is no help: the app itself has none, or it was just done. */
  async #renew(): Promise<boolean> {
    if (this.#options.installation === null || performance.now() - this.#renewedMs < renewEveryMs) return false;
    this.#renewedMs = performance.now();
    await this.#octokit.auth({ type: "installation", refresh: true });
    return true;
  }
}
