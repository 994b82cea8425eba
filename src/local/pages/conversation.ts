/** What people and bots said on an issue or pull request, in the order of time, with what happened between. */
import type { Comment, Issue, IssueEvent, ReactionContent } from "../github/entities.ts";
import { reactionContents } from "../github/entities.ts";
import { userOf } from "../github/finders.ts";
import { indexOf } from "../github/store.ts";
import { markup, type Html, type Piece } from "./html.ts";
import { markdown } from "./markdown.ts";
import { avatar, commitLink, labelPill, person, standing, timeOf } from "./pieces.ts";
import type { Place } from "./site.ts";

const commentsByIssue = indexOf("comment", (comment) => `${comment.repoId}#${comment.number}`);
const eventsByIssue = indexOf("issueEvent", (event) => `${event.repoId}#${event.number}`);
const reactionsBySubject = indexOf("reaction", (reaction) => reaction.subject);

export function commentsOf(place: Place, issue: Issue): Comment[] {
  return place.core.store.by(commentsByIssue, `${place.repo.id}#${issue.number}`);
}

/** The issue's own text, as the first of its comments. */
export function openingBox(place: Place, issue: Issue): Html {
  return box(place, { ...issue, subject: `issue:${issue.id}`, anchor: `issue-${issue.id}`, body: issue.body ?? "" });
}

export function commentBox(place: Place, comment: Comment): Html {
  return box(place, { ...comment, subject: `comment:${comment.id}`, anchor: `issuecomment-${comment.id}` });
}

type Said = {
  readonly anchor: string;
  readonly subject: string;
  readonly body: string;
  readonly userId: number;
  readonly createdAt: string;
  readonly updatedAt: string;
};

function box(place: Place, said: Said): Html {
  const edited = said.anchor.startsWith("issuecomment") && said.updatedAt !== said.createdAt;
  const text = said.body.trim() === "" ? markup`<p class="dim">Nothing was written.</p>` : markdown(said.body, place);
  return markup`<article class="box" id="${said.anchor}">
<header>${avatar(userOf(place.core.store, said.userId))} ${person(place, said.userId)} ${standing(place, said.userId)} <a class="when" href="#${said.anchor}">${timeOf(place.site, said.createdAt)}</a>${edited ? markup` <span class="dim">· edited ${timeOf(place.site, said.updatedAt)}</span>` : null}</header>
<div class="md">${text}</div>
${reactions(place, said.subject)}
</article>
`;
}

const faces: Readonly<Record<ReactionContent, string>> = {
  "+1": "👍",
  "-1": "👎",
  laugh: "😄",
  confused: "😕",
  heart: "❤️",
  hooray: "🎉",
  rocket: "🚀",
  eyes: "👀",
};

function reactions(place: Place, subject: string): Html | null {
  const all = place.core.store.by(reactionsBySubject, subject);
  if (all.length === 0) return null;
  const shown = reactionContents.flatMap((content) => {
    const who = all.filter((one) => one.content === content).map((one) => userOf(place.core.store, one.userId).login);
    const title = `${content} by ${who.join(", ")}`;
    return who.length === 0 ? [] : [markup`<li title="${title}">${faces[content]} ${who.length}</li>`];
  });
  return markup`<ul class="reactions" aria-label="Reactions">${shown}</ul>`;
}

/** Comments and events by time. `pinned` is shown elsewhere: its place says so. */
export function conversation(place: Place, issue: Issue, pinned: Comment | null): Piece {
  const events = place.core.store.by(eventsByIssue, `${place.repo.id}#${issue.number}`);
  const entries = [
    ...commentsOf(place, issue).map((comment) => ({
      at: comment.createdAt,
      id: comment.id,
      shown: comment.id === pinned?.id ? null : commentBox(place, comment),
    })),
    ...grouped(events).map((group) => ({
      at: group[0]!.createdAt,
      id: group[0]!.id,
      shown: eventLine(place, group),
    })),
  ];
  return entries.sort((a, b) => a.at.localeCompare(b.at) || a.id - b.id).map(({ shown }) => shown);
}

/** Events of one actor in one second belong together: a label that goes and the one that comes in its place. */
function grouped(events: readonly IssueEvent[]): IssueEvent[][] {
  const groups: IssueEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    if (last !== undefined && first?.actorId === event.actorId && first.createdAt === event.createdAt) last.push(event);
    else groups.push([event]);
  }
  return groups;
}

function eventLine(place: Place, group: readonly IssueEvent[]): Html | null {
  const [first] = group;
  if (first === undefined) return null;
  // A merge closes too; one word is enough.
  const merged = group.some((event) => event.event === "merged");
  const told = group.filter((event) => !(merged && event.event === "closed"));
  const deeds = told.map(
    (event, at) => markup`${at === 0 ? null : at === told.length - 1 ? " and " : ", "}${deed(place, event)}`,
  );
  return markup`<p class="event">${person(place, first.actorId)} ${deeds} ${timeOf(place.site, first.createdAt)}</p>
`;
}

function deed(place: Place, event: IssueEvent): Html {
  switch (event.event) {
    case "labeled":
      return markup`added ${event.label === null ? "a label" : labelPill(place, event.label)}`;
    case "unlabeled":
      return markup`removed ${event.label === null ? "a label" : labelPill(place, event.label)}`;
    case "closed":
      return markup`closed this`;
    case "reopened":
      return markup`reopened this`;
    case "merged":
      return event.commitSha === null
        ? markup`merged this`
        : markup`merged this as ${commitLink(place, event.commitSha)}`;
    case "renamed":
      return markup`changed the title from <del>${event.rename?.from}</del> to <b>${event.rename?.to}</b>`;
  }
}
