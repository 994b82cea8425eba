/** Commits: a branch's story, one commit, what lies between two. */
import { filesBetween } from "../github/differences.ts";
import type { Commit } from "../github/git-forms.ts";
import { differences } from "./diff.ts";
import { fileHeaders } from "./guard.ts";
import { encodedPath, markup, type Html, type Piece } from "./html.ts";
import { checksAt } from "./at-commit.ts";
import { pager } from "./lists.ts";
import { checkLine, commitLink, count, timeOf } from "./pieces.ts";
import { isNumber, Missing, type Page, type Place } from "./site.ts";

const perPage = 60;

/** The id of the commit that a branch, tag or id names. @throws Missing */
export async function commitAt(place: Place, rev: string): Promise<string> {
  const id = await place.git.resolve(rev);
  if (id === null) throw new Missing(`There is no branch, tag or commit ${rev} in ${place.name}.`);
  return id;
}

async function readCommit(place: Place, sha: string): Promise<Commit> {
  const commit = await place.git.commit(sha);
  if (commit === null) throw new Missing(`There is no commit ${sha} in ${place.name}.`);
  return commit;
}

/** The first-parent log: on a frontier, the story of its session. `from` goes on where a page ended. */
export async function commitsPage(place: Place, ref: string, from: string | null): Promise<Page> {
  const start = await commitAt(place, from ?? ref);
  const listed = await place.git.run(["rev-list", "--first-parent", `--max-count=${perPage + 1}`, start]);
  const ids = listed.split("\n").filter((id) => id !== "");
  const rows = await Promise.all(ids.slice(0, perPage).map((id) => commitRow(place, id)));
  const older = ids[perPage] === undefined ? null : `${place.base}/commits/${encodedPath(ref)}?from=${ids[perPage]}`;
  const live = markup`<h1>Commits of <span class="ref">${ref}</span></h1>
<p class="dim">First parents only: what was merged, in the order of merging. <a href="${place.base}/tree/${encodedPath(ref)}">Files</a></p>
<ul class="rows">${rows}</ul>
${pager(null, older)}`;
  return { title: `Commits of ${ref}`, place, tab: "code", live };
}

/** One commit in a list: its subject, the trailers of its message, who and when. */
export async function commitRow(place: Place, sha: string): Promise<Html> {
  const commit = await readCommit(place, sha);
  const { subject, trailers } = messageOf(commit.message);
  const facts = trailers.map(
    ([name, value]) => markup`<span class="fact">${name} <b>${linked(place, value)}</b></span> `,
  );
  return markup`<li><div><a class="title" href="${place.base}/commit/${sha}">${subject}</a>${commit.parents.length > 1 ? markup` <span class="tag">merge</span>` : null}
${facts.length === 0 ? null : markup`<p class="trailers">${facts}</p>`}<p class="dim">${commit.author.name} · ${timeOf(place.site, commit.author.date)} · ${commitLink(place, sha)}</p></div></li>
`;
}

type Message = {
  readonly subject: string;
  /** Without the trailers. */
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
};

/** A message in its parts; trailers are a last paragraph that has nothing but `Name: value` lines. */
export function messageOf(message: string): Message {
  const [subject = "", ...rest] = message.trimEnd().split("\n");
  const paragraphs = rest
    .join("\n")
    .trim()
    .split(/\n{2,}/);
  const last = (paragraphs.at(-1) ?? "").split("\n").map((line) => /^([A-Z][\w-]*): (.+)$/.exec(line));
  const trailers = last.flatMap((match) => (match === null ? [] : [[match[1]!, match[2]!] as const]));
  if (last.some((match) => match === null)) return { subject, body: paragraphs.join("\n\n"), trailers: [] };
  return { subject, body: paragraphs.slice(0, -1).join("\n\n"), trailers };
}

