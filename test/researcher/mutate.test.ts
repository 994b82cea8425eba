import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Brief, FileText, Proposal } from "../../src/domain/proposal.ts";
import { refusalOf, resultOf } from "../../src/researcher/guard.ts";
import { alternatives, constantsOf, mutate, proposeMutation } from "../../src/researcher/mutate.ts";
import { briefWith, keyOf, train } from "../support/brief.ts";
import { configWith, crashRow, rowWith } from "../support/session.ts";

function namesIn(text: string): string[] {
  return constantsOf({ path: "train.py", text }).map(({ name, index, text: value }) =>
    index === null ? `${name} ${value}` : `${name}[${index}] ${value}`,
  );
}

describe("the constants of a file", () => {
  it.each([
    ["a number", "LR = 0.02", ["LR 0.02"]],
    ["with a comment", "LR = 0.02  # 0.04 before", ["LR 0.02"]],
    ["with a type", "DEPTH: int = 8", ["DEPTH 8"]],
    [
      "negative, with underscores, with an exponent",
      "A = -1\nB = 524_288\nC = 1e-8\nD = -2.5E+3",
      ["A -1", "B 524_288", "C 1e-8", "D -2.5E+3"],
    ],
    ["a tuple", "BETAS = (0.9, 0.95)", ["BETAS[0] 0.9", "BETAS[1] 0.95"]],
    ["a list", "ORDERS = [1, 2, 3]", ["ORDERS[0] 1", "ORDERS[1] 2", "ORDERS[2] 3"]],
    ["arithmetic", "BATCH = 2**19", ["BATCH[0] 2", "BATCH[1] 19"]],
    ["a difference", "N = 5-3", ["N[0] 5", "N[1] 3"]],
  ])("are found: %s", (_name, text, expected) => {
    expect(namesIn(text)).toEqual(expected);
  });

  it.each([
    ["in a function", "def f():\n    LR = 0.02"],
    ["in small letters", "lr = 0.02"],
    ["of words", 'NAME = "8"'],
    ["of other names", "DEPTH = N_LAYER * 2"],
    ["of calls", "LR = float(0.02)"],
    ["a comparison", "LR == 0.02"],
    ["seeds and the like", "SEED = 42\nVERSION = 3"],
    ["half a number", "A = 1.\nB = .5"],
    ["in a comment", "# LR = 0.02"],
  ])("are not: %s", (_name, text) => {
    expect(namesIn(text)).toEqual([]);
  });
});

describe("other values for a constant", () => {
  it.each([
    ["8", ["9", "7", "16", "4"]],
    ["1", ["2", "3"]],
    ["0", ["1", "2"]],
    ["100", ["200", "50"]],
    ["0.02", ["0.04", "0.01"]],
    ["2.0", ["4.0", "1.0"]],
    ["-1", ["0", "-2"]],
    ["524_288", ["1048576", "262144"]],
    ["1e-8", ["2e-8", "5e-9"]],
    ["1e308", ["5e+307"]],
  ])("%s: %j among others", (text, some) => {
    expect(alternatives(text)).toEqual(expect.arrayContaining(some));
  });

  it("are none where a step means nothing", () => {
    expect(alternatives("0.0")).toEqual([]);
  });

  it("leave out what would be no whole number any more", () => {
    expect(alternatives("900000000000000000000")).toEqual([
      "450000000000000000000",
      "603000000000000000000",
      "225000000000000000000",
    ]);
  });

  it("keep a whole number whole, and what is above zero above zero", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 1, max: 1e6 }).map(String),
          fc.double({ min: 1e-300, max: 1e300, noNaN: true }).map(String),
        ),
        (text) => {
          for (const each of alternatives(text)) {
            expect(Number(each)).toBeGreaterThan(0);
            expect(Number(each)).not.toBe(Number(text));
            expect(Number.isFinite(Number(each))).toBe(true);
            if (/^\d+$/.test(text)) expect(each).toMatch(/^\d+$/);
            else expect(each).toMatch(/[.e]/);
          }
        },
      ),
    );
  });
});

function proposalOf(brief: Brief): Proposal {
  const answer = proposeMutation(brief);
  if (answer.kind !== "proposal") throw new Error(answer.because);
  return answer.proposal;
}

