/** An exact replacement in a text. Pure. */

export type Edited = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

/** Replaces the one place where `before` stands; none or several are told apart in the problem. */
export function replaceOnce(text: string, before: string, after: string): Edited {
  // A model writes plain line ends; a file keeps the ones that it has.
  const crlf = text.includes("\r\n") && !before.includes("\r");
  const wanted = crlf ? before.replaceAll("\n", "\r\n") : before;
  const replacement = crlf ? after.replaceAll(/\r?\n/g, "\r\n") : after;
  if (wanted === "") return { ok: false, problem: "`old_text` is empty: give the lines that are to be replaced" };
  const first = text.indexOf(wanted);
  if (first === -1) return { ok: false, problem: `\`old_text\` is not there letter by letter${nearest(text, wanted)}` };
  const second = text.indexOf(wanted, first + 1);
  if (second !== -1) {
    const lines = [lineOf(text, first), lineOf(text, second)].join(" and ");
    return { ok: false, problem: `\`old_text\` is there more than once (lines ${lines}): take more lines around it` };
  }
  if (wanted === replacement) return { ok: false, problem: "`old_text` and `new_text` are the same" };
  return { ok: true, text: text.slice(0, first) + replacement + text.slice(first + wanted.length) };
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** Where its first line stands but for white space, which is what goes wrong most often. */
function nearest(text: string, wanted: string): string {
  const bare = (line: string) => line.replaceAll(/\s+/g, " ").trim();
  const head = wanted
    .split("\n")
    .map(bare)
    .find((line) => line !== "");
  if (head === undefined) return "";
  const at = text.split("\n").findIndex((line) => bare(line) === head);
  return at === -1 ? "" : `; its first line is like line ${at + 1}: compare the white space and the lines after it`;
}
