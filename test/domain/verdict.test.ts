import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Measurement } from "../../src/domain/measurement.ts";
import {
  type Judgement,
  type Noise,
  gainOf,
  judge,
  meanOf,
  noNoise,
  pool,
  sigmaOf,
  valuesOf,
} from "../../src/domain/verdict.ts";
import { configWith, measurementWith } from "../support/session.ts";
import { formatAmount } from "../../src/domain/numbers.ts";

const frontier = { value: 1, trials: 1 };

function judged(
  values: readonly number[],
  given: { sigma?: number; keep?: object; metric?: object; trials?: number } = {},
) {
  const { sigma = null, keep = {}, metric = {}, trials = 1 } = given;
  const measurements = values.map((value) => measurementWith({ value }));
  return judge(measurements, { ...frontier, trials }, sigma, configWith({ keep, metric }));
}

function words(judgement: Judgement): string {
  return `${judgement.kind === "outcome" ? judgement.outcome : judgement.kind}: ${judgement.because}`;
}

describe("the verdict", () => {
  it.each<[string, number[], Parameters<typeof judged>[1]]>([
    ["keep: lower than the frontier by 0.0100", [0.99], {}],
    ["keep: lower than the frontier by 0.0300", [0.98, 0.96], {}],
    ["keep: higher than the frontier by 0.0100", [1.01], { metric: { direction: "higher" } }],
    ["keep: lower than the frontier by 0.0100", [0.99], { sigma: 0 }],
    ["keep: lower than the frontier by 0.0100 (7.1 σ)", [0.99], { sigma: 0.001 }],
    ["keep: lower than the frontier by 0.0020 (2.0 σ)", [0.998, 0.998], { sigma: 0.001, trials: 2 }],
    ["discard: equal to the frontier", [1], {}],
    ["discard: higher than the frontier by 0.0100", [1.01], {}],
    ["discard: lower than the frontier by 0.0100", [0.99], { metric: { direction: "higher" } }],
    ["discard: higher than the frontier by 0.0100", [0.98, 1.04], { sigma: 0.001 }],
    ["discard: the gain of 0.0050 is below keep.min_gain (0.01)", [0.995], { keep: { min_gain: 0.01 } }],
    ["repeat: a gain of 0.0010 (0.7 σ) may be luck: measured again", [0.999], { sigma: 0.001 }],
    ["within_noise: the gain of 0.0010 (0.8 σ) is within the noise (2 σ are needed)", [0.999, 0.999], { sigma: 0.001 }],
    [
      "within_noise: the gain of 0.0010 (0.7 σ) is within the noise (2 σ are needed)",
      [0.999],
      { sigma: 0.001, keep: { trials: 1 } },
    ],
    ["unknown: a gain of 30 % in one step is beyond belief (metric.max_gain is 20 %)", [0.7], {}],
    [
      "unknown: a gain of 30 % in one step is beyond belief (metric.max_gain is 20 %)",
      [1.3],
      { metric: { direction: "higher" } },
    ],
    ["unknown: val_bpb of 0 is beyond belief: it can't be zero or below", [0], {}],
    ["unknown: val_bpb of -3 is beyond belief: it can't be zero or below", [-3], {}],
    ["unknown: a gain of 30 % in one step is beyond belief (metric.max_gain is 20 %)", [1.01, 0.7], {}],
  ])("%s", (expected, values, given) => {
    expect(words(judged(values, given))).toBe(expected);
  });

  it.each(["crash", "timeout", "rejected"] as const)(
    "is %s where a trial ended so, in the trial's own words",
    (status) => {
      const measurements = [measurementWith({ value: 0.9 }), measurementWith({ status, because: "it broke" })];
      expect(judge(measurements, frontier, null, configWith())).toEqual({
        kind: "outcome",
        outcome: status,
        value: null,
        because: "it broke",
      });
    },
  );

  it("gives the mean of the trials as the value, and none where nobody should believe it", () => {
    expect(judged([0.98, 0.96])).toMatchObject({ value: 0.97 });
    expect(judged([1.5])).toMatchObject({ outcome: "discard", value: 1.5 });
    expect(judged([0.1])).toMatchObject({ kind: "unknown", value: 0.1 });
  });
});

const value = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
const sigma = fc.option(fc.double({ min: 0, max: 10, noNaN: true }), { nil: null });
const direction = fc.constantFrom("lower" as const, "higher" as const);
const keep = fc.record({
  sigmas: fc.constantFrom(0, 1, 2, 3),
  min_gain: fc.constantFrom(0, 0.01),
  trials: fc.integer({ min: 1, max: 3 }),
});
const reference = fc.record({ value, trials: fc.integer({ min: 1, max: 5 }) });
const measured = (each: number): Measurement => measurementWith({ value: each });

