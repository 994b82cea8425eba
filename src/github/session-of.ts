/** From the view to the domain's session: pure derivation, no requests. */
import { isDashboard } from "../domain/dashboard.ts";
import { type Sha, frontierBranch, parseRunName } from "../domain/names.ts";
import type { Experiment, Frontier, Session } from "../domain/session.ts";
import { parseCandidate } from "../domain/trailers.ts";
import type { Trial } from "../domain/trial.ts";
import { deniedLogin, descriptionOf } from "../domain/words.ts";
import { type PullFact, numberOf } from "./facts.ts";
import { cutOffIn, looseIn, straysIn } from "./strays.ts";
import { intentOf, labelOf, numberOfPull, ownCommit, ownMerge, trialsOn, unsettled, valueAt } from "./tracked.ts";
import type { Identity, View } from "./view.ts";

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

function experimentOf(view: View, pull: PullFact, identity: Identity, nowMs: number): Experiment {
  const number = numberOfPull(pull);
  const found = ownCommit(view, pull.head);
  const own = found === null || typeof found === "string" ? null : found;
  const idea = own === null ? null : parseCandidate(own.message);
  // A carried commit has the frontier's as its second parent, a first one as its only parent.
  const tip = own?.parents.at(-1) ?? view.record!.base;
  const value = valueAt(view, tip);
  const merge = ownMerge(view, pull.head);
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
    mergedValue: merge === null || typeof merge === "string" ? null : merge.value,
    conflict: view.frontier == null ? null : (view.conflicts.get(`${pull.head} ${view.frontier}`) ?? null),
  };
}

function deniedIn(view: View): Set<string> {
  const logins = [...view.ownComments.values()].map((comment) => deniedLogin(comment.body));
  return new Set(logins.filter((login) => login !== null));
}

/** The researcher as the session sees it. */
export type Study = Pick<Session, "desk" | "account" | "traits" | "passedOver">;

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
