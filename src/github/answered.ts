/**
 * The answer of GitHub that an error of Octokit tells of. A GraphQL query may be refused with status 200; where a limit was
 * met it counts as a 429.
 * https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
 */
import { RequestError } from "@octokit/request-error";

export type Answered = { readonly status: number; readonly headers: Readonly<Record<string, unknown>> };

/** Octokit's GraphqlResponseError, known by its name: its class is in a package that only Octokit depends on. */
type RefusedQuery = Error & {
  readonly headers: Answered["headers"];
  readonly errors: readonly { readonly type?: string; readonly message?: string }[];
};

/** null: no answer came. */
export function answerIn(error: unknown): Answered | null {
  if (error instanceof RequestError) return error.response ?? null;
  if (!(error instanceof Error) || error.name !== "GraphqlResponseError") return null;
  const { errors, headers } = error as RefusedQuery;
  const spent = errors.some(({ type, message }) => type?.startsWith("RATE_LIMIT") || /rate limit/i.test(message ?? ""));
  return { status: spent ? 429 : 200, headers };
}
