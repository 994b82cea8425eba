/**
 * Text of others, made so that a model reads what a person would see, and nothing else: no escape sequences, no control,
 * zero-width, direction or tag characters, no HTML comments where a reader of the page would not see them.
 */
import { oneLineOf } from "./quote.ts";

/** Characters without a look of their own that can carry words: controls (but line end and tab), format, tags, fillers. */
const hidden =
  /[\p{Cc}\p{Cf}\p{Cs}\u115F\u1160\u2028\u2029\u3164\uFFA0\u{E0000}-\u{E0FFF}]|\u034F|[\u17B4\u17B5]|[\u180B-\u180F]|[\uFE00-\uFE0F]/gu;

/** The characters of a program's text that can't be seen; a byte order mark, an end of page and line ends don't count. */
export function hiddenIn(text: string): string[] {
  return (text.match(hidden) ?? []).filter((char) => !"\n\r\t\f\uFEFF\uFE0F".includes(char));
}

/** Sequences that colour a terminal, move its cursor, or set its title. */
// oxlint-disable-next-line no-control-regex -- that is what they are made of
const escapes = /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B\][^\u0007\u001B]*(?:\u0007|\u001B\\)|\u001B[ -/]*[0-~]/g;

/** The text without what can't be seen. Of a line that was written over (`\r`), the last state stays. */
export function visible(text: string): string {
  return (
    text
      .replaceAll(/\r+\n|[\u2028\u2029\u0085]/g, "\n")
      .replace(escapes, "")
      .split("\n")
      .map((line) => {
        const done = line.replace(/\r+$/, "");
        return done.slice(done.lastIndexOf("\r") + 1);
      })
      .join("\n")
      // Most of a text is plain: the long class is asked about the rest alone.
      .replaceAll(/[^\n\t -~]+/g, (strange) => strange.replace(hidden, ""))
  );
}

/** Prose as its reader sees it on the page: an HTML comment, up to the end of the text where it is not closed, is gone. */
export function visibleProse(text: string): string {
  return visible(text).replaceAll(/<!--[\s\S]*?(?:-->|$(?![\s\S]))/g, "");
}

/** A log as a person reads it: without comments that a page would hide. One that is not closed hides nothing. */
export function visibleLog(text: string): string {
  return withoutClosed(visible(text), /<!--[\s\S]*?-->/g);
}

/** The text without closed comments. Behind the last end there is none: who looked there would look again for each beginning. */
function withoutClosed(text: string, comment: RegExp): string {
  const end = text.lastIndexOf("-->") + 3;
  return end < 3 ? text : text.slice(0, end).replaceAll(comment, "") + text.slice(end);
}

/** One line of at most so many characters, as a person reads it; of a text much longer than that the rest is not looked at. */
export function visibleLine(text: string, characters: number): string {
  return oneLineOf(visibleLog(text.slice(0, 10 * characters)), characters);
}

const prose = /(?:^|\/)[^./]+$|\.(?:md|mdx|markdown|html?|xml|svg|rst|txt)$/i;

/** A file of the repository: prose without any comment; code without those of one line, which would not cut code away. */
export function visibleFile(path: string, text: string): string {
  if (prose.test(path)) return visibleProse(text);
  const lines = visible(text).split("\n");
  return lines.map((line) => withoutClosed(line, /<!--.*?-->/g)).join("\n");
}
