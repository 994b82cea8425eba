import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Direction, type PlotRow, plotOf, ticksOf } from "../../src/domain/plot.ts";
import { type Label, fontSize, placeLabels, shorten, slant, widthOf } from "../../src/domain/plot-labels.ts";
import { drawProgress } from "../../src/picture.ts";

const lower = { metric: "val_bpb", direction: "lower", title: "" } as const;
const outer = { left: 84, top: 92, right: 1056, bottom: 542 };

function row(experiment: number, outcome: string, value: number | null, description = `change ${experiment}`): PlotRow {
  return { experiment, outcome, value, description };
}

const baseline = row(0, "keep", 1, "baseline");

/** A long session: every 40th experiment is kept, every 30th breaks, the others are a little worse than the best. */
function longSession(experiments: number): PlotRow[] {
  let best = 1;
  const rows = Array.from({ length: experiments }, (_, index) => {
    const number = index + 1;
    if (number % 40 === 0) return row(number, "keep", (best *= 0.998));
    if (number % 30 === 0) return row(number, "crash", null);
    return row(number, "discard", best + 0.0001 * ((number * 37) % 101));
  });
  return [baseline, ...rows];
}

function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);
}

/** Marks of the plot (not of the legend) by their fill: they alone are scaled by a matrix. */
function marksOf(svg: string, fill: string, shape = ""): { x: number; y: number }[] {
  const mark = new RegExp(`<path d="${shape}[^"]*" transform="matrix\\(([^)]*)\\)" fill="${fill}"`, "g");
  return [...svg.matchAll(mark)].map((match) => {
    const numbers = match[1]!.split(",").map(Number);
    return { x: numbers[4]!, y: numbers[5]! };
  });
}

const circle = "M1 0A";
const cross = "M-1 -0.8";
const green = "#2da44e";
const grey = "#8c959f";
const red = "#cf222e";

