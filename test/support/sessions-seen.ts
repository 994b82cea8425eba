/**
 * What a local GitHub holds of each session, read past the API: from its rows and from its real git repository. It is the
 * ground that the invariants and the comparison of worlds stand on; nothing of the bot's own reading is used here, but the
 * codecs of what it writes.
 */
import { measurementJsonOf, type Measurement, parseMeasurement } from "../../src/domain/measurement.ts";
import {
  formatReportJobName,
  formatRunName,
  frontierBranch,
  parseExperimentBranch,
  parseTrialId,
  resultsBranch,
  type Sha,
  sha,
} from "../../src/domain/names.ts";
import { parseResults, type Row } from "../../src/domain/results.ts";
import { recordSchema, type SessionRecord } from "../../src/domain/session.ts";
import { digest } from "../../src/local/github/auth.ts";
import type { Issue, PullRequest, Repository } from "../../src/local/github/entities.ts";
import { isPull, issuesOf, userOf } from "../../src/local/github/finders.ts";
import { jobsOf, runsOf, type WorkflowRun } from "../../src/local/github/actions/rows.ts";
import type { LocalGitHub } from "../../src/local/github/server.ts";

/** A repository of a local GitHub in which a bot works. */
export type Site = {
  readonly github: LocalGitHub;
  /** `owner/name` */
  readonly repo: string;
  /** Login of the bot, `name[bot]`. */
  readonly bot: string;
};

/** A commit of the frontier after the base, along first parents. */
export type Step = {
  readonly commit: Sha;
  readonly tree: string;
  readonly parents: readonly Sha[];
  readonly author: string;
  readonly message: string;
  /** What differs from the first parent. */
  readonly paths: readonly string[];
  /** Tree of the second parent; null: there is none. */
  readonly candidateTree: string | null;
};

export type SessionSeen = {
  readonly issue: Issue;
  /** null: nothing was started. */
  readonly record: SessionRecord | null;
  readonly rows: readonly Row[];
  /** Tip of the frontier; null: no such branch. */
  readonly tip: Sha | null;
  /** Oldest first. */
  readonly steps: readonly Step[];
  /** The bot's pull requests of experiments, oldest first. */
  readonly pulls: readonly { readonly experiment: number; readonly pull: PullRequest }[];
  /** Runs that the bot dispatched for it, oldest first. */
  readonly runs: readonly WorkflowRun[];
};

/** Every issue of the site, as the session that it is or could be. */
export async function sessionsIn(site: Site): Promise<SessionSeen[]> {
  const repo = site.github.world.repo(site.repo);
  const issues = issuesOf(site.github.core.store, repo).filter((issue) => !isPull(issue));
  return Promise.all(issues.map((issue) => sessionSeen(site, repo, issue)));
}

async function sessionSeen(site: Site, repo: Repository, issue: Issue): Promise<SessionSeen> {
  const { core } = site.github;
  const git = core.git(repo);
  const text = async (path: string): Promise<string | null> =>
    (await git.object(`refs/heads/${resultsBranch(issue.number)}:${path}`))?.content.toString() ?? null;
  const json = await text("session.json");
  const record = json === null ? null : recordSchema.parse(JSON.parse(json));
  const tip = git.branch(frontierBranch(issue.number));
  const pulls = issuesOf(core.store, repo)
    .filter(isPull)
    .filter((pull) => userOf(core.store, pull.userId).login === site.bot)
    .flatMap((pull) => {
      const named = parseExperimentBranch(pull.pull.head);
      return named?.issue === issue.number ? [{ experiment: named.experiment, pull }] : [];
    });
  const runs = runsOf(core.store, repo.id).filter(
    (run) =>
      userOf(core.store, run.actorId).login === site.bot &&
      run.displayTitle.startsWith(`autoresearch ${issue.number}:`),
  );
  return {
    issue,
    record,
    rows: parseResults((await text("results.tsv")) ?? ""),
    tip: tip === null ? null : sha(tip),
    steps: record === null || tip === null ? [] : await stepsOf(site, record.base, tip),
    pulls,
    runs,
  };
}

async function stepsOf(site: Site, base: string, tip: string): Promise<Step[]> {
  const git = site.github.core.git(site.github.world.repo(site.repo));
  const format = "--format=%x00%H%x00%T%x00%P%x00%an%x00%B%x00";
  const args = ["log", "--reverse", "--first-parent", "--diff-merges=first-parent", "--name-only", format];
  const parts = (await git.run([...args, `${base}..${tip}`])).split("\0").slice(1);
  const steps: Step[] = [];
  for (let at = 0; at + 5 < parts.length; at += 6) {
    const [commit, tree, parents, author, message, paths] = parts.slice(at, at + 6) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const [, candidate] = parents.split(" ");
    steps.push({
      commit: sha(commit),
      tree,
      candidateTree: candidate === undefined ? null : ((await git.commit(candidate))?.tree ?? null),
      parents: parents.split(" ").map(sha),
      author,
      message: message.trimEnd(),
      paths: paths.split("\n").filter((path) => path !== ""),
    });
  }
  return steps;
}

/** The measurements of an experiment on a commit that a run of the bot's vouches for by the name of a job. */
export function vouchedMeasurements(
  site: Site,
  at: { readonly commit: string; readonly issue: number; readonly experiment: number; readonly metric: string },
): Measurement[] {
  const { store } = site.github.core;
  const repo = site.github.world.repo(site.repo);
  const seen = new Set<string>();
  return store.all("checkRun").flatMap((check) => {
    if (check.repoId !== repo.id || check.headSha !== at.commit || check.name !== at.metric) return [];
    if (store.get("app", check.appId)?.slug !== "github-actions" || check.status !== "completed") return [];
    const trial = parseTrialId(check.externalId);
    if (trial === null || trial.issue !== at.issue || trial.experiment !== at.experiment) return [];
    const json = measurementJsonOf(check.output.text ?? "");
    const measurement = json === null ? null : parseMeasurement(json);
    if (json === null || measurement === null) return [];
    const vouches = runsOf(store, repo.id)
      .filter((run) => run.displayTitle === formatRunName(trial) && userOf(store, run.actorId).login === site.bot)
      .some((run) => jobsOf(store, run).some((job) => job.name === formatReportJobName(digest(json))));
    // Of an attempt that was dispatched twice the first check counts.
    if (!vouches || seen.has(check.externalId)) return [];
    seen.add(check.externalId);
    return [measurement];
  });
}
