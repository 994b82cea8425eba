/**
 * The progress picture: the value of every experiment over its number, what was kept in green and by name, the running best as
 * a line, what broke as red crosses at the foot. In the manner of the picture that karpathy's notebook draws.
 *
 * Always: the same rows give the same bytes; the size and the time are bounded however many rows there are (no library draws
 * it: a chart for a browser takes tens of milliseconds, in which no webhook is answered); white ground, because GitHub shows it on
 * dark pages too. Descriptions are foreign text: they are escaped, and stay plain text.
 */
import {
  type Direction,
  type Mark,
  type Plot,
  type PlotRow,
  type Range,
  discardedOf,
  plotOf,
  ticksOf,
} from "./domain/plot.ts";
import { type Frame, type Label, fontSize, placeLabels, shorten, slant, widthOf } from "./domain/plot-labels.ts";
import { formatPercent, formatValue } from "./domain/words.ts";

const size = { width: 1080, height: 600 };
const outer: Frame = { left: 84, top: 92, right: size.width - 24, bottom: size.height - 58 };
const font = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const ink = { text: "#1f2328", quiet: "#59636e", grid: "#eaeef2", axis: "#8c959f" };
const green = { mark: "#2da44e", edge: "#116329", line: "#1a7f37" };
const grey = "#8c959f";
const red = "#cf222e";

/** Marks of two units across, around nothing. */
const shapes = {
  circle: "M1 0A1 1 0 1 1 1 -0.1A1 1 0 0 1 1 0Z",
  cross: "M-1 -0.8L-0.8 -1L0 -0.2L0.8 -1L1 -0.8L0.2 0L1 0.8L0.8 1L0 0.2L-0.8 1L-1 0.8L-0.2 0Z",
  up: "M-1 0.8L0 -0.8L1 0.8Z",
  down: "M-1 -0.8L0 0.8L1 -0.8Z",
  bar: "M-2 -0.25H2V0.25H-2Z",
};
type Look = { readonly name: string; readonly shape: string; readonly size: number; readonly style: string };

const looks = {
  discarded: { name: "discarded", shape: shapes.circle, size: 5, style: `fill="${grey}" fill-opacity="0.5"` },
  unmeasured: { name: "not measured", shape: shapes.cross, size: 7, style: `fill="${grey}" fill-opacity="0.8"` },
  broken: { name: "crash, time-out", shape: shapes.cross, size: 7, style: `fill="${red}" fill-opacity="0.9"` },
  best: { name: "running best", shape: shapes.bar, size: 8, style: `fill="${green.line}"` },
  kept: {
    name: "kept",
    shape: shapes.circle,
    size: 9,
    style: `fill="${green.mark}" stroke="${green.edge}" stroke-width="0.22"`,
  },
} as const satisfies Record<string, Look>;

function beyondLook(direction: Direction): Look {
  const shape = direction === "lower" ? shapes.up : shapes.down;
  return { name: "off the scale", shape, size: 6, style: `fill="${grey}" fill-opacity="0.35"` };
}

/** An SVG of the rows of results.tsv, in their order. `title` is put before the counts, when there is one. */
export function drawProgress(
  rows: readonly PlotRow[],
  options: { readonly metric: string; readonly direction: Direction; readonly title: string },
): string {
  const { metric, direction } = options;
  const plot = plotOf(rows, direction);
  const { labels, frame, y } = placeLabels(plot, direction, outer);
  const place = placeIn(frame, plot.x, y);
  const groups = groupsOf(plot, y, frame, direction).filter(({ marks }) => marks.length > 0);
  const empty = plot.best === null;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}">`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    ...axes(plot.x, empty ? null : y, frame, place),
    ...axisNames(`${metric} (${direction} is better)`, frame),
    ...groups.flatMap(({ look, marks }) =>
      look === looks.best ? [staircase(marks, place)] : marks.map((mark) => markAt(look, place(mark))),
    ),
    ...legend(groups.map(({ look }) => look)),
    ...titles(plot, options),
    ...(empty ? [nothingYet(frame)] : [...labels.flatMap(pinOf), ...labels.map(nameOf)]),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

