/**
 * What holds of every world that a bot worked in, whatever happened to it (docs/reliability.md has them in words). Each
 * rule gives sentences: what is wrong, and where; none is as it should be.
 *
 * Rules look at what is there and at the order in which it came to be: the local GitHub numbers everything in one rising
 * sequence, so a greater id is later.
 */
import type { Config } from "../../src/domain/config.ts";
import { parseCommands } from "../../src/domain/command.ts";
import { triggerLabel } from "../../src/domain/names.ts";
import { isMutable } from "../../src/domain/start.ts";
import { mergeFacts } from "../../src/domain/trailers.ts";
import { gainOf, meanOf, outcomes, valuesOf } from "../../src/domain/verdict.ts";
import type { Issue } from "../../src/local/github/entities.ts";
import { userOf } from "../../src/local/github/finders.ts";
import { furtherPass } from "./further-pass.ts";
import { type SessionSeen, sessionsIn, type Site, vouchedMeasurements } from "./sessions-seen.ts";

type Rule = (session: SessionSeen, site: Site) => string[];

const rules = {
  frontier: frontierOnlyImproves,
  trials: allTrialsAreCounted,
  protectedFiles: protectedFilesAreTheBases,
  rows: oneRowPerExperiment,
  pulls: onePullPerExperiment,
  stop: nothingOpenedAfterStop,
  comments: oneCopyOfEachComment,
  prepared: fewArePrepared,
  dispatches: noAttemptTwice,
} as const satisfies Record<string, Rule>;

/** Rules that a test's own doing breaks, each with the reason. */
export type Exempt = { readonly [name in keyof typeof rules | "furtherPass"]?: string };

/** All that is wrong in a world; empty: nothing. Whatever may be on its way is not waited for. */
export async function wrongsIn(site: Site, exempt: Exempt = {}): Promise<string[]> {
  const wrongs: string[] = [];
  for (const session of await sessionsIn(site)) {
    for (const [name, rule] of Object.entries(rules)) {
      if (name in exempt) continue;
      for (const wrong of rule(session, site)) wrongs.push(`#${session.issue.number} ${name}: ${wrong}`);
    }
  }
  return wrongs;
}

