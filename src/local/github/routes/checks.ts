/** Check runs and check suites. An app posts and changes its own; a job acts as the app `github-actions`. */
import type { z } from "zod";
import { ApiError, created, notFound, ok, unprocessable } from "../answer.ts";
import type { App, CheckRun, CheckSuite } from "../entities.ts";
import { type CheckInput, createCheckRun, rerequestCheck, updateCheckRun } from "../check-changes.ts";
import { doerOf } from "../core.ts";
import { pageOf } from "../pagination.ts";
import { bodyOf, choiceOf, numberOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeCheckRun, shapeCheckSuite } from "../shapes/check.ts";
import { indexOf } from "../store.ts";
import { type annotationSchema, checkEdit, newCheck } from "./check-forms.ts";

const readChecks = { app: ["checks:read"], person: "read" } as const;
const writeChecks = { app: ["checks:write"], person: "read" } as const;

const runsByCommit = indexOf("checkRun", (run) => `${run.repoId}:${run.headSha}`);
const runsBySuite = indexOf("checkRun", (run) => String(run.suiteId));
const suitesByCommit = indexOf("checkSuite", (suite) => `${suite.repoId}:${suite.headSha}`);

export const checkRoutes = [
  repoRoute("POST /repos/{owner}/{repo}/check-runs", writeChecks, async (call) => {
    const app = appOf(call);
    const body = bodyOf(call, newCheck);
    const commit = await call.git.resolve(body.head_sha);
    if (commit === null) throw unprocessable(`No commit found for SHA: ${body.head_sha}`);
    const input = { ...inputOf(call, body), name: body.name, headSha: commit, appId: app.id };
    return created(
      shapeCheckRun(call.core, call.repo, createCheckRun(call.core, call.repo, input, doerOf(call.actor))),
    );
  }),

  repoRoute("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", writeChecks, (call) => {
    const run = ownRun(call);
    const input = inputOf(call, bodyOf(call, checkEdit));
    return ok(
      shapeCheckRun(call.core, call.repo, updateCheckRun(call.core, call.repo, run, input, doerOf(call.actor))),
    );
  }),

  repoRoute("GET /repos/{owner}/{repo}/check-runs/{check_run_id}", readChecks, (call) =>
    ok(shapeCheckRun(call.core, call.repo, runOf(call))),
  ),

  repoRoute("GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", readChecks, (call) => {
    const run = runOf(call);
    const { items, headers } = pageOf(call, run.output.annotations);
    const blob = `${call.core.url}/${call.params["owner"]!}/${call.params["repo"]!}/blob/${run.headSha}`;
    return ok(
      items.map((one) => ({ ...one, blob_href: `${blob}/${one.path}` })),
      headers,
    );
  }),

  repoRoute("POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest", writeChecks, (call) => {
    const run = ownRun(call);
    rerequestCheck(call.core, call.repo, run, doerOf(call.actor));
    return { status: 201, body: {} };
  }),

  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", readChecks, async (call) => {
    const commit = await commitIn(call);
    return runsAnswer(call, call.core.store.by(runsByCommit, `${call.repo.id}:${commit}`));
  }),

  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}/check-suites", readChecks, async (call) => {
    const commit = await commitIn(call);
    const appId = call.query.get("app_id");
    const checkName = call.query.get("check_name");
    const suites = call.core.store
      .by(suitesByCommit, `${call.repo.id}:${commit}`)
      .filter((suite) => appId === null || String(suite.appId) === appId)
      .filter((suite) => checkName === null || runsIn(call, suite).some((run) => run.name === checkName));
    const { items, headers } = pageOf(call, suites);
    const shaped = await Promise.all(items.map((suite) => shapedSuite(call, suite)));
    return ok({ total_count: suites.length, check_suites: shaped }, headers);
  }),

  repoRoute("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}", readChecks, async (call) =>
    ok(await shapedSuite(call, suiteOf(call))),
  ),

  repoRoute("GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs", readChecks, (call) =>
    runsAnswer(call, runsIn(call, suiteOf(call))),
  ),
];

