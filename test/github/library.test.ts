/** What of a session's past is never looked at, whoever asks: the client here fails the test by being spoken to. */
import { expect, test } from "vitest";
import type { Context } from "../../src/github/act.ts";
import { Client } from "../../src/github/client.ts";
import { libraryAt, readPast } from "../../src/github/library.ts";
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

/** A library of a repository with these files. */
function libraryOf(files: Readonly<Record<string, string>>) {
  const texts = Object.entries(files);
  const tree = texts.map(([path, text], index) => ({
    path,
    mode: "100644",
    type: "blob",
    sha: shaOf(index + 10),
    size: Buffer.byteLength(text),
  }));
  const asked: string[] = [];
  /** How often the tree was asked for; GitHub does not answer the first `away` times. */
  const trees = { asked: 0, away: 0 };
  const client = new Client({
    request: (route, parameters) => {
      if (route.includes("/git/trees/")) {
        trees.asked += 1;
        if (trees.asked <= trees.away) return Promise.reject(new Error("GitHub answered 502"));
      }
      const at = tree.findIndex(({ sha }) => sha === parameters?.["file_sha"]);
      if (at >= 0) asked.push(tree[at]!.path);
      const blob = () => ({ content: Buffer.from(texts[at]![1]).toString("base64"), encoding: "base64" });
      const data = route.includes("/git/trees/") ? { sha: shaOf(2), truncated: false, tree } : blob();
      return Promise.resolve({ data, status: 200, headers: {}, url: "" });
    },
    auth: () => Promise.resolve(null),
    graphql: () => Promise.reject(new Error("nobody was to ask")),
  });
  const context = { ...contextWith({ ours: true, branch: "" }), client };
  return { library: libraryAt(shaOf(1), context), asked, trees };
}

test("a file is given whole or not at all", async () => {
  const [whole, huge] = ["x = 1  # é\n".repeat(80_000), "x".repeat(1_000_001)];
  const { library, asked } = libraryOf({ "data.json": huge, "prepare.py": whole, "image.png": "\u0000" });
  expect(await library.paths()).toEqual(["data.json", "image.png", "prepare.py"]);
  expect(await library.read("prepare.py")).toBe(whole);
  expect(await library.read("data.json")).toBeNull();
  expect(await library.read("image.png")).toBeNull();
  expect(await library.read("gone.py")).toBeNull();
  // What is too large is not even fetched.
  expect(asked).toEqual(["prepare.py", "image.png"]);
});

test("the tree is looked at once for all files, and again where GitHub did not answer", async () => {
  const { library, trees } = libraryOf({ "a.py": "A = 1\n", "b.py": "B = 1\n" });
  trees.away = 1;
  await expect(library.paths()).rejects.toThrow("GitHub answered 502");
  expect(await library.paths()).toEqual(["a.py", "b.py"]);
  expect(await Promise.all(["a.py", "b.py", "c.py"].map((path) => library.read(path)))).toEqual([
    "A = 1\n",
    "B = 1\n",
    null,
  ]);
  expect(trees.asked).toBe(2);
});

test("there is no experiment 0, and none that has no row", async () => {
  const context = contextWith({ ours: true, branch: "autoresearch/12/exp-0007" });
  expect(await readPast(0, context)).toBeNull();
  expect(await readPast(8, context)).toBeNull();
});
