/**
 * Text of others inside a brief. It is data: it stands in a fence that nothing inside can close, and it has a bound.
 *
 * Tokens are estimated as a third of the UTF-8 bytes, rounded up. English and code have three and a half to four and a half
 * bytes a token, so the estimate is too high rather than too low; what is paid is read from the API's usage.
 */

const bytesPerToken = 3;

/** About how many tokens a text has; rather too many. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

/** The most that a text of so many tokens can hold, by its beginning, in whole characters. */
function headOf(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const bytes = Buffer.from(text).subarray(0, tokens * bytesPerToken);
  return bytes.toString().replace(/\uFFFD+$/, "");
}

function tailOf(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const bytes = Buffer.from(text);
  return bytes
    .subarray(bytes.length - tokens * bytesPerToken)
    .toString()
    .replace(/^\uFFFD+/, "");
}

const cutMark = 10;

/** The beginning of the text, `tokens` of it at most; what is left out is said in its last line. */
export function keepHead(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const head = headOf(text, Math.max(0, tokens - cutMark));
  return `${head}\n… (${text.length - head.length} characters more)`;
}

/** The end of the text, `tokens` of it at most; what is left out is said in its first line. */
export function keepTail(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const tail = tailOf(text, Math.max(0, tokens - cutMark));
  return `(${text.length - tail.length} characters before) …\n${tail}`;
}

/** One line of at most so many characters. */
export function oneLineOf(text: string, characters: number): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= characters ? line : `${line.slice(0, characters - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** The text in a fence that is longer than any run of backticks inside it, so that nothing inside can end it. */
export function fenced(text: string, language = "text"): string {
  const longest = (text.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}

/** The language of a fence around a file. */
export function languageOf(path: string): string {
  const extension = /\.(\w{1,8})$/.exec(path)?.[1]?.toLowerCase();
  return extension === "py" ? "python" : (extension ?? "text");
}
