/**
 * From a webhook to the session it is about and the parts of it that may have changed: a hint, no facts. What concerns no
 * session gives null. The bot's own echoes are left out, which saves passes; nothing depends on it.
 */
import { z } from "zod";
import { mayHoldCommand } from "./domain/command.ts";
import { type SessionKey, parseExperimentBranch, parseRunName, parseTrialId } from "./domain/names.ts";
import { sessionIn } from "./domain/words.ts";
import { type Aspect, type Hint, everything } from "./github/view.ts";

const payloadSchema = z.object({
  action: z.string().optional(),
  sender: z.object({ login: z.string() }).optional(),
  repository: z.object({ name: z.string(), owner: z.object({ login: z.string() }) }),
  issue: z.object({ number: z.int(), body: z.string().nullish(), pull_request: z.unknown().optional() }).optional(),
  comment: z.object({ body: z.string().nullish(), user: z.object({ login: z.string() }).nullish() }).optional(),
  pull_request: z.object({ head: z.object({ ref: z.string() }), base: z.object({ ref: z.string() }) }).optional(),
  check_run: z.object({ external_id: z.string().nullish() }).optional(),
  workflow_run: z.object({ display_title: z.string(), conclusion: z.string().nullish() }).optional(),
  ref: z.string().optional(),
});

export type Heard = { readonly key: SessionKey; readonly hint: Hint };

/** What a delivery hints at, or null. `bot` is the bot's own login. */
export function hear(event: string, payload: unknown, bot: string): Heard | null {
  const parsed = payloadSchema.safeParse(payload);
  if (!parsed.success) return null;
  const { repository, action } = parsed.data;
  if (isEcho(event, parsed.data, bot)) return null;
  const found = sessionOf(event, action ?? "", parsed.data, bot);
  if (found === null) return null;
  const hint: Hint = found.hint === "everything" ? everything : new Set(found.hint);
  return { key: { owner: repository.owner.login, repo: repository.name, issue: found.issue }, hint };
}

/** What we did ourselves we know. But the sender of a run's story is whoever dispatched it, which is us. */
export function isEcho(event: string, payload: { sender?: { login: string } | undefined }, bot: string): boolean {
  return payload.sender?.login === bot && event !== "workflow_run";
}

type Found = { issue: number; hint: readonly Aspect[] | "everything" };

function sessionOf(event: string, action: string, payload: z.output<typeof payloadSchema>, bot: string): Found | null {
  const at = (issue: number | undefined | null, ...hint: Aspect[]): Found | null =>
    issue == null || hint.length === 0 ? null : { issue, hint };
  switch (event) {
    case "issues":
      return payload.issue?.pull_request === undefined ? at(payload.issue?.number, "issue") : null;
    case "issue_comment": {
      // Only commands concern us, and a deleted or edited comment of our own (the dashboard).
      const { issue, comment } = payload;
      const ours = action !== "created" && comment?.user?.login === bot;
      if (!ours && !mayHoldCommand(comment?.body ?? "")) return null;
      const number = issue?.pull_request === undefined ? issue?.number : sessionIn(issue.body ?? "");
      if (action !== "created") return number == null ? null : { issue: number, hint: "everything" };
      // On a pull request that was opened a moment ago, perhaps by another process of ours.
      return issue?.pull_request === undefined
        ? at(number, "comments", "issue")
        : at(number, "pulls", "comments", "issue");
    }
    case "pull_request":
      return at(issueOfBranch(payload.pull_request?.head.ref ?? ""), "pulls", "refs");
    case "check_run":
      // A check that is born completed is told of twice, as `created` and as `completed`.
      return action === "completed" ? at(parseTrialId(payload.check_run?.external_id ?? "")?.issue, "checks") : null;
    case "workflow_run":
      return at(parseRunName(payload.workflow_run?.display_title ?? "")?.issue, ...runHint(action, payload));
    case "push":
      return at(issueOfBranch((payload.ref ?? "").replace(/^refs\/heads\//, "")), "refs", "pulls");
    default:
      return null;
  }
}

/** A run that succeeded left a check, which is heard of by itself; any other end is known from the run alone. */
function runHint(action: string, { workflow_run: run }: z.output<typeof payloadSchema>): Aspect[] {
  if (action === "in_progress") return ["runs"];
  return action === "completed" && run?.conclusion !== "success" ? ["runs", "checks"] : [];
}

function issueOfBranch(branch: string): number | null {
  const experiment = parseExperimentBranch(branch);
  if (experiment !== null) return experiment.issue;
  const match = /^autoresearch\/([1-9]\d*)\/(?:frontier|results)$/.exec(branch);
  return match === null ? null : Number(match[1]);
}
