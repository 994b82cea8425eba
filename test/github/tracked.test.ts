import { expect, test } from "vitest";
import { mergeMessage } from "../../src/domain/trailers.ts";
import { valueAt } from "../../src/github/tracked.ts";
import { emptyView } from "../../src/github/view.ts";
import { recordWith, shaOf } from "../support/session.ts";

const [base, candidate, merge] = [shaOf(1), shaOf(2), shaOf(3)];

/** The value of the bot's merge of a session of issue 12, as the session of an issue that began at a commit sees it. */
function seenBy(issue: number, begunAt: typeof base) {
  const view = emptyView({ owner: "ada", repo: "model", issue });
  view.record = recordWith({ base: begunAt });
  const facts = { description: "x", metric: "val_bpb", value: 0.99, trials: 1, pullRequest: 17 };
  const message = mergeMessage({ ...facts, experiment: 7, issue: 12 });
  view.commits.set(candidate, { sha: candidate, message: "", tree: shaOf(9), parents: [base] });
  view.commits.set(merge, { sha: merge, message, tree: shaOf(9), parents: [base, candidate] });
  return valueAt(view, merge);
}

test("a merge's trailers say its value to the session that made it", () => {
  expect(seenBy(12, base)).toMatchObject({ value: 0.99, trials: 1, experiment: 7 });
});

test("a merge's trailers say nothing to another session, nor to one of the same number that begins at it", () => {
  expect(seenBy(13, base)).toBeNull();
  expect(seenBy(12, merge)).toBeNull();
});
