/** Which page is at which address. The addresses are github.com's, as the API's answers name them in `html_url`. */
import { findUser, isPull, issueOf, pullOf } from "../github/finders.ts";
import type { CheckRun } from "../github/entities.ts";
import { indexOf } from "../github/store.ts";
import { jobOf, rawLog, runOf, runPage, runsPage } from "./actions.ts";
import { checkPage } from "./check.ts";
import { blobPage, branchesPage, rawFile, treePage } from "./files.ts";
import { commitPage, commitsPage, comparePage, compareText } from "./history.ts";
import { encodedPath } from "./html.ts";
import { issuePage } from "./issue.ts";
import { askedOf, frontPage, issuesPage, labelPage, pullsPage } from "./lists.ts";
import { appPage, avatarPicture, userPage } from "./people.ts";
import { pullPage } from "./pull.ts";
import { Missing, type Page, type Place, placeOf, type Site } from "./site.ts";

export type Answer = Page | Response;

/** What stands in an address below a repository. */
type Asked = {
  readonly place: Place;
  /** The parts in the order of the pattern's groups, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
};
type Show = (asked: Asked) => Answer | Promise<Answer>;

/** `go(path)`: the browser is sent on. */
function go(address: string): Response {
  return new Response(null, { status: 302, headers: { location: address } });
}

const belowRepository: readonly (readonly [pattern: RegExp, show: Show])[] = [
  [/^$/, ({ place }) => go(`${place.base}/issues`)],
  [/^\/issues$/, ({ place, query }) => issuesPage(place, askedOf(query))],
  [/^\/pulls$/, ({ place, query }) => pullsPage(place, askedOf(query))],
  [/^\/labels\/(.+)$/, ({ place, parts, query }) => labelPage(place, parts[0]!, askedOf(query))],
  [/^\/issues\/(\d{1,9})$/, showIssue],
  [/^\/pull\/(\d{1,9})$/, showPull],
  [
    /^\/pull\/(\d{1,9})\/(files|commits|checks)$/,
    ({ place, parts }) => go(`${place.base}/pull/${parts[0]}#${parts[1]}`),
  ],
  [/^\/pull\/(\d{1,9})\.(diff|patch)$/, ({ place, parts }) => pullText(place, parts[0]!, parts[1]!)],
  [/^\/runs\/(\d{1,15})$/, showCheck],
  [/^\/actions$/, ({ place, query }) => runsPage(place, askedOf(query).page)],
  [/^\/actions\/runs\/(\d{1,15})$/, ({ place, parts }) => runPage(place, runOf(place, Number(parts[0])))],
  [
    /^\/actions\/runs\/(\d{1,15})\/attempts\/(\d{1,4})$/,
    ({ place, parts }) => runPage(place, runOf(place, Number(parts[0])), Number(parts[1])),
  ],
  [/^\/actions\/runs\/\d+\/job\/(\d{1,15})$/, ({ place, parts }) => go(jobSpot(place, Number(parts[0])))],
  [/^\/actions\/runs\/\d+\/job\/(\d{1,15})\/log$/, ({ place, parts }) => rawLog(place, jobOf(place, Number(parts[0])))],
  [/^\/blob\/(.+)$/, ({ place, parts, query }) => (query.get("raw") === "true" ? rawFile : blobPage)(place, parts[0]!)],
  [/^\/raw\/(.+)$/, ({ place, parts }) => rawFile(place, parts[0]!)],
  [/^\/tree\/(.+)$/, ({ place, parts }) => treePage(place, parts[0]!)],
  [/^\/commits$/, ({ place }) => go(`${place.base}/commits/${encodedPath(place.repo.defaultBranch)}`)],
  [/^\/commits\/(.+)$/, ({ place, parts, query }) => commitsPage(place, parts[0]!, query.get("from"))],
  [/^\/commit\/([0-9a-f]{4,40})$/, ({ place, parts }) => commitPage(place, parts[0]!)],
  [/^\/compare\/(.+)\.(diff|patch)$/, ({ place, parts }) => compareText(place, parts[0]!, parts[1]!)],
  [/^\/compare\/(.+)$/, ({ place, parts }) => comparePage(place, parts[0]!)],
  [/^\/branches$/, ({ place }) => branchesPage(place)],
];

/** The page at a path, or null where there is none of ours. @throws Missing, ApiError 404 */
export async function pageAt(site: Site, path: string, query: URLSearchParams): Promise<Answer | null> {
  const { store } = site.core;
  if (path === "/") return frontPage(site);
  const avatar = /^\/avatars\/u\/(\d{1,15})$/.exec(path);
  if (avatar !== null) {
    const user = store.get("user", Number(avatar[1]));
    return user === undefined ? null : avatarPicture(user);
  }
  const [, first = "", second, ...rest] = path.replace(/(?<=.)\/+$/, "").split("/");
  if (second === undefined) {
    const user = findUser(store, decoded(first));
    return user === undefined ? null : userPage(site, user);
  }
  if (first === "settings" && second === "installations") {
    const app = store.get("app", store.get("installation", Number(rest[0]))?.appId ?? 0);
    return app === undefined ? null : go(`/apps/${app.slug}`);
  }
  if (first === "apps" && rest.length === 0) {
    const app = store.one(appsBySlug, decoded(second));
    return app === undefined ? null : appPage(site, app);
  }
  const place = placeOf(site, decoded(first), decoded(second));
  if (place === null) return null;
  const below = rest.map((step) => `/${step}`).join("");
  for (const [pattern, show] of belowRepository) {
    const match = pattern.exec(below);
    if (match !== null) return show({ place, parts: match.slice(1).map((part) => decoded(part)), query });
  }
  throw new Missing("There is nothing at this address.");
}

const appsBySlug = indexOf("app", (app) => app.slug);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function showIssue({ place, parts }: Asked): Answer {
  const issue = issueOf(place.core.store, place.repo, Number(parts[0]));
  return isPull(issue) ? go(`${place.base}/pull/${issue.number}`) : issuePage(place, issue);
}

function pullText(place: Place, number: string, form: string): Promise<Response> {
  const { baseSha, headSha } = pullOf(place.core.store, place.repo, Number(number)).pull;
  return compareText(place, `${baseSha}...${headSha}`, form);
}

function showPull({ place, parts }: Asked): Answer | Promise<Answer> {
  const issue = issueOf(place.core.store, place.repo, Number(parts[0]));
  return isPull(issue) ? pullPage(place, issue) : go(`${place.base}/issues/${issue.number}`);
}

/** The check run of this id here. @throws Missing */
export function checkOf(place: Place, id: number): CheckRun {
  const run = place.core.store.get("checkRun", id);
  if (run === undefined || run.repoId !== place.repo.id) throw new Missing(`There is no check ${id} in ${place.name}.`);
  return run;
}

function showCheck({ place, parts }: Asked): Answer {
  const id = Number(parts[0]);
  // A job is a check run too, of the Actions app.
  if (place.core.store.get("workflowJob", id)?.repoId === place.repo.id) return go(jobSpot(place, id));
  return checkPage(place, checkOf(place, id));
}

function jobSpot(place: Place, id: number): string {
  const job = jobOf(place, id);
  const run = runOf(place, job.runId);
  const attempt = job.attempt === run.attempt ? "" : `/attempts/${job.attempt}`;
  return `${place.base}/actions/runs/${run.id}${attempt}#job-${job.id}`;
}
