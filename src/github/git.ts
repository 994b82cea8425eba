/** Git objects and refs through the API: a ref update is the only thing anybody sees, so it is the commit point. */
import type { Sha } from "../domain/names.ts";
import type { Client } from "./client.ts";
import { isAlready, isStatus, Superseded } from "./errors.ts";
import { type CommitFact, commitSchema, createdShaSchema, refSchema } from "./facts.ts";
import { type Repo, type View, repoOf } from "./view.ts";

/** A file's new text (null: deleted). */
export type FileChange = { readonly path: string; readonly text: string | null; readonly mode?: string };

/** A tree: `base` with the changes laid over it; null: the changes alone. */
export async function createTree(
  client: Client,
  view: View,
  base: Sha | null,
  changes: readonly FileChange[],
): Promise<Sha> {
  const tree = changes.map(({ path, text, mode = "100644" }) =>
    text === null ? { path, mode, type: "blob", sha: null } : { path, mode, type: "blob", content: text },
  );
  const parameters = { ...repoOf(view), tree, ...(base === null ? {} : { base_tree: base }) };
  return createdShaSchema.parse(await client.write("POST /repos/{owner}/{repo}/git/trees", parameters));
}

/** A commit object; nobody sees it until a ref names it. The view remembers it. */
export async function createCommit(
  client: Client,
  view: View,
  commit: { message: string; tree: Sha; parents: readonly Sha[] },
): Promise<Sha> {
  const created = commitSchema.parse(
    await client.write("POST /repos/{owner}/{repo}/git/commits", { ...repoOf(view), ...commit }),
  );
  view.commits.set(created.sha, created);
  return created.sha;
}

/** Makes a branch: the test-and-set that decides who owns a name. False: somebody has it already. */
export async function createBranch(client: Client, view: View, branch: string, commit: Sha): Promise<boolean> {
  try {
    await client.write("POST /repos/{owner}/{repo}/git/refs", {
      ...repoOf(view),
      ref: `refs/heads/${branch}`,
      sha: commit,
    });
    return true;
  } catch (error) {
    if (isAlready(error)) return false;
    throw error;
  }
}

/**
 * Moves a branch to a descendant of where it is: GitHub refuses anything else (422), which is the compare of a
 * compare-and-swap, but for a branch that was put back: of that the commit is a descendant, too. Throws Superseded when
 * somebody was quicker.
 */
export async function moveBranch(
  client: Client,
  view: View,
  branch: string,
  commit: Sha,
  force = false,
): Promise<void> {
  try {
    await client.write("PATCH /repos/{owner}/{repo}/git/refs/{ref}", {
      ...repoOf(view),
      ref: `heads/${branch}`,
      sha: commit,
      force,
    });
  } catch (error) {
    if (isStatus(error, 409, 422)) throw new Superseded(`${branch} moved meanwhile`);
    throw error;
  }
}

/** Where a branch stands. Throws GitHub's 404 where there is none. */
export async function readBranch(client: Client, repo: Repo, branch: string): Promise<Sha> {
  const at = { ...repo, ref: `heads/${branch}` };
  return refSchema.parse(await client.read("GET /repos/{owner}/{repo}/git/ref/{ref}", at));
}

/** A commit never changes: read once, and never when we made it. */
export async function readCommit(client: Client, view: View, id: Sha): Promise<CommitFact> {
  const known = view.commits.get(id);
  if (known !== undefined) return known;
  const answer = await client.read("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", {
    ...repoOf(view),
    commit_sha: id,
  });
  const commit = commitSchema.parse(answer);
  view.commits.set(id, commit);
  return commit;
}
