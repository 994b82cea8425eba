/**
 * Files of settings (YAML, TOML, JSON) by what a program reads of them: without comments, blank lines and the width of a gap,
 * and with their seeds masked. As with code it errs on the side of "different".
 */
import { Lexer } from "yaml";
import type { FileText } from "../domain/proposal.ts";
import { isSeedName } from "./seed-name.ts";

export function isSettings(path: string): boolean {
  return formOf(path) !== undefined;
}

const forms = { yaml: yamlParts, yml: yamlParts, toml: tomlParts, json: jsonParts } as const;

function formOf(path: string) {
  const extension = /\.(ya?ml|toml|json)$/.exec(path)?.[1];
  return extension === undefined ? undefined : forms[extension as keyof typeof forms];
}

/** The settings of a file, line by line: a string that spans lines stands in one, so that none of its lines looks like a setting. */
export function settingsOf({ path, text }: FileText): string[] {
  const parts: string[] = [];
  let isAtLineStart = true;
  for (const part of formOf(path)!(text.replaceAll(/\r\n?/g, "\n"))) {
    if (/^[ \t]+$/.test(part)) parts.push(isAtLineStart ? part : " ");
    else if (part.length === 1 || !part.includes("\n")) parts.push(part);
    else parts.push(JSON.stringify(part.trimEnd()), part.endsWith("\n") ? "\n" : "");
    isAtLineStart = part.endsWith("\n");
  }
  return parts
    .join("")
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
}

/** By YAML's own lexer, which takes whatever it is given: a `#` begins a comment in some places and not in others. */
function* yamlParts(text: string): Generator<string> {
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    const isMark: boolean = !isScalar && ["\u0002", "\u0018", "\u001F"].includes(lexeme);
    if (!isMark && (isScalar || !lexeme.startsWith("#"))) yield lexeme;
    isScalar = isMark && lexeme === "\u001F";
  }
}

const tomlPart =
  /"""(?:[^"\\]|\\[^]|"(?!""))*(?:"{3,5}|$)|'''(?:[^']|'(?!''))*(?:'{3,5}|$)|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|#.*|\n|[ \t]+|[^"'#\s]+|\s/g;

function* tomlParts(text: string): Generator<string> {
  for (const [part] of text.matchAll(tomlPart)) if (!part.startsWith("#")) yield part;
}

/** JSON has no comments, and no white space outside of strings means anything. */
function* jsonParts(text: string): Generator<string> {
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\[^])*"?|[^"\s]+/g)) yield part;
}

/** A name with a whole number, or a string to be passed over. A string need not end: it is the rest of the line, then. */
const setting = /(?<![\w.-])(["']?)([\w.-]+)\1\s*[:=]\s*[-+]?\d\w*(?![.\w])|"(?:[^"\\]|\\.)*"?|'[^']*'?/g;
const seed = "<seed>";

/** The lines without what they say of a seed. A line that says nothing else is left out, as if it were not there. */
export function withoutSeeds(lines: readonly string[]): string[] {
  return lines
    .map((line) =>
      line
        .replaceAll(setting, (all: string, _quote: unknown, name: string | undefined) =>
          name !== undefined && isSeedName(name.split(".").at(-1)!) ? seed : all,
        )
        .replaceAll(/<seed>, ?|,? ?<seed>/g, ""),
    )
    .filter((line) => line.trim() !== "");
}
