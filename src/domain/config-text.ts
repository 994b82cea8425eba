/**
 * From the texts that people write to a `Config` or one sentence that names the place at fault. Both texts are read as
 * YAML 1.2; the front matter of the issue wins over the file, key by key, lists as a whole.
 */
import { closest, distance } from "fastest-levenshtein";
import { type Document, LineCounter, isMap, isScalar, parseDocument } from "yaml";
import type { z } from "zod";
import { type Config, configSchema } from "./config.ts";
import { configPath } from "./names.ts";

/** A text that holds configuration, as people call it, and the line it begins on in what they see. */
type Source = { readonly name: string; readonly text: string; readonly firstLine: number };

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problem: string };

/** The issue's body in two: its YAML front matter (null when there is none) and the program's text. */
export function splitFrontMatter(body: string): { frontMatter: string | null; firstLine: number; text: string } {
  const normal = body.replaceAll("\r\n", "\n").replace(/^\uFEFF/, "");
  // A form puts a heading before what was typed into its field.
  const heading = /^(?:[ \t]*\n)*(?:### [^\n]*\n(?:[ \t]*\n)*)?/.exec(normal)![0];
  const rest = normal.slice(heading.length);
  const firstLine = heading.split("\n").length + 1;
  const match = /^---[ \t]*\n((?:[^\n]*\n)*?)---[ \t]*(?:\n|$)/.exec(rest);
  if (match !== null) return { frontMatter: match[1]!, firstLine, text: rest.slice(match[0].length).trim() };
  // Without its end all of it is configuration: better an error than a session on defaults that nobody meant.
  const open = /^---[ \t]*\n(?=[\w-]+:)/.exec(rest);
  if (open !== null) return { frontMatter: rest.slice(open[0].length), firstLine, text: "" };
  return { frontMatter: null, firstLine: 1, text: rest.trim() };
}

/** The session's configuration from the file (null: there is none) and the issue's body, or what is wrong with them. */
export function readConfig(fileText: string | null, issueBody: string): ConfigResult {
  const { frontMatter, firstLine } = splitFrontMatter(issueBody);
  const sources: Source[] = [];
  if (fileText !== null) sources.push({ name: `\`${configPath}\``, text: fileText, firstLine: 1 });
  if (frontMatter !== null) sources.push({ name: "The issue", text: frontMatter, firstLine });

  const parsed: { source: Source; document: Document; lines: LineCounter }[] = [];
  for (const source of sources) {
    const lines = new LineCounter();
    const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false });
    const error = document.errors[0];
    if (error !== undefined) {
      const line = lines.linePos(error.pos[0]).line + source.firstLine - 1;
      return {
        ok: false,
        problem: `${source.name} line ${line}: this is not valid YAML: ${firstSentence(error.message)}.`,
      };
    }
    if (document.contents !== null && !isMap(document.contents) && !isEmpty(document)) {
      return { ok: false, problem: `${source.name} line ${source.firstLine}: expected \`key: value\` lines.` };
    }
    parsed.push({ source, document, lines });
  }

  let merged: unknown = {};
  for (const { source, document } of parsed) {
    try {
      merged = mergeDeep(merged, document.toJS() ?? {});
    } catch {
      // Aliases that stand for more and more of each other, say.
      return { ok: false, problem: `${source.name}: this YAML can't be read as a configuration.` };
    }
  }
  const result = configSchema.safeParse(merged);
  if (result.success) return { ok: true, config: result.data };

  const issue = result.error.issues[0]!;
  const path = issue.path.filter((part): part is string | number => typeof part !== "symbol");
  const at = issue.code === "unrecognized_keys" ? [...path, issue.keys[0]!] : path;
  const place = placeOf(parsed.toReversed(), at) ?? "The configuration";
  return { ok: false, problem: `${place}: ${sentenceOf(issue, at, merged)}` };
}

function isEmpty(document: Document): boolean {
  return isScalar(document.contents) && document.contents.value === null;
}

function firstSentence(message: string): string {
  return message.split(/[\n;]/)[0]!.replace(/[.:\s]+$/, "");
}

/** Later values win; maps are merged, everything else is replaced. */
function mergeDeep(below: unknown, above: unknown): unknown {
  if (!isRecord(below) || !isRecord(above)) return above;
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    merged.set(key, merged.has(key) ? mergeDeep(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** `file line N` of the text that holds the path; the last source that names it is the one that counts. */
function placeOf(
  parsed: readonly { source: Source; document: Document; lines: LineCounter }[],
  path: readonly (string | number)[],
): string | null {
  for (const { source, document, lines } of parsed) {
    const offset = offsetOf(document, path);
    if (offset !== null) return `${source.name} line ${lines.linePos(offset).line + source.firstLine - 1}`;
  }
  return null;
}

function offsetOf(document: Document, path: readonly (string | number)[]): number | null {
  const parent = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === last);
    if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0] ?? null;
  }
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  return isScalar(node) || isMap(node) ? (node.range?.[0] ?? null) : null;
}

function sentenceOf(issue: z.core.$ZodIssue, path: readonly (string | number)[], given: unknown): string {
  const name = path.join(".");
  if (issue.code === "unrecognized_keys") return `I don't know the key \`${name}\`${nearestKey(path)}`;
  const value = path.reduce<unknown>(
    (at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined),
    given,
  );
  const message = issue.code === "invalid_type" && isRecord(value) ? "must be a single value" : plain(issue.message);
  return `\`${name}\` ${message}${value === undefined ? "" : `, got \`${show(value)}\``}.`;
}

function plain(message: string): string {
  return message.startsWith("must") ? message : "is not of the form expected here";
}

function show(value: unknown): string {
  const strange = typeof value === "number" && !Number.isFinite(value);
  const text = typeof value === "string" ? value : strange ? String(value) : JSON.stringify(value);
  return text.replaceAll("`", "'").slice(0, 80);
}

function nearestKey(path: readonly (string | number)[]): string {
  const word = String(path.at(-1));
  let shape: unknown = configSchema.parse({});
  for (const part of path.slice(0, -1)) shape = isRecord(shape) ? shape[String(part)] : undefined;
  const known = isRecord(shape) ? Object.keys(shape) : [];
  if (known.length === 0) return ".";
  const best = closest(word, known);
  return distance(word, best) <= Math.max(2, word.length / 3) ? `. Did you mean \`${best}\`?` : ".";
}
