/** Whose pull requests the session looks at, with GitHub's answers made by hand; test/e2e/claude.test.ts has a fork of a session. */
import { expect, test } from "vitest";
import { type Brief, untold } from "../../src/domain/proposal.ts";
import { formatCandidate } from "../../src/domain/trailers.ts";
import type { Context } from "../../src/github/act.ts";
import { briefOf } from "../../src/github/brief.ts";
import { Client } from "../../src/github/client.ts";
import { observe } from "../../src/github/observe.ts";
import { emptyView } from "../../src/github/view.ts";
import { briefTextOf } from "../../src/researcher/brief/brief-text.ts";
import { shelfOf } from "../../src/researcher/brief/shelf.ts";
import { noAccount } from "../../src/domain/ledger.ts";
import { briefWith } from "../support/brief.ts";
import { frontierWith, proposalWith, recordWith, sessionWith, shaOf } from "../support/session.ts";

const planted = "PLANTED";
const frontier = shaOf(1);

/** A pull request into the frontier, of a branch of that name in that repository; null: the repository is gone. */
function pullOf(number: number, ref: string, repository: string | null): Record<string, unknown> {
  const isOwn = repository === "ada/nano";
  return {
    number,
    state: "open",
    title: isOwn ? "exp 7: Wider" : planted,
    body: isOwn ? "" : planted,
    merged_at: null,
    labels: [],
    head: { ref, sha: shaOf(number), repo: repository === null ? null : { full_name: repository } },
    base: { ref: "autoresearch/12/frontier", repo: { full_name: "ada/nano" } },
  };
}

/** What git holds of a commit, by its number: the session's own words, or a stranger's, who writes as the bot does. */
function commitOf(number: number): { message: string; files: Readonly<Record<string, string>> } {
  if (number === 1) return { message: "base", files: { "train.py": "LR = 1\n", "prepare.py": "DATA = 1\n" } };
  const said = number === 101 ? "Wider" : planted;
  const idea = { ...untold, ...proposalWith({ description: said, hypothesis: said }), key: said };
  return { message: formatCandidate(7, idea), files: { "train.py": `# ${said}\n`, [`${said}.py`]: `# ${said}\n` } };
}

/** GitHub with these pull requests and the objects of their commits; says what of git was asked for. */
function gitHubWith(pulls: readonly unknown[]): { client: Client; asked: string[] } {
  const asked: string[] = [];
  const answer = (route: string, parameters: Readonly<Record<string, unknown>>): unknown => {
    if (route.endsWith("/pulls")) return parameters["state"] === "open" ? pulls : [];
    const ids = ["commit_sha", "tree_sha", "file_sha"].map((name) => parameters[name]);
    const id = ids.find((each) => typeof each === "string") ?? "";
    const number = [1, 101, 102, 103].find((each) => id.startsWith(shaOf(each).slice(0, 36)));
    if (number === undefined) throw new Error(`nobody was to ask for ${route} ${id}`);
    asked.push(id);
    const { message, files } = commitOf(number);
    const blobs = Object.keys(files).map((path, at) => ({
      path,
      mode: "100644",
      type: "blob",
      sha: `${shaOf(number).slice(0, 36)}bb0${at}`,
    }));
    if (route.includes("/commits/")) {
      const parents = number === 1 ? [] : [{ sha: frontier }];
      return { sha: id, message, tree: { sha: id }, parents };
    }
    if (route.includes("/trees/")) return { sha: id, truncated: false, tree: blobs };
    const text = files[blobs.find(({ sha }) => sha === id)!.path]!;
    return { content: Buffer.from(text).toString("base64"), encoding: "base64" };
  };
  const client = new Client({
    request: async (route, parameters) => {
      const data = answer(route, parameters ?? {});
      return { data, status: 200, headers: {}, url: "" };
    },
    auth: () => Promise.resolve(null),
    graphql: () => Promise.reject(new Error("nobody was to ask")),
  });
  return { client, asked };
}

async function observed(client: Client): Promise<Context> {
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
  const identity = { slug: "a", login: "a[bot]" };
  await observe(client, view, identity, 0);
  return { client, view, identity, now: () => 0, account: () => noAccount };
}

const own = pullOf(101, "autoresearch/12/exp-0007", "ada/nano");
const forks = [pullOf(102, "autoresearch/12/exp-0008", "mallory/nano"), pullOf(103, "autoresearch/12/exp-0009", null)];

test("a fork's pull request is none of the session's, whatever its branch is called", async () => {
  const { client } = gitHubWith([own, ...forks]);
  const { view } = await observed(client);
  expect([...view.pulls.keys()]).toEqual([101]);
  // Not a word of theirs is asked for either.
  expect([...view.commits.keys()]).toEqual([shaOf(101)]);
});

test("nothing that a fork's commit says or holds is in a brief, or in the library", async () => {
  const { client, asked } = gitHubWith([...forks, own]);
  const context = await observed(client);
  const session = sessionWith({ frontier: frontierWith({ tip: frontier }) });
  const given = await briefOf(context, session, { kind: "propose", number: 10, crash: null });
  const brief: Brief = briefWith(given);
  expect(brief.inFlight).toEqual(["Wider"]);
  const paths = await brief.library.paths();
  const read = await Promise.all([...paths, `${planted}.py`].map((path) => brief.library.read(path)));
  expect(read).toEqual(["DATA = 1\n", "LR = 1\n", null]);
  const past = await Promise.all([7, 8, 9].map((number) => brief.library.experiment(number)));
  const text = briefTextOf(brief, await shelfOf(brief), "tools");
  expect(JSON.stringify([given, paths, past, text])).not.toContain(planted);
  for (const number of [102, 103]) expect(asked.join(" ")).not.toContain(shaOf(number).slice(0, 36));
});
