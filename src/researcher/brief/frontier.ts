/** The part of a brief that changes when something is kept: the code at the frontier. */
import type { Brief, FileText } from "../../domain/proposal.ts";
import { estimateTokens, fenced, keepHead, languageOf } from "./quote.ts";
import type { Shelf } from "./shelf.ts";
import { visibleFile, visibleLine, visibleLog } from "./visible.ts";

/** Bounds. */
export const listingTokens = 2_000;
export const mutableTokens = 40_000;

/** The list of paths, the protected files on the shelf, and the mutable files. */
export function frontierText(brief: Brief, shelf: Shelf): string {
  const protectedFiles = shelf.files.map((file) => fileText(file, "protected", Number.POSITIVE_INFINITY));
  let left = mutableTokens;
  const mutableFiles = brief.files.map((file) => {
    const text = fileText(file, "mutable", Math.max(200, left));
    left -= estimateTokens(text);
    return text;
  });
  return [
    "# The frontier",
    "## Files of the repository",
    fenced(keepHead(visibleLog(shelf.paths.join("\n")), listingTokens)),
    ...protectedFiles,
    ...mutableFiles,
  ].join("\n\n");
}

function fileText({ path, text }: FileText, kind: string, tokens: number): string {
  const seen = visibleFile(path, text);
  const notes = [seen === text ? "" : unseen, estimateTokens(seen) > tokens ? "Cut; read_file shows the rest." : ""];
  const head = keepHead(seen, tokens);
  return [
    `## \`${visibleLine(path, 300).replaceAll("`", "'")}\` (${kind})`,
    ...notes.filter(Boolean),
    fenced(head, languageOf(path)),
  ].join("\n\n");
}

/** Said of a text of which something is not shown. */
export const unseen =
  "Hidden characters or comments of this file are not shown: a piece that you replace must not reach over them.";
