/**
 * The brief's facts for a program to read. What stands in the brief's words stands here too, and no more: each text as a
 * person sees it, and bounded, whatever its name. Pure.
 */
import { type Brief, recentAtMost } from "../../domain/proposal.ts";
import { repairDiffTokens, said, tracebackTokens } from "./now.ts";
import { keepHead, keepTail } from "./quote.ts";
import { programTokens } from "./rules.ts";
import { visibleFile, visibleLine, visibleLog, visibleProse } from "./visible.ts";

/** The most that it has, in bytes, whatever the session. */
export const briefJsonBytes = 1_000_000;

const lineLength = 300;
const nameLength = 40;
const entriesAtMost = 60;
/** The newest of a list; of the others `entriesAtMost`. */
const newestAtMost: Readonly<Record<string, number>> = { rows: 200, recent: recentAtMost, curve: 200 };

/** What is more than a line. */
const texts: Readonly<Record<string, (text: string) => string>> = {
  program: (text) => keepHead(visibleProse(text).trim(), programTokens),
  text: said,
  diff: (text) => keepHead(visibleFile("a.py", text), repairDiffTokens),
  logTail: (text) => keepTail(visibleLog(text), tracebackTokens),
  traceback: (text) => keepTail(visibleLog(text), tracebackTokens),
};

/** The JSON; `refused` is why the last answer was refused. The files themselves are not in it. */
export function briefJsonOf(brief: Brief, refused: string | null): string {
  const { wasTried: _, library: __, purse: ___, files: ____, ...facts } = brief;
  const repair = brief.repair === null ? null : { ...brief.repair, files: undefined };
  return JSON.stringify({ ...facts, repair, refused }, shown, 2);
}

function shown(key: string, value: unknown): unknown {
  if (typeof value === "string") return (texts[key] ?? ((text: string) => visibleLine(text, lineLength)))(value);
  if (Array.isArray(value)) return value.slice(-(newestAtMost[key] ?? entriesAtMost));
  if (typeof value !== "object" || value === null) return value;
  // The names of metrics are a candidate's own.
  const entries = Object.entries(value).slice(0, entriesAtMost);
  return Object.fromEntries(entries.map(([name, each]) => [visibleLine(name, nameLength), each]));
}
