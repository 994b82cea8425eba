/** The bot's own checks: each answer of GitHub's is folded into the view. */
import type { Button } from "../domain/buttons.ts";
import type { CheckFact } from "../domain/trial.ts";
import type { Context } from "./act.ts";
import { checkSchema } from "./facts.ts";
import { type Tracked, ownChecks } from "./tracked.ts";
import { type View, repoOf } from "./view.ts";

export type CheckEnd = {
  readonly conclusion: string;
  /** Cut where it is longer than a check's title may be. */
  readonly title: string;
  readonly summary: string;
  /** Not given: they stay as they were. */
  readonly actions?: readonly Button[];
};

const longestTitle = 250;

/** Completes a check. */
export async function endCheck(
  id: number,
  { title, summary, ...end }: CheckEnd,
  { client, view }: Pick<Context, "client" | "view">,
): Promise<void> {
  const answer = await client.write("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
    ...repoOf(view),
    check_run_id: id,
    status: "completed",
    ...end,
    output: { title: title.slice(0, longestTitle), summary },
  });
  foldCheck(view, checkSchema.parse(answer));
}

/**
 * Completes the bot's own checks on a commit that another one is about to replace. Before and not after: a process that begins
 * later reads the checks of heads alone, and would leave these open for ever. Done again, there is nothing left to do.
 */
export async function endReplaced(
  replaced: Tracked,
  end: CheckEnd,
  { client, view, identity }: Pick<Context, "client" | "view" | "identity">,
): Promise<void> {
  const open = ownChecks(view, replaced, identity).filter((check) => check.status !== "completed");
  for (const check of open) await endCheck(check.id, end, { client, view });
}

/** Puts a check into the view, in place of an older copy of it. */
export function foldCheck(view: View, check: CheckFact): void {
  const others = (view.checks.get(check.head) ?? []).filter((each) => each.id !== check.id);
  view.checks.set(check.head, [...others, check]);
}
