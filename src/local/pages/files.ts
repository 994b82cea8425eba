/** Files and folders of a commit. An address has the ref and the path in one piece, and refs hold slashes. */
import type { GitObject } from "../github/git-objects.ts";
import { entryType, parseTree, type TreeEntry } from "../github/git-forms.ts";
import { isNumber, Missing, type Page, type Place } from "./site.ts";
import { fileHeaders } from "./guard.ts";
import { commitAt } from "./history.ts";
import { encodedPath, markup, type Html, type Piece } from "./html.ts";
import { markdownFile } from "./markdown.ts";
import { commitLink } from "./pieces.ts";

type Spot = { readonly ref: string; readonly sha: string; readonly path: string };

/** Takes `autoresearch/1/results/progress.svg` apart: the first beginning that names a commit is the ref. @throws Missing */
async function spotOf(place: Place, refAndPath: string): Promise<Spot> {
  const steps = refAndPath.replace(/\/+$/, "").split("/");
  // git allows no branch below another, so at most one beginning is a branch.
  for (let length = 1; length <= steps.length; length += 1) {
    const ref = steps.slice(0, length).join("/");
    const sha = await place.git.resolve(ref);
    if (sha !== null) return { ref, sha, path: steps.slice(length).join("/") };
  }
  throw new Missing(`There is no branch, tag or commit ${refAndPath} in ${place.name}.`);
}

async function objectAt(place: Place, spot: Spot): Promise<GitObject> {
  const object = await place.git.object(`${spot.sha}:${spot.path}`);
  if (object === null) throw new Missing(`There is no ${spot.path} in ${spot.ref}.`);
  return object;
}

const contentTypes: Readonly<Record<string, string>> = {
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
};

/** The bytes of a file. Anything that is no picture is text, or a download: never a document of this site. */
export async function rawFile(place: Place, refAndPath: string): Promise<Response> {
  const spot = await spotOf(place, refAndPath);
  const { content, type } = await objectAt(place, spot);
  if (type !== "blob") throw new Missing(`${spot.path} is not a file.`);
  const isFixed = spot.ref === spot.sha;
  return new Response(new Uint8Array(content), {
    headers: {
      ...fileHeaders,
      "content-type":
        pictureType(spot.path) ?? (isText(content) ? "text/plain; charset=utf-8" : "application/octet-stream"),
      "cache-control": isFixed ? "private, max-age=31536000, immutable" : "no-cache",
    },
  });
}

function pictureType(path: string): string | undefined {
  const end = path.toLowerCase().split(".").at(-1) ?? "";
  return Object.hasOwn(contentTypes, end) ? contentTypes[end] : undefined;
}

function isText(content: Buffer): boolean {
  return !content.subarray(0, 8_000).includes(0);
}

export async function blobPage(place: Place, refAndPath: string): Promise<Page> {
  const spot = await spotOf(place, refAndPath);
  const object = await objectAt(place, spot);
  if (object.type !== "blob") return treePage(place, refAndPath);
  const raw = `${place.base}/raw/${encodedPath(spot.ref)}/${encodedPath(spot.path)}`;
  const live = markup`<h1 class="path">${crumbs(place, spot)}</h1>
<p class="dim">${refLine(place, spot)} · ${object.content.length.toLocaleString("en")} bytes · <a href="${raw}">raw</a></p>
${fileView(place, spot, object.content, raw)}`;
  return { title: spot.path, place, tab: "code", live };
}

const shownLines = 5_000;

function fileView(place: Place, spot: Spot, content: Buffer, raw: string): Html {
  if (pictureType(spot.path) !== undefined) return markup`<p class="picture"><img src="${raw}" alt="${spot.path}"></p>`;
  if (!isText(content)) return markup`<p class="empty">This file is not text.</p>`;
  const text = content.toString("utf8").replaceAll("\r\n", "\n");
  if (spot.path.endsWith(".tsv")) return tsvTable(place, text);
  if (spot.path.endsWith(".md")) return markup`<div class="md box-body">${markdownFile(text, place)}</div>`;
  const lines = text.replace(/\n$/, "").split("\n");
  const rows = lines.slice(0, shownLines).map(
    (line, at) => markup`<tr id="L${at + 1}"><td class="n"><a href="#L${at + 1}">${at + 1}</a></td><td>${line}</td></tr>
`,
  );
  const rest = lines.length - shownLines;
  return markup`<div class="scroll file"><table class="code">${rows}</table></div>${rest > 0 ? markup`<p class="empty">${rest} more lines are in the raw file.</p>` : null}`;
}

