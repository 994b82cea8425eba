/**
 * How long code is, for the rule that equal and shorter wins (docs/decisions/0008-equal-and-shorter.md): lines that are
 * neither blank nor comment nor a text that stands by itself (a docstring).
 */
import type { FileText } from "./proposal.ts";

type Size = { readonly lines: number; readonly characters: number };

function sizeOf(files: readonly FileText[]): Size {
  const code = files.flatMap(({ text }) => codeLines(text));
  return { lines: code.length, characters: code.reduce((sum, line) => sum + line.replace(/\s+/g, "").length, 0) };
}

function codeLines(text: string): string[] {
  let within: string | null = null;
  return text.split("\n").flatMap((raw) => {
    const line = raw.trim();
    if (within !== null) {
      if (line.includes(within)) within = null;
      return [];
    }
    const quote = /^[rRuU]?("""|''')/.exec(line);
    if (quote !== null) {
      const rest = line.slice(quote[0].length);
      if (!rest.includes(quote[1]!)) within = quote[1]!;
      return [];
    }
    return line === "" || /^(#|\/\/)/.test(line) ? [] : [line];
  });
}

/**
 * Lines of code that `after` has more than `before`, below zero where it is shorter. Fewer lines that hold as much (joined
 * by semicolons, say) are no shorter: 0.
 */
export function lineChange(before: readonly FileText[], after: readonly FileText[]): number {
  const [from, to] = [sizeOf(before), sizeOf(after)];
  const change = to.lines - from.lines;
  return change < 0 && to.characters >= from.characters ? 0 : change;
}
