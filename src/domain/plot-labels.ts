/**
 * Where the names of the improvements stand in the progress picture. They slant away from the staircase that the running
 * best draws, upwards where lower is better and downwards where higher is.
 *
 * Always: no two names overlap, every name lies inside the picture, and each starts right over its mark: where marks
 * crowd, names are lifted, and where lifting would go too far, the smaller improvements stay unnamed.
 */
import type { Direction, Improvement, Plot, Range } from "./plot.ts";

/** Pixels from the left and the top. */
export type Frame = { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number };

export type Label = {
  readonly text: string;
  /** Where its mark is. */
  readonly x: number;
  readonly y: number;
  /** Where the text starts, at half its height. */
  readonly startX: number;
  readonly startY: number;
};

/** Angle of the names in radians. */
export const slant = Math.PI / 6;
/** Size of their font in pixels. */
export const fontSize = 12;

const most = 25;
const longest = 40;
const lineHeight = 15;
const gap = 8;
const liftLimit = 90;

/** Labels with the frame and the range of y that they need: the frame gets narrower, the range wider on its worse side. */
export function placeLabels(
  plot: Plot,
  direction: Direction,
  outer: Frame,
): { labels: readonly Label[]; frame: Frame; y: Range } {
  const named = plot.improvements
    .toSorted((a, b) => b.gain - a.gain)
    .slice(0, most)
    .toSorted((a, b) => a.x - b.x)
    .map((each) => ({ ...each, text: shorten(each.description) }));
  const frame = { ...outer, right: rightFor(named, plot.x, outer) };
  let y = plot.y;
  for (let round = 0; ; round += 1) {
    const labels = lift(named, { frame, x: plot.x, y, direction });
    const tips = labels.map((label) => outward(tipOf(label), frame, direction));
    const lacking = Math.max(0, ...tips);
    if (lacking < 1 || round === 5) return { labels, frame, y };
    const height = frame.bottom - frame.top;
    const more = ((y.to - y.from) * lacking) / Math.max(height - lacking, height / 2);
    y = direction === "lower" ? { from: y.from, to: y.to + more } : { from: y.from - more, to: y.to };
  }
}

/** One line, shortened at a word where one ends near. */
export function shorten(text: string, limit = longest): string {
  const line = text
    .toWellFormed()
    .replace(/[\s\p{Cc}\p{Cf}\p{Co}\uFFFE\uFFFF]+/gu, " ")
    .trim();
  const letters = Array.from(line);
  if (letters.length <= limit) return line;
  const cut = letters.slice(0, limit - 1).join("");
  const space = cut.lastIndexOf(" ");
  return `${(space > cut.length * 0.6 ? cut.slice(0, space) : cut).replace(/[\s,;:(–-]+$/u, "")}…`;
}

/** Pixels that a text takes, rather too many than too few. */
export function widthOf(text: string, size = fontSize): number {
  return Array.from(text).reduce(
    (sum, letter) => sum + size * (letter >= "\u2e80" ? 1 : /[A-Z_mw→%@]/.test(letter) ? 0.72 : 0.54),
    0,
  );
}

type Named = Improvement & { readonly text: string };
type Space = { readonly frame: Frame; readonly x: Range; readonly y: Range; readonly direction: Direction };

/** The right edge of the frame for which the longest name still ends inside the picture. */
function rightFor(named: readonly Named[], x: Range, outer: Frame): number {
  const widths = named.map((each) => {
    const part = (each.x - x.from) / (x.to - x.from);
    return (outer.right - outer.left - gap - widthOf(each.text) * Math.cos(slant)) / part;
  });
  return Math.round(Math.min(outer.right, ...widths.map((width) => outer.left + width)));
}

/**
 * Lifts names until the lines they stand on are a line's height apart. Seen along the slant, the marks come in order: each
 * is further down the staircase than the one before. So from the last to the first each name goes as far out as it must.
 */
function lift(named: readonly Named[], space: Space): Label[] {
  const points = named.map((each) => ({ ...each, at: pixelOf(each, space) }));
  for (;;) {
    const lifts: number[] = [];
    let line = Infinity;
    for (const { at } of points.toReversed()) {
      const own = at.x * Math.sin(slant) + at.out * Math.cos(slant);
      line = Math.min(own, line - lineHeight);
      lifts.unshift((own - line) / Math.cos(slant));
    }
    const highest = lifts.indexOf(Math.max(...lifts));
    const smallest = (lifts[highest] ?? 0) > liftLimit ? smallestFrom(points, lifts, highest) : null;
    if (smallest === null) {
      return points.map(({ text, at }, index) => labelAt(text, at.x, at.out, lifts[index]!, space));
    }
    points.splice(smallest, 1);
  }
}

/** Of the crowd that lifted the name at `highest` the one that gained least, or null when all of them must be named. */
function smallestFrom(points: readonly Named[], lifts: readonly number[], highest: number): number | null {
  const end = lifts.findIndex((each, index) => index > highest && each < 0.01);
  const crowd = points.slice(highest, end + 1).map((each, index) => ({ index: highest + index, gain: each.gain }));
  const least = crowd.filter((each) => each.gain < Infinity).toSorted((a, b) => a.gain - b.gain)[0];
  return least?.index ?? null;
}

/** A mark's place, `out` growing from the side where names go to the other. */
function pixelOf(mark: Improvement, { frame, x, y, direction }: Space): { x: number; out: number } {
  const across = (mark.x - x.from) / (x.to - x.from);
  const up = (mark.y - y.from) / (y.to - y.from);
  const height = frame.bottom - frame.top;
  return { x: frame.left + across * (frame.right - frame.left), out: (direction === "lower" ? 1 - up : up) * height };
}

function labelAt(text: string, x: number, out: number, lifted: number, { frame, direction }: Space): Label {
  const at = (distance: number) => (direction === "lower" ? frame.top + distance : frame.bottom - distance);
  return { text, x, y: at(out), startX: x + gap, startY: at(out - gap - lifted) };
}

/** Where a label's text ends. */
function tipOf(label: Label): { start: number; rise: number } {
  return { start: label.startY, rise: widthOf(label.text) * Math.sin(slant) + fontSize };
}

/** Pixels by which a label leaves the frame on the side where names go. */
function outward({ start, rise }: { start: number; rise: number }, frame: Frame, direction: Direction): number {
  return direction === "lower" ? frame.top - (start - rise) : start + rise - frame.bottom;
}