/** A table of tab-separated values, its first line the head; commits and pull requests are links. */
function tsvTable(place: Place, text: string): Html {
  const [head = [], ...rows] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
  const cell = (value: string, column: string | undefined): Piece => {
    if ((column === "commit" || column === "parent") && /^[0-9a-f]{7,40}$/.test(value)) return commitLink(place, value);
    if (column === "pull_request" && /^\d{1,9}$/.test(value) && isNumber(place, Number(value)))
      return markup`<a href="${place.base}/pull/${value}">#${value}</a>`;
    return value;
  };
  const body = rows.map(
    (row) =>
      markup`<tr class="${row[head.indexOf("outcome")] ?? ""}">${row.map((value, at) => markup`<td class="${cellClass(value)}">${cell(value, head[at])}</td>`)}</tr>
`,
  );
  return markup`<div class="scroll wide"><table class="values"><thead><tr>${head.map((name) => markup`<th>${name}</th>`)}</tr></thead><tbody>${body}</tbody></table></div>`;
}

function cellClass(value: string): string {
  if (/^-?[\d.]+$/.test(value)) return "number";
  return value.length > 32 ? "long" : "short";
}

export async function treePage(place: Place, refAndPath: string): Promise<Page> {
  const spot = await spotOf(place, refAndPath);
  const object = await objectAt(place, spot);
  if (object.type !== "tree") return blobPage(place, refAndPath);
  const entries = parseTree(object.content).sort(
    (a, b) =>
      Number(entryType(b.mode) === "tree") - Number(entryType(a.mode) === "tree") || a.name.localeCompare(b.name),
  );
  const readme = entries.find((entry) => /^readme\.md$/i.test(entry.name));
  const live = markup`<h1 class="path">${crumbs(place, spot)}</h1>
<p class="dim">${refLine(place, spot)} · <a href="${place.base}/commits/${encodedPath(spot.ref)}">commits</a> · <a href="${place.base}/branches">branches</a></p>
${entries.length === 0 ? markup`<p class="empty">This folder is empty.</p>` : markup`<ul class="tree">${entries.map((entry) => treeRow(place, spot, entry))}</ul>`}
${readme === undefined ? null : await readmeOf(place, spot, readme)}`;
  return { title: spot.path === "" ? spot.ref : spot.path, place, tab: "code", live };
}

function treeRow(place: Place, spot: Spot, entry: TreeEntry): Html {
  const path = [spot.path, entry.name].filter((step) => step !== "").join("/");
  const type = entryType(entry.mode);
  if (type === "commit") return markup`<li>${entry.name} <span class="dim">submodule</span></li>`;
  const address = `${place.base}/${type}/${encodedPath(spot.ref)}/${encodedPath(path)}`;
  return markup`<li><a href="${address}">${entry.name}${type === "tree" ? "/" : null}</a></li>
`;
}

async function readmeOf(place: Place, spot: Spot, entry: TreeEntry): Promise<Html> {
  const path = [spot.path, entry.name].filter((step) => step !== "").join("/");
  const { content } = await objectAt(place, { ...spot, path });
  return markup`<div class="md box-body">${markdownFile(content.toString("utf8"), place)}</div>`;
}

function crumbs(place: Place, spot: Spot): Html {
  const steps = spot.path === "" ? [] : spot.path.split("/");
  const root = markup`<a href="${place.base}/tree/${encodedPath(spot.ref)}">${place.repo.name}</a>`;
  const links = steps.map((step, at) => {
    const path = steps.slice(0, at + 1).join("/");
    const isLast = at === steps.length - 1;
    return markup` / ${isLast ? step : markup`<a href="${place.base}/tree/${encodedPath(spot.ref)}/${encodedPath(path)}">${step}</a>`}`;
  });
  return markup`${root}${links}`;
}

function refLine(place: Place, spot: Spot): Html {
  const commit = commitLink(place, spot.sha);
  return spot.ref === spot.sha
    ? markup`at ${commit}`
    : markup`<a class="ref" href="${place.base}/tree/${encodedPath(spot.ref)}">${spot.ref}</a> at ${commit}`;
}

export async function branchesPage(place: Place): Promise<Page> {
  const names = [...place.git.refs.keys()]
    .filter((ref) => ref.startsWith("refs/heads/"))
    .map((ref) => ref.slice("refs/heads/".length));
  const rows = await Promise.all(
    names.map(async (name) => {
      const sha = await commitAt(place, name);
      const subject = (await place.git.commit(sha))?.message.split("\n", 1)[0] ?? "";
      const isDefault = name === place.repo.defaultBranch;
      return markup`<li><div><a class="title" href="${place.base}/commits/${encodedPath(name)}">${name}</a>${isDefault ? markup` <span class="tag">default</span>` : null}
<p class="dim">${commitLink(place, sha)} ${subject} · <a href="${place.base}/tree/${encodedPath(name)}">files</a>${isDefault ? null : markup` · <a href="${place.base}/compare/${encodedPath(place.repo.defaultBranch)}...${encodedPath(name)}">compare</a>`}</p></div></li>
`;
    }),
  );
  return { title: "Branches", place, tab: "code", live: markup`<h1>Branches</h1><ul class="rows">${rows}</ul>` };
}
