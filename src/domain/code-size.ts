/**
 * How long code is, for the rule that equal and shorter wins (docs/decisions/0008-equal-and-shorter.md): lines that are
 * neither blank nor comment nor a text that stands by itself (a docstring). A text that is put to use is code, line by line.
 */
import type { FileText } from "./proposal.ts";
import { isPython, statementsOf } from "./python.ts";

type Size = { readonly lines: number; readonly characters: number };

function sizeOf(files: readonly FileText[]): Size {
  const parts = files.flatMap(({ path, text }) => (isPython(path) ? pythonParts(text) : plainParts(text)));
  return {
    lines: parts.reduce((sum, part) => sum + part.lines, 0),
    characters: parts.reduce((sum, part) => sum + part.text.replace(/\s+/g, "").length, 0),
  };
}

type Part = { readonly lines: number; readonly text: string };

function pythonParts(text: string): Part[] {
  return statementsOf(text).map(({ lines, tokens }) => ({ lines, text: tokens.join("") }));
}

function plainParts(text: string): Part[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.trim();
    return line === "" || /^(#|\/\/)/.test(line) ? [] : [{ lines: 1, text: line }];
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
