/**
 * HTML that is safe by its type: whatever is put into `markup` is escaped, unless it is `Html` already. The two other ways to
 * make an `Html` are `trusted`, for markup of our own, and `markdown` (markdown.ts), which has passed the sanitizer.
 */

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: null, undefined and false leave nothing behind. */
export type Piece = Html | string | number | null | undefined | false | readonly Piece[];

// Not named `html`: formatters would take the templates for documents and move their white space about.
/** A template of HTML; attributes must be in double quotes. */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(parts.map((part, at) => (at === 0 ? part : textOf(pieces[at - 1]) + part)).join(""));
}

/** Markup that our own code made of nothing foreign. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** Text as it must stand in HTML, in attributes too. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (mark) => entities[mark]!);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function textOf(piece: Piece): string {
  if (piece === null || piece === undefined || piece === false) return "";
  if (piece instanceof Html) return piece.text;
  if (typeof piece === "string") return escaped(piece);
  if (typeof piece === "number") return String(piece);
  return piece.map(textOf).join("");
}

/** `path` with every step encoded: for an address made of a file's name or a branch's. */
export function encodedPath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
