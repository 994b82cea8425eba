/**
 * What people say to the bot: `/autoresearch WORD` at the beginning of a line of their own text. Quotes, code, what is struck
 * out and headings with `#` are not their own words to the bot, so nothing in them counts. Adding a command breaks
 * `helpText` until it is described.
 *
 * Anybody may write a comment: whatever it holds, it is read in bounded time and gives a bounded answer.
 */
import { closest, distance } from "fastest-levenshtein";
import { type Token, lexer } from "marked";

export const commandWords = ["stop", "pause", "resume", "rerun", "keep", "status", "help"] as const;
export type CommandWord = (typeof commandWords)[number];

export type Command =
  | { readonly [Word in CommandWord]: { readonly kind: Word } }[CommandWord]
  | { readonly kind: "unknown"; readonly text: string; readonly nearest: CommandWord | null };

const prefix = "/autoresearch";
/** In a longer comment nothing is looked for: the time that Markdown takes grows faster than its length. */
const longestComment = 20_000;
/** So many commands of one comment are carried out; the reply must fit into a comment. */
const commandsAtMost = 10;
/** Stands for what is not the author's own text. */
const foreign = "\u0000";

/** The first commands in a comment's Markdown, in order. */
export function parseCommands(markdown: string): Command[] {
  if (markdown.length > longestComment || !mayHoldCommand(markdown)) return [];
  const lines = ownLines(tokensOf(markdown.replaceAll("\r\n", "\n").replaceAll(foreign, " ")));
  return lines
    .flatMap((line) => {
      const match = /^\s*\/autoresearch(?:[ \t]+(\S+)|(?=\s|$))/i.exec(line);
      return match === null || match[1]?.includes(foreign) ? [] : [commandOf(match[1] ?? "")];
    })
    .slice(0, commandsAtMost);
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

function commandOf(word: string): Command {
  const clean = word.toLowerCase().replace(/[.,!?;:]+$/, "");
  const known = commandWords.find((each) => each === clean);
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

/** Lines of paragraphs and list items, without code spans and HTML; blockquotes and code blocks give none. */
function ownLines(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => {
    switch (token.type) {
      case "heading":
        // A line with dashes under it (a signature, say) makes a heading of the text above it, unmeant.
        if (/^ {0,3}#/.test(token.raw)) return [];
        return inlineText(token.tokens ?? []).split("\n");
      case "paragraph":
      case "text":
        return inlineText("tokens" in token && token.tokens !== undefined ? token.tokens : [token]).split("\n");
      case "list":
        return "items" in token ? (token.items as { tokens: Token[] }[]).flatMap((item) => ownLines(item.tokens)) : [];
      default:
        return [];
    }
  });
}

function inlineText(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      if (token.type === "br") return "\n";
      if (token.type === "codespan" || token.type === "html" || token.type === "del") return foreign;
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
