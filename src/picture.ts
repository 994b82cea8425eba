/**
 * The progress picture: the value of every experiment over its number, what was kept in green and by name, the running best as
 * a line, what broke as red crosses at the foot. In the manner of the picture that karpathy's notebook draws.
 *
 * Always: the same rows give the same bytes; the size is bounded however many rows there are; white ground, because GitHub
 * shows it on dark pages too. Descriptions are foreign text: echarts escapes them, and they stay plain text.
 */
import { type EChartsOption, init } from "echarts/dist/echarts.esm.min";
import { formatAmount, formatPercent } from "./domain/numbers.ts";
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
import { type Frame, type Label, fontSize, placeLabels, shorten, slant } from "./domain/plot-labels.ts";

const size = { width: 1080, height: 600 };
const outer: Frame = { left: 84, top: 92, right: size.width - 24, bottom: size.height - 58 };
const font = "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const ink = { text: "#1f2328", quiet: "#59636e", grid: "#eaeef2", axis: "#8c959f" };
const green = { mark: "#2da44e", edge: "#116329", line: "#1a7f37" };
const red = "#cf222e";
/** Symbols that echarts has not, or stretches in the legend. */
const triangle = "path://M0 8L5 0L10 8Z";
const bar = "path://M0 4h20v2h-20z";
const cross = "path://M0 1L1 0L5 4L9 0L10 1L6 5L10 9L9 10L5 6L1 10L0 9L4 5Z";

