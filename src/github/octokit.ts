/**
 * The Octokit that Probot is given: authentication and transport, and nothing that sends a request again. The retry plugin
 * would repeat POSTs on 5xx and 409, and a dispatch that is repeated trains twice. The throttling plugin keeps one pace for
 * all installations and waits for a limit's end in the middle of a request; pace.ts stands in its place.
 */
import { ProbotOctokit } from "probot";

export const githubApiUrl = "https://api.github.com";

type Given = {
  readonly baseUrl?: string;
  readonly auth?: { readonly request?: { defaults(options: object): unknown } };
};

// As a function, because what Probot sets comes after plain defaults.
export const BotOctokit: typeof ProbotOctokit = ProbotOctokit.defaults((given: Given) => ({
  ...given,
  retry: { enabled: false },
  throttle: { enabled: false },
  // A token that is fetched by asking for one, not by the way of a request, would be asked of github.com for every server.
  ...(given.auth?.request === undefined || given.baseUrl === undefined
    ? {}
    : { auth: { ...given.auth, request: given.auth.request.defaults({ baseUrl: given.baseUrl }) } }),
}));

/** Whether an API limits how fast writes may follow each other: an enterprise server (`https://HOST/api/v3`) does not. */
export function hasWriteLimits(apiUrl: string): boolean {
  return !apiUrl.endsWith("/api/v3");
}