/** Waits until a further pass of each session that does not run would do nothing; gives what it would do for ever. */
export async function unfinishedIn(site: Site, exempt: Exempt = {}, withinMs = 20_000): Promise<string[]> {
  if ("furtherPass" in exempt) return [];
  const endMs = Date.now() + withinMs;
  for (;;) {
    const wrongs: string[] = [];
    for (const { issue, record } of await sessionsIn(site)) {
      const labelled = issue.state === "open" && labelsOf(issue, site).includes(triggerLabel);
      if (record === null ? labelled : record.state === "running") continue;
      const decision = await furtherPass(site, issue.number);
      if (decision.kind === "do")
        wrongs.push(`#${issue.number} a further pass would ${decision.action.kind}: ${decision.because}`);
    }
    if (wrongs.length === 0 || Date.now() > endMs) return wrongs;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function labelsOf({ labelIds }: Issue, { github }: Site): string[] {
  return labelIds.map((id) => github.core.store.get("label", id)!.name);
}

/** Each commit of the bot is a measured tree whose value is not worse; what a person put there is measured before it is built on. */
function frontierOnlyImproves({ record, rows, steps, issue }: SessionSeen, site: Site): string[] {
  if (record === null) return [];
  const { metric } = record.config;
  const wrongs: string[] = [];
  const rowOf = (commit: string) => rows.find((row) => row.experiment === 0 && commit.startsWith(row.commit));
  let value = rowOf(record.base)?.value ?? null;
  for (const step of steps) {
    const name = step.commit.slice(0, 7);
    if (step.author !== site.bot) {
      value = rowOf(step.commit)?.value ?? null;
      continue;
    }
    const facts = mergeFacts(step.message, metric.name);
    const candidate = step.parents[1];
    if (facts === null || candidate === undefined) {
      wrongs.push(`${name} is the bot's, and no merge of a winner`);
      continue;
    }
    if (step.tree !== step.candidateTree) wrongs.push(`${name} holds another tree than its candidate`);
    const values = measuredValues(site, { candidate, issue: issue.number, experiment: facts.experiment, metric });
    const counted = values.slice(0, facts.trials);
    if (counted.length < facts.trials || Math.abs(meanOf(counted) - facts.value) > 1e-6)
      wrongs.push(`${name} says ${facts.value} of ${facts.trials} trials, and ${values.join(", ")} was measured`);
    if (value === null) wrongs.push(`${name} is built on what nobody measured`);
    // Equal and shorter wins; worse never does.
    else if (gainOf(facts.value, value, metric.direction) < 0) wrongs.push(`${name} (${facts.value}) after ${value}`);
    value = facts.value;
  }
  return wrongs;
}

function measuredValues(
  site: Site,
  of: {
    readonly candidate: string;
    readonly issue: number;
    readonly experiment: number;
    readonly metric: Config["metric"];
  },
): number[] {
  return valuesOf(vouchedMeasurements(site, { ...of, commit: of.candidate, metric: of.metric.name }));
}

/** What was merged was not measured again: no trial of it is on nobody's account. */
function allTrialsAreCounted({ record, steps, issue }: SessionSeen, site: Site): string[] {
  if (record === null) return [];
  const { metric } = record.config;
  return steps.flatMap(({ author, commit, message, parents: [, candidate] }) => {
    const facts = author === site.bot ? mergeFacts(message, metric.name) : null;
    if (facts === null || candidate === undefined) return [];
    const { length } = measuredValues(site, { candidate, issue: issue.number, experiment: facts.experiment, metric });
    return length > facts.trials ? [`${commit.slice(0, 7)} counts ${facts.trials} of ${length} trials`] : [];
  });
}

function protectedFilesAreTheBases({ record, steps }: SessionSeen): string[] {
  if (record === null) return [];
  return steps.flatMap(({ commit, paths }) =>
    paths
      .filter((path) => !isMutable(path, record.config.mutable))
      .map((path) => `${commit.slice(0, 7)} changed ${path}`),
  );
}

function oneRowPerExperiment({ record, rows, pulls }: SessionSeen, site: Site): string[] {
  if (record === null) return [];
  const wrongs = twice(rows.map((row) => (row.experiment === 0 ? `the frontier ${row.commit}` : `${row.experiment}`)));
  for (const { experiment, pull } of pulls) {
    const own = rows.filter((row) => row.experiment === experiment);
    const labels = labelsOf(pull, site);
    const outcome = outcomes.find((each) => labels.includes(each));
    if (pull.state !== "closed" || outcome === undefined) continue;
    if (own.length === 0) wrongs.push(`experiment ${experiment} is settled and has no row`);
    if (own.some((row) => row.outcome !== outcome || row.pullRequest !== pull.number))
      wrongs.push(`experiment ${experiment} has a row that says otherwise than its pull request`);
  }
  for (const row of rows) {
    if (row.experiment > 0 && !pulls.some(({ experiment }) => experiment === row.experiment))
      wrongs.push(`row ${row.experiment} has no pull request`);
  }
  return wrongs;
}

function onePullPerExperiment({ pulls }: SessionSeen): string[] {
  return twice(pulls.map(({ experiment }) => `${experiment}`)).map((wrong) => `the pull request of ${wrong}`);
}

/** From the receipt of a stop (or the label that says so) until somebody puts the label on again. */
function nothingOpenedAfterStop({ issue, pulls, runs }: SessionSeen, site: Site): string[] {
  const { store } = site.github.core;
  const isBot = (userId: number) => userOf(store, userId).login === site.bot;
  const ours = store.all("issueEvent").filter((each) => each.repoId === issue.repoId && each.number === issue.number);
  const labelled = ours.filter((each) => each.event === "labeled" && each.label !== null);
  const shown = labelled.filter((each) => isBot(each.actorId) && each.label!.name === "autoresearch:stopped");
  const numbers = new Set([issue.number, ...pulls.map(({ pull }) => pull.number)]);
  const receipts = store.all("reaction").filter((reaction) => {
    if (!isBot(reaction.userId) || reaction.content !== "+1" || reaction.repoId !== issue.repoId) return false;
    const comment = store.get("comment", Number(reaction.subject.replace("comment:", "")));
    if (comment === undefined || !numbers.has(comment.number)) return false;
    return parseCommands(comment.body).at(-1)?.kind === "stop";
  });
  return [...shown, ...receipts].flatMap(({ id: from }) => {
    const again = labelled.find((each) => each.id > from && each.label!.name === triggerLabel)?.id ?? Infinity;
    const within = ({ id }: { id: number }) => id > from && id < again;
    return [
      ...pulls.filter(({ pull }) => within(pull)).map(({ pull }) => `#${pull.number} was opened after the stop`),
      ...runs.filter(within).map((run) => `${run.displayTitle} was dispatched after the stop`),
    ];
  });
}

function oneCopyOfEachComment({ issue, pulls }: SessionSeen, site: Site): string[] {
  const { store } = site.github.core;
  const numbers = new Set([issue.number, ...pulls.map(({ pull }) => pull.number)]);
  const marks = store
    .all("comment")
    .filter((each) => each.repoId === issue.repoId && numbers.has(each.number))
    .filter((each) => userOf(store, each.userId).login === site.bot)
    .flatMap((each) => [...marksIn(each.body)].map((mark) => `#${each.number} ${mark}`));
  return twice(marks);
}

/** The hidden marks in a text of the bot's. */
export function marksIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/<!-- autoresearch:(.*?) -->/g), (match) => match[1]!));
}

