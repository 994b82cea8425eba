import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lineChange } from "../../src/domain/code-size.ts";
import { preferShorter } from "../../src/domain/simpler.ts";
import { gainOf, judge } from "../../src/domain/verdict.ts";
import { configWith, measurementWith } from "../support/session.ts";

const reference = { value: 1, trials: 3 };

function judged(
  values: readonly number[],
  lines: number | null,
  keep: Record<string, unknown> = {},
  direction = "lower",
) {
  const config = configWith({ keep: { noise: 0.01, trials: 2, ...keep }, metric: { direction } });
  const measurements = values.map((value) => measurementWith({ value }));
  const facts = { lines, trials: values.length, reference, sigma: config.keep.noise };
  return preferShorter(judge(measurements, reference, config.keep.noise, config), facts, config);
}

describe("equal and shorter", () => {
  it("wins, after as many trials as a gain may have", () => {
    expect(judged([0.999], -12)).toMatchObject({ kind: "repeat" });
    expect(judged([0.999, 0.999], -12)).toMatchObject({
      outcome: "keep",
      value: 0.999,
      because: "equal to the frontier and 12 lines shorter",
    });
    expect(judged([1, 1], -1)).toMatchObject({ outcome: "keep", because: "equal to the frontier and 1 line shorter" });
    expect(judged([0.999], -12, { noise: 0 })).toMatchObject({ outcome: "keep" });
    expect(judged([1], -1, { noise: 0, min_gain: 0.1 })).toMatchObject({ outcome: "keep" });
  });

  it.each([
    ["worse", [1.001, 1.001], -12, {}, "discard"],
    ["as long", [0.999, 0.999], 0, {}, "within_noise"],
    ["longer", [0.999, 0.999], 3, {}, "within_noise"],
    ["of a length that nobody knows", [0.999, 0.999], null, {}, "within_noise"],
    ["not asked for", [0.999, 0.999], -12, { simpler: false }, "within_noise"],
  ])("does not win where it is %s", (_name, values, lines, keep, outcome) => {
    expect(judged(values, lines, keep)).toMatchObject({ outcome });
  });

  it("is no answer where the value is beyond belief", () => {
    expect(judged([0.1, 0.1], -12)).toMatchObject({ kind: "unknown" });
  });

  it("never makes the frontier's value worse", () => {
    const values = fc.array(fc.double({ min: 0.9, max: 1.1, noNaN: true }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: -20, max: 5 }),
        fc.constantFrom("lower", "higher"),
        (given, lines, direction) => {
          const judgement = judged(given, lines, {}, direction);
          if (judgement.kind !== "outcome" || judgement.outcome !== "keep") return;
          expect(gainOf(judgement.value!, reference.value, direction as "lower")).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the length of code", () => {
  const change = (before: string, after: string) =>
    lineChange([{ path: "train.py", text: before }], [{ path: "train.py", text: after }]);

  it.each([
    ["a line gone", "a = 1\nb = 2\n", "a = 1\n", -1],
    ["a line more", "a = 1\n", "a = 1\nb = 2\n", 1],
    ["a comment and a blank line gone", "# why\n\na = 1\n", "a = 1\n", 0],
    ["a docstring gone", 'def f():\n    """Says\n    so."""\n    return 1\n', "def f():\n    return 1\n", 0],
    ["a docstring on one line gone", 'def f():\n    """So."""\n    return 1\n', "def f():\n    return 1\n", 0],
    ["lines joined", "a = 1\nb = 2\n", "a = 1; b = 2\n", 0],
    ["a file gone", "a = 1\nb = 2\n", "", -2],
  ])("%s", (_name, before, after, lines) => {
    expect(change(before, after)).toBe(lines);
  });

  const kernel = 'KERNEL = """\n__global__ void k() {}\n"""\n';
  const rest = Array.from({ length: 300 }, (_, index) => `a${index} = ${index}\n`).join("");

  it.each([
    ["a text that is put to use, before all else", rest, kernel + rest, 3],
    ["one in a call", rest, `compile(\n    """\n    # not a comment\n    """,\n)\n${rest}`, 5],
    ["one whose last line goes on", rest, `A = """x\ny""" + """z"""\n${rest}`, 2],
    ["one that holds quotes", rest, `A = """\n'''\n# "\n"""\n${rest}`, 4],
    ["a text that nothing reads, and one with a value in it", rest, `"""\nx\n"""\nf"""\n{x}\n"""\n${rest}`, 3],
    ["a docstring, and a comment beside code", "a = 1\n", '"""Why,\nand how."""\na = 1  # so\n', 0],
    ["a comment and a blank line inside a call", "f(\n    1,\n)\n", "f(\n    # one\n    1,\n\n)\n", 0],
    ["a statement over two lines", "a = 1\n", "a = \\\n    1\n", 1],
    ["a comment away and lines joined", "a = 1  # a long remark\nb = 2\n", "a = 1; b = 2\n", 0],
  ])("%s", (_name, before, after, lines) => {
    expect(change(before, after)).toBe(lines);
  });

  it("of what is no Python: quotes are nothing there", () => {
    expect(lineChange([], [{ path: "a.yaml", text: 'text: """\n# why\nb: 2\n' }])).toBe(2);
  });

  /** Statements with as many lines of code as they have. */
  const letters = fc.string({
    unit: fc.constantFrom("a", "#", "'", '\\"', "{{", "(", " ", "\n", "\\\n"),
    maxLength: 12,
  });
  const linesIn = (text: string) => text.split("\n").length;
  const statement = fc.oneof(
    fc.constantFrom(
      { text: "a = 1  # '''", lines: 1 },
      { text: "f(\n  1,  # (\n\n  # x\n)", lines: 3 },
      { text: "a = 1; b = '#'", lines: 1 },
      { text: 'a = f"{b["c"]}"', lines: 1 },
      { text: '# """', lines: 0 },
      { text: "", lines: 0 },
    ),
    fc
      .tuple(letters, fc.constantFrom("K = ", "f(1)\nK = r", "return f", 'x = """a""" '))
      .map(([inner, head]) => ({ text: `${head}"""${inner} """`, lines: linesIn(head + inner) })),
    letters.map((inner) => ({ text: `"""${inner} """`, lines: 0 })),
  );
  const textOf = (parts: readonly { text: string }[]) => parts.map(({ text }) => `${text}\n`).join("");

  it("grows by just the lines that are added, wherever they are put", () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 12 }), statement, fc.nat(12), (parts, added, at) => {
        expect(change(textOf(parts), textOf(parts.toSpliced(at, 0, added)))).toBe(added.lines);
      }),
      { numRuns: 1_000 },
    );
  });

  it("never shrinks where something is added at the end, readable or not", () => {
    const unit = fc.constantFrom('"""', "'''", '"', "'", "#", "\\", "\n", "(", ")", "{", "}", "f", "r", "a", " ", "=");
    const any = fc.string({ unit, maxLength: 30 });
    fc.assert(
      fc.property(any, any, (before, added) => {
        expect(change(`${before}\n`, `${before}\n${added}`)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 5_000 },
    );
  });
});
