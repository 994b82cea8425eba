/**
 * The researcher `mutate`: no key, no network, no model. It reads the numeric constants at the head of the mutable files
 * (`NAME = 0.02`, also inside a tuple), changes one, and prefers what has paid so far in this session.
 *
 * Always: it is a function of the brief alone. The session's name and the experiment's number seed its chance, so that a
 * session can be repeated; it never proposes contents that were tried.
 */
import {
  type Answer,
  type Brief,
  type FileText,
  type Proposal,
  type Researcher,
  noInsights,
} from "../domain/proposal.ts";
import type { Row } from "../domain/results.ts";
import { refusalOf } from "./guard.ts";

/** One number in a line `NAME = …`, by its place in the text. */
export type Constant = {
  readonly path: string;
  readonly name: string;
  /** Position among the numbers of its line, from 0; null where the line holds one number. */
  readonly index: number | null;
  readonly start: number;
  readonly text: string;
};

const assignment = /^([A-Z][A-Z0-9_]*)[ \t]*(?::[^=\n]+)?=[ \t]*([^\n#]*)/gm;
const numeral = /(?<![\w.])-?\d+(?:_\d+)*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/g;
const notConstants = /^(SEED|RANDOM_SEED|VERSION|YEAR|PORT)$/;

/** The constants of a file: module-level assignments of numbers, or of tuples and lists of numbers, to a NAME. */
export function constantsOf(file: FileText): Constant[] {
  return [...file.text.matchAll(assignment)].flatMap((line) => {
    const name = line[1]!;
    const value = line[2]!;
    if (notConstants.test(name) || !/^[\d\s().,[\]eE_+\-*]+$/.test(value)) return [];
    const start = line.index + line[0].length - value.length;
    const numbers = [...value.matchAll(numeral)];
    return numbers.map((number, index) => ({
      path: file.path,
      name,
      index: numbers.length === 1 ? null : index,
      start: start + number.index,
      text: number[0],
    }));
  });
}

const factors = [2, 0.5, 1.5, 0.67, 4, 0.25];
const steps = [1, -1, 2, -2];
/** Up to here one more or one less is a change that can be seen. */
const steppedUpTo = 16;

/** Other values for a constant, the bolder first: scaled, and for small whole numbers stepped. */
export function alternatives(text: string): string[] {
  const value = Number(text.replaceAll("_", ""));
  const whole = /^-?[\d_]+$/.test(text);
  const scaled = value === 0 ? [] : factors.map((factor) => value * factor);
  const stepped = whole && Math.abs(value) <= steppedUpTo ? steps.map((step) => value + step) : [];
  const shown = [...stepped, ...scaled].map((each) => (whole ? String(Math.round(each)) : show(each)));
  const sane = shown.filter(
    (each) =>
      Number.isFinite(Number(each)) &&
      Number(each) !== value &&
      // From 1e21 on JavaScript writes no whole number as one.
      (!whole || /^-?\d+$/.test(each)) &&
      (value < 0 || Number(each) >= 0) &&
      (value <= 0 || Number(each) > 0),
  );
  return [...new Set(sane)];
}

function show(value: number): string {
  const text = Number(value.toPrecision(3)).toString();
  return /[.e]/.test(text) ? text : `${text}.0`;
}

type Move = { readonly constant: Constant; readonly to: string };

/** The researcher; stateless. */
export const mutate: Researcher = {
  wordless: true,
  propose: (brief) => Promise.resolve(proposeMutation(brief)),
};

/** The next untried change of one constant, or nothing when all were tried. */
export function proposeMutation(brief: Brief): Answer {
  const constants = brief.files.flatMap(constantsOf);
  if (constants.length === 0) {
    const files = brief.config.mutable.join(", ");
    return { kind: "nothing", because: `there is no constant (NAME = number) in ${files} that could be changed` };
  }
  const random = randomOf(`${brief.session}/${brief.experiment}`);
  const moves = constants
    .flatMap((constant) => alternatives(constant.text).map((to): Move => ({ constant, to })))
    .map((move) => ({ move, weight: weightOf(move, brief) * (0.2 + random()) }))
    .sort((a, b) => b.weight - a.weight);
  for (const { move } of moves) {
    const proposal = proposalOf(move, brief);
    if (brief.inFlight.includes(proposal.description)) continue;
    if (refusalOf(proposal, brief) === null) return { kind: "proposal", proposal };
  }
  return { kind: "nothing", because: "every change of a single constant was tried" };
}

function labelOf({ name, index }: Constant): string {
  return index === null ? name : `${name}[${index}]`;
}

function proposalOf({ constant, to }: Move, brief: Brief): Proposal {
  const file = brief.files.find((each) => each.path === constant.path)!;
  const text = file.text.slice(0, constant.start) + to + file.text.slice(constant.start + constant.text.length);
  const many = brief.files.length > 1 ? `${constant.path}: ` : "";
  const more = Number(to) > Number(constant.text.replaceAll("_", ""));
  return {
    description: `${many}${labelOf(constant)} ${constant.text} → ${to}`,
    hypothesis: `${labelOf(constant)} is too ${more ? "small" : "large"} at ${constant.text}.`,
    expected: null,
    refutedBy: null,
    files: [{ path: constant.path, text }],
    researcher: "mutate",
    kind: "hyperparameter",
    askedBy: null,
    insights: noInsights,
  };
}

/** What is known of a constant from the rows: a direction that paid is followed, one that lost is left. */
function weightOf({ constant, to }: Move, brief: Brief): number {
  const value = Number(constant.text.replaceAll("_", ""));
  const label = labelOf(constant);
  let weight = 1;
  for (const row of brief.rows) {
    const past = moveIn(row);
    if (past === null || past.label !== label) continue;
    const sameWay = Math.sign(past.to - past.from) === Math.sign(Number(to) - value);
    if (row.outcome === "keep") weight *= sameWay ? 3 : 0.2;
    else if (row.value === null) weight *= sameWay ? 0.1 : 1;
    else weight *= sameWay ? 0.3 : 1.3;
  }
  const tried = brief.inFlight.some((description) => description.includes(`${label} `));
  return tried ? weight * 0.2 : weight;
}

function moveIn(row: Row): { label: string; from: number; to: number } | null {
  const match = /^(?:.*: )?([A-Z][A-Z0-9_]*(?:\[\d+\])?) (\S+) → (\S+)$/.exec(row.description);
  if (match === null) return null;
  return { label: match[1]!, from: Number(match[2]!.replaceAll("_", "")), to: Number(match[3]) };
}

/** mulberry32, seeded by FNV-1a of the text: numbers in [0, 1). */
function randomOf(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let index = 0; index < seed.length; index += 1) state = Math.imul(state ^ seed.charCodeAt(index), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
