/** Differences, coloured line by line; in a line that was replaced by one line, what differs is marked. */
import type { FileDifference } from "../github/differences.ts";
import { encodedPath, markup, type Html, type Piece } from "./html.ts";
import { count } from "./pieces.ts";
import type { Place } from "./site.ts";

const shownLines = 1_000;
const shownFiles = 300;

/** All files of a difference; `at` is the commit after it. */
export function differences(place: Place, files: readonly FileDifference[], at: string): Html {
  if (files.length === 0) return markup`<p class="empty">Nothing differs.</p>`;
  const added = files.reduce((sum, file) => sum + file.additions, 0);
  const deleted = files.reduce((sum, file) => sum + file.deletions, 0);
  return markup`<p class="dim">${count(files.length, "file")} changed, ${counts(added, deleted)}</p>
${files.slice(0, shownFiles).map((file) => fileSection(place, file, at))}
${files.length > shownFiles ? markup`<p class="empty">${files.length - shownFiles} more files are not shown.</p>` : null}`;
}

function counts(added: number, deleted: number): Html {
  return markup`<span class="good">+${added}</span> <span class="bad">−${deleted}</span>`;
}

function fileSection(place: Place, file: FileDifference, at: string): Html {
  const name = file.previousPath === null ? file.path : `${file.previousPath} → ${file.path}`;
  const link =
    file.status === "removed" ? name : markup`<a href="${place.base}/blob/${at}/${encodedPath(file.path)}">${name}</a>`;
  const word = file.status === "modified" ? null : markup` <span class="tag">${file.status}</span>`;
  return markup`<section class="file"><header>${link}${word} ${counts(file.additions, file.deletions)}</header>
${file.patch === null ? markup`<p class="empty">No text to compare.</p>` : patchTable(file.patch)}</section>
`;
}

type Line = {
  readonly kind: "add" | "del" | "same" | "hunk" | "note";
  readonly before: number | null;
  readonly after: number | null;
  readonly text: string;
};

function patchTable(patch: string): Html {
  const lines = linesOf(patch);
  const rows = marked(lines.slice(0, shownLines));
  const rest = lines.length - shownLines;
  return markup`<div class="scroll"><table class="diff">${rows}</table></div>${rest > 0 ? markup`<p class="empty">${rest} more lines are not shown.</p>` : null}`;
}

/** The lines of a patch with their numbers before and after. */
export function linesOf(patch: string): Line[] {
  let [before, after] = [0, 0];
  return patch.split("\n").map((line): Line => {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (hunk !== null) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      return { kind: "hunk", before: null, after: null, text: line };
    }
    const text = line.slice(1);
    if (line.startsWith("+")) return { kind: "add", before: null, after: after++, text };
    if (line.startsWith("-")) return { kind: "del", before: before++, after: null, text };
    if (line.startsWith("\\")) return { kind: "note", before: null, after: null, text: text.trim() };
    return { kind: "same", before: before++, after: after++, text };
  });
}

function marked(lines: readonly Line[]): Html[] {
  const twins = twinsOf(lines);
  return lines.map((line, at) => {
    const twin = twins.get(at);
    return row(line, twin === undefined ? line.text : withMark(line.text, twin));
  });
}

/** For each line that was replaced by exactly one other (runs of equal length, in order): the text of the other. */
function twinsOf(lines: readonly Line[]): Map<number, string> {
  const twins = new Map<number, string>();
  for (let at = 0; at < lines.length;) {
    const gone = runLength(lines, at, "del");
    const come = runLength(lines, at + gone, "add");
    if (gone > 0 && gone === come) {
      for (let step = 0; step < gone; step += 1) {
        twins.set(at + step, lines[at + gone + step]!.text);
        twins.set(at + gone + step, lines[at + step]!.text);
      }
    }
    at += Math.max(1, gone + come);
  }
  return twins;
}

function runLength(lines: readonly Line[], from: number, kind: Line["kind"]): number {
  let to = from;
  while (lines[to]?.kind === kind) to += 1;
  return to - from;
}

/** The text with its own part marked, where it shares enough with the other that the mark says something. */
function withMark(text: string, other: string): Piece {
  const [mine, theirs] = [text.match(/\w+|\s+|[^\w\s]/g) ?? [], other.match(/\w+|\s+|[^\w\s]/g) ?? []];
  const shortest = Math.min(mine.length, theirs.length);
  let start = 0;
  while (start < shortest && mine[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < shortest - start && mine.at(-1 - end) === theirs.at(-1 - end)) end += 1;
  const own = mine.slice(start, mine.length - end).join("");
  if (own === "" || start + end === 0) return text;
  return markup`${mine.slice(0, start).join("")}<mark>${own}</mark>${mine.slice(mine.length - end).join("")}`;
}

const signs = { add: "+", del: "−", same: " ", hunk: "", note: "" } as const;

function row(line: Line, text: Piece): Html {
  if (line.kind === "hunk" || line.kind === "note")
    return markup`<tr class="${line.kind}"><td colspan="3"></td><td>${text}</td></tr>
`;
  return markup`<tr class="${line.kind}"><td class="n">${line.before}</td><td class="n">${line.after}</td><td class="mark">${signs[line.kind]}</td><td>${text}</td></tr>
`;
}
