/** From the view to the domain's session: pure derivation, no requests. */
import {
  type Sha,
  type TrialId,
  frontierBranch,
  parseExperimentBranch,
  parseRunName,
  shortSha,
  verdictCheck,
} from "../domain/names.ts";
import type { Account } from "../domain/ledger.ts";
import type { Desk, Traits } from "../domain/proposal.ts";
import { historyOf } from "../domain/history.ts";
import type { Experiment, Frontier, Session } from "../domain/session.ts";
import { type CheckFact, type Intent, type RunFact, type Trial, trialsOf, visibleWithinMs } from "../domain/trial.ts";
import { mergeFacts, parseCandidate } from "../domain/trailers.ts";
import { outcomes } from "../domain/verdict.ts";
import { isDashboard } from "../domain/dashboard.ts";
import { deniedLogin, descriptionOf } from "../domain/words.ts";
import type { PullFact } from "./facts.ts";
import { numberOf } from "./facts.ts";
import type { Identity, View } from "./view.ts";

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

function numberOfPull(pull: PullFact): number {
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

function labelOf(pull: PullFact): Experiment["label"] {
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

/** The value of a commit of the frontier: by its trailers, else by its row; null while it has none. */
function valueAt(view: View, commit: Sha): { value: number; trials: number; experiment: number | null } | null {
  const { record } = view;
  const fact = view.commits.get(commit);
  const candidate = fact?.parents[1] === undefined ? undefined : view.commits.get(fact.parents[1]);
  // A commit that a person amended keeps the trailers, and not the tree that they speak of.
  const measured = fact !== undefined && candidate?.tree === fact.tree;
  const merge = !measured || record === null ? null : mergeFacts(fact.message, record.config.metric.name);
  if (merge !== null) return merge;
  const row = historyOf(view.rows).ofFrontier.findLast((each) => each.commit === shortSha(commit));
  if (row === undefined || row.value === null || record === null) return null;
  return {
    value: row.value,
    trials: commit === record.base ? record.config.keep.baseline_trials : 1,
    experiment: null,
  };
}

/** `before`: attempts that are known to have been made on other commits. */
function nextAttempt(view: View, experiment: number, trials: readonly Trial[], before: number): number {
  const named = [...view.runs.values()].flatMap((run) => {
    const id = parseRunName(run.name);
    return id !== null && id.issue === view.key.issue && id.experiment === experiment ? [id.attempt] : [];
  });
  return Math.max(before, ...named, ...trials.map((trial) => trial.attempt)) + 1;
}

function frontierOf(view: View, tip: Sha, identity: Identity, nowMs: number): Frontier {
  const known = valueAt(view, tip);
  const ownTrials = known === null ? trialsOn(view, { commit: tip, experiment: 0 }, identity, nowMs) : [];
  return {
    tip,
    value: known?.value ?? null,
    trials: known?.trials ?? 0,
    experiment: known?.experiment ?? null,
    ownTrials,
    nextAttempt: nextAttempt(view, 0, ownTrials, view.record?.frontierAttempts ?? 0),
    check: intentOf(view, { commit: tip, experiment: 0 }, identity)?.check.id ?? null,
  };
}

/** How many commits of a person on an experiment's branch are looked through for the bot's own. */
const followedCommits = 20;

function experimentOf(view: View, pull: PullFact, identity: Identity, nowMs: number): Experiment {
  const number = numberOfPull(pull);
  let own = view.commits.get(pull.head);
  for (let step = 0; step < followedCommits && own !== undefined && parseCandidate(own.message) === null; step += 1) {
    own = own.parents[0] === undefined ? undefined : view.commits.get(own.parents[0]);
  }
  const idea = own === undefined ? null : parseCandidate(own.message);
  // A carried commit has the frontier's as its second parent, a first one as its only parent.
  const tip = own?.parents.at(-1) ?? view.record!.base;
  const value = valueAt(view, tip);
  const trials = trialsOn(view, { commit: pull.head, experiment: number }, identity, nowMs);
  const check = intentOf(view, { commit: pull.head, experiment: number }, identity)?.check ?? null;
  return {
    number,
    pullRequest: pull.number,
    description: idea?.description ?? descriptionOf(pull.title),
    key: idea !== null && own?.sha === pull.head ? idea.key : null,
    idea,
    head: pull.head,
    parent: { tip, value: value?.value ?? null, trials: value?.trials ?? 1 },
    pull: pull.state,
    label: labelOf(pull),
    body: pull.body,
    trials,
    nextAttempt: nextAttempt(view, number, trials, idea?.attemptsBefore ?? 0),
    check: check === null ? null : { id: check.id, completed: check.status === "completed" },
    elsewhere: pull.base === frontierBranch(view.key.issue) ? null : pull.base,
    conflict: view.frontier == null ? null : (view.conflicts.get(`${pull.head} ${view.frontier}`) ?? null),
  };
}

/** Runs of ours that nobody waits for: of an attempt that was given up, or of a commit that was replaced. */
function straysIn(view: View, expected: readonly Trial[], identity: Identity): number[] {
  const waitedFor = new Set(expected.map((trial) => trial.run?.id));
  return (
    [...view.runs.values()]
      .filter((run) => run.status !== "completed" && run.actor === identity.login && !waitedFor.has(run.id))
      // A run that was heard as a witness has measured, and is only winding up.
      .filter((run) => !view.jobs.has(run.id) && !isUnheardOf(view, run, identity))
      .map((run) => run.id)
  );
}

/**
 * Whether a run is of an attempt whose intent we do not know: another process beside this one dispatched it, and what we know
 * of its commit is out of date. An experiment that has its row, or a frontier that has its value, wants no more attempts.
 */
export function isUnheardOf(view: View, run: RunFact, identity: Identity): boolean {
  const id = parseRunName(run.name);
  if (id === null || id.issue !== view.key.issue) return false;
  const settled =
    id.experiment === 0
      ? view.frontier != null && valueAt(view, view.frontier) !== null
      : view.rows.some((row) => row.experiment === id.experiment);
  return !settled && id.attempt > lastIntended(view, id.experiment, identity);
}

/** The last attempt of an experiment, on whichever commit, whose intent is known; 0: none. */
function lastIntended(view: View, experiment: number, identity: Identity): number {
  const prefix = `${view.key.issue}:${experiment}:`;
  const own = [...view.checks.values()].flat().filter((check) => isOwnCheck(check, identity));
  const attempts = own
    .filter((check) => check.externalId.startsWith(prefix))
    .map((check) => Number(check.externalId.split(":")[2]));
  return Math.max(0, ...attempts);
}

/** How much earlier than ours GitHub's clock may be. */
const clockSkewMs = 120_000;

/** Trials that the stop cut off. From the rows and the runs alone, so that every process says the same. */
function cutOffIn({ key, record, rows, runs }: View): number {
  if (record?.state !== "stopped") return 0;
  const ended = rows.slice(record.rowsBefore).filter((row) => row.outcome === "withdrawn");
  const experiments = new Set([0, ...ended.map((row) => row.experiment)]);
  const afterMs = Date.parse(record.since) - clockSkewMs;
  return [...runs.values()].filter((run) => {
    const trial = parseRunName(run.name);
    const isOurs = trial?.issue === key.issue && experiments.has(trial.experiment);
    return isOurs && run.conclusion === "cancelled" && run.updatedMs >= afterMs;
  }).length;
}

function looseIn(view: View, open: ReadonlySet<number>, identity: Identity): Session["looseChecks"] {
  const recorded = new Set(view.rows.map((row) => row.experiment));
  return [...view.checks].flatMap(([commit, checks]) =>
    checks
      .filter((check) => check.status !== "completed" && isOwnCheck(check, identity))
      .flatMap((check) => {
        const [issue, experiment] = check.externalId.split(":").map(Number);
        if (issue !== view.key.issue || experiment === undefined) return [];
        const settled =
          experiment === 0 ? valueAt(view, commit) !== null : recorded.has(experiment) && !open.has(experiment);
        return settled ? [{ check: check.id, experiment }] : [];
      }),
  );
}

function deniedIn(view: View): Set<string> {
  const logins = [...view.ownComments.values()].map((comment) => deniedLogin(comment.body));
  return new Set(logins.filter((login) => login !== null));
}

/** The researcher as the session sees it. */
export type Study = { readonly desk: Desk; readonly account: Account; readonly traits: Traits };

/** The session as the view has it; null where there is no issue. */
export function sessionOf(
  view: View,
  study: Study,
  identity: Identity,
  nowMs: number,
  slow: Session["slow"] = null,
): Session | null {
  const { issue, repository } = view;
  if (issue === null || repository === null) return null;
  const started = view.record !== null;
  const dashboard = [...view.ownComments.values()].find(
    (comment) => numberOf(comment) === view.key.issue && isDashboard(comment.body),
  );
  const frontier = view.frontier == null || !started ? null : frontierOf(view, view.frontier, identity, nowMs);
  const experiments = started ? unsettled(view).map((pull) => experimentOf(view, pull, identity, nowMs)) : [];
  const expected = [...(frontier?.ownTrials ?? []), ...experiments.flatMap((experiment) => experiment.trials)];
  return {
    key: view.key,
    nowMs,
    htmlUrl: repository.html_url,
    issue: {
      open: issue.state === "open",
      title: issue.title,
      labels: issue.labels,
      closedBy: issue.closed_by?.login ?? null,
    },
    locked: issue.locked,
    gone: view.gone,
    defaultBranch: repository.default_branch,
    labelled: view.labelled,
    unlabelledBy: view.unlabelledBy,
    start: view.start,
    record: view.record,
    frontier,
    rows: view.rows,
    experiments,
    orders: view.orders,
    ...study,
    edit: view.edit,
    dashboard: dashboard?.body ?? null,
    resultsTip: view.results ?? null,
    report: view.report,
    cancelled: view.cancelled,
    cutOff: cutOffIn(view),
    strays: started ? straysIn(view, expected, identity) : [],
    denied: deniedIn(view),
    looseChecks: started ? looseIn(view, new Set(experiments.map(({ number }) => number)), identity) : [],
    slow,
  };
}
