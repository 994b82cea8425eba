/** The part of a brief that changes when something is kept: the code at the frontier. */
import type { Brief, FileText } from "../../domain/proposal.ts";
import { estimateTokens, fenced, keepHead, languageOf } from "./quote.ts";
import type { Workplace } from "./rules.ts";
import type { Shelf } from "./shelf.ts";
import { visibleFile, visibleLine, visibleLog } from "./visible.ts";

/** Bounds. */
export const listingTokens = 2_000;
export const mutableTokens = 40_000;
/** Of the mutable files' bound: what a heading may take, the least that is shown of a file, and the names of the others. */
const headingTokens = 400;
const leastTokens = 200;
const namesTokens = 1_500;

const rest: Readonly<Record<Workplace, string>> = { tools: "read_file shows", folder: "the folder holds" };

/** The list of paths, the protected files on the shelf, and the mutable files. */
export function frontierText(brief: Brief, shelf: Shelf, workplace: Workplace): string {
  const protectedFiles = shelf.files.map((file) =>
    fileText(file, { kind: "protected", tokens: Number.POSITIVE_INFINITY, workplace }),
  );
  return [
    "# The frontier",
    "## Files of the repository",
    fenced(keepHead(visibleLog(shelf.paths.join("\n")), listingTokens)),
    ...protectedFiles,
    ...mutableTexts(brief.files, workplace),
  ].join("\n\n");
}

/** The files one after the other as far as the bound reaches, then the names of the others. */
function mutableTexts(files: readonly FileText[], workplace: Workplace): string[] {
  const texts: string[] = [];
  let left = mutableTokens - namesTokens;
  for (const file of files) {
    if (left < headingTokens + leastTokens) break;
    const text = fileText(file, { kind: "mutable", tokens: left - headingTokens, workplace });
    left -= estimateTokens(text);
    texts.push(text);
  }
  const others = files.slice(texts.length).map(({ path }) => visibleLine(path, pathLength));
  if (others.length === 0) return texts;
  const heading = `## Mutable files that are not shown (${others.length}); ${rest[workplace]} them`;
  return [...texts, `${heading}\n\n${fenced(keepHead(others.join("\n"), namesTokens - headingTokens))}`];
}

const pathLength = 300;

function fileText(
  { path, text }: FileText,
  { kind, tokens, workplace }: { kind: "mutable" | "protected"; tokens: number; workplace: Workplace },
): string {
  const seen = visibleFile(path, text);
  const isCut = estimateTokens(seen) > tokens;
  const notes = [seen === text ? "" : unseen, isCut ? `Cut; ${rest[workplace]} the rest.` : ""];
  const head = keepHead(seen, tokens);
  return [
    `## \`${visibleLine(path, pathLength).replaceAll("`", "'")}\` (${kind})`,
    ...notes.filter(Boolean),
    fenced(head, languageOf(path)),
  ].join("\n\n");
}

/** Said of a text of which something is not shown. */
export const unseen =
  "Hidden characters or comments of this file are not shown: a piece that you replace must not reach over them.";
