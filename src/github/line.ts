/**
 * The line to GitHub of one installation (or of the app itself): every request goes out here, once, and what it met is told.
 */
import { RequestError } from "@octokit/request-error";

/** What we use of an Octokit instance. */
export type OctokitLike = {
  request(
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<{ status: number; data: unknown; headers: Record<string, unknown> }>;
};

export type Parameters = Readonly<Record<string, unknown>>;

/** What GitHub's headers say of a limit: requests an hour, how many are left, and when all are there again. */
export type Budget = {
  /** `core` for nearly everything that the bot asks. */
  readonly resource: string;
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
};

/** One request that was sent, for metrics and logs. */
export type Asked = {
  /** The route's template, with its method: `GET /repos/{owner}/{repo}/issues`. */
  readonly route: string;
  /** null: no answer came. */
  readonly status: number | null;
  /** null: the app itself asked. */
  readonly installation: number | null;
  readonly milliseconds: number;
  /** null where the answer names none. */
  readonly budget: Budget | null;
};

export type LineOptions = {
  readonly installation: number | null;
  /** Hears of every request after its end; must not throw. */
  readonly asked?: (asked: Asked) => void;
};

/** After so long a request without an answer counts as lost. */
const requestTimeoutMs = 30_000;

export class Line {
  readonly #octokit: OctokitLike;
  readonly #options: LineOptions;

  constructor(octokit: OctokitLike, options: LineOptions) {
    this.#octokit = octokit;
    this.#options = options;
  }

  /** Sends a request once. Throws Octokit's RequestError, or what the network threw. */
  async send(route: string, parameters: Parameters): ReturnType<OctokitLike["request"]> {
    const startedMs = performance.now();
    const met = (status: number | null, headers: Record<string, unknown>) => {
      const milliseconds = performance.now() - startedMs;
      const { installation, asked } = this.#options;
      asked?.({ route, status, installation, milliseconds, budget: budgetOf(headers) });
    };
    try {
      const answer = await this.#octokit.request(route, {
        ...parameters,
        request: { signal: AbortSignal.timeout(requestTimeoutMs), retries: 0 },
      });
      met(answer.status, answer.headers);
      return answer;
    } catch (error) {
      const answered = error instanceof RequestError && error.response !== undefined;
      met(answered ? error.status : null, answered ? error.response!.headers : {});
      throw error;
    }
  }
}

/** The limit that an answer's headers tell of, or null. */
export function budgetOf(headers: Readonly<Record<string, unknown>>): Budget | null {
  const numberIn = (name: string) => Number(headers[`x-ratelimit-${name}`] ?? Number.NaN);
  const [limit, remaining, reset] = [numberIn("limit"), numberIn("remaining"), numberIn("reset")];
  if (![limit, remaining, reset].every((value) => Number.isFinite(value))) return null;
  const resource = headers["x-ratelimit-resource"];
  return { resource: typeof resource === "string" ? resource : "core", limit, remaining, resetMs: reset * 1000 };
}
