import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Measurement,
  formatMeasurement,
  measurementJsonOf,
  measurementSchema,
  parseMeasurement,
} from "../../src/domain/measurement.ts";
import { measurementWith } from "../support/session.ts";

const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  // JSON has no minus zero.
  .map((each) => (Object.is(each, -0) ? 0 : each));
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("````\n", "````json measurement\n{}\n````", "</details>", "`", "\n\n", "\u2028", "🙂"),
);
const common = fc.record({
  because: text,
  logTail: text,
  runner: text,
  metrics: fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    number,
  ),
  curve: fc.array(fc.tuple(number, number), { maxLength: 5 }),
  signal: fc.option(text, { nil: null }),
});
const measurement: fc.Arbitrary<Measurement> = fc
  .tuple(common, fc.oneof(fc.record({ value: number }), fc.record({ status: fc.constantFrom("crash", "timeout") })))
  .map(([given, end]) => measurementWith({ ...given, ...end } as { value: number }));

describe("a measurement", () => {
  it("is read back from its check's text as it was written there", () => {
    fc.assert(
      fc.property(measurement, text, text, (given, before, behind) => {
        const json = JSON.stringify(given);
        const block = formatMeasurement(json);
        expect(measurementJsonOf(block)).toBe(json);
        expect(parseMeasurement(json)).toEqual(given);
        // The summary above is the action's too: a log that imitates the block does not stand for it.
        if (!behind.includes("````json measurement")) {
          expect(measurementJsonOf(`${before}\n${block}\n${behind}`)).toBe(json);
        }
      }),
    );
  });

  it.each(["", "no block", "````json measurement\nnever closed"])("is not found in %j", (checkText) => {
    expect(measurementJsonOf(checkText)).toBeNull();
  });

  const good = measurementWith({ value: 0.9979 });
  const { value: _, ...valueless } = good as Measurement & { value: number };
  it.each([
    ["no value", valueless],
    ["a value that is null, as JSON writes NaN", { ...good, value: null }],
    ["a value in words", { ...good, value: "0.9979" }],
    ["another version", { ...good, version: 2 }],
    ["an unknown end", { ...good, status: "won" }],
    ["half a commit id", { ...good, commit: "abc" }],
    ["a trial of another form", { ...good, trial: "12:7" }],
    ["negative seconds", { ...good, seconds: -1 }],
    ["a log of more than 16 000 characters", { ...good, logTail: "x".repeat(16_001) }],
  ])("with %s is none", (_name, json) => {
    expect(parseMeasurement(JSON.stringify(json))).toBeNull();
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("has no value of %d", (value) => {
    expect(measurementSchema.safeParse({ ...good, value }).success).toBe(false);
    expect(measurementSchema.safeParse({ ...good, metrics: { loss: value } }).success).toBe(false);
    expect(parseMeasurement(JSON.stringify(good).replace('"value":0.9979', '"value":1e999'))).toBeNull();
  });

  it.each(["crash", "unknown"] as const)("has a value only where it was measured, and not as %s", (status) => {
    const valued = { ...valueless, status, value: 0 };
    const parsed = parseMeasurement(JSON.stringify(valued));
    expect(parsed).toMatchObject({ status });
    expect(parsed).not.toHaveProperty("value");
    expect(parseMeasurement("not JSON")).toBeNull();
  });
});
