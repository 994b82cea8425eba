/**
 * Opening, carrying and merging an experiment.
 *
 * Races: a branch of our name exists (a dead pass made it, or another replica): it is adopted, and its commit says all that
 * its pull request needs. The frontier moves on while a winner is merged: the ref update fails, the candidate is stale. It is
 * put back while a winner is measured: it is looked at again right before the merge.
 */
import { diff3Merge } from "node-diff3";
import { z } from "zod";
import type { ActionOf } from "../domain/action.ts";
import { lineChange } from "../domain/code-size.ts";
import { type Sha, formatExperimentBranch, frontierBranch, shortSha } from "../domain/names.ts";
import { keysTried, untold } from "../domain/proposal.ts";
import { formatCandidate, mergeMessage, parseCandidate } from "../domain/trailers.ts";
import { pullBody, pullTitle } from "../domain/words.ts";
import type { Context } from "./act.ts";
import { endReplaced } from "./checks.ts";
import { isAlready, Superseded } from "./errors.ts";
import { pullSchema } from "./facts.ts";
import { contentKey, readMutable, rememberFiles } from "./files.ts";
import { createBranch, createCommit, createTree, type FileChange, moveBranch, readBranch, readCommit } from "./git.ts";
import { lookForStop } from "./observe.ts";
import { type MutableFile, repoOf } from "./view.ts";

export async function openExperiment({ prepared }: ActionOf<"open">, context: Context): Promise<void> {
  const { client, view, identity, now } = context;
  const { number, parent, proposal, key, heeded } = prepared;
  await lookForStop(client, view, identity, now());

  const branch = formatExperimentBranch(view.key.issue, number);
  const { tree: base } = await readCommit(client, view, parent);
  const before = await readMutable(client, view, parent, view.record!.config.mutable);
  const changed = proposal.files.map(({ path, text }): MutableFile => {
    return { path, text, mode: before.find((file) => file.path === path)?.mode ?? "100644" };
  });
  const paths = new Set(changed.map((file) => file.path));
  const files = [...before.filter((file) => !paths.has(file.path)), ...changed];
  const spent = prepared.spent.usd > 0 ? prepared.spent : null;
  const lines = lineChange(before, files);
  const tree = await createTree(client, view, base, changed);
  const message = formatCandidate(number, { ...untold, ...proposal, key, heeded, spent, lines });
  const commit = await createCommit(client, view, { message, tree, parents: [parent] });
  const made = await createBranch(client, view, branch, commit);
  rememberFiles(view, commit, files);
  if (made) view.checks.set(commit, []);
  await openPull(number, branch, made ? commit : await readBranch(client, repoOf(view), branch), context);
}

async function openPull(number: number, branch: string, head: Sha, { client, view }: Context): Promise<void> {
  const commit = await readCommit(client, view, head);
  const idea = parseCandidate(commit.message);
  if (idea === null) throw new Superseded(`${branch} exists and is not the bot's`);
  const { issue, owner } = view.key;
  const base = frontierBranch(issue);
  const parent = commit.parents.at(-1)!;
  const title = pullTitle(number, idea.description);
  const body = pullBody(idea, { issue, experiment: number, parent });
  try {
    const answer = await client.write("POST /repos/{owner}/{repo}/pulls", {
      ...repoOf(view),
      title,
      body,
      head: branch,
      base,
    });
    const pull = pullSchema.parse(answer);
    view.pulls.set(pull.number, pull);
  } catch (error) {
    if (!isAlready(error)) throw error;
    const listed = await client.read("GET /repos/{owner}/{repo}/pulls", {
      ...repoOf(view),
      head: `${owner}:${branch}`,
      base,
      state: "all",
    });
    for (const pull of z.array(pullSchema).parse(listed)) view.pulls.set(pull.number, pull);
  }
}

export async function advance(action: ActionOf<"advance">, { client, view, identity, now }: Context): Promise<void> {
  await lookForStop(client, view, identity, now());
  const { issue } = view.key;
  // Of a frontier that a person put back the merge would be a descendant: GitHub would take it, and with it what was put off.
  const tip = await readBranch(client, repoOf(view), frontierBranch(issue));
  if (tip !== action.tip) throw new Superseded("the frontier moved meanwhile");
  const { tree } = await readCommit(client, view, action.head);
  const message = mergeMessage({ ...action, metric: view.record!.config.metric.name, issue });
  const merge = await createCommit(client, view, { message, tree, parents: [action.tip, action.head] });
  await moveBranch(client, view, frontierBranch(issue), merge);
  view.frontier = merge;
  const files = view.files.get(action.head);
  if (files !== undefined) rememberFiles(view, merge, files);
  // GitHub marks the pull request as merged, its head being reachable now; `conclude` looks whether it did.
  const pull = view.pulls.get(action.pullRequest);
  if (pull !== undefined) view.pulls.set(pull.number, { ...pull, state: "merged" });
}

