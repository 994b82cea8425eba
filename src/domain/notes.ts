/**
 * `notes.md` on the results branch: the memory of a session. The researcher adds to it, people may edit it, and nothing
 * that a person wrote is lost by an addition: items are put into the text as it stands.
 *
 * Always: whatever the text is, reading it gives bounded lists; adding the same twice is adding it once.
 */
import type { Insights, Notes } from "./proposal.ts";

type Section = keyof Notes;

const sections: readonly { readonly name: Section; readonly title: string; readonly told: RegExp }[] = [
  { name: "foreclosed", title: "Foreclosed avenues", told: /foreclos|avenue|dead|hopeless/i },
  { name: "lessons", title: "Lessons", told: /lesson|learn/i },
  { name: "ideas", title: "Ideas not tried yet", told: /idea/i },
];
/** The order in the file. */
const shown = ["ideas", "lessons", "foreclosed"] as const;

const preamble =
  "# Notes of the session\n\nThe researcher reads these lists before each proposal and adds to them. People with write access may edit them: what is said here counts.\n";

/** Items that a list holds, the newest; characters of one. */
const itemsAtMost = 30;
const itemLength = 300;
/** A longer file is read and not added to any more. */
const longestFile = 200_000;

function clean(text: string): string {
  const plain = text
    .replace(/<!--[\s\S]*?(?:-->|$)/g, " ")
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return Array.from(plain).slice(0, itemLength).join("").trim();
}

type Item = { readonly from: number; to: number; text: string };
type Found = { readonly heading: number; readonly items: Item[] };

/** Where each section and its items stand; lines of an item that go on are indented. */
function find(lines: readonly string[]): Map<Section, Found> {
  const found = new Map<Section, Found>();
  let here: Found | null = null;
  let item: Item | null = null;
  for (const [index, line] of lines.entries()) {
    const heading = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(line);
    const bullet = /^ {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+(.*)$/.exec(line);
    if (heading !== null) {
      const section = sections.find(({ told }) => told.test(heading[1]!));
      here = section === undefined ? null : (found.get(section.name) ?? { heading: index, items: [] });
      if (section !== undefined && here !== null) found.set(section.name, here);
      item = null;
    } else if (bullet !== null && here !== null) {
      item = { from: index, to: index, text: bullet[1]! };
      here.items.push(item);
    } else if (item !== null && /^[ \t]+\S/.test(line)) {
      item.to = index;
      item.text += ` ${line}`;
    } else item = null;
  }
  return found;
}

/** The lists in the text, leniently: headings of any level that say what they are about, any kind of list. */
export function parseNotes(text: string): Notes {
  const found = find(text.replace(/\r\n?/g, "\n").slice(0, longestFile).split("\n"));
  const listOf = (name: Section) =>
    (found.get(name)?.items ?? [])
      .map((item) => clean(item.text))
      .filter((item) => item !== "")
      .slice(-itemsAtMost);
  return { ideas: listOf("ideas"), lessons: listOf("lessons"), foreclosed: listOf("foreclosed") };
}

function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}.]+/gu) ?? []);
}

/** Whether two phrases speak of the same change, in nearly the same words. */
function isAlike(a: string, b: string): boolean {
  const [one, other] = [words(a), words(b)];
  const all = one.union(other).size;
  return all > 0 && one.intersection(other).size / all >= 0.7;
}

/** The notes with what a researcher learnt, and without the ideas that were tried. `text` null: there is no file yet. */
export function addNotes(text: string | null, insights: Insights, tried: string): string | null {
  if (text !== null && text.length > longestFile) return text;
  let lines = text === null ? null : text.replace(/\r\n?/g, "\n").split("\n");
  const news: Readonly<Record<Section, readonly string[]>> = {
    ideas: insights.ideas,
    lessons: insights.lesson === null ? [] : [insights.lesson],
    foreclosed: insights.foreclosed,
  };
  if (lines !== null) lines = withoutTried(lines, tried);
  for (const name of shown) {
    const known = lines === null ? [] : (find(lines).get(name)?.items ?? []).map((item) => clean(item.text));
    const cleaned = news[name].map(clean).filter((item) => item !== "" && !known.includes(item));
    const fresh = [...new Set(cleaned)].filter((item) => name !== "ideas" || !isAlike(item, tried));
    if (fresh.length > 0) lines = withItems(lines ?? emptyFile(), name, fresh);
  }
  return lines === null ? null : lines.join("\n");
}

function emptyFile(): string[] {
  const titles = shown.map((name) => `## ${sections.find((each) => each.name === name)!.title}\n`);
  return [preamble, ...titles].join("\n").split("\n");
}

function withoutTried(lines: string[], tried: string): string[] {
  const gone = (find(lines).get("ideas")?.items ?? []).filter((item) => isAlike(clean(item.text), tried));
  return lines.filter((_, index) => !gone.some((item) => item.from <= index && index <= item.to));
}

function withItems(lines: string[], name: Section, fresh: readonly string[]): string[] {
  const there = find(lines).get(name);
  if (there === undefined) {
    const { title } = sections.find((each) => each.name === name)!;
    return withItems([...lines, `## ${title}`, ""], name, fresh);
  }
  const last = there.items.at(-1);
  const after = last?.to ?? there.heading;
  const rest = lines.slice(after + 1);
  const gap = last === undefined ? [""] : [];
  // An indented line below would be taken for the rest of the last item.
  const end = /^[ \t]+\S/.test(rest[0] ?? "") ? [""] : [];
  const added = [...lines.slice(0, after + 1), ...gap, ...fresh.map((item) => `- ${item}`), ...end, ...rest];
  const over = find(added).get(name)!.items.slice(0, -itemsAtMost);
  return added.filter((_, index) => !over.some((item) => item.from <= index && index <= item.to));
}

/** The notes as they will be with what an experiment that is still open has learnt. */
export function withInsights(notes: Notes, insights: Insights): Notes {
  const joined = (list: readonly string[], more: readonly string[]) =>
    [...new Set([...list, ...more.map(clean).filter((item) => item !== "")])].slice(-itemsAtMost);
  return {
    ideas: joined(notes.ideas, insights.ideas),
    lessons: joined(notes.lessons, insights.lesson === null ? [] : [insights.lesson]),
    foreclosed: joined(notes.foreclosed, insights.foreclosed),
  };
}
