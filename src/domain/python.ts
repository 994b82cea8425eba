/**
 * As much of Python's grammar as it takes to tell a change of code from a change of its looks: logical lines of tokens,
 * without comments, docstrings, blank lines and the width of an indentation. Strings are kept letter by letter.
 *
 * It errs on the side of "different": what it can't read is kept as it stands.
 */

/** One logical line: how deep it is indented, its tokens, and on how many lines of the file something of them stands. */
export type Statement = { readonly level: number; readonly tokens: readonly string[]; readonly lines: number };

export function isPython(path: string): boolean {
  return /\.pyw?$/.test(path);
}

const opening = /^[rRbBuUfFtT]{0,2}("""|'''|"|')/;
const word =
  /^(?:[\p{L}_][\p{L}\p{N}_]*|\.?\d(?:[eE][+-]|[\w.])*|\*\*=?|\/\/=?|<<=?|>>=?|[-+*/%&|^=!<>@:]=|->|\.\.\.)/u;
const openers = "([{";
const closers = ")]}";

/** The statements of a module. A line that holds nothing but strings is a docstring, and left out. */
export function statementsOf(text: string): Statement[] {
  const source = text.replaceAll(/\r\n?/g, "\n");
  const statements: Statement[] = [];
  const indents = [0];
  let at = 0;
  while (at < source.length) {
    const indent = /^[ \t\f]*/.exec(source.slice(at, at + 1_000))![0];
    const { tokens, lines, end } = readLine(source, at + indent.length);
    at = end;
    if (tokens.length === 0) continue;
    const width = indent.replaceAll("\t", "        ").length;
    while (width < indents.at(-1)!) indents.pop();
    if (width > indents.at(-1)!) indents.push(width);
    const isDocstring = tokens.every((token) => opening.test(token) && !/^[a-z]{0,2}f/i.test(token));
    if (!isDocstring) statements.push({ level: indents.length - 1, tokens, lines });
  }
  return statements;
}

/** The tokens up to the end of the logical line that begins at `start`, their lines, and where the next one begins. */
function readLine(source: string, start: number): { tokens: string[]; lines: number; end: number } {
  const tokens: string[] = [];
  let [depth, lines] = [0, 0];
  let isCounted = false;
  let at = start;
  while (at < source.length) {
    const char = source[at]!;
    if (char === "\n" && depth === 0) return { tokens, lines, end: at + 1 };
    if (char === "#") {
      const end = source.indexOf("\n", at);
      at = end === -1 ? source.length : end;
    } else if (char === "\n" || source.startsWith("\\\n", at)) {
      isCounted = false;
      at += char === "\n" ? 1 : 2;
    } else if (/\s/.test(char)) at += 1;
    else {
      const token = tokenAt(source, at);
      if (openers.includes(token)) depth += 1;
      else if (closers.includes(token)) depth = Math.max(0, depth - 1);
      tokens.push(token);
      lines += token.split("\n").length - (isCounted ? 1 : 0);
      isCounted = true;
      at += token.length;
    }
  }
  return { tokens, lines, end: source.length };
}

function tokenAt(source: string, at: number): string {
  const head = opening.exec(source.slice(at, at + 5));
  if (head !== null) return source.slice(at, stringEnd(source, at + head[0].length, head[1]!, isFormatted(head[0])));
  const known = word.exec(source.slice(at, at + 200));
  return known?.[0] ?? String.fromCodePoint(source.codePointAt(at)!);
}

function isFormatted(head: string): boolean {
  return /[ft]/i.test(head);
}

/** Where a string ends whose quote opened right before `start`. Since 3.12 the braces of an f-string may hold its own quotes. */
function stringEnd(source: string, start: number, quote: string, formatted: boolean): number {
  let at = start;
  while (at < source.length) {
    if (source.startsWith(quote, at)) return at + quote.length;
    if (source[at] === "\n" && quote.length === 1) return at;
    if (source[at] === "\\") at += 2;
    else if (formatted && source.startsWith("{{", at)) at += 2;
    else if (formatted && source[at] === "{") at = expressionEnd(source, at + 1);
    else at += 1;
  }
  return source.length;
}

function expressionEnd(source: string, start: number): number {
  let depth = 1;
  let at = start;
  while (at < source.length && depth > 0) {
    const head = opening.exec(source.slice(at, at + 5));
    if (head !== null && !/[\p{L}\p{N}_]/u.test(source[at - 1]!)) {
      at = stringEnd(source, at + head[0].length, head[1]!, isFormatted(head[0]));
      continue;
    }
    if (source[at] === "{") depth += 1;
    if (source[at] === "}") depth -= 1;
    at += 1;
  }
  return at;
}
