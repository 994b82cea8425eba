/**
 * Makes the bare repository behind a repository.
 *
 * Always: it is made beside its place and renamed into it, so that what is there is whole. Race "the process dies before it
 * wrote the row": the next attempt finds the folder and takes it as it is.
 */
import { existsSync } from "node:fs";
import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { firstCommit } from "./first-commit.ts";
import { git, tryGit } from "./git-command.ts";

export type BareRepositoryWish = {
  /** A git repository whose branches and tags are copied. */
  readonly from?: string;
  /** Files of the first commit, where there is no `from`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly defaultBranch?: string;
};

/** Makes it, and gives the name of its default branch. */
export async function makeBareRepository(directory: string, wish: BareRepositoryWish, date: Date): Promise<string> {
  if (!existsSync(directory)) {
    const fresh = `${directory}.new`;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(path.dirname(fresh), { recursive: true });
    await (wish.from === undefined ? initialized(fresh, wish, date) : copied(fresh, wish.from, wish.defaultBranch));
    await appendFile(path.join(fresh, "config"), settings);
    await mkdir(path.join(fresh, "hooks"), { recursive: true });
    await writeFile(path.join(fresh, "hooks", "pre-receive"), preReceive, { mode: 0o755 });
    await rename(fresh, directory);
  }
  return (await git(directory, ["symbolic-ref", "--short", "HEAD"])).trim();
}

async function initialized(directory: string, wish: BareRepositoryWish, date: Date): Promise<void> {
  const branch = wish.defaultBranch ?? "main";
  await git(directory, ["init", "--quiet", "--bare", "--template=", `--initial-branch=${branch}`, directory]);
  await firstCommit(directory, branch, wish.files ?? {}, date);
}

async function copied(directory: string, from: string, defaultBranch: string | undefined): Promise<void> {
  // Branches and tags alone: a person's stash and what they fetched from elsewhere stay theirs.
  await git(directory, ["clone", "--quiet", "--bare", "--no-hardlinks", "--template=", from, directory]);
  await git(directory, ["remote", "remove", "origin"]);
  const head = await tryGit(directory, ["symbolic-ref", "--short", "HEAD"]);
  const branches = (await git(directory, ["for-each-ref", "--format=%(refname:short)", "refs/heads"])).split("\n");
  // A repository whose HEAD is detached has no default branch of its own.
  const named = head.exitCode === 0 ? head.stdout.trim() : undefined;
  const usual = ["main", "master"].find((name) => branches.includes(name));
  const branch = defaultBranch ?? named ?? usual ?? branches[0] ?? "main";
  await git(directory, ["symbolic-ref", "HEAD", `refs/heads/${branch}`]);
}

// A runner fetches the commit it was told, whatever branch it is on: hence `allowAnySHA1InWant`.
const settings = `[gc]
	auto = 0
[receive]
	autogc = false
	hideRefs = refs/pull
	denyDeleteCurrent = refuse
[http]
	receivepack = true
[uploadpack]
	allowAnySHA1InWant = true
`;

/** Refuses a push that brings workflow files, where who pushes is an app without the permission (see git-http.ts). */
const preReceive = `#!/bin/sh
[ "$AUTORESEARCH_NO_WORKFLOWS" = 1 ] || exit 0
while read -r before after ref; do
  case "$after" in *[!0]*) ;; *) continue ;; esac
  file=$(git log --format= --name-only "$after" --not --all -- .github/workflows | head -n 1)
  [ -z "$file" ] && continue
  echo "refusing to allow a GitHub App to create or update workflow \\\`$file\\\` without \\\`workflows\\\` permission" >&2
  exit 1
done
`;
