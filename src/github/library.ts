/**
 * The library: what a researcher may look at besides its brief. The repository at the frontier, which only people with
 * write access and measured candidates have written, and the session's own experiments. Nothing else of GitHub is in it:
 * no comment, no body, no branch of a fork.
 *
 * Always: bounded texts; what is private to the evaluation does not exist here. An experiment that is settled never
 * changes, so each is read once; while the loop's view still knows it, that costs no request.
 */
import { type Sha, parseExperimentBranch, sha } from "../domain/names.ts";
import type { Library, PastExperiment } from "../domain/proposal.ts";
import type { Row } from "../domain/results.ts";
import { privateMatcher } from "../domain/start.ts";
import { parseCandidate } from "../domain/trailers.ts";
import { measurementsOf } from "../domain/trial.ts";
import { unifiedDiff } from "../domain/unified-diff.ts";
import type { Context } from "./act.ts";
import { pullSchema } from "./facts.ts";
import { readBlob, readMutable, readTree } from "./files.ts";
import { readCommit } from "./git.ts";
import { readEvidence } from "./observe-trials.ts";
import { trialsOn } from "./tracked.ts";
import { type View, repoOf } from "./view.ts";

/** Bytes of a file; a larger one is not read at all, because half a file is worse than none. */
const largestFile = 1_000_000;
const longestTail = 8_000;
const pastAtMost = 200;

/** The repository at a commit, and the past of the session. */
export function libraryAt(commit: Sha, context: Context): Library {
  const { client, view } = context;
  const secret = privateMatcher(view.record!.config.trial.private);
  const look = async () => {
    const { tree } = await readTree(client, repoOf(view), commit);
    // A symbolic link (120000) is the name of something else, which may be private.
    const open = tree.filter((entry) => entry.type === "blob" && entry.mode !== "120000" && !secret(entry.path));
    return new Map(open.map((entry) => [entry.path, entry]));
  };
  const entries = once(look);
  return {
    paths: async () => [...(await entries()).keys()].sort(),
    read: async (path) => {
      const entry = (await entries()).get(path);
      if (entry === undefined || (entry.size ?? 0) > largestFile) return null;
      const text = await readBlob(client, repoOf(view), sha(entry.sha));
      // What is not UTF-8 has lost something by now.
      return text.includes("\0") || text.includes("\ufffd") ? null : text;
    },
    experiment: (number) => readPast(number, context),
  };
}

/** What is looked for, once: a tree is large, and many files of it are read. A look that failed is no answer. */
function once<T>(look: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | null = null;
  const forget = (error: unknown): never => {
    known = null;
    throw error;
  };
  return () => (known ??= look().catch(forget));
}

/** A settled experiment with all that is known of it; null: there is none of this number. */
export async function readPast(number: number, context: Context): Promise<PastExperiment | null> {
  const { view } = context;
  const known = view.past.get(number);
  if (known !== undefined) return known;
  const row = view.rows.findLast((each) => each.experiment === number);
  if (row === undefined || number <= 0 || row.pullRequest === null) return null;
  const past = await gather(row, row.pullRequest, context);
  view.past.set(number, past);
  if (view.past.size > pastAtMost) view.past.delete(view.past.keys().next().value!);
  return past;
}

async function gather(
  row: Row,
  pullRequest: number,
  { client, view, identity, now }: Context,
): Promise<PastExperiment> {
  const bare: PastExperiment = { row, hypothesis: null, diff: "", metrics: {}, curve: [], logTail: "" };
  const at = { ...repoOf(view), pull_number: pullRequest };
  const pull =
    view.pulls.get(pullRequest) ??
    pullSchema.parse(await client.read("GET /repos/{owner}/{repo}/pulls/{pull_number}", at));
  if (!pull.ours || parseExperimentBranch(pull.branch)?.experiment !== row.experiment) return bare;
  const commit = await readCommit(client, view, pull.head);
  const idea = parseCandidate(commit.message);
  // A commit that a person put on top is not what was measured.
  if (idea === null || !pull.head.startsWith(row.commit)) return bare;
  const { mutable } = view.record!.config;
  const before = await readMutable(client, view, commit.parents.at(-1)!, mutable);
  const diff = unifiedDiff(before, await readMutable(client, view, pull.head, mutable));
  // The loop's view is not touched: what is looked at here is none of its business.
  const scratch: View = { ...view, checks: new Map(view.checks), runs: new Map(view.runs), jobs: new Map(view.jobs) };
  await readEvidence(client, scratch, pull.head, now());
  const trials = trialsOn(scratch, { commit: pull.head, experiment: row.experiment }, identity, now());
  const measurement = measurementsOf(trials).at(-1);
  const { hypothesis } = idea;
  if (measurement === undefined) return { ...bare, hypothesis, diff };
  const { metrics, curve, logTail } = measurement;
  return {
    row,
    hypothesis,
    diff,
    metrics,
    curve: curve.map(([, loss]) => loss),
    logTail: logTail.slice(-longestTail),
  };
}
