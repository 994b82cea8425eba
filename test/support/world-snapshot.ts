/**
 * What a world has come to, without what depends on the run: no commit ids, numbers of things, times, attempts or runs.
 * Two worlds in which the same was tried, whatever failed on the way, have equal snapshots.
 */
import type { Issue } from "../../src/local/github/entities.ts";
import { type Sha, verdictCheck } from "../../src/domain/names.ts";
import { userOf } from "../../src/local/github/finders.ts";
import { marksIn } from "./invariants.ts";
import { type SessionSeen, sessionsIn, type Site } from "./sessions-seen.ts";

export type WorldSnapshot = readonly SessionSnapshot[];

type SessionSnapshot = {
  readonly state: string | null;
  readonly because: string | null;
  readonly by: string | null;
  readonly labels: readonly string[];
  /** Tree, subject and trailers of each commit after the base; pull requests by experiment. */
  readonly frontier: readonly string[];
  readonly rows: readonly string[];
  readonly pulls: readonly string[];
  /** Branches, and whether a pull request has them as its head. */
  readonly branches: readonly string[];
  /** Marks of the bot's comments, by where they stand. */
  readonly comments: readonly string[];
  /** The bot's answers to comments. */
  readonly reactions: readonly string[];
  /** The bot's own checks and how they ended, by experiment; on commits that are no heads any more, those that are open. */
  readonly checks: readonly string[];
  readonly runsUnderWay: number;
};

export async function worldSnapshot(site: Site): Promise<WorldSnapshot> {
  return (await sessionsIn(site)).map((session) => snapshotOf(session, site));
}

function snapshotOf(session: SessionSeen, site: Site): SessionSnapshot {
  const { record, rows, steps, pulls, runs, issue } = session;
  const { core } = site.github;
  const names = new Map(pulls.map(({ experiment, pull }) => [`#${pull.number}`, `experiment ${experiment}`]));
  const named = (text: string) => text.replace(/#\d+/g, (number) => names.get(number) ?? "#");
  const refs = core.git(site.github.world.repo(site.repo)).refs;
  const prefix = `refs/heads/autoresearch/${issue.number}/`;
  return {
    state: record?.state ?? null,
    because: record?.because ?? null,
    by: record?.by ?? null,
    labels: labelsOf(issue, site),
    frontier: steps.map(({ tree, author, message }) => `${tree} ${author} ${named(message)}`),
    rows: rows.map((row) => {
      const { experiment, outcome, value, description, because, pullRequest } = row;
      // A loser's own value depends on the frontier that it was built on, and so on who was quicker.
      const kept = outcome === "keep" ? value : "";
      return [experiment, outcome, kept, description, because, named(`#${pullRequest}`)].join(" | ");
    }),
    pulls: pulls.map(({ experiment, pull }) => {
      const state = pull.pull.mergedAt === null ? pull.state : "merged";
      return [experiment, state, pull.title, labelsOf(pull, site).join(), ...marksIn(pull.body ?? "")].join(" | ");
    }),
    branches: [...refs.keys()]
      .filter((ref) => ref.startsWith(prefix))
      .map((ref) => ref.slice(prefix.length))
      .sort(),
    comments: commentsOf(session, site),
    reactions: reactionsOf(session, site),
    checks: checksOf(session, site),
    runsUnderWay: runs.filter((run) => run.status !== "completed").length,
  };
}

function labelsOf({ labelIds }: Issue, { github }: Site): string[] {
  return labelIds.map((id) => github.core.store.get("label", id)!.name).sort();
}

function placesOf({ issue, pulls }: SessionSeen): Map<number, string> {
  return new Map([
    [issue.number, "the issue"],
    ...pulls.map(({ experiment, pull }) => [pull.number, `experiment ${experiment}`] as const),
  ]);
}

function commentsOf(session: SessionSeen, site: Site): string[] {
  const { store } = site.github.core;
  const places = placesOf(session);
  return store
    .all("comment")
    .filter((each) => each.repoId === session.issue.repoId && places.has(each.number))
    .filter((each) => userOf(store, each.userId).login === site.bot)
    .map((each) => `${places.get(each.number)}: ${[...marksIn(each.body)].map(kindOf).sort().join()}`)
    .sort();
}

/** `reply 1000342` → `reply` */
function kindOf(mark: string): string {
  return mark.split(" ")[0]!;
}

function reactionsOf(session: SessionSeen, site: Site): string[] {
  const { store } = site.github.core;
  const places = placesOf(session);
  return store
    .all("reaction")
    .filter((each) => userOf(store, each.userId).login === site.bot)
    .flatMap((each) => {
      const comment = store.get("comment", Number(each.subject.replace("comment:", "")));
      const place = comment?.repoId === session.issue.repoId ? places.get(comment.number) : undefined;
      return place === undefined ? [] : [`${place}: ${comment!.body.slice(0, 50)} ${each.content}`];
    })
    .sort();
}

function checksOf({ issue, record, pulls }: SessionSeen, site: Site): string[] {
  const { store } = site.github.core;
  const heads = new Set([record?.base, ...pulls.map(({ pull }) => pull.pull.headSha)]);
  return (
    store
      .all("checkRun")
      .filter((check) => check.repoId === issue.repoId && check.name === verdictCheck)
      .filter((check) => check.externalId.startsWith(`${issue.number}:`))
      // Whether an experiment was carried after its first trial depends on who was quicker: what it left is to be completed.
      .filter((check) => heads.has(check.headSha as Sha) || check.status !== "completed")
      .map((check) => `${check.externalId.split(":")[1]} ${check.status} ${check.conclusion}`)
      .sort()
  );
}
