/** Labels of the session's issue; those that GitHub does not know yet it makes. */
import type { ActionOf } from "../domain/action.ts";
import { triggerLabel } from "../domain/names.ts";
import { startTrouble } from "../domain/words.ts";
import type { Context } from "./act.ts";
import { marked, upsertComment } from "./comments.ts";
import { isStatus } from "./errors.ts";
import { repoOf, type View } from "./view.ts";

/** Says on an issue without a session what is in the way; the label stays, and the start is tried again. */
export async function sayTrouble(because: string, context: Context): Promise<void> {
  const { is, put } = marked("start");
  await upsertComment(context.view.key.issue, is, put(startTrouble(because)), context);
}

/** Says why nothing was started, and takes the label off, so that putting it on again is one click. */
export async function refuseStart({ text }: ActionOf<"refuseStart">, context: Context): Promise<void> {
  const { client, view } = context;
  const { is, put } = marked("start");
  await upsertComment(view.key.issue, is, put(text), context);
  await removeLabel(triggerLabel, { client, view });
  view.start = null;
}

export async function label({ add, remove }: ActionOf<"label">, { client, view }: Context): Promise<void> {
  const at = { ...repoOf(view), issue_number: view.key.issue };
  for (const name of remove) await removeLabel(name, { client, view });
  if (add.length > 0)
    await client.write("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", { ...at, labels: [...add] });
  foldLabels(view, (labels) => [...labels, ...add]);
}

async function removeLabel(name: string, { client, view }: Pick<Context, "client" | "view">): Promise<void> {
  const at = { ...repoOf(view), issue_number: view.key.issue, name };
  try {
    await client.write("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", at);
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
  foldLabels(view, (labels) => labels.filter((each) => each !== name));
}

function foldLabels(view: View, change: (labels: string[]) => string[]): void {
  if (view.issue !== null) view.issue = { ...view.issue, labels: change(view.issue.labels) };
}