/** An SVG of the rows of results.tsv, in their order. `title` is put before the counts, when there is one. */
export function drawProgress(
  rows: readonly PlotRow[],
  options: { readonly metric: string; readonly direction: Direction; readonly title: string },
): string {
  const { metric, direction } = options;
  const plot = plotOf(rows, direction);
  const { labels, frame, y } = placeLabels(plot, direction, outer);
  const series = seriesOf(plot, y, frame, direction);
  const chart = init(null, null, { renderer: "svg", ssr: true, ...size });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      textStyle: { fontFamily: font },
      title: titleOf(plot, options),
      legend: legendOf(series.map(({ name }) => name)),
      grid: { left: frame.left, top: frame.top, right: size.width - frame.right, bottom: size.height - frame.bottom },
      xAxis: xAxisOf(plot.x),
      yAxis: yAxisOf(y, plot.best === null, metric, direction),
      series,
      graphic: plot.best === null ? [nothingYet(frame)] : labels.flatMap(drawLabel),
    } satisfies EChartsOption);
    return clean(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

function titleOf(plot: Plot, { metric, direction, title }: { metric: string; direction: Direction; title: string }) {
  const experiments = plot.experiments === 1 ? "1 experiment" : `${plot.experiments} experiments`;
  const name = shorten(title, 64);
  return {
    left: 24,
    top: 18,
    itemGap: 9,
    text: `${name === "" ? "" : `${name}: `}${experiments}, ${plot.keptCount} kept`,
    subtext: `${metric}${changeOf(plot)}, ${direction} is better`,
    textStyle: { color: ink.text, fontSize: 18, fontWeight: 600 as const },
    subtextStyle: { color: ink.quiet, fontSize: 13 },
  };
}

/** ` 0.9979 → 0.9697 (−2.83 %)`; the part in brackets only where it says something. */
function changeOf({ baseline, best }: Plot): string {
  if (baseline === null || best === null) return "";
  if (baseline === best) return ` ${formatAmount(best)}`;
  const part = Math.abs(best - baseline) < 100 * Math.abs(baseline) ? ` (${formatPercent(baseline, best)})` : "";
  return ` ${formatAmount(baseline)} → ${formatAmount(best)}${part}`;
}

const icons: Readonly<Record<string, string>> = {
  discarded: "circle",
  "off the scale": triangle,
  "not measured": cross,
  "crash, time-out": cross,
  "running best": bar,
  kept: "circle",
};

function legendOf(names: readonly string[]) {
  return {
    data: names.toReversed().map((name) => ({ name, icon: icons[name] ?? "circle" })),
    right: 20,
    top: 50,
    itemWidth: 16,
    itemHeight: 8,
    itemGap: 18,
    selectedMode: false,
    silent: true,
    textStyle: { color: ink.quiet, fontSize: 12 },
  };
}

const tickStyle = { color: ink.quiet, fontSize: 12 };
const lineStyle = { color: ink.axis, width: 1 };

function xAxisOf(range: Range) {
  const { values } = ticksOf(range, 12, 1);
  return {
    type: "value" as const,
    min: range.from,
    max: range.to,
    name: "experiment",
    nameLocation: "middle" as const,
    nameGap: 30,
    nameTextStyle: { color: ink.quiet, fontSize: 13 },
    axisLine: { show: true, onZero: false, lineStyle },
    axisTick: { show: true, customValues: values, lineStyle },
    axisLabel: { ...tickStyle, customValues: values },
    splitLine: { show: false },
  };
}

function yAxisOf(range: Range, empty: boolean, metric: string, direction: Direction) {
  const { values, decimals } = ticksOf(range, 7);
  return {
    type: "value" as const,
    min: range.from,
    max: range.to,
    name: `${metric} (${direction} is better)`,
    nameLocation: "middle" as const,
    nameGap: 58,
    nameTextStyle: { color: ink.quiet, fontSize: 13 },
    axisLine: { show: true, onZero: false, lineStyle },
    axisTick: { show: !empty, customValues: values, lineStyle },
    axisLabel: {
      ...tickStyle,
      show: !empty,
      customValues: values,
      formatter: (value: number) => tickText(value, decimals),
    },
    splitLine: { show: !empty, lineStyle: { color: ink.grid } },
  };
}

function tickText(value: number, decimals: number): string {
  return decimals > 6 || Math.abs(value) >= 1e6 ? value.toExponential(2) : value.toFixed(decimals);
}

/** One series of each kind that there is. What lies at an edge is placed some pixels inside it. */
function seriesOf(plot: Plot, y: Range, frame: Frame, direction: Direction) {
  const perPixel = (y.to - y.from) / (frame.bottom - frame.top);
  const foot = y.from + 11 * perPixel;
  const edge = direction === "lower" ? y.to - 6 * perPixel : y.from + 24 * perPixel;
  const { within, beyond } = discardedOf(plot, y, direction);
  const kept = plot.kept.map((mark) => ({ x: mark.x, y: Math.min(Math.max(mark.y, y.from), y.to) }));
  const at = (height: number, numbers: readonly number[]) => numbers.map((x) => ({ x, y: height }));
  const grey = { color: "#8c959f", opacity: 0.5 };
  const line = plot.improvements.map(({ x, y }) => [x, y]);
  const last = plot.improvements.at(-1);
  if (last !== undefined) line.push([Math.max(1, plot.x.to / 1.02), last.y]);
  const points = (name: string, marks: readonly Mark[], symbol: string, symbolSize: number, itemStyle: object) => ({
    ...still,
    type: "scatter" as const,
    name,
    data: marks.map((mark) => [mark.x, mark.y]),
    symbol,
    symbolSize,
    itemStyle,
  });
  return [
    points("discarded", within, "circle", 5, grey),
    {
      ...points("off the scale", at(edge, beyond), triangle, 6, { ...grey, opacity: 0.35 }),
      symbolRotate: direction === "lower" ? 0 : 180,
    },
    points("not measured", at(foot, plot.unmeasured), cross, 7, { color: "#8c959f", opacity: 0.8 }),
    points("crash, time-out", at(foot, plot.broken), cross, 7, { color: red, opacity: 0.9 }),
    {
      ...still,
      type: "line" as const,
      name: "running best",
      data: line,
      step: "end" as const,
      symbol: "none",
      lineStyle: { color: green.line, width: 2, opacity: 0.75, join: "miter" as const },
      itemStyle: { color: green.line },
    },
    points("kept", kept, "circle", 9, { color: green.mark, borderColor: green.edge, borderWidth: 1, opacity: 1 }),
  ].filter(({ data }) => data.length > 0);
}

/** Marks are clipped by us, and nothing reacts to a pointer. */
const still = { clip: false, silent: true, animation: false, emphasis: { disabled: true } };

/** echarts looks measured texts up in a plain object: a name that every object has (`__proto__`) would be taken for a find. */
function ownName(text: string): string {
  return text in Object.prototype ? `${text}\u00a0` : text;
}

function drawLabel({ text, x, y, startX, startY }: Label) {
  const up = startY < y;
  const name = {
    type: "text" as const,
    x: startX,
    y: startY,
    rotation: up ? slant : -slant,
    silent: true,
    z: 20,
    style: {
      text: ownName(text),
      font: `${fontSize}px ${font}`,
      fill: green.line,
      stroke: "#ffffff",
      lineWidth: 3,
      textVerticalAlign: "middle" as const,
    },
  };
  if (Math.abs(startY - y) < 16) return [name];
  const pin = {
    type: "line" as const,
    silent: true,
    z: 10,
    shape: { x1: x, y1: y + (up ? -5 : 5), x2: x, y2: startY + (up ? 3 : -3) },
    style: { stroke: green.line, lineWidth: 1, opacity: 0.35 },
  };
  return [pin, name];
}

function nothingYet({ left, right, top, bottom }: Frame) {
  return {
    type: "text" as const,
    x: (left + right) / 2,
    y: (top + bottom) / 2,
    silent: true,
    style: { text: "nothing measured yet", font: `14px ${font}`, fill: ink.quiet, textAlign: "center" as const },
  };
}

/** Takes out what differs from call to call (echarts numbers its ids through) and what only a pointer would need. */
function clean(svg: string): string {
  return svg
    .replaceAll(/ class="zr\d+-cls-\d+"/g, "")
    .replaceAll(/ ecmeta_\w+="[^"]*"/g, "")
    .replaceAll(/ pointer-events="[^"]*"/g, "")
    .replaceAll(/="(url\(#)?zr\d+-/g, '="$1')
    .replace(/<style >[\s\S]*?<\/style>\n?/, "");
}
