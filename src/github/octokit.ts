/**
 * The Octokit that Probot is given. Nothing is sent twice: the retry plugin would repeat POSTs on 5xx and 409, and a dispatch
 * that is repeated trains twice. Rate limits are not waited for in the middle of a request either: the loop is told, and
 * comes back later.
 */
import { ProbotOctokit } from "probot";

export const githubApiUrl = "https://api.github.com";

/**
 * For an API's address. On github.com writes are a second apart, as GitHub asks
 * (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api); an enterprise server has no
 * limits unless its admin sets them.
 */
export function octokitFor(apiUrl: string): typeof ProbotOctokit {
  const throttle =
    apiUrl === githubApiUrl ? { onRateLimit: () => false, onSecondaryRateLimit: () => false } : { enabled: false };
  // As a function, because what Probot sets comes after plain defaults.
  return ProbotOctokit.defaults((given: { throttle?: object }) => ({
    ...given,
    retry: { enabled: false },
    throttle: { ...given.throttle, ...throttle },
  }));
}
