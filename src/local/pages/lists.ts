/** Lists: repositories, issues, pull requests. */
import type { Issue, Repository } from "../github/entities.ts";
import { fullName, issuesOf, userOf } from "../github/finders.ts";
import { labelsOf } from "../github/shapes/issue.ts";
import { checksAt } from "./at-commit.ts";
import { markup, type Html, type Piece } from "./html.ts";
import { commentsOf } from "./conversation.ts";
import { count, labels, person, sign, stateDot, timeOf, wordOf } from "./pieces.ts";
import { type Page, type Place, placeOfRow, type Site } from "./site.ts";

const perPage = 100;

export function frontPage(site: Site, owner: string | null = null): Page {
  const { store } = site.core;
  const rows = store.all("repository").filter((repo) => owner === null || userOf(store, repo.ownerId).login === owner);
  const title = owner ?? "Repositories";
  const content =
    rows.length === 0
      ? markup`<p class="empty">There is no repository yet.</p>`
      : rows.map((repo) => repositorySection(site, repo));
  return { title, live: markup`<h1>${title}</h1>${content}` };
}

function repositorySection(site: Site, repo: Repository): Html {
  const place = placeOfRow(site, repo);
  const open = issuesOf(site.core.store, repo).filter((issue) => issue.state === "open");
  const issues = open.filter((issue) => issue.pull === null).reverse();
  const pulls = open.length - issues.length;
  return markup`<section>
<h2><a href="${place.base}">${fullName(site.core.store, repo)}</a></h2>
<p class="dim">${repo.description === null ? null : markup`${repo.description} · `}<a href="${place.base}/pulls?state=open">${count(pulls, "open pull request")}</a> · <a href="${place.base}/branches">${count([...place.git.refs.keys()].filter((ref) => ref.startsWith("refs/heads/")).length, "branch", "branches")}</a></p>
${issues.length === 0 ? markup`<p class="empty">No open issue.</p>` : markup`<ul class="rows">${issues.map((issue) => issueRow(place, issue))}</ul>`}
</section>
`;
}

type Asked = { readonly state: "all" | "open" | "closed"; readonly page: number };

/** `?state=open&page=2`; whatever else is written there counts as not written. */
export function askedOf(query: URLSearchParams): Asked {
  const state = query.get("state");
  const page = Number(query.get("page") ?? "1");
  return {
    state: state === "open" || state === "closed" ? state : "all",
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

export function issuesPage(place: Place, asked: Asked): Page {
  const all = issuesOf(place.core.store, place.repo).filter((issue) => issue.pull === null);
  return listPage(place, { title: "Issues", tab: "issues", path: "issues", all, asked, row: issueRow });
}

export function pullsPage(place: Place, asked: Asked): Page {
  const all = issuesOf(place.core.store, place.repo).filter((issue) => issue.pull !== null);
  return listPage(place, { title: "Pull requests", tab: "pulls", path: "pulls", all, asked, row: pullRow });
}

export function labelPage(place: Place, name: string, asked: Asked): Page {
  const all = issuesOf(place.core.store, place.repo).filter((issue) =>
    labelsOf(place.core, issue).some((label) => label.name.toLowerCase() === name.toLowerCase()),
  );
  const row = (place: Place, issue: Issue): Html => (issue.pull === null ? issueRow : pullRow)(place, issue);
  const path = `labels/${encodeURIComponent(name)}`;
  return listPage(place, { title: `Label ${name}`, tab: "issues", path, all, asked, row });
}

type List = {
  readonly title: string;
  readonly tab: "issues" | "pulls";
  readonly path: string;
  readonly all: readonly Issue[];
  readonly asked: Asked;
  readonly row: (place: Place, issue: Issue) => Html;
};

function listPage(place: Place, list: List): Page {
  const { title, tab, path, all, asked, row } = list;
  const wanted = all.filter((issue) => asked.state === "all" || issue.state === asked.state).reverse();
  const shown = wanted.slice((asked.page - 1) * perPage, asked.page * perPage);
  const address = (state: string, page = 1): string =>
    `${place.base}/${path}?state=${state}${page === 1 ? "" : `&page=${page}`}`;
  const filter = (state: Asked["state"], label: string): Html => {
    const number = state === "all" ? all.length : all.filter((issue) => issue.state === state).length;
    const current = state === asked.state ? markup` aria-current="true"` : null;
    return markup`<a href="${address(state)}"${current}>${label} <span class="count">${number}</span></a> `;
  };
  const live = markup`<h1>${title}</h1>
<nav class="filters" aria-label="State">${[filter("all", "All"), filter("open", "Open"), filter("closed", "Closed")]}</nav>
${shown.length === 0 ? markup`<p class="empty">Nothing here.</p>` : markup`<ul class="rows">${shown.map((issue) => row(place, issue))}</ul>`}
${pager(
  asked.page > 1 ? address(asked.state, asked.page - 1) : null,
  wanted.length > asked.page * perPage ? address(asked.state, asked.page + 1) : null,
)}`;
  return { title, place, tab, live };
}

/** Links to the neighbours of a page. */
export function pager(newer: string | null, older: string | null): Piece {
  if (newer === null && older === null) return null;
  return markup`<nav class="pager" aria-label="Pages">${newer === null ? null : markup`<a href="${newer}" rel="prev">← newer</a>`} ${older === null ? null : markup`<a href="${older}" rel="next">older →</a>`}</nav>`;
}

function issueRow(place: Place, issue: Issue): Html {
  const comments = commentsOf(place, issue).length;
  return markup`<li>${stateDot(issue)}<div><a class="title" href="${place.base}/issues/${issue.number}">${issue.title}</a> ${labels(place, issue)}
<p class="dim">#${issue.number} opened ${timeOf(place.site, issue.createdAt)} by ${person(place, issue.userId)}${comments === 0 ? null : markup` · ${count(comments, "comment")}`}</p></div></li>
`;
}

/** A pull request with what its checks found: the list reads as the story of the experiments. */
function pullRow(place: Place, issue: Issue): Html {
  const checks = issue.pull === null ? [] : checksAt(place, issue.pull.headSha);
  const latest = [...new Map(checks.map((run) => [`${run.appId} ${run.name}`, run])).values()];
  const found = latest.map(
    (run) =>
      markup`<span class="found"><a href="${place.base}/runs/${run.id}">${sign(run)}${run.name}</a> ${run.output.title ?? wordOf(run)}</span> `,
  );
  return markup`<li>${stateDot(issue)}<div><a class="title" href="${place.base}/pull/${issue.number}">${issue.title}</a> ${labels(place, issue)}
${found.length === 0 ? null : markup`<p>${found}</p>`}<p class="dim">#${issue.number} opened ${timeOf(place.site, issue.createdAt)} by ${person(place, issue.userId)}</p></div></li>
`;
}
