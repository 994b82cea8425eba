/** The frame around every page. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { openPullsOf, openIssueCount } from "../github/finders.ts";
import { markup, type Html, trusted } from "./html.ts";
import { liveScript } from "./live.ts";
import type { Page, Place, Site, Tab } from "./site.ts";

export const stylesheet = readFileSync(new URL("./style.css", import.meta.url), "utf8");
export const styleAddress = `/_pages/style.css?v=${createHash("sha256").update(stylesheet).digest("hex").slice(0, 12)}`;

/** A curve that falls, as the bits per byte should. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3.5" fill="#1f6f4a"/><path d="M3 4c1.5 4 3 6 5 7s3 .7 5 .7" fill="none" stroke="#fff" stroke-width="1.8" stroke-linecap="round"/></svg>\n`;

/** The whole document. `version` is of the moment before the page was made, so that no change falls between the two. */
export function documentOf(site: Site, page: Page, made: { readonly version: string; readonly nonce: string }): string {
  const { place } = page;
  const title = place === undefined ? page.title : `${page.title} · ${place.name}`;
  return markup`<!doctype html>
<html lang="en" data-version="${made.version}" data-watch="/_pages/version${page.logs === true ? "?logs" : null}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="${styleAddress}">
<link rel="icon" href="/_pages/icon.svg" type="image/svg+xml">
</head>
<body>
<a class="skip" href="#live">Skip to the content</a>
<header class="top">
<div class="bar">
<nav class="crumbs" aria-label="Breadcrumb"><a class="home" href="/"><img src="/_pages/icon.svg" alt="" width="20" height="20"> local GitHub</a>${place === undefined ? null : markup`<span class="sep">/</span><a href="/${ownerOf(place)}">${ownerOf(place)}</a><span class="sep">/</span><a class="strong" href="${place.base}">${place.repo.name}</a>`}</nav>
<span class="who">${site.actAs === null ? "read only" : markup`acting as <a href="/${site.actAs}">@${site.actAs}</a>`}</span>
</div>
${place === undefined ? null : tabsOf(place, page.tab)}
</header>
<main>
<div id="live" tabindex="-1">
${page.live}
</div>
${page.still ?? null}
</main>
<footer>Served by one process on this machine. Times are UTC.</footer>
${page.status === undefined ? markup`<script nonce="${made.nonce}">${trusted(liveScript)}</script>` : null}
</body>
</html>
`.text;
}

function ownerOf(place: Place): string {
  return place.name.split("/")[0]!;
}

function tabsOf(place: Place, current: Tab | undefined): Html {
  const pulls = openPullsOf(place.core.store, place.repo).length;
  const issues = openIssueCount(place.core.store, place.repo) - pulls;
  const tab = (name: Tab, path: string, label: string, count?: number): Html =>
    markup`<a href="${place.base}/${path}"${name === current ? trusted(' aria-current="page"') : null}>${label}${count === undefined ? null : markup` <span class="count">${count}</span>`}</a>`;
  return markup`<nav class="tabs" aria-label="Repository">${[
    tab("issues", "issues", "Issues", issues),
    tab("pulls", "pulls", "Pull requests", pulls),
    tab("actions", "actions", "Actions"),
    tab("code", `tree/${place.repo.defaultBranch}`, "Code"),
  ]}</nav>`;
}
