/** The first commit of a repository that is made from files. */
import type { TreeEntry } from "./git-forms.ts";
import { GitRepository } from "./git-repository.ts";

type Folder = { files: Map<string, string>; folders: Map<string, Folder> };

/** Commits the files on the branch; none: the branch gets an empty tree. */
export async function firstCommit(
  directory: string,
  branch: string,
  files: Readonly<Record<string, string>>,
  date: Date,
): Promise<void> {
  const git = new GitRepository(directory);
  const root: Folder = { files: new Map(), folders: new Map() };
  for (const [path, text] of Object.entries(files)) place(root, path.split("/"), text);
  const who = { name: "Octo Cat", email: "octocat@users.noreply.github.com", date };
  const tree = await writeFolder(git, root);
  const commit = await git.writeCommit({ tree, parents: [], author: who, committer: who, message: "Initial commit\n" });
  await git.moveRefs([{ ref: `refs/heads/${branch}`, before: null, after: commit }]);
  git.close();
}

function place(folder: Folder, steps: string[], text: string): void {
  const [first = "", ...rest] = steps;
  if (rest.length === 0) {
    folder.files.set(first, text);
    return;
  }
  const below = folder.folders.get(first) ?? { files: new Map<string, string>(), folders: new Map<string, Folder>() };
  folder.folders.set(first, below);
  place(below, rest, text);
}

async function writeFolder(git: GitRepository, folder: Folder): Promise<string> {
  const entries: TreeEntry[] = [];
  for (const [name, text] of folder.files) {
    const mode = text.startsWith("#!") ? "100755" : "100644";
    entries.push({ mode, name, sha: await git.writeBlob(Buffer.from(text)) });
  }
  for (const [name, below] of folder.folders) {
    entries.push({ mode: "040000", name, sha: await writeFolder(git, below) });
  }
  return git.writeTree(entries);
}
