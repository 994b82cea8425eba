import { expect, test } from "vitest";
import { formatExperimentBranch, formatRunName } from "../../src/domain/names.ts";
import type { RunFact } from "../../src/domain/trial.ts";
import { forgetSettled } from "../../src/github/forget.ts";
import { type View, emptyView } from "../../src/github/view.ts";
import { baselineRow, recordWith, rowWith, shaOf } from "../support/session.ts";

const issue = 12;

/** A view in which nothing was ever forgotten: so many settled experiments, each kept, and one that is open. */
function viewOf(settled: number): View {
  const view = emptyView({ owner: "ada", repo: "model", issue });
  view.record = recordWith({ base: shaOf(1) });
  view.rows = [baselineRow, ...Array.from({ length: settled }, (_, index) => rowWith({ experiment: index + 1 }))];
  const commit = (id: number, ...parents: number[]) =>
    view.commits.set(shaOf(id), {
      sha: shaOf(id),
      message: "",
      tree: shaOf(id + 500_000),
      parents: parents.map(shaOf),
    });
  commit(1);
  for (let number = 1; number <= settled + 1; number += 1) {
    const head = 100_000 + number;
    const [before, merge] = [number === 1 ? 1 : 200_000 + number - 1, 200_000 + number];
    commit(head, before);
    if (number <= settled) commit(merge, before, head);
    view.files.set(shaOf(head), []);
    view.checks.set(shaOf(head), []);
    const open = number > settled;
    view.pulls.set(1_000 + number, {
      number: 1_000 + number,
      state: open ? "open" : "merged",
      title: "",
      body: "",
      labels: open ? [] : ["keep"],
      head: shaOf(head),
      branch: formatExperimentBranch(issue, number),
      base: "",
      ours: true,
    });
    const run = { id: number, name: formatRunName({ issue, experiment: number, attempt: 1 }), status: "completed" };
    view.runs.set(number, run as RunFact);
    view.jobs.set(number, []);
  }
  view.runs.set(0, {
    id: 0,
    name: formatRunName({ issue, experiment: 0, attempt: 1 }),
    status: "completed",
  } as RunFact);
  view.frontier = shaOf(200_000 + settled);
  commit(300_000);
  view.results = shaOf(300_000);
  return view;
}

const sizesOf = ({ pulls, commits, files, checks, runs, jobs }: View) =>
  [pulls, commits, files, checks, runs, jobs].map((map) => map.size);

test("a view of 1,000 settled experiments is no larger than one of 40", () => {
  const [young, old] = [viewOf(40), viewOf(1_000)];
  forgetSettled(young);
  forgetSettled(old);
  expect(sizesOf(old)).toEqual(sizesOf(young));
  expect(Math.max(...sizesOf(old))).toBeLessThan(40);
});

test("what is open stays, with the frontier that it stands on, its candidate and the base; runs of the frontier itself, too", () => {
  const view = viewOf(1_000);
  forgetSettled(view);
  const head = 100_000 + 1_001;
  expect(view.pulls.has(2_001)).toBe(true);
  for (const id of [head, 201_000, 101_000, 200_999, 300_000, 1]) expect(view.commits.has(shaOf(id))).toBe(true);
  expect(view.files.has(shaOf(head))).toBe(true);
  expect(view.checks.has(shaOf(head))).toBe(true);
  expect([...view.runs.keys()]).toEqual(expect.arrayContaining([0, 1_000, 1_001]));
});

test("an experiment of old that was opened again stays until it is closed", () => {
  const view = viewOf(1_000);
  view.pulls.set(1_003, { ...view.pulls.get(1_003)!, state: "open" });
  forgetSettled(view);
  expect(view.pulls.has(1_003)).toBe(true);
  expect(view.commits.has(shaOf(100_003))).toBe(true);
});
