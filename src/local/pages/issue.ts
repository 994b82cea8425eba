/** The page of an issue: the dashboard first, then the program, then what was said. */
import { isDashboard } from "../../domain/dashboard.ts";
import type { Comment, Issue } from "../github/entities.ts";
import { issueButtons, issueForms } from "./forms.ts";
import { commentBox, commentsOf, conversation, openingBox } from "./conversation.ts";
import { markup } from "./html.ts";
import { labels, person, stateBadge, timeOf } from "./pieces.ts";
import type { Page, Place } from "./site.ts";

export function issuePage(place: Place, issue: Issue): Page {
  const pinned = dashboardAmong(commentsOf(place, issue));
  const opening = openingBox(place, issue);
  const live = markup`<h1>${issue.title} <span class="number">#${issue.number}</span></h1>
<p class="facts">${stateBadge(issue)} opened by ${person(place, issue.userId)} ${timeOf(place.site, issue.createdAt)} <span class="labels">${labels(place, issue)}</span></p>
${
  pinned === null
    ? opening
    : markup`<div class="pinned">${commentBox(place, pinned)}</div>
<details class="program" id="program"><summary>The issue as ${person(place, issue.userId)} wrote it</summary>${opening}</details>`
}
${conversation(place, issue, pinned)}
${issueButtons(place, issue)}`;
  return { title: `${issue.title} #${issue.number}`, place, tab: "issues", live, still: issueForms(place, issue) };
}

// Only an app's comment: whoever else writes the marker into theirs is not put first.
function dashboardAmong(comments: readonly Comment[]): Comment | null {
  return comments.find((comment) => comment.appId !== null && isDashboard(comment.body)) ?? null;
}
