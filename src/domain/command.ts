/**
 * What people say to the bot: `/autoresearch WORD` at the beginning of a line of their own text. Quotes, code, what is struck
 * out and headings with `#` are not their own words to the bot, so nothing in them counts. Adding a command breaks
 * `helpText` until it is described.
 *
 * Anybody may write a comment: whatever it holds, it is read in bounded time and gives a bounded answer.
 */
import { closest, distance } from "fastest-levenshtein";
import { type Token, lexer } from "marked";
import { redact } from "./secrets.ts";

export const commandWords = [
  "stop",
  "pause",
  "resume",
  "rerun",
  "keep",
  "status",
  "note",
  "try",
  "model",
  "help",
] as const;
export type CommandWord = (typeof commandWords)[number];
type SteeringWord = "note" | "try" | "model";

export type Command =
  | { readonly [Word in Exclude<CommandWord, SteeringWord>]: { readonly kind: Word } }[Exclude<
      CommandWord,
      SteeringWord
    >]
  /** What follows the word, to the end of its paragraph; redacted, one line, empty where nothing was said. */
  | { readonly kind: SteeringWord; readonly text: string }
  | { readonly kind: "unknown"; readonly text: string; readonly nearest: CommandWord | null };

const prefix = "/autoresearch";
/** In a longer comment nothing is looked for: the time that Markdown takes grows faster than its length. */
const longestComment = 20_000;
/** So many commands of one comment are carried out; the reply must fit into a comment. */
const commandsAtMost = 10;
/** Stands for what is not the author's own text; code spans stand between two of them. */
const foreign = "\u0000";
/** Stands for HTML and for what is struck out. */
const gone = "\u0001";
/** Characters of a note that are kept. */
const longestText = 1_000;

/** The first commands in a comment's Markdown, in order. */
export function parseCommands(markdown: string): Command[] {
  if (markdown.length > longestComment || !mayHoldCommand(markdown)) return [];
  const paragraphs = ownParagraphs(
    tokensOf(markdown.replaceAll("\r\n", "\n").replaceAll(foreign, " ").replaceAll(gone, " ")),
  );
  return paragraphs.flatMap(commandsIn).slice(0, commandsAtMost);
}

const opening = /^\s*\/autoresearch(?:[ \t]+(\S+)|(?=\s|$))/i;

/** The commands of one paragraph; the lines below a command, up to the next one, belong to its text. */
function commandsIn(lines: readonly string[]): Command[] {
  const commands: Command[] = [];
  for (const [index, line] of lines.entries()) {
    const match = opening.exec(line);
    if (match === null || !isOwn(match[1] ?? "")) continue;
    const next = lines.findIndex((each, at) => at > index && opening.test(each));
    const below = lines.slice(index + 1, next < 0 ? lines.length : next);
    commands.push(commandOf(match[1] ?? "", [line.slice(match[0].length), ...below].join(" ")));
  }
  return commands;
}

function isOwn(word: string): boolean {
  return !word.includes(foreign) && !word.includes(gone);
}

/** False where a text surely holds no command: it need not be looked at further. */
export function mayHoldCommand(markdown: string): boolean {
  return markdown.toLowerCase().includes(prefix);
}

/** The Markdown's parts; none where it can't be parsed (nested too deep, say): one comment must not stop a session. */
function tokensOf(markdown: string): Token[] {
  try {
    return lexer(markdown);
  } catch {
    return [];
  }
}

/** What a person said, on one line, with code in its quotes again. */
function textOf(rest: string): string {
  const plain = redact(
    rest
      .replaceAll(foreign, "`")
      .replace(/[\s\p{Cc}\p{Cf}]+/gu, " ")
      .trim(),
    [],
  );
  return Array.from(plain).slice(0, longestText).join("");
}

function commandOf(word: string, rest: string): Command {
  const clean = word.toLowerCase().replace(/[.,!?;:]+$/, "");
  const known = commandWords.find((each) => each === clean);
  if (known === "note" || known === "try" || known === "model") return { kind: known, text: textOf(rest) };
  if (known !== undefined) return { kind: known };
  if (clean === "") return { kind: "help" };
  const nearest = closest(clean, [...commandWords]);
  const near = distance(clean, nearest) <= Math.max(2, Math.floor(nearest.length / 2));
  return {
    kind: "unknown",
    text: word.slice(0, 60),
    nearest: near ? commandWords.find((each) => each === nearest)! : null,
  };
}

/** Lines of paragraphs and list items, without HTML; blockquotes and code blocks give none. */
function ownParagraphs(tokens: readonly Token[]): string[][] {
  return tokens.flatMap((token) => {
    switch (token.type) {
      case "heading":
        // A line with dashes under it (a signature, say) makes a heading of the text above it, unmeant.
        if (/^ {0,3}#/.test(token.raw)) return [];
        return [inlineText(token.tokens ?? []).split("\n")];
      case "paragraph":
      case "text":
        return [inlineText("tokens" in token && token.tokens !== undefined ? token.tokens : [token]).split("\n")];
      case "list":
        return "items" in token
          ? (token.items as { tokens: Token[] }[]).flatMap((item) => ownParagraphs(item.tokens))
          : [];
      default:
        return [];
    }
  });
}

function inlineText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === "br") return "\n";
      if (token.type === "html" || token.type === "del") return gone;
      if (token.type === "codespan") return `${foreign}${String(token.text).replace(/\s+/g, " ")}${foreign}`;
      if ("tokens" in token && token.tokens !== undefined && token.type !== "link") return inlineText(token.tokens);
      return token.raw;
    })
    .join("");
}

function meaning(word: CommandWord): string {
  switch (word) {
    case "stop":
      return "ends the session: running trials are cancelled, open experiments are closed as withdrawn";
    case "pause":
      return "starts nothing new; what is training is measured and settled";
    case "resume":
      return "goes on after a pause, or after a block whose cause is mended";
    case "rerun":
      return "on an experiment's pull request: measures it once more, though it was settled";
    case "keep":
      return "on an experiment's pull request: keeps it unless it is worse, however small or unlikely the gain";
    case "status":
      return "says where the session stands";
    case "note":
      return "tells the researcher something that it heeds from then on: `note keep the batch size`";
    case "try":
      return "has the researcher try an idea next; the pull request says who asked: `try weight tying`";
    case "model":
      return "has another model propose from now on: `model NAME`; `model default` as configured again";
    case "help":
      return "lists these commands";
  }
}

/** The reply to `help`, in Markdown. */
export function helpText(): string {
  const rows = commandWords.map((word) => `| \`${prefix} ${word}\` | ${meaning(word)} |`);
  return [
    "Commands, on the issue or on a pull request of the session, at the beginning of a line, by people with write access:",
    "",
    "| command | |",
    "| --- | --- |",
    ...rows,
    "",
    "Closing the issue or taking the label `autoresearch` off does the same as `stop`.",
  ].join("\n");
}