/**
 * At the opening of each pull request: how many are open that no runner was ever asked for. And now: how many are open that no
 * runner has measured. What was measured may wait for a person or for a repair, and what was opened again comes on top.
 */
function fewArePrepared({ record, rows, pulls, runs }: SessionSeen, site: Site): string[] {
  if (record === null) return [];
  const most = record.config.runner.concurrency + 1;
  const events = site.github.core.store.all("issueEvent");
  const eventOf = (pull: Issue, name: string) =>
    events.find((each) => each.event === name && each.repoId === pull.repoId && each.number === pull.number);
  const runsOf = (experiment: number) => runs.filter((each) => each.displayTitle.includes(`:${experiment}:`));
  const preparedAt = (at: number) =>
    pulls.filter(({ experiment, pull }) => {
      const [run] = runsOf(experiment);
      const end = eventOf(pull, "closed");
      return pull.id <= at && (run === undefined || run.id > at) && (end === undefined || end.id > at);
    }).length;
  const wrongs = pulls
    .filter(({ pull }) => preparedAt(pull.id) > most)
    .map(({ pull }) => `#${pull.number} is one more than ${most} prepared experiments`);
  const unmeasured = pulls.filter(
    ({ experiment, pull }) =>
      pull.state === "open" &&
      eventOf(pull, "reopened") === undefined &&
      !rows.some((row) => row.experiment === experiment) &&
      !runsOf(experiment).some((run) => run.conclusion === "success"),
  );
  if (unmeasured.length > most) wrongs.push(`${unmeasured.length} experiments are open that nobody measured`);
  return wrongs;
}

function noAttemptTwice({ runs }: SessionSeen): string[] {
  return twice(runs.map((run) => run.displayTitle));
}

function twice(names: readonly string[]): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) repeated.add(name);
    seen.add(name);
  }
  return [...repeated].map((name) => `${name} is there twice`);
}
