/** Reads what a start needs from the default branch, in as few requests as it takes. */
import { configPath } from "../domain/names.ts";
import type { Start } from "../domain/session.ts";
import { programPath, startOf, workflowPath } from "../domain/start.ts";
import { sayDifference, workflowDifferences } from "../domain/workflow.ts";
import type { Client } from "./client.ts";
import { repositorySchema } from "./facts.ts";
import { pathsOf, readText, readTree } from "./files.ts";
import { readBranch } from "./git.ts";
import { issueDigest, readIssueText } from "./issue-text.ts";
import { readMayWrite } from "./observe-comments.ts";
import { shippedManifest, shippedWorkflow } from "./shipped.ts";
import { type View, repoOf } from "./view.ts";

/** What is wrong with the workflow on a branch, in a phrase; null: nothing. */
export async function workflowProblem(client: Client, view: View, branch: string): Promise<string | null> {
  const tree = await readTree(client, repoOf(view), await readBranch(client, repoOf(view), branch));
  const text = await readText(client, repoOf(view), tree, workflowPath);
  if (text === null) return `${workflowPath} is not on it`;
  const [difference] = workflowDifferences(text, shippedWorkflow());
  return difference === undefined
    ? null
    : `${workflowPath} on it is not the one that I work with: ${sayDifference(difference)}`;
}

/** The label: who put it on, when, and who renamed the issue since. */
type Labelled = { readonly by: string; readonly atMs: number; readonly renamers: readonly string[] };

export async function readStart(client: Client, view: View, labelled: Labelled): Promise<Start> {
  const { by } = labelled;
  // What was known of the repository may be what was mended: it was public, or had another default branch.
  view.repository = repositorySchema.parse(await client.read("GET /repos/{owner}/{repo}", repoOf(view)));
  const { default_branch: baseBranch, full_name: repository } = view.repository;
  const base = await readBranch(client, repoOf(view), baseBranch);
  const mayWrite = await readMayWrite(client, view, by);
  const files = await readTree(client, repoOf(view), base);
  const textOf = (path: string) => readText(client, repoOf(view), files, path);
  const configText = await textOf(configPath);
  const { title, body: issueBody, edited } = await readIssueText(client, view);
  // The label vouches for the text that it was put on, whoever wrote that; what came later needs write access.
  const later = edited !== null && Date.parse(edited.at) >= labelled.atMs ? [edited.by ?? "ghost"] : [];
  const strangers: string[] = [];
  for (const login of [...later, ...labelled.renamers]) {
    if (!(await readMayWrite(client, view, login))) strangers.push(login);
  }
  const program = programPath(configText, issueBody);
  return startOf({
    by,
    mayWrite,
    lackingPermissions: await client.lackingPermissions(shippedManifest().permissions),
    base,
    baseBranch,
    paths: pathsOf(files),
    configText,
    title,
    issueBody,
    issueDigest: issueDigest(issueBody),
    editedBy: strangers[0] ?? null,
    programText: program === null ? null : await textOf(program),
    repository,
    isPublic: !view.repository.private,
    workflowText: await textOf(workflowPath),
    shippedWorkflow: shippedWorkflow(),
  });
}
