/** Whose pull requests the session looks at. The local GitHub has no forks, so GitHub's answers are made by hand here. */
import { expect, test } from "vitest";
import { Client } from "../../src/github/client.ts";
import { observe } from "../../src/github/observe.ts";
import { type View, emptyView } from "../../src/github/view.ts";
import { recordWith, shaOf } from "../support/session.ts";

/** A pull request into the frontier, of a branch of that name in that repository; null: the repository is gone. */
function pullOf(number: number, ref: string, repository: string | null): Record<string, unknown> {
  return {
    number,
    state: "open",
    title: "exp 7: PLANTED",
    body: "PLANTED",
    merged_at: null,
    labels: [],
    head: { ref, sha: shaOf(number), repo: repository === null ? null : { full_name: repository } },
    base: { ref: "autoresearch/12/frontier", repo: { full_name: "ada/nano" } },
  };
}

async function viewOf(pulls: readonly unknown[]): Promise<View> {
  const client = new Client({
    request: (route, parameters) => {
      if (route.endsWith("/pulls")) {
        const data = parameters?.["state"] === "open" ? pulls : [];
        return Promise.resolve({ data, status: 200, headers: {}, url: "" });
      }
      if (!route.includes("/git/commits/")) return Promise.reject(new Error(`nobody was to ask for ${route}`));
      const sha = parameters?.["commit_sha"] as string;
      const data = { sha, message: "PLANTED", tree: { sha: shaOf(1) }, parents: [] };
      return Promise.resolve({ data, status: 200, headers: {}, url: "" });
    },
    auth: () => Promise.resolve(null),
    graphql: () => Promise.reject(new Error("nobody was to ask")),
  });
  const view = emptyView({ owner: "ada", repo: "nano", issue: 12 });
  view.repository = { default_branch: "main", html_url: "", full_name: "ada/nano", private: false, archived: false };
  view.issue = {
    number: 12,
    state: "open",
    title: "",
    body: "",
    user: null,
    labels: ["autoresearch"],
    locked: false,
    repository_url: "",
  };
  view.record = recordWith();
  view.frontier = null;
  view.old = new Set(["pulls"]);
  await observe(client, view, { slug: "a", login: "a[bot]" }, 0);
  return view;
}

test("a fork's pull request is none of the session's, whatever its branch is called", async () => {
  const own = pullOf(101, "autoresearch/12/exp-0007", "ada/nano");
  const forks = [
    pullOf(102, "autoresearch/12/exp-0008", "mallory/nano"),
    pullOf(103, "autoresearch/12/exp-0009", null),
  ];
  const view = await viewOf([own, ...forks]);
  expect([...view.pulls.keys()]).toEqual([101]);
  // Not a word of theirs is asked for either.
  expect([...view.commits.keys()]).toEqual([shaOf(101)]);
});
