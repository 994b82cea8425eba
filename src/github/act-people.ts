/** What people see: comments, labels, the verdict on a pull request, the report. Found by markers, written when different. */
import { z } from "zod";
import type { ActionOf } from "../domain/action.ts";
import { isDashboard } from "../domain/dashboard.ts";
import { frontierBranch, verdictCheck } from "../domain/names.ts";
import { type Outcome, outcomes } from "../domain/verdict.ts";
import type { Context } from "./act.ts";
import { noteAppeal, setState } from "./act-results.ts";
import { completeCopies } from "./act-trial.ts";
import { marked, upsertComment } from "./comments.ts";
import { isAlready, isStatus } from "./errors.ts";
import { checkSchema, issueSchema, type PullFact, pullSchema } from "./facts.ts";
import { foldCheck, repoOf } from "./view.ts";

export async function showDashboard({ body }: ActionOf<"showDashboard">, context: Context): Promise<void> {
  await upsertComment(context.view.key.issue, isDashboard, body, context);
}

export async function obey(action: ActionOf<"obey">, context: Context): Promise<void> {
  const { client, view } = context;
  const { change, appeal, reopen } = action;
  if (change !== null) await setState(change, appeal === null ? { order: action.comment } : null, context);
  const shut = appeal !== null && reopen !== null && !(await reopenPull(reopen, context));
  if (appeal !== null && !shut) await noteAppeal(appeal, action.comment, context);
  const reply = shut
    ? "GitHub does not let me open this pull request again: it was merged, or its branch is gone."
    : action.reply;
  if (reply !== null) {
    const { is, put } = marked(`reply ${action.comment}`);
    await upsertComment(action.on, is, put(reply), context);
  }
  const content = shut ? "confused" : action.reaction;
  const receipt = { ...repoOf(view), comment_id: action.comment, content };
  try {
    await client.write("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", receipt);
  } catch (error) {
    // The person deleted the comment: nothing is left to receipt.
    if (!isStatus(error, 404)) throw error;
  }
  view.handled.add(action.comment);
  view.orders = view.orders.filter((order) => order.comment !== action.comment);
}

/** Opens a settled experiment's pull request again, without its outcome's label; false where GitHub refuses. */
async function reopenPull(number: number, { client, view }: Context): Promise<boolean> {
  const at = { ...repoOf(view), pull_number: number };
  const pull = pullSchema.parse(await client.read("GET /repos/{owner}/{repo}/pulls/{pull_number}", at));
  if (pull.state === "merged") return false;
  const labels = pull.labels.filter((label) => !outcomes.some((outcome) => outcome === label));
  try {
    const change = { ...repoOf(view), issue_number: number, state: "open", labels };
    await client.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", change);
  } catch (error) {
    if (isStatus(error, 422)) return false;
    throw error;
  }
  view.pulls.set(number, { ...pull, state: "open", labels });
  for (const aspect of ["pulls", "refs", "checks", "runs"] as const) view.old.add(aspect);
  return true;
}

export async function ask(action: ActionOf<"ask">, context: Context): Promise<void> {
  const { client, view } = context;
  const { is, put } = marked(`question ${action.attempt}`);
  await upsertComment(action.pullRequest, is, put(action.question), context);
  const answer = await client.write("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    ...repoOf(view),
    check_run_id: action.check,
    name: verdictCheck,
    status: "completed",
    conclusion: "action_required",
    output: { title: action.title.slice(0, 250), summary: action.question },
    actions: action.buttons,
  });
  foldCheck(view, checkSchema.parse(answer));
}

/** How an outcome looks on the bot's check. */
function conclusionOf(outcome: Outcome): string {
  switch (outcome) {
    case "keep":
      return "success";
    case "discard":
    case "within_noise":
      return "neutral";
    case "crash":
    case "rejected":
      return "failure";
    case "timeout":
      return "timed_out";
    case "withdrawn":
      return "cancelled";
  }
}

export async function conclude(action: ActionOf<"conclude">, context: Context): Promise<void> {
  const { client, view } = context;
  if (action.check !== null) {
    const answer = await client.write("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
      ...repoOf(view),
      check_run_id: action.check,
      name: verdictCheck,
      status: "completed",
      conclusion: conclusionOf(action.outcome),
      output: { title: action.title.slice(0, 250), summary: action.verdict },
      actions: action.buttons,
    });
    foldCheck(view, checkSchema.parse(answer));
  }
  const { head: commit, experiment } = action;
  await completeCopies({ commit, experiment }, conclusionOf(action.outcome), context);
  const pull = await seenPull(action.pullRequest, { client, view });
  const answer = await client.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", {
    ...repoOf(view),
    issue_number: action.pullRequest,
    body: action.body,
    labels: [...new Set([...pull.labels, ...action.labels])],
    ...(pull.state === "open" ? { state: "closed" } : {}),
  });
  const { labels, body } = issueSchema.parse(answer);
  view.pulls.set(pull.number, { ...pull, labels, body, state: pull.state === "merged" ? "merged" : "closed" });
}

/** The pull request; looked at again where GitHub should have marked it as merged by now. */
async function seenPull(number: number, { client, view }: Pick<Context, "client" | "view">): Promise<PullFact> {
  const known = view.pulls.get(number);
  if (known !== undefined && known.state !== "merged") return known;
  return pullSchema.parse(
    await client.read("GET /repos/{owner}/{repo}/pulls/{pull_number}", { ...repoOf(view), pull_number: number }),
  );
}

export async function finish(action: ActionOf<"finish">, context: Context): Promise<void> {
  const { client, view } = context;
  const head = frontierBranch(view.key.issue);
  const base = view.record!.baseBranch;
  if (action.report !== null) {
    const listed = await client.read("GET /repos/{owner}/{repo}/pulls", {
      ...repoOf(view),
      head: `${view.key.owner}:${head}`,
      base,
      state: "open",
    });
    const there = z.array(pullSchema).parse(listed)[0];
    if (there === undefined) view.report = await openReport(action.report, head, base, context);
    else view.report = await updateReport(there, action.report, context);
  }
  const link = view.report === null ? "" : `\n\n#${view.report}`;
  const { is, put } = marked(`summary ${view.record!.startedAt}`);
  await upsertComment(view.key.issue, is, put(`${action.comment}${link}`), context);
  await setState({ state: "done", by: null, because: action.because }, null, context);
}

/** A session that went on after its end has another report: the pull request that is there says it. */
async function updateReport(
  { number, title, body }: PullFact,
  report: { title: string; body: string },
  { client, view }: Context,
): Promise<number> {
  if (title !== report.title || body !== report.body) {
    const route = "PATCH /repos/{owner}/{repo}/pulls/{pull_number}";
    await client.write(route, { ...repoOf(view), pull_number: number, ...report });
  }
  return number;
}

async function openReport(
  report: { title: string; body: string },
  head: string,
  base: string,
  { client, view }: Context,
): Promise<number | null> {
  try {
    const answer = await client.write("POST /repos/{owner}/{repo}/pulls", { ...repoOf(view), ...report, head, base });
    return pullSchema.parse(answer).number;
  } catch (error) {
    // Somebody merged it all already: there is nothing between the branches.
    if (isAlready(error) || isStatus(error, 422)) return null;
    throw error;
  }
}