/** From worst to best; what is beyond belief is the best that was claimed. */
function rank(judgement: Judgement): number {
  if (judgement.kind === "repeat") return 1;
  if (judgement.kind === "unknown") return 3;
  const ranks = { discard: 0, within_noise: 1, keep: 2, rejected: -1, crash: -1, timeout: -1, withdrawn: -1 };
  return ranks[judgement.outcome];
}

describe("the verdict, for all values", () => {
  it("keeps nothing that is not better than the frontier", () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 3 }),
        reference,
        sigma,
        direction,
        keep,
        (values, held, noise, better, rules) => {
          const config = configWith({ metric: { direction: better, max_gain: 1e9 }, keep: rules });
          const judgement = judge(values.map(measured), held, noise, config);
          if (judgement.kind !== "outcome" || judgement.outcome !== "keep") return;
          expect(gainOf(judgement.value!, held.value, better)).toBeGreaterThan(0);
          expect(gainOf(judgement.value!, held.value, better)).toBeGreaterThanOrEqual(rules.min_gain);
        },
      ),
    );
  });

  it("is no worse for a value that is better", () => {
    fc.assert(
      fc.property(value, value, reference, sigma, direction, keep, (a, b, held, noise, better, rules) => {
        const config = configWith({ metric: { direction: better }, keep: rules });
        const [worse, good] = gainOf(a, b, better) > 0 ? [b, a] : [a, b];
        const ranks = [worse, good].map((each) => rank(judge([measured(each)], held, noise, config)));
        expect(ranks[0]).toBeLessThanOrEqual(ranks[1]!);
      }),
    );
  });

  it("is the same when the metric and its direction are turned over", () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 3 }),
        reference,
        sigma,
        keep,
        (values, held, noise, rules) => {
          const lower = judge(values.map(measured), held, noise, configWith({ keep: rules }));
          const turned = { ...held, value: -held.value };
          const config = configWith({ metric: { direction: "higher" }, keep: rules });
          const higher = judge(
            values.map((each) => measured(-each)),
            turned,
            noise,
            config,
          );
          expect(rank(higher)).toBe(rank(lower));
          expect(higher.kind).toBe(lower.kind);
        },
      ),
    );
  });

  it("asks for no more trials than keep.trials", () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        reference,
        sigma,
        keep,
        (values, held, noise, rules) => {
          const judgement = judge(values.map(measured), held, noise, configWith({ keep: rules }));
          if (judgement.kind === "repeat") expect(values.length).toBeLessThan(rules.trials);
        },
      ),
    );
  });
});

describe("the noise", () => {
  it("is unknown before anything was repeated, and what the configuration says where it says so", () => {
    expect(sigmaOf(noNoise, configWith())).toBeNull();
    expect(sigmaOf(noNoise, configWith({ keep: { noise: 0.004 } }))).toBe(0.004);
    expect(sigmaOf({ sumOfSquares: 8, degrees: 2 }, configWith({ keep: { noise: 0.004 } }))).toBe(0.004);
    expect(sigmaOf({ sumOfSquares: 8, degrees: 2 }, configWith())).toBe(2);
  });

  it("is the standard deviation of the trials of one group", () => {
    expect(sigmaOf(pool(noNoise, [1, 2, 3, 4]), configWith())).toBeCloseTo(Math.sqrt(5 / 3), 12);
    expect(pool(noNoise, [1])).toEqual(noNoise);
    expect(pool(noNoise, [])).toEqual(noNoise);
  });

  it("pools groups in any order, and knows nothing of where each group lies", () => {
    const group = fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 });
    const close = (a: Noise, b: Noise) => {
      expect(a.degrees).toBe(b.degrees);
      expect(a.sumOfSquares).toBeCloseTo(b.sumOfSquares, 6);
    };
    fc.assert(
      fc.property(group, group, fc.integer({ min: -50, max: 50 }), (a, b, shift) => {
        close(pool(pool(noNoise, a), b), pool(pool(noNoise, b), a));
        close(
          pool(noNoise, a),
          pool(
            noNoise,
            a.map((each) => each + shift),
          ),
        );
      }),
    );
  });

  it("is that of the trials that were measured", () => {
    expect(valuesOf([measured(1), measurementWith({ status: "crash" }), measured(2)])).toEqual([1, 2]);
    expect(meanOf([1, 2])).toBe(1.5);
  });
});

describe("an amount", () => {
  it.each([
    [0, "0.0000"],
    [0.9979, "0.9979"],
    [-0.0012, "-0.0012"],
    [0.00012345, "0.00012"],
    [0.0000001, "1e-7"],
    [12.345678, "12.3457"],
    [1234.5678, "1234.57"],
  ])("of %d is shown as %s", (amount, shown) => {
    expect(formatAmount(amount)).toBe(shown);
  });
});
