/** What people see: comments, labels, the verdict on a pull request, the report. Found by markers, written when different. */
import { z } from "zod";
import type { ActionOf } from "../domain/action.ts";
import { isDashboard } from "../domain/dashboard.ts";
import { frontierBranch } from "../domain/names.ts";
import { type Outcome, outcomes } from "../domain/verdict.ts";
import type { Context } from "./act.ts";
import { noteAppeal, patchRecord, setState } from "./act-results.ts";
import { completeCopies } from "./act-trial.ts";
import { endCheck } from "./checks.ts";
import { marked, orSilence, upsertComment } from "./comments.ts";
import { isAlready, isStatus } from "./errors.ts";
import { commentSchema, issueSchema, type PullFact, pullSchema } from "./facts.ts";
import { lookForStop } from "./observe.ts";
import { repoOf } from "./view.ts";

export async function showDashboard({ body }: ActionOf<"showDashboard">, context: Context): Promise<void> {
  await upsertComment(context.view.key.issue, isDashboard, body, context);
}

export async function obey(action: ActionOf<"obey">, context: Context): Promise<void> {
  const { client, view } = context;
  const { change, steer, appeal, reopen } = action;
  const order = appeal === null ? { order: action.comment } : {};
  if (change !== null) await setState(change, { ...steer, ...order }, context);
  else if (steer !== null) await patchRecord(steer, `Heed comment ${action.comment}`, context);
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
    const route = "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
    await orSilence(() => client.write(route, receipt), view);
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
  const { is, put } = marked(`question ${action.attempt}`);
  await upsertComment(action.pullRequest, is, put(action.question), context);
  const { check, title, question: summary, buttons: actions } = action;
  await endCheck(check, { conclusion: "action_required", title, summary, actions }, context);
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

export async function completeCheck({ check, outcome }: ActionOf<"completeCheck">, context: Context): Promise<void> {
  const said = {
    title: "It was settled meanwhile",
    summary: "Another check of this experiment, or its row, has the verdict.",
  };
  await endCheck(check, { conclusion: conclusionOf(outcome), ...said }, context);
}

export async function conclude(action: ActionOf<"conclude">, context: Context): Promise<void> {
  const { client, view } = context;
  const conclusion = conclusionOf(action.outcome);
  if (action.check !== null) {
    const { title, verdict: summary, buttons: actions } = action;
    await endCheck(action.check, { conclusion, title, summary, actions }, context);
  }
  const { head: commit, experiment } = action;
  await completeCopies({ commit, experiment }, conclusion, context);
  const pull = view.pulls.get(action.pullRequest) ?? (await readPull(action.pullRequest, { client, view }));
  const issue = { ...repoOf(view), issue_number: action.pullRequest };
  const answer = await client.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", {
    ...issue,
    body: action.body,
    labels: [...new Set([...pull.labels, ...action.labels])],
    ...(action.close ? { state: "closed" } : {}),
  });
  const { labels, body, state } = issueSchema.parse(answer);
  // GitHub marks a pull request as merged after its head is on the frontier; where it has not by now, it is closed.
  if (pull.state === "merged" && state === "open")
    await client.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", { ...issue, state: "closed" });
  view.pulls.set(pull.number, { ...pull, labels, body, state: action.close ? "closed" : pull.state });
  if (action.remark === null) return;
  const { is, put } = marked("closed again");
  await upsertComment(action.pullRequest, is, put(action.remark), context);
}

async function readPull(number: number, { client, view }: Pick<Context, "client" | "view">): Promise<PullFact> {
  return pullSchema.parse(
    await client.read("GET /repos/{owner}/{repo}/pulls/{pull_number}", { ...repoOf(view), pull_number: number }),
  );
}

/** On the issue at its new place: the dashboard that moved along gives way to where the session is. */
export async function tellMoved({ to, body }: ActionOf<"tellMoved">, context: Context): Promise<void> {
  const { client, view, identity } = context;
  const at = { owner: to.owner, repo: to.repo, issue_number: to.issue };
  const { is, put } = marked("moved");
  try {
    const route = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments";
    const comments = z.array(commentSchema).parse(await client.readAll(route, at, 3));
    const own = comments.filter((comment) => comment.user?.login === identity.login);
    const stale = own.find((comment) => is(comment.body)) ?? own.find((comment) => isDashboard(comment.body));
    const text = put(body);
    if (stale === undefined)
      await client.write("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", { ...at, body: text });
    else if (stale.body !== text) {
      const change = { owner: to.owner, repo: to.repo, comment_id: stale.id, body: text };
      await client.write("PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", change);
    }
  } catch (error) {
    // The app may read there, and not write: then nothing can be said.
    if (!isStatus(error, 403, 404)) throw error;
  }
  if (view.gone?.to != null) view.gone = { ...view.gone, to: { ...view.gone.to, told: true } };
}

export async function finish(action: ActionOf<"finish">, context: Context): Promise<void> {
  const { client, view, identity, now } = context;
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
    if (there === undefined) {
      await lookForStop(client, view, identity, now());
      view.report = await openReport(action.report, head, base, context);
    } else view.report = await updateReport(there, action.report, context);
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
