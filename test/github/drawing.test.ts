import { expect, test } from "vitest";
import { draw, isDrawn } from "../../src/drawing.ts";
import { drawProgress } from "../../src/picture.ts";
import { baselineRow, rowWith } from "../support/session.ts";

const options = { metric: "val_bpb", direction: "lower", title: "Night one" } as const;

test("the thread draws what would be drawn here, for many at a time", async () => {
  const many = [2, 9, 40].map((count) => [
    baselineRow,
    ...Array.from({ length: count }, (_, index) => rowWith({ experiment: index + 1, value: 1 - index / 1000 })),
  ]);
  const drawn = await Promise.all(many.map((rows) => draw(rows, options)));
  expect(drawn).toEqual(many.map((rows) => drawProgress(rows, options)));
});

test("what can't be drawn comes to null, and the next one is drawn", async () => {
  const broken = [{ ...baselineRow, description: null as unknown as string }];
  expect(await draw(broken, options)).toBeNull();
  expect(await draw([baselineRow], options)).toContain("<svg");
});

test("a thousand experiments are drawn fifty times and for every gain, however they are spread", () => {
  const rows = Array.from({ length: 1_001 }, (_, index) => rowWith({ experiment: index }));
  const drawn = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => rows.slice(0, from + index)).filter((each) =>
      isDrawn(each, "discard"),
    ).length;
  expect(drawn(1, 51)).toBe(50);
  expect(drawn(500, 1_000)).toBeLessThanOrEqual(50);
  expect(isDrawn(rows, "keep")).toBe(true);
  // Never further behind than two parts in fifty.
  let last = 0;
  for (let length = 1; length <= rows.length; length += 1) {
    if (isDrawn(rows.slice(0, length), "discard")) last = length;
    expect(length - last).toBeLessThanOrEqual(2 * Math.ceil(length / 50));
  }
});
