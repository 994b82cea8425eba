/** Pages of accounts and apps, and their pictures. */
import type { App, User } from "../github/entities.ts";
import { fileHeaders } from "./guard.ts";
import { escaped, markup } from "./html.ts";
import { frontPage } from "./lists.ts";
import { timeOf } from "./pieces.ts";
import { type Page, placeOfRow, type Site } from "./site.ts";

export function userPage(site: Site, user: User): Page {
  return frontPage(site, user.login);
}

export function appPage(site: Site, app: App): Page {
  const { store } = site.core;
  const repos = store
    .all("installation")
    .filter((installation) => installation.appId === app.id)
    .flatMap((installation) => installation.repositoryIds)
    .flatMap((id) => store.get("repository", id) ?? [])
    .map((repo) => placeOfRow(site, repo));
  const permissions = Object.entries(app.permissions).map(([name, level]) => markup`<dt>${name}</dt><dd>${level}</dd>`);
  const live = markup`<h1>${app.name} <span class="tag">app</span></h1>
<p class="dim">made ${timeOf(site, app.createdAt)}; hears of ${app.events.length === 0 ? "nothing" : app.events.join(", ")}</p>
<h2>Installed on</h2>
<ul class="tree">${repos.map((place) => markup`<li><a href="${place.base}">${place.name}</a></li>`)}</ul>
<h2>Permissions</h2>
<dl class="facts">${permissions}</dl>`;
  return { title: app.name, live };
}

/** A round picture with the first letter of the login, in a colour of its own. */
export function avatarPicture(user: User): Response {
  const hue = (user.id * 137) % 360;
  const shape =
    user.type === "Bot"
      ? `<rect width="40" height="40" rx="9" fill="hsl(${hue} 32% 42%)"/>`
      : `<circle cx="20" cy="20" r="20" fill="hsl(${hue} 32% 42%)"/>`;
  const letter = escaped((user.login[0] ?? "?").toUpperCase());
  const text = `<text x="20" y="27" text-anchor="middle" font-family="system-ui, sans-serif" font-size="19" font-weight="600" fill="#fff">${letter}</text>`;
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">${shape}${text}</svg>\n`;
  const headers = { ...fileHeaders, "content-type": "image/svg+xml", "cache-control": "private, max-age=86400" };
  return new Response(picture, { headers });
}
