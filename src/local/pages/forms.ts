/** Forms with which the person whom the pages act as does what one does on github.com with the mouse. */
import { triggerLabel } from "../../domain/names.ts";
import type { CheckRun, Issue } from "../github/entities.ts";
import { labelsOf } from "../github/shapes/issue.ts";
import { markup, type Html } from "./html.ts";
import type { Place } from "./site.ts";

const steering = ["status", "pause", "resume", "stop"] as const;

/** A form that does one thing; null where nobody acts. */
export function deedForm(place: Place, address: string, deed: string, label: string, tone = ""): Html | null {
  if (place.site.actAs === null) return null;
  return markup`<form method="post" action="${address}">${hidden(place)}<button name="do" value="${deed}" class="${tone}">${label}</button></form>
`;
}

function hidden(place: Place): Html {
  return markup`<input type="hidden" name="token" value="${place.site.formToken}">`;
}

/** The comment's form with the buttons beside it. */
export function issueForms(place: Place, issue: Issue): Html | null {
  const { actAs } = place.site;
  if (actAs === null) return null;
  const kind = issue.pull === null ? "issues" : "pull";
  const address = `${place.base}/${kind}/${issue.number}`;
  const words = steering.map(
    (word) =>
      markup`<button name="do" value="say-${word}" formnovalidate class="plain">/autoresearch ${word}</button> `,
  );
  return markup`<form class="write" method="post" action="${address}">
${hidden(place)}
<label for="body">Comment as @${actAs}</label>
<textarea id="body" name="body" rows="4" required maxlength="65536" placeholder="Markdown, or a command such as /autoresearch help"></textarea>
<div class="buttons"><span class="said">${words}</span><button name="do" value="comment" class="first">Comment</button></div>
</form>
`;
}

/** Closing, opening again, and the label that starts a session. */
export function issueButtons(place: Place, issue: Issue): Html | null {
  const address = `${place.base}/issues/${issue.number}`;
  const isLabelled = labelsOf(place.core, issue).some((label) => label.name === triggerLabel);
  const label = isLabelled
    ? deedForm(place, address, "unlabel", `Take the label ${triggerLabel} off`)
    : deedForm(place, address, "label", `Put the label ${triggerLabel} on`);
  const state =
    issue.state === "open"
      ? deedForm(place, address, "close", "Close issue")
      : deedForm(place, address, "reopen", "Reopen issue");
  return place.site.actAs === null ? null : markup`<div class="deeds">${label}${state}</div>`;
}

/** Buttons of a check: its app's own, and the one that asks for it again. */
export function checkButtons(place: Place, run: CheckRun): Html | null {
  const { actAs } = place.site;
  if (actAs === null || run.status !== "completed") return null;
  const address = `${place.base}/runs/${run.id}`;
  const own = run.actions.map(
    (action) =>
      markup`<button name="action" value="${action.identifier}" title="${action.description}">${action.label}</button> `,
  );
  // An app that hears nothing would not run it again.
  const isHeard = place.core.store.get("app", run.appId)?.webhookUrl != null;
  if (own.length === 0 && !isHeard) return null;
  const again = isHeard ? markup`<button name="do" value="rerequest">Re-run</button>` : null;
  return markup`<form class="deeds" method="post" action="${address}">${hidden(place)}${own}${again}</form>
`;
}