type Place = (mark: Mark) => Mark;

function placeIn(frame: Frame, x: Range, y: Range): Place {
  return (mark) => ({
    x: frame.left + ((mark.x - x.from) / (x.to - x.from)) * (frame.right - frame.left),
    y: frame.bottom - ((mark.y - y.from) / (y.to - y.from)) * (frame.bottom - frame.top),
  });
}

/** Four decimals at most, as short as can be. */
function px(value: number): string {
  return String(Math.round(value * 10_000) / 10_000);
}

/** On the middle of a pixel: a line of one pixel is then sharp. */
function sharp(value: number): string {
  return String(Math.floor(value) + 0.5);
}

type TextStyle = {
  readonly size: number;
  readonly fill: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly more?: string;
};

/** One line of text around the height `y`. */
function text(words: string, x: number, y: number, { size: pixels, fill, anchor = "start", more = "" }: TextStyle) {
  return `<text x="${px(x)}" y="${px(y)}" dominant-baseline="central" text-anchor="${anchor}" font-family="${font}" font-size="${pixels}" fill="${fill}"${more}>${escaped(words)}</text>`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What SVG may hold: no control characters, no halves of pairs, none that only an escape may stand for. */
function escaped(words: string): string {
  return words
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\uFFFE\uFFFF]+/gu, " ")
    .replace(/[&<>"]/g, (letter) => entities[letter]!);
}

function axes(x: Range, y: Range | null, frame: Frame, place: Place): string[] {
  const tick = { size: 12, fill: ink.quiet } as const;
  const heights = y === null ? { values: [], decimals: 0 } : ticksOf(y, 7);
  const numbers = ticksOf(x, 12, 1).values;
  const at = (value: number) => place({ x: 0, y: value }).y;
  const over = (value: number) => place({ x: value, y: 0 }).x;
  const line = (path: string, color: string) =>
    path === "" ? [] : [`<path d="${path}" fill="none" stroke="${color}"/>`];
  const { left, right, top, bottom } = frame;
  return [
    ...line(heights.values.map((value) => `M${left} ${sharp(at(value))}H${right}`).join(""), ink.grid),
    ...line(
      [
        `M${sharp(left)} ${top}V${bottom}M${left} ${sharp(bottom)}H${right}`,
        ...heights.values.map((value) => `M${left} ${sharp(at(value))}h-5`),
        ...numbers.map((value) => `M${sharp(over(value))} ${bottom}v5`),
      ].join(""),
      ink.axis,
    ),
    ...heights.values.map((value) =>
      text(tickText(value, heights.decimals), left - 8, at(value), { ...tick, anchor: "end" }),
    ),
    ...numbers.map((value) => text(tickText(value, 0), over(value), bottom + 14, { ...tick, anchor: "middle" })),
  ];
}

function tickText(value: number, decimals: number): string {
  return decimals > 6 || Math.abs(value) >= 1e6 ? value.toExponential(2) : value.toFixed(decimals);
}

function axisNames(metric: string, { left, right, top, bottom }: Frame): string[] {
  const [x, y] = [left - 64, (top + bottom) / 2];
  const style = { size: 13, fill: ink.quiet, anchor: "middle" } as const;
  return [
    text(metric, x, y, { ...style, more: ` transform="rotate(-90 ${px(x)} ${px(y)})"` }),
    text("experiment", (left + right) / 2, bottom + 36, style),
  ];
}

/** What is drawn, from the back to the front. What lies at an edge is placed some pixels inside it. */
function groupsOf(
  plot: Plot,
  y: Range,
  frame: Frame,
  direction: Direction,
): { readonly look: Look; readonly marks: readonly Mark[] }[] {
  const perPixel = (y.to - y.from) / (frame.bottom - frame.top);
  const foot = y.from + 11 * perPixel;
  const edge = direction === "lower" ? y.to - 6 * perPixel : y.from + 24 * perPixel;
  const { within, beyond } = discardedOf(plot, y, direction);
  const at = (height: number, numbers: readonly number[]) => numbers.map((x) => ({ x, y: height }));
  const last = plot.improvements.at(-1);
  const line = last === undefined ? [] : [...plot.improvements, { x: Math.max(1, plot.x.to / 1.02), y: last.y }];
  return [
    { look: looks.discarded, marks: within },
    { look: beyondLook(direction), marks: at(edge, beyond) },
    { look: looks.unmeasured, marks: at(foot, plot.unmeasured) },
    { look: looks.broken, marks: at(foot, plot.broken) },
    { look: looks.best, marks: line },
    {
      look: looks.kept,
      marks: plot.kept.map((mark) => ({ x: mark.x, y: Math.min(Math.max(mark.y, y.from), y.to) })),
    },
  ];
}

function markAt({ shape, size: pixels, style }: Look, { x, y }: Mark): string {
  const scale = px(pixels / 2);
  return `<path d="${shape}" transform="matrix(${scale},0,0,${scale},${px(x)},${px(y)})" ${style}/>`;
}

/** The running best: level until it is beaten. */
function staircase(marks: readonly Mark[], place: Place): string {
  const [first, ...others] = marks.map(place);
  const steps = others.map(({ x, y }) => `H${px(x)}V${px(y)}`).join("");
  return `<path d="M${px(first!.x)} ${px(first!.y)}${steps}" fill="none" stroke="${green.line}" stroke-width="2" stroke-opacity="0.75"/>`;
}

/** Right over the frame, what is in front first. */
function legend(drawn: readonly Look[]): string[] {
  const entry = (look: Look) => 36 + widthOf(look.name);
  let x = size.width - 20 - drawn.reduce((sum, look) => sum + entry(look), 0);
  return drawn.toReversed().flatMap((look) => {
    const parts = [
      `<path d="${look.shape}" transform="translate(${px(x + 8)} 61) scale(4)" ${look.style}/>`,
      text(look.name, x + 21, 61, { size: 12, fill: ink.quiet }),
    ];
    x += entry(look);
    return parts;
  });
}

function titles(plot: Plot, { metric, direction, title }: { metric: string; direction: Direction; title: string }) {
  const experiments = plot.experiments === 1 ? "1 experiment" : `${plot.experiments} experiments`;
  const name = shorten(title, 64);
  return [
    text(`${name === "" ? "" : `${name}: `}${experiments}, ${plot.keptCount} kept`, 28, 32, {
      size: 18,
      fill: ink.text,
      more: ' font-weight="600"',
    }),
    text(`${metric}${changeOf(plot)}, ${direction} is better`, 28, 58, { size: 13, fill: ink.quiet }),
  ];
}

/** ` 0.9979 → 0.9697 (−2.83 %)`; the part in brackets only where it says something. */
function changeOf({ baseline, best }: Plot): string {
  if (baseline === null || best === null) return "";
  if (baseline === best) return ` ${formatValue(best)}`;
  const part = Math.abs(best - baseline) < 100 * Math.abs(baseline) ? ` (${formatPercent(baseline, best)})` : "";
  return ` ${formatValue(baseline)} → ${formatValue(best)}${part}`;
}

/** From a mark to its name, where that was lifted away from it. */
function pinOf({ x, y, startY }: Label): string[] {
  if (Math.abs(startY - y) < 16) return [];
  const up = startY < y;
  return [
    `<path d="M${px(x)} ${px(y + (up ? -5 : 5))}V${px(startY + (up ? 3 : -3))}" stroke="${green.line}" stroke-opacity="0.35"/>`,
  ];
}

function nameOf({ text: words, y, startX, startY }: Label): string {
  const degrees = px(((startY < y ? -slant : slant) * 180) / Math.PI);
  const halo = ' stroke="#ffffff" stroke-width="3" paint-order="stroke" stroke-linejoin="round"';
  const more = `${halo} transform="rotate(${degrees} ${px(startX)} ${px(startY)})"`;
  return text(words, startX, startY, { size: fontSize, fill: green.line, more });
}

function nothingYet({ left, right, top, bottom }: Frame): string {
  const style = { size: 14, fill: ink.quiet, anchor: "middle" } as const;
  return text("nothing measured yet", (left + right) / 2, (top + bottom) / 2, style);
}
