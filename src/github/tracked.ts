/**
 * The commits of a view that are or were measured: the intents that the bot wrote on them, their trials, their values. Derived
 * from what was read; nothing is asked for here.
 */
import { historyOf } from "../domain/history.ts";
import {
  type Sha,
  type TrialId,
  frontierBranch,
  parseExperimentBranch,
  shortSha,
  verdictCheck,
} from "../domain/names.ts";
import type { Experiment } from "../domain/session.ts";
import { mergeFacts, parseCandidate } from "../domain/trailers.ts";
import { type CheckFact, type Intent, type Trial, trialsOf, visibleWithinMs } from "../domain/trial.ts";
import { outcomes } from "../domain/verdict.ts";
import type { CommitFact, PullFact } from "./facts.ts";
import type { Identity, View } from "./view.ts";

/** How many commits are looked through for the bot's own, on an experiment's branch and on the frontier. */
const followedCommits = 20;

/**
 * The bot's own commit on an experiment's branch, which says what the experiment is: its head, or below what a person put
 * there. The name of a commit that has to be read first; null where there is none.
 */
export function ownCommit(view: View, head: Sha): CommitFact | Sha | null {
  let next: Sha | undefined = head;
  for (let step = 0; step <= followedCommits && next !== undefined; step += 1) {
    const commit = view.commits.get(next);
    if (commit === undefined) return next;
    if (parseCandidate(commit.message) !== null) return commit;
    next = commit.parents[0];
  }
  return null;
}

/** A commit that is or will be measured. */
export type Tracked = { readonly commit: Sha; readonly experiment: number };

/** `12:7:2:1`: the intent of attempt 2 of experiment 7, whose first attempt on this commit was 1. */
export function formatIntent(id: TrialId, firstAttempt: number): string {
  return `${id.issue}:${id.experiment}:${id.attempt}:${firstAttempt}`;
}

export function isOwnCheck(check: CheckFact, identity: Identity): boolean {
  return check.name === verdictCheck && check.app === identity.slug;
}

/** The bot's own checks of an experiment on a commit, the first one first; only processes without a lease make two. */
export function ownChecks(view: View, { commit, experiment }: Tracked, identity: Identity): CheckFact[] {
  const prefix = `${view.key.issue}:${experiment}:`;
  return (view.checks.get(commit) ?? [])
    .filter((check) => isOwnCheck(check, identity) && check.externalId.startsWith(prefix))
    .sort((a, b) => a.id - b.id);
}

/**
 * The last intent that the bot wrote for an experiment on a commit, from its own check there. Sessions that begin at the same
 * commit each have their own.
 */
export function intentOf(
  view: View,
  { commit, experiment }: Tracked,
  identity: Identity,
): (Intent & { check: CheckFact }) | null {
  const [own] = ownChecks(view, { commit, experiment }, identity);
  const match = own === undefined ? null : /^\d+:\d+:([1-9]\d*):([1-9]\d*)$/.exec(own.externalId);
  if (own === undefined || match === null) return null;
  return { attempt: Number(match[1]), firstAttempt: Number(match[2]), atMs: own.startedMs, check: own };
}

/** The frontier while it has no value, and the heads of the pull requests that are not settled. */
export function trackedCommits(view: View): Tracked[] {
  const tracked: Tracked[] = [];
  if (view.frontier != null && valueAt(view, view.frontier) === null)
    tracked.push({ commit: view.frontier, experiment: 0 });
  for (const pull of unsettled(view)) tracked.push({ commit: pull.head, experiment: numberOfPull(pull) });
  return tracked;
}

export function numberOfPull(pull: PullFact): number {
  return parseExperimentBranch(pull.branch)!.experiment;
}

/** The pull requests that are not settled, or were opened again. */
export function unsettled(view: View): PullFact[] {
  const recorded = historyOf(view.rows).byExperiment;
  const ours = frontierBranch(view.key.issue);
  // What a person pointed elsewhere is theirs, once that is written down.
  const isSettled = (pull: PullFact) => (pull.state !== "open" || pull.base !== ours) && labelOf(pull) !== null;
  return [...view.pulls.values()]
    .filter((pull) => !(recorded.has(numberOfPull(pull)) && isSettled(pull)))
    .sort((a, b) => numberOfPull(a) - numberOfPull(b));
}

export function labelOf(pull: PullFact): Experiment["label"] {
  return outcomes.find((outcome) => pull.labels.includes(outcome)) ?? null;
}

export function trialsOn(view: View, { commit, experiment }: Tracked, identity: Identity, nowMs: number): Trial[] {
  const { record, repository } = view;
  if (record === null || repository === null) return [];
  const checks = view.checks.get(commit) ?? [];
  const facts = { checks, runs: [...view.runs.values()], jobs: view.jobs };
  const expected = {
    id: { issue: view.key.issue, experiment },
    commit,
    base: record.base,
    metric: record.config.metric.name,
    defaultBranch: record.baseBranch,
    formerBranches: record.formerBranches,
    bot: identity.login,
  };
  const intent = intentOf(view, { commit, experiment }, identity);
  return trialsOf(intent !== null && view.unsent.has(commit) ? before(intent) : intent, facts, expected, nowMs);
}

/** The intent without its last attempt; the one before it is not waited for any more. */
function before({ attempt, firstAttempt, atMs }: Intent): Intent | null {
  return attempt === firstAttempt ? null : { attempt: attempt - 1, firstAttempt, atMs: atMs - visibleWithinMs };
}

/**
 * What the trailers of a merge of this session say. Not those of the base, though the bot made it: it may be the frontier of
 * another session (in local sessions of an issue of the same number), which somebody took over into the default branch.
 */
function mergeAt(view: View, commit: Sha): { value: number; trials: number; experiment: number } | null {
  const { record } = view;
  const fact = view.commits.get(commit);
  if (record === null || fact === undefined || commit === record.base) return null;
  // A commit that a person amended keeps the trailers, and not the tree that they speak of.
  const candidate = fact.parents[1] === undefined ? undefined : view.commits.get(fact.parents[1]);
  if (candidate?.tree !== fact.tree) return null;
  const facts = mergeFacts(fact.message, record.config.metric.name);
  return facts?.session === view.key.issue ? facts : null;
}

/**
 * What the bot's merge of a candidate says: the frontier's tip, or a commit below what came there before its row was
 * written. The name of a commit that has to be read first; null where there is no such merge.
 */
export function ownMerge(view: View, head: Sha): { value: number } | Sha | null {
  let next: Sha | undefined = view.frontier ?? undefined;
  for (let step = 0; step <= followedCommits && next !== undefined && next !== view.record?.base; step += 1) {
    const commit = view.commits.get(next);
    if (commit === undefined) return next;
    if (commit.parents[1] === head) return mergeAt(view, next);
    next = commit.parents[0];
  }
  return null;
}

/** The value of a commit of the frontier: by its trailers, else by its row; null while it has none. */
export function valueAt(view: View, commit: Sha): { value: number; trials: number; experiment: number | null } | null {
  const { record } = view;
  const merge = mergeAt(view, commit);
  if (merge !== null) return merge;
  const row = historyOf(view.rows).ofFrontier.findLast((each) => each.commit === shortSha(commit));
  if (row === undefined || row.value === null || record === null) return null;
  return {
    value: row.value,
    trials: commit === record.base ? record.config.keep.baseline_trials : 1,
    experiment: null,
  };
}
