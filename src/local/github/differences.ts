/** What changed between commits, as git says it. Answers follow from ids alone and are computed once. */
import type { GitRepository } from "./git-repository.ts";
import { noObject } from "./git-repository.ts";

export type FileDifference = {
  readonly path: string;
  readonly previousPath: string | null;
  readonly status: "added" | "removed" | "modified" | "renamed" | "copied" | "changed";
  /** The blob; null for what is not a file of this repository (a submodule). */
  readonly sha: string | null;
  readonly additions: number;
  readonly deletions: number;
  /** null for binary files. */
  readonly patch: string | null;
};

/** The empty tree: what a first commit is compared with. */
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** Files that differ from tree to tree; `from` null: from nothing. */
export function filesBetween(git: GitRepository, from: string | null, to: string): Promise<readonly FileDifference[]> {
  return git.remember(`files ${from ?? ""} ${to}`, async () => {
    const output = await git.run(["diff", "--raw", "--numstat", "-p", "-M", "--abbrev=40", from ?? emptyTree, to]);
    return parseDifferences(output);
  });
}

/** Files that a pull request changes: from where its branch left the base to its head. */
export async function pullFiles(git: GitRepository, base: string, head: string): Promise<readonly FileDifference[]> {
  return filesBetween(git, (await git.mergeBase(base, head)) ?? base, head);
}

function parseDifferences(output: string): FileDifference[] {
  const lines = output.split("\n");
  const raw: { words: string[]; paths: string[] }[] = [];
  const counts: [string, string][] = [];
  let at = 0;
  for (; lines[at]?.startsWith(":") === true; at++) {
    const [words = "", ...paths] = lines[at]!.slice(1).split("\t");
    raw.push({ words: words.split(" "), paths: paths.map(unquoted) });
  }
  for (; /^(\d+|-)\t(\d+|-)\t/.test(lines[at] ?? ""); at++) {
    const [added = "0", deleted = "0"] = lines[at]!.split("\t");
    counts.push([added, deleted]);
  }
  const patches = patchesOf(lines.slice(at).join("\n"));
  return raw.map(({ words, paths }, place) => {
    const [, , , newSha = noObject, letter = "M"] = words;
    const oldSha = words[2] ?? noObject;
    const renamed = letter.startsWith("R") || letter.startsWith("C");
    const [added, deleted] = counts[place] ?? ["0", "0"];
    return {
      path: paths.at(-1)!,
      previousPath: renamed ? paths[0]! : null,
      status: statusOf(letter),
      sha: newSha === noObject ? oldSha : newSha,
      additions: Number(added) || 0,
      deletions: Number(deleted) || 0,
      patch: patches[place] ?? null,
    };
  });
}

/** The part of each file's patch that GitHub shows: from its first `@@` on; null where there is none. */
function patchesOf(text: string): (string | null)[] {
  return text
    .split(/^diff --git .*$/m)
    .slice(1)
    .map((part) => {
      const start = part.search(/^@@ /m);
      return start < 0 ? null : part.slice(start).replace(/\n$/, "");
    });
}

function statusOf(letter: string): FileDifference["status"] {
  switch (letter[0]) {
    case "A":
      return "added";
    case "D":
      return "removed";
    case "R":
      return "renamed";
    case "C":
      return "copied";
    case "T":
      return "changed";
    default:
      return "modified";
  }
}

/** git quotes names that hold quotes, backslashes or control characters. */
function unquoted(name: string): string {
  return name.startsWith('"') ? (JSON.parse(name) as string) : name;
}
