/**
 * A press of a button on the bot's check. GitHub tells of it in one webhook and shows it nowhere, so it is written down before
 * that webhook is answered: as a comment, which is an order like any other from then on. A delivery that fails here is
 * marked as failed by GitHub, and can be delivered again; one that comes twice finds its comment.
 */
import { z } from "zod";
import { commandOfButton, type Press, pressComment, pressMark } from "../domain/buttons.ts";
import { formatExperimentBranch, type SessionKey, verdictCheck } from "../domain/names.ts";
import type { Client } from "./client.ts";
import { deleteComment } from "./comments.ts";
import { pullSchema } from "./facts.ts";

const payloadSchema = z.object({
  action: z.enum(["requested_action", "rerequested"]),
  requested_action: z.object({ identifier: z.string() }).optional(),
  sender: z.object({ login: z.string() }),
  repository: z.object({ name: z.string(), owner: z.object({ login: z.string() }) }),
  check_run: z.object({ name: z.string(), external_id: z.string().nullish() }),
});

/** A press, and the experiment whose check it was on; 0: the frontier's. */
export type Heard = { readonly key: SessionKey; readonly experiment: number; readonly press: Press };

/** The press that a payload of `check_run` tells of, or null. GitHub's own re-run button is our `Re-run`. */
export function hearPress(payload: unknown): Heard | null {
  const parsed = payloadSchema.safeParse(payload);
  if (!parsed.success || parsed.data.check_run.name !== verdictCheck) return null;
  const { action, requested_action: requested, sender, repository, check_run: check } = parsed.data;
  const what = action === "rerequested" ? "rerun" : commandOfButton(requested?.identifier ?? "");
  const place = /^([1-9]\d*):(\d+):/.exec(check.external_id ?? "");
  if (what === null || place === null) return null;
  return {
    key: { owner: repository.owner.login, repo: repository.name, issue: Number(place[1]) },
    experiment: Number(place[2]),
    press: { what, by: sender.login },
  };
}

const commentsSchema = z.array(z.object({ id: z.int(), body: z.string().nullish() }));

/** Writes a press down on the experiment's pull request, once for each delivery, however many are told of it at once. */
export async function keepPress(client: Client, heard: Heard, delivery: string): Promise<void> {
  const { key, experiment, press } = heard;
  const repo = { owner: key.owner, repo: key.repo };
  const number = experiment === 0 ? key.issue : await pullOf(client, key, experiment);
  if (number === null) return;
  const at = { ...repo, issue_number: number };
  const mark = pressMark(press, delivery);
  const written = async () => {
    const listed = await client.readAll("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", at, 3);
    return commentsSchema.parse(listed).filter(({ body }) => body?.includes(mark) === true);
  };
  if ((await written()).length > 0) return;
  const body = pressComment(press, delivery);
  const answer = await client.write("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", { ...at, body });
  const { id } = z.object({ id: z.int() }).parse(answer);
  // Who was told of it at the same time found no comment either: the first one is left.
  if ((await written()).some((other) => other.id < id)) await deleteComment(client, repo, id);
}

async function pullOf(client: Client, key: SessionKey, experiment: number): Promise<number | null> {
  const head = `${key.owner}:${formatExperimentBranch(key.issue, experiment)}`;
  const listed = await client.read("GET /repos/{owner}/{repo}/pulls", {
    owner: key.owner,
    repo: key.repo,
    head,
    state: "all",
  });
  return z.array(pullSchema).parse(listed)[0]?.number ?? null;
}
