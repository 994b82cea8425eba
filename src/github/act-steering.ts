/** What is written of people's steering and of the researcher's money, beside the orders themselves (act-people.ts). */
import type { ActionOf } from "../domain/action.ts";
import { programOf } from "../domain/start.ts";
import type { Context } from "./act.ts";
import { patchRecord } from "./act-results.ts";
import { marked, upsertComment } from "./comments.ts";
import { readText, readTree } from "./files.ts";
import { repoOf } from "./view.ts";

/** Every write of session.json fills the purse; this one does nothing else. */
export async function fillPurse(context: Context): Promise<void> {
  await patchRecord({}, "Book what the researcher has cost, and what it may cost next", context);
}

/** The reply first: what is dropped is not looked at again. */
export async function dropTry(action: ActionOf<"dropTry">, context: Context): Promise<void> {
  const { view } = context;
  const { is, put } = marked(`dropped ${action.comment}`);
  await upsertComment(view.key.issue, is, put(action.reply), context);
  const steering = view.record!.steering.map((asked) =>
    asked.kind === "try" && asked.comment === action.comment ? { ...asked, dropped: action.because } : asked,
  );
  await patchRecord({ steering }, "Let an idea go", context);
}

export async function heedEdit({ edit, refusal, from }: ActionOf<"heedEdit">, context: Context): Promise<void> {
  const { view } = context;
  const { by, at, digest, text } = edit;
  const taken = refusal === null;
  if (refusal !== null) {
    const { is, put } = marked("edit");
    await upsertComment(view.key.issue, is, put(refusal), context);
  }
  const program = taken ? { program: programOf(await programFile(context), text) } : {};
  const patch = { ...program, issueDigest: digest, edit: { by, at, taken, from } };
  await patchRecord(patch, taken ? `Take the program as @${by} edited it` : `Leave an edit of @${by}`, context);
  view.edit = null;
}

/** The text of the file that `program` names, at the session's base: its protected files are what they were. */
async function programFile({ client, view }: Context): Promise<string | null> {
  const { config, base } = view.record!;
  if (config.program === null) return null;
  return readText(client, repoOf(view), await readTree(client, repoOf(view), base), config.program);
}
