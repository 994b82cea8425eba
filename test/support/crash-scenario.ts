/**
 * The session that crashes are tried on: a baseline; a win; a win on a base that has become stale, carried and measured again;
 * a loss; a crash of the candidate; and a stop by a comment while the last one trains. Two runners, instant trials.
 *
 * What may end when is said by what the world shows, never by time: so whatever fails on the way, the same is to come of it.
 */
import { parseRunName, triggerLabel } from "../../src/domain/names.ts";
import { outcomes } from "../../src/domain/verdict.ts";
import { runsOf, type WorkflowRun } from "../../src/local/github/actions/rows.ts";
import { isPull, issuesOf } from "../../src/local/github/finders.ts";
import type { ScriptedIdea } from "./crash-bot.ts";
import type { InTraining } from "./instant-runner.ts";
import type { Site } from "./sessions-seen.ts";

export const ideas: Readonly<Record<number, ScriptedIdea>> = {
  1: { title: "a gain", set: { VALUE: 1.9 } },
  2: { title: "another gain", set: { OTHER: -0.1 } },
  3: { title: "a loss", set: { OTHER: 0.5 } },
  4: { title: "a crash", set: { CRASH: 1 } },
  // On the last frontier: whether it is thought of before 2 has won is a matter of milliseconds.
  5: { title: "never measured", set: { OTHER: -0.2 }, after: "OTHER = -0.1" },
};

export const config = `mutable: [train.py]
trial: {command: "python3 train.py", budget: 5m, timeout: 20m}
keep: {baseline_trials: 1, trials: 1}
runner: {concurrency: 2}
limits: {experiments: 5}
`;

/** What of the world the order of things depends on; the session is that of issue 1. */
export type Look = {
  readonly frontier: string | null;
  readonly base: string | null;
  /** Experiments whose trial is asked for or under way, and those with a trial that went through. */
  readonly training: ReadonlySet<number>;
  readonly trained: ReadonlySet<number>;
  /** Experiments with a pull request, and those whose pull request has its outcome. */
  readonly opened: ReadonlySet<number>;
  readonly settled: ReadonlySet<number>;
};

export function lookAt({ github, repo }: Site): Look {
  const { store } = github.core;
  const row = github.world.repo(repo);
  const git = github.core.git(row);
  const pulls = issuesOf(store, row).filter(isPull);
  const runs = runsOf(store, row.id);
  const experimentsOf = (some: readonly WorkflowRun[]) =>
    new Set(some.flatMap((run) => parseRunName(run.displayTitle)?.experiment ?? []));
  const numberIn = (title: string) => Number(/^exp (\d+):/.exec(title)?.[1] ?? 0);
  const hasOutcome = (labelIds: readonly number[]) =>
    labelIds.some((id) => outcomes.some((outcome) => outcome === store.get("label", id)!.name));
  const settled = pulls.filter(({ state, labelIds }) => state === "closed" && hasOutcome(labelIds));
  return {
    frontier: git.branch("autoresearch/1/frontier"),
    base: git.branch("main"),
    training: experimentsOf(runs.filter((run) => run.status !== "completed" && !run.cancelled)),
    trained: experimentsOf(runs.filter((run) => run.conclusion === "success")),
    opened: new Set(pulls.map(({ title }) => numberIn(title))),
    settled: new Set(settled.map(({ title }) => numberIn(title))),
  };
}

/** Whether a training may end. */
export function mayEnd({ trial, parent }: InTraining, look: Look): boolean {
  const { settled } = look;
  switch (trial.experiment) {
    case 1:
      return look.training.has(2) && look.opened.has(3);
    case 2:
      return parent === look.base ? settled.has(1) && look.frontier !== look.base : settled.has(3) && settled.has(4);
    case 3:
      return look.trained.has(2);
    case 4:
      return settled.has(3);
    case 5:
      return false;
    default:
      return true;
  }
}

/** Whether it is time for the person to say stop. */
export function isTimeToStop({ training, settled }: Look): boolean {
  return [1, 2, 3, 4].every((number) => settled.has(number)) && training.has(5);
}

/** Whether the session looks finished from outside: stopped, and nothing is open. */
export function looksFinished(site: Site): boolean {
  const { store } = site.github.core;
  const issues = issuesOf(store, site.github.world.repo(site.repo));
  const labels = (ids: readonly number[] = []) => ids.map((id) => store.get("label", id)!.name);
  const own = labels(issues.find((issue) => issue.number === 1)?.labelIds);
  const isStopped = own.includes("autoresearch:stopped") && own.includes(triggerLabel);
  return isStopped && lookAt(site).settled.size === Object.keys(ideas).length;
}