function linked(place: Place, value: string): Piece {
  const number = /^#(\d{1,9})$/.exec(value)?.[1];
  return number !== undefined && isNumber(place, Number(number))
    ? markup`<a href="${place.base}/issues/${Number(number)}">${value}</a>`
    : value;
}

export async function commitPage(place: Place, rev: string): Promise<Page> {
  const sha = await commitAt(place, rev);
  const commit = await readCommit(place, sha);
  const { subject, body, trailers } = messageOf(commit.message);
  const checks = checksAt(place, sha);
  const parents = commit.parents.map((id) => markup` ${commitLink(place, id)}`);
  const files = await filesBetween(place.git, commit.parents[0] ?? null, sha);
  const live = markup`<h1>${subject}</h1>
<p class="facts">${commit.author.name} · ${timeOf(place.site, commit.author.date)} · <span class="sha">${sha}</span></p>
${body === "" ? null : markup`<pre class="message">${body}</pre>`}
${trailers.length === 0 ? null : markup`<dl class="facts">${trailers.map(([name, value]) => markup`<dt>${name}</dt><dd>${linked(place, value)}</dd>`)}</dl>`}
<p class="dim">${parents.length === 0 ? "no parent" : markup`${parents.length === 1 ? "parent" : "parents"}${parents}`} · <a href="${place.base}/tree/${sha}">files at this commit</a></p>
${checks.length === 0 ? null : markup`<h2 id="checks">Checks</h2><ul class="checks">${checks.map((run) => checkLine(place, run))}</ul>`}
<h2 id="files">Changes${commit.parents.length > 1 ? " against the first parent" : null}</h2>
${differences(place, files, sha)}`;
  return { title: subject, place, tab: "code", live };
}

/** `base...head`: what head has and base has not, from where they parted. */
export async function comparePage(place: Place, basehead: string): Promise<Page | Response> {
  const [left, right] = sidesOf(basehead);
  // A push that made a branch names no commit before it.
  if (/^0+$/.test(left)) return commitsPage(place, right, null);
  const [base, head] = [await commitAt(place, left), await commitAt(place, right)];
  const start = (await place.git.mergeBase(base, head)) ?? base;
  const commits = await place.git.commitsBetween(base, head);
  const shown = commits.toReversed().slice(0, perPage);
  const rows = await Promise.all(shown.map((sha) => commitRow(place, sha)));
  const name = (text: string, id: string): Html =>
    markup`<a class="ref" href="${place.base}/commits/${encodedPath(text)}">${text === id ? id.slice(0, 7) : text}</a>`;
  const live = markup`<h1>${name(left, base)} … ${name(right, head)}</h1>
<p class="dim">${count(commits.length, "commit")} that the second has and the first has not.</p>
<h2 id="files">Changes</h2>
${differences(place, await filesBetween(place.git, start, head), head)}
<h2 id="commits">Commits</h2>
<ul class="rows">${rows}</ul>
${commits.length > perPage ? markup`<p class="empty">${commits.length - perPage} older commits are not shown.</p>` : null}`;
  return { title: `${left}...${right}`, place, tab: "code", live };
}

function sidesOf(basehead: string): [base: string, head: string] {
  const [left, right] = basehead.split("...").map((name) => name.slice(name.indexOf(":") + 1));
  if (left === undefined || right === undefined) throw new Missing("A comparison is written BASE...HEAD.");
  return [left, right];
}

/** The same as git's own text: `diff` is one difference, `patch` the commits as patches. */
export async function compareText(place: Place, basehead: string, form: string): Promise<Response> {
  const [left, right] = sidesOf(basehead);
  const [base, head] = [await commitAt(place, left), await commitAt(place, right)];
  const args =
    form === "patch"
      ? ["format-patch", "--stdout", `${base}..${head}`]
      : ["diff", (await place.git.mergeBase(base, head)) ?? base, head];
  const headers = { ...fileHeaders, "content-type": "text/plain; charset=utf-8" };
  return new Response(await place.git.run(args), { headers });
}
