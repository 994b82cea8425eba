import { RequestError } from "@octokit/request-error";
import { expect, test } from "vitest";
import { formatSessionKey } from "../../src/domain/names.ts";
import { GitHubApp, PartlyRead } from "../../src/github/app.ts";
import type { OctokitLike } from "../../src/github/client.ts";
import { sweepOnce } from "../../src/sweep.ts";

/**
 * A GitHub with two repositories, each with a session: the second's is open; the first one's issue is closed, and that repository
 * answers with these errors first.
 */
function appWhere(...errors: number[]): GitHubApp {
  const octokit: OctokitLike = {
    auth: () => Promise.resolve({}),
    graphql: () => Promise.reject(new Error("nothing is asked here")),
    request: (route, parameters = {}) => {
      const answer = (data: unknown) => Promise.resolve({ status: 200, data, headers: {} });
      if (route === "GET /app/installations") return answer([{ id: 7, suspended_at: null }]);
      const repositories = ["ill", "well"].map((name) => ({ name, owner: { login: "ada" } }));
      if (route === "GET /installation/repositories") return answer({ repositories });
      const { repo, labels } = parameters;
      if (repo === "well") return answer(labels === "autoresearch" ? [{ number: 3 }] : []);
      const status = errors.shift();
      if (status === undefined) return answer(labels === "autoresearch:running" ? [{ number: 5 }] : []);
      const request = { method: "GET", url: "/", headers: {} } as const;
      const response = { status, url: "/", headers: {}, data: {}, retryCount: 0 };
      return Promise.reject(new RequestError("no", status, { request, response }));
    },
  };
  return new GitHubApp(() => Promise.resolve(octokit));
}

async function swept(app: GitHubApp) {
  const woken: string[] = [];
  let begun = false;
  const sweep = {
    sessions: () => app.sessions(),
    wake: (key: Parameters<typeof formatSessionKey>[0]) => void woken.push(formatSessionKey(key)),
    begun: () => void (begun = true),
  };
  const failure = await sweepOnce(sweep, new AbortController().signal).then(
    () => null,
    (error: unknown) => error,
  );
  return { woken, begun, failure };
}

test("a repository that can't be read for now hides no other, and the sweep is known to be in part", async () => {
  const { woken, begun, failure } = await swept(appWhere(502));
  expect(woken).toEqual(["ada/well#3"]);
  expect(begun).toBe(true);
  expect(failure).toBeInstanceOf(PartlyRead);
});

test("one that is refused for good is no reason to sweep again soon", async () => {
  const { woken, failure } = await swept(appWhere(404));
  expect(woken).toEqual(["ada/well#3"]);
  expect(failure).toBeNull();
});

test("a sweep that was not read through does not count: the next one looks for closed sessions too", async () => {
  const app = appWhere(502);
  expect((await swept(app)).woken).toEqual(["ada/well#3"]);
  expect((await swept(app)).woken).toEqual(["ada/ill#5", "ada/well#3"]);
  // From then on they are looked for now and then only.
  expect((await swept(app)).woken).toEqual(["ada/well#3"]);
});
