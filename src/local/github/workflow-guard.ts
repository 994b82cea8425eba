/**
 * An app without `workflows: write` moves no ref to a commit that brings another `.github/workflows/` than is there
 * already: what judges a change can't be changed by it. (For pushes the same is done by the hook in git-http.ts.)
 */
import { holds } from "./access.ts";
import { ApiError } from "./answer.ts";
import type { GitRepository, RefChange } from "./git-repository.ts";
import type { RepoCall } from "./route.ts";

const folder = ".github/workflows";

/** Throws 403 where the move would bring other workflows. */
export async function checkWorkflows(call: RepoCall, change: RefChange): Promise<void> {
  const { actor, git, repo } = call;
  if (actor.kind !== "installation" || holds(actor.permissions, "workflows", "write") || change.after === null) return;
  const brought = await workflowsAt(git, change.after);
  if (brought === null) return;
  const parents = (await git.commit(change.after))?.parents ?? [];
  for (const known of [change.before, git.branch(repo.defaultBranch), ...parents]) {
    if (known !== null && (await workflowsAt(git, known)) === brought) return;
  }
  throw new ApiError(
    403,
    `refusing to allow a GitHub App to create or update workflow files in \`${folder}\` without \`workflows\` permission`,
  );
}

/** The tree of the folder at a commit, or null. */
async function workflowsAt(git: GitRepository, commit: string): Promise<string | null> {
  return git.remember(`workflows ${commit}`, async () => (await git.info(`${commit}:${folder}`))?.sha ?? null);
}
