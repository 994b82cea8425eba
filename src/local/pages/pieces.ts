/** The small parts that many pages share: labels, states, people, times. */
import { authorAssociation, labelsOf } from "../github/shapes/issue.ts";
import { userOf } from "../github/finders.ts";
import type { CheckRun, Issue, Timestamp, User } from "../github/entities.ts";
import { markup, type Html, type Piece } from "./html.ts";
import type { Place, Site } from "./site.ts";

/** `14:02:07` of today; the day goes before it when it is another. */
export function timeOf(site: Site, at: Timestamp | Date): Html {
  const iso = typeof at === "string" ? at : at.toISOString();
  const [day = "", rest = ""] = iso.split("T");
  const clock = rest.slice(0, 8);
  const shown = day === site.core.now().toISOString().slice(0, 10) ? clock : `${day} ${clock.slice(0, 5)}`;
  return markup`<time datetime="${iso}" title="${day} ${clock} UTC">${shown}</time>`;
}

/** `41 s`, `2 min 05 s`, `3 h 12 min`; of what still runs, until now. */
export function durationBetween(site: Site, from: Timestamp, to: Timestamp | null): string {
  const end = to === null ? site.core.now().getTime() : Date.parse(to);
  const seconds = Math.max(0, Math.round((end - Date.parse(from)) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const two = (number: number): string => String(number).padStart(2, "0");
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3_600)} h ${two(Math.floor((seconds % 3_600) / 60))} min`;
}

export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? singular : plural}`;
}

export function avatar(user: User): Html {
  return markup`<img class="avatar" src="/avatars/u/${user.id}" alt="" width="20" height="20">`;
}

/** Who, with a link to what they are. */
export function person(place: Place | Site, userId: number): Html {
  const user = userOf(place.core.store, userId);
  const isBot = user.type === "Bot";
  const login = user.login.replace(/\[bot\]$/, "");
  const address = isBot ? `/apps/${login}` : `/${login}`;
  return markup`<a class="person" href="${address}">${login}</a>${isBot ? markup` <span class="tag">bot</span>` : null}`;
}

/** `Owner` or `Collaborator`; nothing for everybody else. */
export function standing(place: Place, userId: number): Html | null {
  const association = authorAssociation(place.core, place.repo, userId);
  if (association === "NONE" || userOf(place.core.store, userId).type === "Bot") return null;
  return markup`<span class="tag">${association.toLowerCase()}</span>`;
}

export function labels(place: Place, issue: Issue): Piece {
  return labelsOf(place.core, issue).map((label) => markup`${labelPill(place, label)} `);
}

// The colour is an attribute of a drawing, since a style in the page would need a weaker content policy.
export function labelPill(place: Place, label: { readonly name: string; readonly color: string }): Html {
  const color = /^[0-9a-f]{6}$/i.test(label.color) ? label.color : "888888";
  return markup`<a class="label" href="${place.base}/labels/${encodeURIComponent(label.name)}"><svg viewBox="0 0 8 8" width="8" height="8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill="#${color}"/></svg>${label.name}</a>`;
}

export type StateWord = "open" | "closed" | "merged" | "draft" | "done" | "not planned";

export function stateWord(issue: Issue): StateWord {
  if (issue.pull?.mergedAt != null) return "merged";
  if (issue.state === "open") return issue.pull?.draft === true ? "draft" : "open";
  if (issue.pull !== null) return "closed";
  return issue.stateReason === "not_planned" ? "not planned" : "done";
}

export function stateBadge(issue: Issue): Html {
  const word = stateWord(issue);
  return markup`<span class="state ${word.replace(" ", "-")}">${word === "done" ? "closed" : word}</span>`;
}

/** A small round sign of the state, for lists; the word is there for who can't see it. */
export function stateDot(issue: Issue): Html {
  const word = stateWord(issue);
  return markup`<span class="dot ${word.replace(" ", "-")}" title="${word}"><span class="unseen">${word}</span></span>`;
}

type Standing = { readonly status: string; readonly conclusion: string | null };

const signs: Readonly<Record<string, readonly [sign: string, tone: string]>> = {
  success: ["✓", "good"],
  failure: ["✗", "bad"],
  timed_out: ["✗", "bad"],
  action_required: ["!", "wait"],
  cancelled: ["⊘", "dim"],
  skipped: ["⊘", "dim"],
  neutral: ["–", "dim"],
  stale: ["–", "dim"],
  in_progress: ["●", "wait pulse"],
  queued: ["○", "wait"],
};

/** A sign for a check, a job, a step or a run. */
export function sign(of: Standing): Html {
  const word = of.conclusion ?? of.status;
  const [mark, tone] = signs[word] ?? ["?", "dim"];
  return markup`<span class="sign ${tone}" role="img" aria-label="${wordOf(of)}" title="${wordOf(of)}">${mark}</span>`;
}

export function wordOf(of: Standing): string {
  return (of.conclusion ?? of.status).replaceAll("_", " ");
}

/** One line for a check: sign, name, what it found, whose it is. */
export function checkLine(place: Place, run: CheckRun): Html {
  const app = place.core.store.get("app", run.appId);
  return markup`<li class="check"><a href="${place.base}/runs/${run.id}">${sign(run)} <b>${run.name}</b></a> <span class="what">${run.output.title ?? wordOf(run)}</span> <span class="dim">${wordOf(run)} · ${app?.slug ?? "unknown app"}${run.externalId === "" ? null : ` · ${run.externalId}`}</span></li>`;
}

export function commitLink(place: Place, sha: string): Html {
  return markup`<a class="sha" href="${place.base}/commit/${sha}">${sha.slice(0, 7)}</a>`;
}
