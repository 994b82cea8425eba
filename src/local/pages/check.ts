/** The page of a check run: all that its app wrote. */
import type { CheckAnnotation, CheckRun } from "../github/entities.ts";
import { pullsAt } from "./at-commit.ts";
import { checkButtons } from "./forms.ts";
import { encodedPath, markup, type Html } from "./html.ts";
import { markdown } from "./markdown.ts";
import { commitLink, durationBetween, sign, timeOf, wordOf } from "./pieces.ts";
import { ownPathOf, type Page, type Place } from "./site.ts";

export function checkPage(place: Place, run: CheckRun): Page {
  const { title, summary, text, annotations } = run.output;
  const app = place.core.store.get("app", run.appId);
  const pulls = pullsAt(place, run.headSha).map(
    (pull) => markup`<a href="${place.base}/pull/${pull.number}">#${pull.number} ${pull.title}</a> · `,
  );
  const live = markup`<h1>${sign(run)} ${run.name}${title === null ? null : markup` <span class="number">${title}</span>`}</h1>
<p class="facts">${pulls}${commitLink(place, run.headSha)} · <b>${wordOf(run)}</b>${times(place, run)} · by <a href="/apps/${app?.slug ?? ""}">${app?.slug ?? "unknown app"}</a>${run.externalId === "" ? null : markup` · <code>${run.externalId}</code>`}${details(place, run)}</p>
${checkButtons(place, run)}
${summary === null || summary === "" ? null : markup`<div class="md box-body">${markdown(summary, place)}</div>`}
${annotations.length === 0 ? null : markup`<h2>Annotations</h2>${annotations.map((one) => annotationBox(place, run, one))}`}
${text === null || text === "" ? null : markup`<div class="md">${markdown(text, place)}</div>`}
${summary === null && text === null ? markup`<p class="empty">Nothing was written yet.</p>` : null}`;
  return { title: `${run.name}${title === null ? "" : `: ${title}`}`, place, tab: "pulls", live };
}

function times(place: Place, run: CheckRun): Html | null {
  if (run.startedAt === null) return null;
  // Many a check is posted when all is over: then there is one time only.
  if (run.startedAt === run.completedAt) return markup` · ${timeOf(place.site, run.startedAt)}`;
  return markup` · ${timeOf(place.site, run.startedAt)}, ${durationBetween(place.site, run.startedAt, run.completedAt)}`;
}

/** The app's own page about the check, where it named one: inside this site, or on the web. */
function details(place: Place, run: CheckRun): Html | null {
  if (run.detailsUrl === null) return null;
  const own = ownPathOf(place.site, run.detailsUrl);
  if (own === `${place.base}/runs/${run.id}`) return null;
  if (own === null && !/^https?:\/\//i.test(run.detailsUrl)) return null;
  return markup` · <a href="${own ?? run.detailsUrl}" rel="nofollow noopener noreferrer">${own?.includes("/actions/runs/") === true ? "the run" : "details"}</a>`;
}

function annotationBox(place: Place, run: CheckRun, one: CheckAnnotation): Html {
  const lines = one.start_line === one.end_line ? `line ${one.start_line}` : `lines ${one.start_line}–${one.end_line}`;
  const address = `${place.base}/blob/${run.headSha}/${encodedPath(one.path)}#L${one.start_line}`;
  return markup`<div class="annotation ${one.annotation_level}"><p><a href="${address}">${one.path}, ${lines}</a>${one.title === null ? null : markup` · <b>${one.title}</b>`}</p>
${one.title === one.message ? null : markup`<pre>${one.message}</pre>`}${one.raw_details === null ? null : markup`<details><summary>more</summary><pre>${one.raw_details}</pre></details>`}</div>
`;
}
