/** Unified diffs of a few text files, as people and models read them; bounded. */
import { diffIndices } from "node-diff3";
import type { FileText } from "./proposal.ts";

const context = 3;
/** Characters of all files' diffs together. */
const longestDiff = 20_000;

type Change = {
  readonly at: number;
  readonly gone: readonly string[];
  readonly to: number;
  readonly come: readonly string[];
};

/** What has to change in `before` to become `after`; "" where they are equal. */
export function unifiedDiff(before: readonly FileText[], after: readonly FileText[]): string {
  const paths = [...new Set([...before, ...after].map((file) => file.path))].sort();
  const textOf = (files: readonly FileText[], path: string) => files.find((file) => file.path === path)?.text ?? null;
  const whole = paths.map((path) => diffOfFile(path, textOf(before, path), textOf(after, path))).join("");
  return whole.length <= longestDiff ? whole : `${whole.slice(0, longestDiff)}\n… (cut)\n`;
}

function diffOfFile(path: string, before: string | null, after: string | null): string {
  if (before === after) return "";
  const [from, to] = [linesOf(before), linesOf(after)];
  const changes = diffIndices(from, to).map(({ buffer1, buffer1Content, buffer2, buffer2Content }): Change => ({
    at: buffer1[0],
    gone: buffer1Content,
    to: buffer2[0],
    come: buffer2Content,
  }));
  const head = [
    `--- ${before === null ? "/dev/null" : `a/${path}`}`,
    `+++ ${after === null ? "/dev/null" : `b/${path}`}`,
  ];
  return [...head, ...hunksOf(changes).flatMap((hunk) => linesOfHunk(hunk, from))].map((line) => `${line}\n`).join("");
}

function linesOf(text: string | null): string[] {
  if (text === null || text === "") return [];
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

/** Changes whose surroundings touch stand in one hunk. */
function hunksOf(changes: readonly Change[]): Change[][] {
  const hunks: Change[][] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last !== undefined && change.at - (last.at + last.gone.length) <= 2 * context) hunks.at(-1)!.push(change);
    else hunks.push([change]);
  }
  return hunks;
}

function linesOfHunk(hunk: readonly Change[], from: readonly string[]): string[] {
  const first = hunk[0]!;
  const last = hunk.at(-1)!;
  const begin = Math.max(0, first.at - context);
  const end = Math.min(from.length, last.at + last.gone.length + context);
  const body: string[] = [];
  let at = begin;
  for (const change of hunk) {
    body.push(...from.slice(at, change.at).map((line) => ` ${line}`));
    body.push(...change.gone.map((line) => `-${line}`), ...change.come.map((line) => `+${line}`));
    at = change.at + change.gone.length;
  }
  body.push(...from.slice(at, end).map((line) => ` ${line}`));
  const removed = body.filter((line) => !line.startsWith("+")).length;
  const added = body.filter((line) => !line.startsWith("-")).length;
  const toBegin = first.to - (first.at - begin);
  const range = (start: number, count: number) => `${count === 0 ? start : start + 1},${count}`;
  return [`@@ -${range(begin, removed)} +${range(toBegin, added)} @@`, ...body];
}
