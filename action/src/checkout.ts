/**
 * Makes the folder that is trained in: the base commit's files with the candidate's mutable files laid over them.
 *
 * Always: a protected file is the base's by construction. The folder is composed in git's index from tree entries and
 * written by git in one go, so no path of a candidate is ever followed through a link; and it holds no `.git`.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Git, gitAt } from "./git.ts";
import { parseDiffTree, refusalOf } from "./surface.ts";

export type CheckoutRequest = {
  readonly serverUrl: string;
  /** `owner/repo` */
  readonly repository: string;
  readonly token: string;
  readonly base: string;
  readonly commit: string;
  readonly isMutable: (path: string) => boolean;
  /** An empty folder of ours. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

export type Checkout = {
  /** The folder with the files. */
  readonly root: string;
  /** Every protected path, relative to `root`. */
  readonly protectedPaths: readonly string[];
  /** Why the candidate must not be trained; null when it may. */
  readonly refusal: string | null;
};

/** Fetches exactly the two commits and composes the checkout; nothing is written to it when the candidate is refused. */
export async function makeCheckout(request: CheckoutRequest): Promise<Checkout> {
  const root = join(request.folder, "checkout");
  const gitDir = join(request.folder, "git");
  await mkdir(root);
  const git = gitAt({ ...request, gitDir, workTree: root });
  await fetchCommits(git, request);
  const changes = parseDiffTree(
    await git.run(["diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", request.base, request.commit]),
  );
  const refusal = refusalOf(changes, request.isMutable);
  await git.run(["read-tree", request.base]);
  if (refusal === null) {
    // A deletion is mode 0; they go first, so that a file may become a folder.
    const entries = changes
      .toSorted((a, b) => a.newMode.localeCompare(b.newMode))
      .map((change) => `${change.newMode === "000000" ? "0" : change.newMode} ${change.newObject}\t${change.path}\0`);
    await git.run(["update-index", "-z", "--index-info"], entries.join(""));
    await git.run(["checkout-index", "--all", "--force"]);
  }
  const tracked = (await git.run(["ls-files", "-z"])).split("\0").filter((path) => path !== "");
  await rm(gitDir, { recursive: true, force: true });
  return { root, protectedPaths: tracked.filter((path) => !request.isMutable(path)), refusal };
}

async function fetchCommits(git: Git, request: CheckoutRequest): Promise<void> {
  await git.run(["init", "--quiet", "--template="]);
  const remote = `${request.serverUrl}/${request.repository}.git`;
  const wanted = [...new Set([request.base, request.commit])];
  await git.run(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", remote, ...wanted]);
}
