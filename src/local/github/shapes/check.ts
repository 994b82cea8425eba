/** Bodies of check runs and check suites. */
import type { Core } from "../core.ts";
import type { CheckRun, CheckSuite, Repository } from "../entities.ts";
import { openPullsOf } from "../finders.ts";
import type { Commit } from "../git-forms.ts";
import { indexOf } from "../store.ts";
import { isoOf } from "./commit.ts";
import { nodeId, repoApi, repoWeb } from "./links.ts";
import { shapePullMinimal } from "./pull.ts";
import { shapeRepository } from "./repository.ts";
import { shapeViaApp } from "./user.ts";

const runsBySuite = indexOf("checkRun", (run) => String(run.suiteId));

function pullsAt(core: Core, repo: Repository, headSha: string): Record<string, unknown>[] {
  return openPullsOf(core.store, repo)
    .filter((pull) => pull.pull.headSha === headSha)
    .map((pull) => shapePullMinimal(core, repo, pull));
}

/** A check run; in a webhook it holds its whole suite and its buttons. */
export function shapeCheckRun(
  core: Core,
  repo: Repository,
  run: CheckRun,
  options: { readonly inWebhook?: boolean } = {},
): Record<string, unknown> {
  const url = `${repoApi(core, repo)}/check-runs/${run.id}`;
  const web = `${repoWeb(core, repo)}/runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("CheckRun", run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: web,
    details_url: run.detailsUrl ?? web,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.output.title,
      summary: run.output.summary,
      text: run.output.text,
      annotations_count: run.output.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite:
      options.inWebhook === true
        ? shapeSuiteInRun(core, repo, core.store.get("checkSuite", run.suiteId)!)
        : { id: run.suiteId },
    app: shapeViaApp(core, run.appId),
    pull_requests: pullsAt(core, repo, run.headSha),
    ...(options.inWebhook === true ? { actions: run.actions } : {}),
  };
}

/** Where a suite stands: the worst of its runs once all are done. */
function standingOf(runs: readonly CheckRun[]): { status: string; conclusion: string | null } {
  if (runs.every((run) => run.status === "queued")) return { status: "queued", conclusion: null };
  if (runs.some((run) => run.status !== "completed")) return { status: "in_progress", conclusion: null };
  const order = ["failure", "timed_out", "cancelled", "action_required", "stale", "neutral", "skipped", "success"];
  const worst = order.find((conclusion) => runs.some((run) => run.conclusion === conclusion));
  return { status: "completed", conclusion: worst ?? "neutral" };
}

function shapeSuiteInRun(core: Core, repo: Repository, suite: CheckSuite): Record<string, unknown> {
  return {
    id: suite.id,
    node_id: nodeId("CheckSuite", suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    ...standingOf(core.store.by(runsBySuite, String(suite.id))),
    url: `${repoApi(core, repo)}/check-suites/${suite.id}`,
    before: null,
    after: suite.headSha,
    pull_requests: pullsAt(core, repo, suite.headSha),
    app: shapeViaApp(core, suite.appId),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
  };
}

export function shapeCheckSuite(
  core: Core,
  repo: Repository,
  suite: CheckSuite,
  commit: Commit,
): Record<string, unknown> {
  const inRun = shapeSuiteInRun(core, repo, suite);
  return {
    ...inRun,
    repository: shapeRepository(core, repo),
    head_commit: {
      id: suite.headSha,
      tree_id: commit.tree,
      message: commit.message,
      timestamp: isoOf(commit.committer.date),
      author: { name: commit.author.name, email: commit.author.email },
      committer: { name: commit.committer.name, email: commit.committer.email },
    },
    latest_check_runs_count: core.store.count(runsBySuite, String(suite.id)),
    check_runs_url: `${String(inRun["url"])}/check-runs`,
    rerequestable: true,
    runs_rerequestable: true,
  };
}
