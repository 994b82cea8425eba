/** Listens to what an Octokit asks of GitHub and what the answers say of the rate limit; changes nothing. */
import { answerIn } from "./answered.ts";
import type { OctokitLike } from "./client.ts";

/** One request and its answer, without anything that names a repository. */
export type Exchange = {
  /** `GET /repos/{owner}/{repo}/issues`, as in GitHub's description. */
  readonly route: string;
  /** null: no answer came. */
  readonly status: number | null;
  /** Number of the installation, or `app` for the app itself. */
  readonly installation: string;
  /** GitHub's primary limit and what is left of it; null: the answer did not say. */
  readonly limit: number | null;
  readonly remaining: number | null;
};

/** The same Octokit, heard. Requests that it makes by itself to get a token are not. */
export function metered(octokit: OctokitLike, installation: string, heard: (exchange: Exchange) => void): OctokitLike {
  const tell = (route: string, status: number | null, headers: Record<string, unknown>) =>
    heard({
      route,
      status,
      installation,
      limit: numberIn(headers["x-ratelimit-limit"]),
      remaining: numberIn(headers["x-ratelimit-remaining"]),
    });
  return {
    auth: (options) => octokit.auth(options),
    // Without the limit that its answers tell of, which is not that of the other requests.
    graphql: async (query, variables) => {
      try {
        const data = await octokit.graphql(query, variables);
        tell("POST /graphql", 200, {});
        return data;
      } catch (error) {
        tell("POST /graphql", answerIn(error)?.status ?? null, {});
        throw error;
      }
    },
    request: async (route, parameters) => {
      try {
        const answer = await octokit.request(route, parameters);
        tell(route, answer.status, answer.headers);
        return answer;
      } catch (error) {
        const answer = answerIn(error);
        tell(route, answer?.status ?? null, answer?.headers ?? {});
        throw error;
      }
    },
  };
}

function numberIn(header: unknown): number | null {
  const number = typeof header === "string" || typeof header === "number" ? Number(header) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}
