/**
 * The line to GitHub of one installation (or of the app itself): every request goes out here, in its turn and once.
 *
 * Always: a write is never sent again. A read is, once, where its token was refused before its time (401): a new one is
 * fetched. A write that met the same has done nothing; whoever asked for it looks again, with the new token.
 */
import { RequestError } from "@octokit/request-error";
import { z } from "zod";
import { type Answered, answerIn } from "./answered.ts";
import { Pace, type Weight } from "./pace.ts";

const tokenSchema = z.object({ permissions: z.record(z.string(), z.string()) });

/** What we use of an Octokit instance. */
export type OctokitLike = {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, unknown> }>;
  graphql(query: string, variables?: Record<string, unknown>): Promise<unknown>;
  /** Fetches a token, in place of the one that is remembered. */
  auth(options: { type: "installation"; refresh?: true }): Promise<unknown>;
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
  send(route: string, parameters: Parameters): ReturnType<OctokitLike["request"]> {
    const asked = () => this.#octokit.request(route, { ...parameters, request: transport() });
    return this.#renewing(weightOf(route), asked);
  }

  /** The data of a GraphQL query, which is a read whatever its method says. Throws as `send`, or what the answer refused. */
  async graphql(query: string, variables: Parameters): Promise<unknown> {
    const asked = () => this.#octokit.graphql(query, { ...variables, request: transport() });
    // Of an answer that is well only the data is known: its headers tell of a limit that is not the other requests'.
    return (await this.#renewing("read", async () => ({ status: 200, headers: {}, data: await asked() }))).data;
  }

  /** What the installation's token may do, by permission, as it was when the token was made; or of a new token. */
  async permissions(ofNewToken: boolean): Promise<Readonly<Record<string, string>>> {
    const refresh = ofNewToken ? ({ refresh: true } as const) : {};
    return tokenSchema.parse(await this.#octokit.auth({ type: "installation", ...refresh })).permissions;
  }

  async #renewing<T extends Answered>(weight: Weight, ask: () => Promise<T>): Promise<T> {
    try {
      return await this.#once(weight, ask);
    } catch (error) {
      const refused = error instanceof RequestError && error.status === 401;
      if (!refused || !(await this.#renew()) || weight !== "read") throw error;
      return this.#once(weight, ask);
    }
  }

  async #once<T extends Answered>(weight: Weight, ask: () => Promise<T>): Promise<T> {
    await this.pace.turn(weight);
    try {
      const answer = await ask();
      this.pace.heard(weight, answer.status, answer.headers, "");
      return answer;
    } catch (error) {
      const answer = answerIn(error);
      if (answer === null) {
        this.pace.lost();
        throw error;
      }
      throw this.pace.heard(weight, answer.status, answer.headers, (error as Error).message) ?? error;
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

function transport() {
  return { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 };
}
