/** What of a session's past is never looked at, whoever asks: the client here fails the test by being spoken to. */
import { expect, test } from "vitest";
import type { Context } from "../../src/github/act.ts";
import { Client } from "../../src/github/client.ts";
import { readPast } from "../../src/github/library.ts";
import { emptyView } from "../../src/github/view.ts";
import { noAccount } from "../../src/domain/ledger.ts";
import { recordWith, rowWith, shaOf } from "../support/session.ts";

const silent = new Client({
  request: (route) => Promise.reject(new Error(`nobody was to ask for ${route}`)),
  auth: () => Promise.resolve(null),
  graphql: () => Promise.reject(new Error("nobody was to ask")),
});

function contextWith(pull: { ours: boolean; branch: string }): Context {
  const view = emptyView({ owner: "ada", repo: "nano", issue: 12 });
  view.record = recordWith();
  view.rows = [rowWith({ experiment: 7, pullRequest: 107 })];
  const fact = { number: 107, state: "closed" as const, title: "XYZZY", body: "XYZZY", labels: [], base: "" };
  view.pulls.set(107, { ...fact, head: shaOf(1), ...pull });
  return { client: silent, view, identity: { slug: "a", login: "a[bot]" }, now: () => 0, account: () => noAccount };
}

test.each([
  ["a fork's, under our name", { ours: false, branch: "autoresearch/12/exp-0007" }],
  ["another experiment's", { ours: true, branch: "autoresearch/12/exp-0008" }],
])("nothing is read of a pull request that is %s", async (_name, pull) => {
  const past = await readPast(7, contextWith(pull));
  expect(past).toMatchObject({ hypothesis: null, diff: "", metrics: {}, curve: [], logTail: "" });
  expect(JSON.stringify(past)).not.toContain("XYZZY");
});

test("there is no experiment 0, and none that has no row", async () => {
  const context = contextWith({ ours: true, branch: "autoresearch/12/exp-0007" });
  expect(await readPast(0, context)).toBeNull();
  expect(await readPast(8, context)).toBeNull();
});
