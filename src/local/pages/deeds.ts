/**
 * What the forms do, in the name of the person whom the pages act as: through the API with that person's own token, so that
 * their role counts and webhooks follow as for anybody. The buttons of a check alone have no route (people press them on
 * github.com), and are passed on in this process.
 */
import { z } from "zod";
import { triggerLabel } from "../../domain/names.ts";
import { atLeast, roleOf } from "../github/access.ts";
import { requestAction, rerequestCheck } from "../github/check-changes.ts";
import type { CheckRun, Issue } from "../github/entities.ts";
import { findUser, isPull } from "../github/finders.ts";
import { encodedPath } from "./html.ts";
import type { Place } from "./site.ts";

/** A request to the API, below the repository. */
export type ApiCall = { readonly method: string; readonly path: string; readonly body?: unknown };

/** What came of it: where to look next, or the sentence why it did not happen. */
export type Done =
  | { readonly kind: "done"; readonly address: string }
  | { readonly kind: "refused"; readonly because: string };

export type Form = { readonly get: (name: string) => unknown };

/** The API's call for a form on an issue or pull request; null: no such deed. */
export function issueCall(issue: Issue, form: Form): ApiCall | null {
  const deed = form.get("do");
  if (typeof deed !== "string") return null;
  const path = `/issues/${issue.number}`;
  const comment = (body: string): ApiCall => ({ method: "POST", path: `${path}/comments`, body: { body } });
  if (deed.startsWith("say-")) {
    const word = deed.slice("say-".length);
    return ["status", "pause", "resume", "stop"].includes(word) ? comment(`/autoresearch ${word}`) : null;
  }
  const text = form.get("body");
  switch (deed) {
    case "comment":
      // Browsers send CRLF.
      return typeof text === "string" && text.trim() !== "" ? comment(text.replaceAll("\r\n", "\n")) : null;
    case "close":
      return { method: "PATCH", path: isPull(issue) ? `/pulls/${issue.number}` : path, body: { state: "closed" } };
    case "reopen":
      return { method: "PATCH", path: isPull(issue) ? `/pulls/${issue.number}` : path, body: { state: "open" } };
    case "label":
      return { method: "POST", path: `${path}/labels`, body: { labels: [triggerLabel] } };
    case "unlabel":
      return { method: "DELETE", path: `${path}/labels/${encodeURIComponent(triggerLabel)}` };
    case "merge":
      return isPull(issue) ? { method: "PUT", path: `/pulls/${issue.number}/merge`, body: {} } : null;
    case "delete-branch":
      return isPull(issue) ? { method: "DELETE", path: `/git/refs/heads/${encodedPath(issue.pull.head)}` } : null;
    default:
      return null;
  }
}

/** The API's call for a form on a run. */
export function runCall(runId: number, form: Form): ApiCall | null {
  const deed = form.get("do");
  return deed === "cancel" || deed === "rerun" ? { method: "POST", path: `/actions/runs/${runId}/${deed}` } : null;
}

const answerSchema = z.object({ id: z.number().optional(), message: z.string().optional() });

/** Makes the call; `page` is where the form stands. */
export async function carryOut(place: Place, call: ApiCall, page: string, tokenOf: () => string): Promise<Done> {
  const response = await fetch(`${place.core.apiUrl}/repos/${place.name}${call.path}`, {
    method: call.method,
    headers: {
      authorization: `Bearer ${tokenOf()}`,
      accept: "application/vnd.github+json",
      "content-type": "application/json",
      "user-agent": "local-pages",
    },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  const answer = answerSchema.safeParse(await response.json().catch(() => ({}))).data ?? {};
  if (!response.ok)
    return { kind: "refused", because: `${response.status}: ${answer.message ?? "no reason was given"}` };
  const anchor = call.path.endsWith("/comments") && answer.id !== undefined ? `#issuecomment-${answer.id}` : "";
  return { kind: "done", address: `${page}${anchor}` };
}

/** Presses a button of a check. */
export function pressCheck(place: Place, run: CheckRun, form: Form): Done {
  const user = findUser(place.core.store, place.site.actAs ?? "");
  if (user === undefined || !atLeast(roleOf(place.core.store, place.repo, user), "write"))
    return { kind: "refused", because: "only people with write access press the buttons of a check" };
  const doer = { userId: user.id, appId: null };
  const action = form.get("action");
  if (form.get("do") === "rerequest") rerequestCheck(place.core, place.repo, run, doer);
  else if (run.actions.some(({ identifier }) => identifier === action))
    requestAction(place.core, place.repo, run, String(action), doer);
  else return { kind: "refused", because: "the check has no such button" };
  return { kind: "done", address: `${place.base}/runs/${run.id}` };
}
