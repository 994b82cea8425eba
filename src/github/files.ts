/** Files of a commit, by git's own objects: they never change, so each is read once (the client remembers). */
import { createHash } from "node:crypto";
import { type Sha, sha } from "../domain/names.ts";
import type { FileText } from "../domain/proposal.ts";
import { isMutable } from "../domain/start.ts";
import type { Client } from "./client.ts";
import { NeedsPerson } from "./errors.ts";
import { type TreeFact, blobSchema, treeSchema } from "./facts.ts";
import { type MutableFile, type Repo, type View, repoOf } from "./view.ts";

/** All entries below a commit or a tree. */
export async function readTree(client: Client, repo: Repo, id: Sha): Promise<TreeFact> {
  const answer = await client.readOnce("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", {
    ...repo,
    tree_sha: id,
    recursive: "1",
  });
  const tree = treeSchema.parse(answer);
  if (tree.truncated) throw new NeedsPerson("the repository has more files than GitHub lists at once (100,000)");
  return tree;
}

/** A blob as UTF-8 text. */
export async function readBlob(client: Client, repo: Repo, id: Sha): Promise<string> {
  return blobSchema.parse(
    await client.readOnce("GET /repos/{owner}/{repo}/git/blobs/{file_sha}", { ...repo, file_sha: id }),
  );
}

/** The text of a file of a tree; null: it has none of this name. */
export async function readText(client: Client, repo: Repo, { tree }: TreeFact, path: string): Promise<string | null> {
  const entry = tree.find((each) => each.type === "blob" && each.path === path);
  return entry === undefined ? null : readBlob(client, repo, sha(entry.sha));
}

/** The files of a tree, by name. */
export function pathsOf({ tree }: TreeFact): string[] {
  return tree.filter((entry) => entry.type === "blob").map((entry) => entry.path);
}

/** The files of the mutable surface at a commit, by path; from memory where the commit is known. */
export async function readMutable(
  client: Client,
  view: View,
  commit: Sha,
  mutable: readonly string[],
): Promise<readonly MutableFile[]> {
  const known = view.files.get(commit);
  if (known !== undefined) return known;
  const repo = repoOf(view);
  const { tree } = await readTree(client, repo, commit);
  const entries = tree.filter((entry) => entry.type === "blob" && isMutable(entry.path, mutable));
  if (entries.length > 200)
    throw new NeedsPerson(`the mutable surface has ${entries.length} files; 200 are the most that I can handle`);
  const files: MutableFile[] = [];
  for (const entry of entries) {
    files.push({ path: entry.path, mode: entry.mode, text: await readBlob(client, repo, sha(entry.sha)) });
  }
  rememberFiles(view, commit, files);
  return files;
}

/** Commits whose files are kept in memory: the frontier, and what is open on it. */
const commitsAtMost = 150;

/** What a commit holds never changes, and of most commits we wrote it ourselves. */
export function rememberFiles(view: View, commit: Sha, files: readonly MutableFile[]): void {
  view.files.set(commit, files);
  if (view.files.size > commitsAtMost) view.files.delete(view.files.keys().next().value!);
}

/** A key of the mutable surface's contents: equal keys are equal trees, since everything else is the base's. */
export function contentKey(files: readonly FileText[]): string {
  const hash = createHash("sha256");
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${file.path}\0${file.text.length}\0${file.text}\0`);
  }
  return hash.digest("hex").slice(0, 16);
}
