/**
 * Mending a crash: what mends it is a commit more on the experiment's branch, and the pull request says so.
 *
 * Races: a person pushes to the branch meanwhile: the ref update fails, and it is looked at anew.
 */
import type { ActionOf } from "../domain/action.ts";
import { lineChange } from "../domain/code-size.ts";
import { plus } from "../domain/ledger.ts";
import { formatExperimentBranch } from "../domain/names.ts";
import { type Idea, type Insights, keysTried, nothingSpent } from "../domain/proposal.ts";
import { formatCandidate, parseCandidate } from "../domain/trailers.ts";
import type { Context } from "./act.ts";
import { endReplaced } from "./checks.ts";
import { Superseded } from "./errors.ts";
import { issueSchema } from "./facts.ts";
import { readMutable, rememberFiles } from "./files.ts";
import { createCommit, createTree, moveBranch, readCommit } from "./git.ts";
import { lookForStop } from "./observe.ts";
import { type MutableFile, repoOf } from "./view.ts";

export async function mend(action: ActionOf<"mend">, context: Context): Promise<void> {
  const { client, view, identity, now } = context;
  const { number, parent, proposal, repair } = action.prepared;
  const { head, failure, attempt } = repair!;
  await lookForStop(client, view, identity, now());

  const { mutable } = view.record!.config;
  const crashed = await readMutable(client, view, head, mutable);
  const changed = proposal.files.map(({ path, text }): MutableFile => {
    return { path, text, mode: crashed.find((file) => file.path === path)?.mode ?? "100644" };
  });
  const paths = new Set(changed.map((file) => file.path));
  const files = [...crashed.filter((file) => !paths.has(file.path)), ...changed];
  const before = await readCommit(client, view, head);
  const idea = parseCandidate(before.message);
  if (idea === null) throw new Superseded("somebody put a commit on what was to be mended");
  const lines = lineChange(await readMutable(client, view, parent, mutable), files);
  const tree = await createTree(client, view, before.tree, changed);
  const message = formatCandidate(number, { ...mended(idea, action, failure), lines });
  // The frontier's commit is the second parent, as in a change that was carried.
  const commit = await createCommit(client, view, { message, tree, parents: [head, parent] });
  const said = { title: `crash: ${failure}`, summary: `Repair ${attempt} is the next commit.` };
  await endReplaced({ commit: head, experiment: number }, { conclusion: "failure", ...said }, context);
  await moveBranch(client, view, formatExperimentBranch(view.key.issue, number), commit);
  const pull = view.pulls.get(action.pullRequest);
  if (pull !== undefined) view.pulls.set(pull.number, { ...pull, head: commit });
  view.checks.set(commit, []);
  rememberFiles(view, commit, files);
}

/** The idea is what it was; what was learnt, what it cost and what is mended are told anew. */
function mended(idea: Idea, { prepared, attemptsBefore }: ActionOf<"mend">, failure: string): Idea {
  const { proposal, key, spent, repair } = prepared;
  const all = spent.usd > 0 || idea.spent !== null ? plus(idea.spent ?? nothingSpent, spent) : null;
  const { attempt } = repair!;
  return {
    ...idea,
    key,
    keysBefore: keysTried(idea),
    spent: all,
    insights: both(idea.insights, proposal.insights),
    attemptsBefore,
    repair: { attempt, failure, description: proposal.description },
  };
}

function both(first: Insights, second: Insights): Insights {
  return {
    lesson: second.lesson ?? first.lesson,
    ideas: [...new Set([...second.ideas, ...first.ideas])],
    foreclosed: [...new Set([...second.foreclosed, ...first.foreclosed])],
  };
}

export async function describe(action: ActionOf<"describe">, { client, view }: Context): Promise<void> {
  const answer = await client.write("PATCH /repos/{owner}/{repo}/issues/{issue_number}", {
    ...repoOf(view),
    issue_number: action.pullRequest,
    body: action.body,
  });
  const pull = view.pulls.get(action.pullRequest);
  if (pull !== undefined) view.pulls.set(pull.number, { ...pull, body: issueSchema.parse(answer).body });
}