/** Only apps write checks: a person's token gets 403. */
function appOf(call: RepoCall): App {
  if (call.actor.kind === "installation") return call.actor.app;
  throw new ApiError(403, "You must authenticate via a GitHub App.");
}

function isJob(call: RepoCall): boolean {
  return call.actor.kind === "installation" && call.actor.job;
}

function runOf(call: RepoCall): CheckRun {
  const run = call.core.store.get("checkRun", numberOf(call, "check_run_id"));
  if (run === undefined || run.repoId !== call.repo.id) throw notFound();
  return run;
}

function ownRun(call: RepoCall): CheckRun {
  const app = appOf(call);
  const run = runOf(call);
  if (run.appId !== app.id)
    throw new ApiError(
      403,
      "Invalid app_id `" + String(run.appId) + "` - check run can only be modified by the GitHub App that created it.",
    );
  return run;
}

function suiteOf(call: RepoCall): CheckSuite {
  const suite = call.core.store.get("checkSuite", numberOf(call, "check_suite_id"));
  if (suite === undefined || suite.repoId !== call.repo.id) throw notFound();
  return suite;
}

function runsIn(call: RepoCall, suite: CheckSuite): CheckRun[] {
  return call.core.store.by(runsBySuite, String(suite.id));
}

async function shapedSuite(call: RepoCall, suite: CheckSuite): Promise<Record<string, unknown>> {
  return shapeCheckSuite(call.core, call.repo, suite, (await call.git.commit(suite.headSha))!);
}

async function commitIn(call: RepoCall): Promise<string> {
  const commit = await call.git.resolve(call.params["ref"]!);
  if (commit === null) throw unprocessable(`No commit found for SHA: ${call.params["ref"]!}`);
  return commit;
}

function runsAnswer(call: RepoCall, all: readonly CheckRun[]) {
  const filter = choiceOf(call, "filter", ["latest", "all"], "latest");
  const [name, status, appId] = [call.query.get("check_name"), call.query.get("status"), call.query.get("app_id")];
  let runs = all.filter(
    (run) =>
      (name === null || run.name === name) &&
      (status === null || run.status === status) &&
      (appId === null || String(run.appId) === appId),
  );
  if (filter === "latest") {
    const latest = new Map(runs.map((run) => [`${run.suiteId} ${run.name}`, run]));
    runs = [...latest.values()];
  }
  // Newest first, as GitHub lists them.
  const sorted = runs.sort((a, b) => b.id - a.id);
  const { items, headers } = pageOf(call, sorted);
  const shaped = items.map((run) => shapeCheckRun(call.core, call.repo, run));
  return ok({ total_count: sorted.length, check_runs: shaped }, headers);
}

function inputOf(call: RepoCall, body: z.output<typeof checkEdit>): CheckInput {
  const { output } = body;
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.status === undefined ? {} : { status: body.status }),
    ...(body.conclusion === undefined ? {} : { conclusion: body.conclusion }),
    ...(body.started_at === undefined ? {} : { startedAt: seconds(body.started_at) }),
    ...(body.completed_at === undefined ? {} : { completedAt: seconds(body.completed_at) }),
    ...(body.external_id === undefined ? {} : { externalId: body.external_id }),
    // GitHub takes no address from a job's token: such a check leads to its own page (actions/github-script#143).
    ...(body.details_url === undefined || isJob(call) ? {} : { detailsUrl: body.details_url }),
    ...(body.actions === undefined ? {} : { actions: body.actions }),
    ...(output === undefined
      ? {}
      : {
          output: {
            ...(output.title === undefined ? {} : { title: output.title }),
            summary: output.summary,
            ...(output.text === undefined ? {} : { text: output.text }),
            annotations: (output.annotations ?? []).map(annotationOf),
          },
        }),
  };
}

function annotationOf(one: z.output<typeof annotationSchema>) {
  return {
    ...one,
    start_column: one.start_column ?? null,
    end_column: one.end_column ?? null,
    title: one.title ?? null,
    raw_details: one.raw_details ?? null,
  };
}

function seconds(time: string): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}