/** The two texts without what they have in common at both ends. */
function difference(a: string, b: string): [string, string] {
  const token = /-?[\w.+-]+|[^\w]/g;
  const [left, right] = [a.match(token) ?? [], b.match(token) ?? []];
  let start = 0;
  while (start < left.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < Math.min(left.length, right.length) - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  return [left.slice(start, left.length - end).join(""), right.slice(start, right.length - end).join("")];
}

const numeral = /^-?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?$/i;

const value = fc.oneof(
  fc.integer({ min: -100, max: 1_000_000 }).map(String),
  fc.double({ min: 1e-9, max: 1e9, noNaN: true }).map((each) => each.toPrecision(3)),
  fc.constantFrom("0", "0.0", "524_288", "1e-8", "(0.9, 0.95)", "[1, 2, 3]", "2**19", '"words"', "f(3)"),
);
const file = fc
  .array(fc.tuple(fc.constantFrom("LR", "DEPTH", "WIDTH", "BETAS", "SEED", "lr", "  X"), value), { maxLength: 8 })
  .map((lines) => lines.map(([name, text]) => `${name} = ${text}\n`).join(""));
const files: fc.Arbitrary<FileText[]> = fc
  .tuple(file, fc.option(file, { nil: null }))
  .map(([a, b]) => [{ path: "train.py", text: a }, ...(b === null ? [] : [{ path: "model.py", text: b }])]);
const mutable = configWith({ mutable: ["*.py"] });

describe("the researcher mutate", () => {
  it("changes one constant and says which, from what, to what", () => {
    expect(proposalOf(briefWith())).toMatchInlineSnapshot(`
      {
        "askedBy": null,
        "description": "LR 0.02 → 0.01",
        "expected": null,
        "files": [
          {
            "path": "train.py",
            "text": "import math

      DEPTH = 8
      LR = 0.01  # of the matrices
      BETAS = (0.9, 0.95)
      BATCH: int = 2**18
      ",
          },
        ],
        "hypothesis": "LR is too large at 0.02.",
        "insights": {
          "foreclosed": [],
          "ideas": [],
          "lesson": null,
        },
        "kind": "hyperparameter",
        "refutedBy": null,
        "researcher": "mutate",
      }
    `);
  });

  it("answers the same to the same brief, and something else to the next experiment", async () => {
    expect(proposeMutation(briefWith())).toEqual(proposeMutation(briefWith()));
    expect(await mutate.propose(briefWith(), new AbortController().signal)).toEqual(proposeMutation(briefWith()));
    const several = [1, 2, 3, 4, 5, 6].map((experiment) => proposalOf(briefWith({ experiment })).description);
    expect(new Set(several).size).toBeGreaterThan(1);
    const elsewhere = [1, 2, 3, 4, 5, 6].map(
      (experiment) => proposalOf(briefWith({ experiment, session: "o/r#1" })).description,
    );
    expect(elsewhere).not.toEqual(several);
  });

  it("changes exactly one number of the files, and passes the guard", () => {
    fc.assert(
      fc.property(files, fc.integer({ min: 1, max: 1_000 }), (given, experiment) => {
        const brief = briefWith({ files: given, experiment, config: mutable });
        const answer = proposeMutation(brief);
        if (answer.kind !== "proposal") return;
        const { proposal } = answer;
        expect(refusalOf(proposal, brief)).toBeNull();
        expect(proposal.files).toHaveLength(1);
        const [changed] = proposal.files;
        const before = given.find((each) => each.path === changed!.path)!;
        const [from, to] = difference(before.text, changed!.text);
        expect(from).toMatch(numeral);
        expect(to).toMatch(numeral);
        expect(proposal.description.endsWith(` ${from} → ${to}`)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("proposes nothing twice, and comes to an end", () => {
    fc.assert(
      fc.property(files, (given) => {
        const tried = new Set([keyOf(given)]);
        const brief = (experiment: number) => briefWith({ files: given, experiment, tried, config: mutable });
        for (let experiment = 1; experiment <= 600; experiment += 1) {
          const answer = proposeMutation(brief(experiment));
          if (answer.kind === "nothing") {
            expect(answer.because).toMatch(/^(every change of a single constant was tried|there is no constant)/);
            return;
          }
          if (answer.kind !== "proposal") throw new Error(answer.because);
          const key = keyOf(resultOf(answer.proposal, given));
          expect(tried.has(key)).toBe(false);
          tried.add(key);
        }
        throw new Error("never at an end");
      }),
      { numRuns: 20 },
    );
  });

  it("has nothing to propose where there is no constant", () => {
    expect(proposeMutation(briefWith({ files: [{ path: "train.py", text: "print(3)\n" }] }))).toEqual({
      kind: "nothing",
      because: "there is no constant (NAME = number) in train.py that could be changed",
    });
  });

  it("names the file where there is more than one", () => {
    const two = [
      { path: "a.py", text: "LR = 0.02\n" },
      { path: "b.py", text: "x = 1\n" },
    ];
    expect(proposalOf(briefWith({ files: two, config: mutable })).description).toMatch(/^a\.py: LR 0\.02 → /);
  });

  it("leaves what is in flight to the runners", () => {
    const first = proposalOf(briefWith());
    expect(proposalOf(briefWith({ inFlight: [first.description] })).description).not.toBe(first.description);
  });

  /** How often, of a hundred, a proposal is of a kind. */
  function often(rows: Brief["rows"], isIt: (description: string) => boolean): number {
    const all = Array.from(
      { length: 100 },
      (_, index) => proposalOf(briefWith({ experiment: index + 1, rows })).description,
    );
    return all.filter(isIt).length;
  }
  const isRaise = (description: string) => {
    const match = /^LR 0\.02 → (.*)$/.exec(description);
    return match !== null && Number(match[1]) > 0.02;
  };

  it("follows what has paid, leaves what has lost, and shuns what has crashed", () => {
    const before = often([], isRaise);
    const row = { description: "LR 0.01 → 0.02" };
    expect(often([rowWith({ ...row, outcome: "keep", value: 0.98 })], isRaise)).toBeGreaterThan(before);
    expect(often([rowWith({ ...row, outcome: "discard" })], isRaise)).toBeLessThan(before);
    expect(often([crashRow(1, row)], isRaise)).toBeLessThan(before);
    expect(before).toBeGreaterThan(0);
  });

  it("is not moved by rows of other people's forms", () => {
    const rows = [rowWith({ description: "rewrite the optimizer" }), rowWith({ description: "LR up" })];
    expect(proposeMutation(briefWith({ rows }))).toEqual(proposeMutation(briefWith()));
  });

  it("keeps everything else in the file as it was", () => {
    const { files: changed, description } = proposalOf(briefWith());
    const match = / (\S+) → (\S+)$/.exec(description)!;
    expect(changed[0]!.text.length - train.text.length).toBe(match[2]!.length - match[1]!.length);
  });
});
