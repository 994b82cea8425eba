/**
 * Dispatching and cancelling. The intent is written before the dispatch: a process that dies in between leaves an attempt
 * that is waited for and then given up, never one that is dispatched twice.
 */
import type { ActionOf } from "../domain/action.ts";
import { buttons } from "../domain/buttons.ts";
import { timeoutSeconds } from "../domain/config.ts";
import type { TrialSpec } from "../domain/measurement.ts";
import { formatRunName, formatTrialId, verdictCheck, workflowFile } from "../domain/names.ts";
import type { Context } from "./act.ts";
import { endCheck, foldCheck } from "./checks.ts";
import { isStatus, NeedsPerson, Superseded } from "./errors.ts";
import { checkSchema, dispatchedSchema } from "./facts.ts";
import { lookForStop } from "./observe.ts";
import { Held } from "./pace.ts";
import { type Tracked, formatIntent, ownChecks } from "./tracked.ts";
import { repoOf } from "./view.ts";

export async function dispatch(action: ActionOf<"dispatch">, context: Context): Promise<void> {
  const { client, view, identity, now } = context;
  const { experiment, attempt, commit } = action;
  const { base, baseBranch, config } = view.record!;
  const id = { issue: view.key.issue, experiment, attempt };
  // An attempt that is gone may have been cancelled for a stop that this process has not heard of.
  if (attempt > 1) await lookForStop(client, view, identity, now());
  await writeIntent(action, context);

  const spec: TrialSpec = {
    version: 1,
    command: config.trial.command,
    setup: config.trial.setup,
    evaluate: config.trial.evaluate,
    serve: config.trial.serve,
    protect: config.trial.protect,
    private: config.trial.private,
    budgetSeconds: config.trial.budget,
    timeoutSeconds: timeoutSeconds(config),
    mutable: config.mutable,
    metric: config.metric.name,
    direction: config.metric.direction,
    sandbox: config.trial.sandbox,
    frontier: action.frontierValue,
  };
  const inputs = {
    trial: formatTrialId(id),
    commit,
    base,
    spec: JSON.stringify(spec),
    runs_on: JSON.stringify(config.runner.labels),
  };
  // While the dispatch waits for its turn, or is forbidden by a limit, this attempt is still free.
  view.unsent.add(commit);
  const sent = await send(context, { ref: baseBranch, inputs, return_run_details: true }).catch((error: unknown) => {
    if (!(error instanceof Held)) view.unsent.delete(commit);
    throw error;
  });
  view.unsent.delete(commit);
  const answer = dispatchedSchema.safeParse(sent);
  if (!answer.success) {
    view.old.add("runs");
    return;
  }
  const atMs = now();
  view.runs.set(answer.data.workflow_run_id, {
    id: answer.data.workflow_run_id,
    name: formatRunName(id),
    path: `.github/workflows/${workflowFile}`,
    event: "workflow_dispatch",
    branch: baseBranch,
    actor: identity.login,
    status: "queued",
    conclusion: null,
    createdMs: atMs,
    startedMs: atMs,
    updatedMs: atMs,
    seenStartMs: 0,
    seenEndMs: 0,
    url: answer.data.html_url,
  });
}

async function writeIntent(action: ActionOf<"dispatch">, { client, view, now }: Context): Promise<void> {
  const id = { issue: view.key.issue, experiment: action.experiment, attempt: action.attempt };
  const body = {
    ...repoOf(view),
    status: "queued",
    started_at: new Date(now()).toISOString(),
    external_id: formatIntent(id, action.firstAttempt),
    output: {
      title: action.experiment === 0 ? "Measuring the frontier" : "Waiting for its measurement",
      summary: `Trial ${formatTrialId(id)} is dispatched to a runner. The verdict comes here when it is measured.`,
    },
    actions: action.experiment === 0 ? buttons.merged : buttons.measuring,
  };
  const answer =
    action.check === null
      ? await client.write("POST /repos/{owner}/{repo}/check-runs", {
          ...body,
          name: verdictCheck,
          head_sha: action.commit,
        })
      : await client.write("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
          ...body,
          check_run_id: action.check,
        });
  foldCheck(view, checkSchema.parse(answer));
}

async function send({ client, view }: Context, body: Record<string, unknown>): Promise<unknown> {
  try {
    return await client.write("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
      ...repoOf(view),
      workflow_id: workflowFile,
      ...body,
    });
  } catch (error) {
    if (isStatus(error, 404))
      throw new NeedsPerson(`the workflow ${workflowFile} is not on ${String(body["ref"])}, or it is disabled`);
    if (isStatus(error, 422)) {
      const message = error instanceof Error ? error.message : "";
      if (/^no ref found/i.test(message)) {
        // The default branch has another name, and nobody told us yet.
        view.old.add("repository");
        throw new Superseded(message.split("\n")[0]!.slice(0, 200));
      }
      throw new NeedsPerson(
        `the workflow ${workflowFile} does not take what I send it (${message.slice(0, 200)}); copy it anew`,
      );
    }
    throw error;
  }
}

/** Completes what another process wrote beside the first check of an experiment: left open, its commit would look unfinished. */
export async function completeCopies(
  { commit, experiment }: Tracked,
  conclusion: string,
  context: Context,
): Promise<void> {
  const copies = ownChecks(context.view, { commit, experiment }, context.identity).slice(1);
  const summary = "Two processes of the bot asked for this measurement; the other check has it.";
  for (const copy of copies.filter((check) => check.status !== "completed"))
    await endCheck(copy.id, { conclusion, title: "A copy", summary }, context);
}

/** Asks for the end of a run; one that is over already is as good (409). */
export async function cancelRun({ run }: ActionOf<"cancelRun">, { client, view }: Context): Promise<void> {
  try {
    await client.write("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", { ...repoOf(view), run_id: run });
  } catch (error) {
    if (!isStatus(error, 404, 409)) throw error;
  }
  view.cancelled.add(run);
  view.old.add("runs");
}
