import { expect, it } from "vitest";
import { formatClock } from "../../src/domain/numbers.ts";

it.each([
  [0, "0 s"],
  [1, "1 s"],
  [2.55, "2.6 s"],
  [59.94, "59.9 s"],
  [59.97, "1:00"],
  [326, "5:26"],
  [599.6, "10:00"],
  [3605, "1:00:05"],
])("%d seconds are told as %s", (seconds, told) => {
  expect(formatClock(seconds)).toBe(told);
});
