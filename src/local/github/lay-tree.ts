/** Makes a tree out of another and a list of changes, as `POST git/trees` does: only what is on a changed path is read. */
import { unprocessable } from "./answer.ts";
import { entryType, type TreeEntry } from "./git-forms.ts";
import type { GitRepository } from "./git-repository.ts";

export type TreeChange = {
  readonly path: string;
  readonly mode: string;
  /** null deletes; not given: `content` is a new blob. */
  readonly sha?: string | null | undefined;
  readonly content?: string | undefined;
};

type Step = { readonly steps: readonly string[]; readonly change: TreeChange };

/** The id of the tree that `base` (null: nothing) becomes. */
export async function layTree(
  git: GitRepository,
  base: string | null,
  changes: readonly TreeChange[],
): Promise<string> {
  for (const { path } of changes) checkPath(path);
  return lay(
    git,
    base,
    changes.map((change) => ({ steps: change.path.split("/"), change })),
  );
}

function checkPath(path: string): void {
  const bad = path
    .split("/")
    .some((step) => step === "" || step === "." || step === ".." || step.toLowerCase() === ".git");
  if (bad) throw unprocessable("tree.path contains a malformed path component");
}

async function lay(git: GitRepository, base: string | null, changes: readonly Step[]): Promise<string> {
  const entries = new Map<string, TreeEntry>();
  for (const entry of base === null ? [] : ((await git.tree(base)) ?? [])) entries.set(entry.name, entry);
  const below = new Map<string, Step[]>();
  for (const { steps, change } of changes) {
    const [name = "", ...rest] = steps;
    if (rest.length > 0) {
      below.set(name, [...(below.get(name) ?? []), { steps: rest, change }]);
      continue;
    }
    if (change.sha === null) {
      if (!entries.delete(name)) throw unprocessable("GitRPC::BadObjectState");
    } else {
      entries.set(name, { name, mode: change.mode, sha: await objectOf(git, change) });
    }
  }
  for (const [name, steps] of below) {
    const known = entries.get(name);
    const folder = await lay(git, known?.mode === "040000" ? known.sha : null, steps);
    if (((await git.tree(folder)) ?? []).length === 0) entries.delete(name);
    else entries.set(name, { name, mode: "040000", sha: folder });
  }
  return git.writeTree([...entries.values()]);
}

async function objectOf(git: GitRepository, change: TreeChange): Promise<string> {
  if (typeof change.sha !== "string") return git.writeBlob(Buffer.from(change.content ?? ""));
  const type = entryType(change.mode);
  if (type === "commit") return change.sha;
  const object = /^[0-9a-f]{40}$/.test(change.sha) ? await git.object(change.sha) : null;
  if (object?.type !== type) throw unprocessable(`tree.sha ${change.sha} is not a valid ${type}`);
  return change.sha;
}