describe("the progress picture", () => {
  test("says the counts, the change and the names of what was kept", () => {
    const rows = [baseline, row(1, "keep", 0.9, "halve the batch"), row(2, "discard", 0.95), row(3, "crash", null)];
    const texts = textsOf(drawProgress(rows, { ...lower, title: "Night run" }));
    expect(texts).toContain("Night run: 3 experiments, 1 kept");
    expect(texts).toContain("val_bpb 1.0000 → 0.9000 (−10.00 %), lower is better");
    expect(texts).toEqual(expect.arrayContaining(["baseline", "halve the batch", "val_bpb (lower is better)"]));
    expect(texts).not.toContain("change 2");
  });

  test("has one mark for each experiment, by what became of it", () => {
    const rows = [
      baseline,
      row(1, "keep", 0.9),
      row(2, "discard", 0.95),
      row(3, "within_noise", 0.899),
      row(4, "crash", null),
      row(5, "timeout", null),
      row(6, "rejected", null),
      row(7, "withdrawn", null),
    ];
    const svg = drawProgress(rows, lower);
    expect(marksOf(svg, green, circle)).toHaveLength(2);
    expect(marksOf(svg, grey, circle)).toHaveLength(2);
    expect(marksOf(svg, red, cross)).toHaveLength(2);
    expect(marksOf(svg, grey, cross)).toHaveLength(2);
  });

  test("puts what broke at the foot, and what is far worse at the edge, where it does not press the rest flat", () => {
    const near = [baseline, row(1, "keep", 0.9), row(2, "discard", 0.95)];
    const far = [...near, row(3, "discard", 1e6), row(4, "crash", null)];
    const [discarded, beyond] = marksOf(drawProgress(far, lower), grey);
    const kept = marksOf(drawProgress(far, lower), green);
    expect(marksOf(drawProgress(near, lower), green).map(({ y }) => y)).toEqual(kept.map(({ y }) => y));
    expect(beyond!.y).toBeGreaterThanOrEqual(92);
    expect(beyond!.y).toBeLessThan(discarded!.y);
    expect(marksOf(drawProgress(far, lower), red)[0]!.y).toBeGreaterThan(Math.max(...kept.map(({ y }) => y)));
  });

  test("rises where higher is better", () => {
    const rows = [baseline, row(1, "keep", 1.1), row(2, "keep", 1.2)];
    const heights = marksOf(drawProgress(rows, { ...lower, direction: "higher" }), green).map(({ y }) => -y);
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  });

  test("is drawn for no row, for one, and for a baseline that crashed", () => {
    expect(textsOf(drawProgress([], lower))).toEqual(
      expect.arrayContaining(["0 experiments, 0 kept", "nothing measured yet"]),
    );
    expect(marksOf(drawProgress([baseline], lower), green)).toHaveLength(1);
    expect(textsOf(drawProgress([row(0, "crash", null)], lower))).toContain("nothing measured yet");
    expect(textsOf(drawProgress([baseline, row(1, "discard", 1)], lower))).toContain("1 experiment, 0 kept");
  });

  test("is the same bytes for the same rows", () => {
    const rows = longSession(200);
    expect(drawProgress(rows, lower)).toBe(drawProgress(rows, lower));
  });

  test("does not grow with the session", () => {
    const svg = drawProgress(longSession(5_000), lower);
    expect(marksOf(svg, grey, circle).length).toBeGreaterThan(100);
    expect(marksOf(svg, grey, circle).length).toBeLessThanOrEqual(300);
    expect(svg.length).toBeLessThan(200_000);
    expect(textsOf(svg)).toContain("5000 experiments, 125 kept");
  });

  test("shows foreign text as text", () => {
    const evil = '<script>alert(1)</script> & "x" \u0000\u001b[31m\u202e]]> {a|b}';
    const svg = drawProgress([baseline, row(1, "keep", 0.9, evil)], { ...lower, title: evil });
    expect(svg).not.toMatch(/<(?!\/?(?:svg|rect|path|text|g|defs|clipPath)\b)/);
    expect(svg.replaceAll("\n", "")).not.toMatch(/[\p{Cf}\p{Cc}]/u);
    expect(textsOf(svg).some((text) => text.startsWith("&lt;script&gt;alert(1)&lt;/script&gt; &amp;"))).toBe(true);
  });

  test("is not led astray by names that every object has", () => {
    const names = ["__proto__", "constructor", "toString", "key", "value"];
    const rows = [baseline, ...names.map((name, index) => row(index + 1, "keep", 0.9 - 0.1 * index, name))];
    const texts = textsOf(drawProgress(rows, lower)).map((text) => text.trim());
    expect(texts).toEqual(expect.arrayContaining(names));
    expect("next" in {}).toBe(false);
  });

  test("is well formed whatever the rows are", () => {
    const anyRow = fc.record({
      experiment: fc.nat(2_000),
      outcome: fc.constantFrom("keep", "discard", "within_noise", "crash", "timeout", "rejected", "withdrawn"),
      value: fc.option(fc.double()),
      description: fc.string({ unit: "binary" }),
    });
    fc.assert(
      fc.property(
        fc.array(anyRow, { maxLength: 40 }),
        fc.constantFrom<Direction[]>("lower", "higher"),
        (rows, direction) => {
          const svg = drawProgress(rows, { metric: "m", direction, title: "" });
          expect(svg.isWellFormed()).toBe(true);
          expect(svg).not.toContain("NaN");
          expect(svg.match(/<text/g)!.length).toBe(svg.match(/<\/text>/g)!.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("the plot", () => {
  test("counts experiments, not measurements of the frontier itself, and takes experiments in the order of their numbers", () => {
    const rows = [baseline, row(2, "keep", 0.8), row(1, "keep", 0.9), row(0, "keep", 0.7, "moved by hand")];
    const plot = plotOf(rows, "lower");
    expect(plot).toMatchObject({ experiments: 2, keptCount: 2, baseline: 1, best: 0.7 });
    expect(plot.improvements.map(({ x, y }) => [x, y])).toEqual([
      [0, 1],
      [1, 0.9],
      [2, 0.8],
      [2, 0.7],
    ]);
  });

  test("has round ticks inside its range", () => {
    expect(ticksOf({ from: 0.9651, to: 1.0021 }, 7)).toEqual({ values: [0.97, 0.98, 0.99, 1], decimals: 2 });
    expect(ticksOf({ from: -0.1, to: 6.1 }, 12, 1).values).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
});

describe("the names in the picture", () => {
  /** Kept experiments at random distances with random gains: staircases of every shape. */
  const staircase = fc
    .array(
      fc.record({ after: fc.integer({ min: 1, max: 30 }), gain: fc.double({ min: 1e-6, max: 0.02, noNaN: true }) }),
      {
        minLength: 1,
        maxLength: 24,
      },
    )
    .map((steps) => {
      let [experiment, value] = [0, 1];
      const kept = steps.map(({ after, gain }) =>
        row((experiment += after), "keep", (value -= gain), "a change whose name is as long as names get here"),
      );
      return [baseline, ...kept];
    });

  /** Along the slant and across it, in pixels. */
  function place({ startX, startY, text }: Label, sign: number): { from: number; to: number; across: number } {
    const from = startX * Math.cos(slant) - sign * startY * Math.sin(slant);
    return { from, to: from + widthOf(text), across: startX * Math.sin(slant) + sign * startY * Math.cos(slant) };
  }

  test.each([
    ["lower", 1],
    ["higher", -1],
  ] as const)("do not overlap and stay in the picture where %s is better", (direction, sign) => {
    fc.assert(
      fc.property(staircase, (rows) => {
        const mirrored = rows.map((each) => ({ ...each, value: direction === "lower" ? each.value : 2 - each.value! }));
        const { labels, frame } = placeLabels(plotOf(mirrored, direction), direction, outer);
        const places = labels.map((label) => place(label, sign));
        const clashes = places.flatMap((one, index) =>
          places
            .slice(index + 1)
            .filter(
              (other) => Math.abs(one.across - other.across) < fontSize && one.to > other.from && other.to > one.from,
            ),
        );
        expect(clashes).toEqual([]);
        for (const { startX, startY, text } of labels) {
          const tip = startY - sign * widthOf(text) * Math.sin(slant);
          expect(startX + widthOf(text) * Math.cos(slant)).toBeLessThanOrEqual(outer.right + 1);
          expect(tip).toBeGreaterThan(outer.top - 1);
          expect(tip).toBeLessThan(outer.bottom + 1);
        }
        expect(frame.right - frame.left).toBeGreaterThan(500);
      }),
    );
  });

  test("are all there for 25 that are spread over the session", () => {
    const rows = Array.from({ length: 24 }, (_, index) => row(5 * (index + 1), "keep", 1 - 0.002 * (index + 1)));
    expect(placeLabels(plotOf([baseline, ...rows], "lower"), "lower", outer).labels).toHaveLength(25);
  });

  test("are left off the smaller gains where marks crowd, never off the first and the last", () => {
    const rows = Array.from({ length: 24 }, (_, index) =>
      row(index + 1, "keep", 1 - 1e-6 * (index + 1), `gain ${index}`),
    );
    const big = row(25, "keep", 0.9, "big");
    const { labels } = placeLabels(plotOf([baseline, ...rows, big, row(400, "discard", 1)], "lower"), "lower", outer);
    const names = labels.map(({ text }) => text);
    expect(names.length).toBeLessThan(25);
    expect(names).toEqual(expect.arrayContaining(["baseline", "big"]));
  });

  test("are shortened at a word", () => {
    expect(shorten("halve batch 524K to 262K (more steps in 5 min)", 40)).toBe("halve batch 524K to 262K (more steps…");
    expect(shorten("a\tb\n c")).toBe("a b c");
    expect(shorten("x".repeat(60), 10)).toBe("xxxxxxxxx…");
  });
});
