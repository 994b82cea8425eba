/** What is done with check runs, and the webhooks that follow. */
import { type Core, type Doer, timestamp } from "./core.ts";
import type { CheckAnnotation, CheckConclusion, CheckRun, CheckStatus, CheckSuite, Repository } from "./entities.ts";
import { shapeCheckRun } from "./shapes/check.ts";
import { shapeRepository } from "./shapes/repository.ts";
import { shapeUserById } from "./shapes/user.ts";
import { indexOf } from "./store.ts";

const suitesByCommit = indexOf("checkSuite", (suite) => `${suite.repoId}:${suite.appId}:${suite.headSha}`);

/** What may be said of a check run; a field not given stays as it is. */
export type CheckInput = {
  readonly name?: string;
  readonly status?: CheckStatus;
  readonly conclusion?: CheckConclusion;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly externalId?: string;
  readonly detailsUrl?: string;
  readonly output?: {
    readonly title?: string | null;
    readonly summary?: string | null;
    readonly text?: string | null;
    readonly annotations: readonly CheckAnnotation[];
  };
  readonly actions?: CheckRun["actions"];
};

/** The suite of an app on a commit; made where there is none. */
function suiteFor(core: Core, repo: Repository, appId: number, headSha: string): CheckSuite {
  const known = core.store.one(suitesByCommit, `${repo.id}:${appId}:${headSha}`);
  if (known !== undefined) return known;
  const branch = [...core.git(repo).refs].find(([ref, sha]) => sha === headSha && ref.startsWith("refs/heads/"));
  const now = timestamp(core);
  return core.store.put("checkSuite", {
    id: core.store.nextId(),
    repoId: repo.id,
    appId,
    headSha,
    headBranch: branch === undefined ? null : branch[0].slice("refs/heads/".length),
    createdAt: now,
    updatedAt: now,
  });
}

/** Posts a check run in the name of an app. */
export function createCheckRun(
  core: Core,
  repo: Repository,
  wanted: CheckInput & { readonly name: string; readonly headSha: string; readonly appId: number },
  doer: Doer,
): CheckRun {
  const blank: CheckRun = {
    id: core.store.nextId(),
    repoId: repo.id,
    suiteId: suiteFor(core, repo, wanted.appId, wanted.headSha).id,
    appId: wanted.appId,
    headSha: wanted.headSha,
    name: wanted.name,
    status: "queued",
    conclusion: null,
    startedAt: timestamp(core),
    completedAt: null,
    externalId: "",
    detailsUrl: null,
    output: { title: null, summary: null, text: null, annotations: [] },
    actions: [],
  };
  const run = core.store.put("checkRun", changed(core, blank, wanted));
  tellOfCheck(core, repo, run, { action: "created", doer });
  if (run.status === "completed") tellOfCheck(core, repo, run, { action: "completed", doer });
  return run;
}

/** Changes a check run; `completed` is told when it becomes so. */
export function updateCheckRun(core: Core, repo: Repository, run: CheckRun, input: CheckInput, doer: Doer): CheckRun {
  const after = core.store.put("checkRun", changed(core, run, input));
  core.signals.emit("change", { kind: "check", repoId: repo.id, checkRunId: run.id, action: "updated" });
  if (run.status !== "completed" && after.status === "completed") {
    tellOfCheck(core, repo, after, { action: "completed", doer });
  }
  return after;
}

function changed(core: Core, run: CheckRun, input: CheckInput): CheckRun {
  // A conclusion makes the run completed, as GitHub's documentation says; a run that goes on again loses it.
  const status = input.conclusion !== undefined ? "completed" : (input.status ?? run.status);
  const done = status === "completed";
  return {
    ...run,
    name: input.name ?? run.name,
    status,
    conclusion: done ? (input.conclusion ?? run.conclusion) : null,
    startedAt: input.startedAt ?? run.startedAt,
    completedAt: done ? (input.completedAt ?? run.completedAt ?? timestamp(core)) : null,
    externalId: input.externalId ?? run.externalId,
    detailsUrl: input.detailsUrl ?? run.detailsUrl,
    output:
      input.output === undefined
        ? run.output
        : {
            title: input.output.title ?? run.output.title,
            summary: input.output.summary ?? run.output.summary,
            text: input.output.text ?? run.output.text,
            annotations: [...run.output.annotations, ...input.output.annotations],
          },
    actions: input.actions ?? run.actions,
  };
}

/** Somebody presses a button of the check: its app, and no other, is told. */
export function requestAction(core: Core, repo: Repository, run: CheckRun, identifier: string, doer: Doer): void {
  tellOfCheck(core, repo, run, {
    action: "requested_action",
    doer,
    onlyApp: run.appId,
    more: { requested_action: { identifier } },
  });
}

/** Somebody wants the check run once more: its app, and no other, is told. */
export function rerequestCheck(core: Core, repo: Repository, run: CheckRun, doer: Doer): void {
  tellOfCheck(core, repo, run, { action: "rerequested", doer, onlyApp: run.appId });
}

function tellOfCheck(
  core: Core,
  repo: Repository,
  run: CheckRun,
  told: {
    readonly action: string;
    readonly doer: Doer;
    readonly onlyApp?: number;
    readonly more?: Record<string, unknown>;
  },
): void {
  const { action, doer, onlyApp, more } = told;
  core.signals.emit("change", { kind: "check", repoId: repo.id, checkRunId: run.id, action });
  core.webhooks.emit({
    event: "check_run",
    action,
    repo,
    ...(onlyApp === undefined ? {} : { onlyApp }),
    payload: () => ({
      action,
      check_run: shapeCheckRun(core, repo, run, { inWebhook: true }),
      ...more,
      repository: shapeRepository(core, repo),
      sender: shapeUserById(core, doer.userId),
    }),
  });
}
