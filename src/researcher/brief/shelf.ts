/** What of the repository lies open beside the brief: the list of paths, and the protected files that the mutable ones use. */
import type { Brief, FileText } from "../../domain/proposal.ts";
import { estimateTokens } from "./quote.ts";

export type Shelf = { readonly paths: readonly string[]; readonly files: readonly FileText[] };

/** Bound of the protected files' text, and how many may be read for it. */
export const shelfTokens = 12_000;
const readAtMost = 12;
const largestTokens = 8_000;

/** Reads the protected files that the program names or the mutable files import, as many as the bound allows. */
export async function shelfOf(brief: Brief): Promise<Shelf> {
  const paths = await brief.library.paths();
  const mutable = new Set(brief.files.map(({ path }) => path));
  // Once, and not for each path: a repository may have tens of thousands.
  const named = words(brief.program);
  const imported = new Set(brief.files.flatMap(({ text }) => [...importsOf(text)]));
  const wanted = paths.filter((path) => !mutable.has(path) && isUsed(path, named, imported)).slice(0, readAtMost);
  const files: FileText[] = [];
  let left = shelfTokens;
  for (const path of wanted) {
    const text = await brief.library.read(path);
    if (text === null) continue;
    const tokens = estimateTokens(text);
    if (tokens > Math.min(left, largestTokens)) continue;
    left -= tokens;
    files.push({ path, text });
  }
  return { paths, files };
}

/** Whether the program names the file, or a mutable Python file imports it. */
function isUsed(path: string, named: ReadonlySet<string>, imported: ReadonlySet<string>): boolean {
  const name = path.split("/").at(-1)!;
  if (!/\.[a-z]{1,6}$/i.test(name)) return false;
  if (named.has(path)) return true;
  const module = /^(?:src\/)?(.+)\.py$/.exec(path)?.[1]?.replaceAll("/", ".");
  return module !== undefined && imported.has(module);
}

function words(text: string): Set<string> {
  return new Set(text.match(/[\w./-]+/g)?.map((word) => word.replace(/[./]+$/, "")) ?? []);
}

function importsOf(text: string): Set<string> {
  const found = new Set<string>();
  for (const match of text.matchAll(/^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([\w., \t]+))/gm)) {
    for (const part of (match[1] ?? match[2]!).split(",")) found.add(part.trim().split(/\s/)[0]!.replace(/^\.+/, ""));
  }
  return found;
}