/** The change from `parent` to `head`, merged three ways onto `tip`, as a commit on both. */
export async function carry(action: ActionOf<"carry">, context: Context): Promise<void> {
  const { client, view } = context;
  const { head, parent, tip, experiment } = action;
  const { mutable } = view.record!.config;
  const read = async (commit: Sha) => filesByPath(await readMutable(client, view, commit, mutable));
  const [below, ours, theirs] = [await read(parent), await read(head), await read(tip)];
  const merged = mergeFiles(below, ours, theirs);
  if ("conflict" in merged) {
    const because = `the frontier moved and changed the same lines of ${merged.conflict}`;
    view.conflicts.set(`${head} ${tip}`, because);
    return;
  }
  if (merged.changes.length === 0) {
    view.conflicts.set(`${head} ${tip}`, "the frontier moved and holds this change already");
    return;
  }
  const idea = parseCandidate((await readCommit(client, view, head)).message);
  const { tree: base } = await readCommit(client, view, tip);
  const tree = await createTree(client, view, base, merged.changes);
  const key = contentKey(merged.files);
  const lines = lineChange([...theirs.values()], merged.files);
  const { attemptsBefore } = action;
  // What no runner had was not tried.
  const keysBefore = idea !== null && attemptsBefore > idea.attemptsBefore ? keysTried(idea) : (idea?.keysBefore ?? []);
  const message = formatCandidate(experiment, {
    ...nameless(action.description),
    ...idea,
    key,
    keysBefore,
    lines,
    attemptsBefore,
  });
  const commit = await createCommit(client, view, { message, tree, parents: [head, tip] });
  const said = { title: "The frontier moved", summary: `Carried onto ${shortSha(tip)}, as the next commit.` };
  await endReplaced({ commit: head, experiment }, { conclusion: "neutral", ...said }, context);
  await moveBranch(client, view, formatExperimentBranch(view.key.issue, experiment), commit);
  for (const pull of view.pulls.values()) {
    if (pull.head === head) view.pulls.set(pull.number, { ...pull, head: commit });
  }
  view.checks.set(commit, []);
  rememberFiles(view, commit, merged.files);
}

/** What is said of an idea where the commit that is carried says nothing of it: a person put it there. */
function nameless(description: string) {
  const words = { description, hypothesis: "", expected: null, refutedBy: null, researcher: "", askedBy: null };
  return { ...untold, ...words, kind: "other" as const };
}

type Files = ReadonlyMap<string, MutableFile>;

function filesByPath(files: readonly MutableFile[]): Files {
  return new Map(files.map((file) => [file.path, file]));
}

/** Three-way merge of the mutable surface: what has to change on `theirs`, and the whole result. */
function mergeFiles(
  below: Files,
  ours: Files,
  theirs: Files,
): { changes: FileChange[]; files: MutableFile[] } | { conflict: string } {
  const changes: FileChange[] = [];
  const files: MutableFile[] = [];
  for (const path of [...new Set([...below.keys(), ...ours.keys(), ...theirs.keys()])].sort()) {
    const [base, mine, other] = [below.get(path), ours.get(path), theirs.get(path)];
    const text = mergeText(base?.text ?? null, mine?.text ?? null, other?.text ?? null);
    if (text === "conflict") return { conflict: path };
    const mode = mine?.mode ?? other?.mode ?? "100644";
    if (text.merged !== null) files.push({ path, text: text.merged, mode });
    if (text.merged !== (other?.text ?? null)) changes.push({ path, text: text.merged, mode });
  }
  return { changes, files };
}

function mergeText(
  base: string | null,
  mine: string | null,
  other: string | null,
): { merged: string | null } | "conflict" {
  if (mine === base || mine === other) return { merged: other };
  if (other === base) return { merged: mine };
  if (base === null || mine === null || other === null) return "conflict";
  const lines: string[] = [];
  for (const region of diff3Merge(mine.split("\n"), base.split("\n"), other.split("\n"))) {
    const merged = region.ok ?? (region.conflict === undefined ? null : mergeLines(region.conflict));
    if (merged === null) return "conflict";
    lines.push(...merged);
  }
  return { merged: lines.join("\n") };
}

/**
 * Changes of neighbouring lines are a conflict to a three-way merge, and the rule in a list of constants. Where both
 * sides kept the lines one to one and no line was changed by both, each line's change is taken; it is measured anyway.
 */
function mergeLines({ a, o, b }: { a: string[]; o: string[]; b: string[] }): string[] | null {
  if (a.length !== o.length || b.length !== o.length) return null;
  const merged = o.map((line, index) =>
    a[index] === line ? b[index]! : b[index] === line || a[index] === b[index] ? a[index]! : null,
  );
  return merged.every((line) => line !== null) ? merged : null;
}
