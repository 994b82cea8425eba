/** Workflow files in the repositories: which there are on the default branch, and their text at a commit. */
import { notFound } from "../answer.ts";
import { type Core, timestamp } from "../core.ts";
import type { Repository } from "../entities.ts";
import { type WorkflowRow, type WorkflowSource, workflowsOf } from "./rows.ts";
import { parseWorkflow } from "./workflow.ts";

export type KnownWorkflow = { readonly row: WorkflowRow; readonly name: string };

const folder = ".github/workflows";

/** The workflows on the default branch, by path. */
export async function listWorkflows(core: Core, repo: Repository): Promise<KnownWorkflow[]> {
  const git = core.git(repo);
  const tip = git.branch(repo.defaultBranch);
  const tree = tip === null ? null : await git.object(`${tip}:${folder}`);
  const entries = tree?.type === "tree" ? ((await git.tree(tree.sha)) ?? []) : [];
  const files = entries.filter(({ name, mode }) => /\.ya?ml$/.test(name) && mode.startsWith("100"));
  const known: KnownWorkflow[] = [];
  for (const { name } of files) {
    const path = `${folder}/${name}`;
    const source = await sourceAt(core, repo, tip!, path);
    if (source !== null) known.push({ row: rowOf(core, repo, path), name: nameOf(source.text, path) });
  }
  return known;
}

/** The workflow of an id or a file name; 404 where the default branch has none such. */
export async function findWorkflow(core: Core, repo: Repository, idOrFile: string): Promise<KnownWorkflow> {
  const all = await listWorkflows(core, repo);
  const found = all.find(
    ({ row }) => String(row.id) === idOrFile || row.path === `${folder}/${idOrFile}` || row.path === idOrFile,
  );
  if (found === undefined) throw notFound();
  return found;
}

/** The text of the file at a commit, kept for the runs that are made of it; null where there is none. */
export async function sourceAt(
  core: Core,
  repo: Repository,
  commit: string,
  path: string,
): Promise<WorkflowSource | null> {
  const blob = await core.git(repo).object(`${commit}:${path}`);
  if (blob?.type !== "blob") return null;
  return (
    core.store.get("workflowSource", blob.sha) ??
    core.store.put("workflowSource", { id: blob.sha, text: blob.content.toString("utf8") })
  );
}

function rowOf(core: Core, repo: Repository, path: string): WorkflowRow {
  const known = workflowsOf(core.store, repo.id).find((row) => row.path === path);
  return (
    known ?? core.store.put("workflow", { id: core.store.nextId(), repoId: repo.id, path, createdAt: timestamp(core) })
  );
}

/** A file that can't be read is shown under its path, as on GitHub. */
function nameOf(text: string, path: string): string {
  try {
    return parseWorkflow(text).name ?? path;
  } catch {
    return path;
  }
}
