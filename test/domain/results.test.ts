import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { historyOf } from "../../src/domain/history.ts";
import { type Row, baselineOf, formatResults, parseResults, statusOf, withRow } from "../../src/domain/results.ts";
import { outcomes } from "../../src/domain/verdict.ts";
import { baselineRow, crashRow, rowWith } from "../support/session.ts";

const strange = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom('"', '"a\tb', "a\r\nb", "\u0085", "\u2028", "\u001c", "  ", "keep\t1", "−1 → 2", "NaN"),
);
const row: fc.Arbitrary<Row> = fc.record({
  commit: fc.stringMatching(/^[0-9a-f]{7}$/),
  value: fc.option(
    fc.integer({ min: -9e12, max: 9e12 }).map((each) => each / 1e6),
    { nil: null },
  ),
  memoryGb: fc.integer({ min: 0, max: 10_000 }).map((each) => each / 10),
  description: strange,
  outcome: fc.constantFrom(...outcomes),
  experiment: fc.nat(),
  pullRequest: fc.option(fc.nat(), { nil: null }),
  parent: fc.constantFrom("", "0000001"),
  seconds: fc.integer({ min: 0, max: 1e6 }).map((each) => each / 10),
  because: strange,
});

/** What a reader of tab-separated values sees: it splits at tabs and line ends, and knows quotes. */
function readNaively(text: string): string[][] {
  return text
    .replace(/\n$/, "")
    .split(/(?!\t)[\p{Cc}\p{Zl}\p{Zp}]/u)
    .map((line) => line.split("\t"));
}

describe("results.tsv", () => {
  it("has karpathy's five columns first, value for value, then ours", () => {
    const rows = [
      baselineRow,
      rowWith({ experiment: 1, value: 0.9793, outcome: "keep", description: "halve the batch" }),
      rowWith({ experiment: 2, value: 0.98, outcome: "within_noise" }),
      crashRow(3),
    ];
    expect(formatResults(rows, "val_bpb")).toMatchInlineSnapshot(`
      "commit	val_bpb	memory_gb	status	description	outcome	experiment	pull_request	parent	seconds	because
      0000001	1.000000	44.0	keep	baseline	keep	0			978.0	mean of 3 trials
      0001001	0.979300	44.0	keep	halve the batch	keep	1	101	0000001	326.0	higher than the frontier by 0.0100
      0001002	0.980000	44.0	discard	idea 2	within_noise	2	102	0000001	326.0	higher than the frontier by 0.0100
      0001003	0.000000	44.0	crash	idea 3	crash	3	103	0000001	326.0	out of memory
      "
    `);
  });

  it("is read back as it was written, whatever people and models put into its texts", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
        const text = formatResults(rows, "val_bpb");
        const parsed = parseResults(text);
        const plain = (each: Row) => ({ ...each, description: "", because: "" });
        expect(parsed.map(plain)).toEqual(rows.map(plain));
        // Written once more it is the same file.
        expect(formatResults(parsed, "val_bpb")).toBe(text);
      }),
    );
  });

  it("keeps its columns for readers that know quotes and every kind of line end", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
        const cells = readNaively(formatResults(rows, "val_bpb"));
        expect(cells).toHaveLength(rows.length + 1);
        for (const line of cells) {
          expect(line).toHaveLength(11);
          for (const cell of line) expect(cell).not.toContain('"');
        }
      }),
    );
  });

  it("makes no value nothing that is small", () => {
    const text = formatResults([rowWith({ value: 3.25e-7 })], "loss");
    expect(text).toContain("\t3.250000e-7\t");
    expect(parseResults(text)[0]!.value).toBe(3.25e-7);
  });

  it("keeps ordinary words as they are", () => {
    const description = "batch 2^19 → 2^18 (more, smaller steps); it's 50 % faster";
    expect(parseResults(formatResults([rowWith({ description })], "val_bpb"))[0]!.description).toBe(description);
  });

  it("of karpathy's own night is read", () => {
    const text =
      "commit\tval_bpb\tmemory_gb\tstatus\tdescription\r\nbea057b\t0.986041\t43.9\tkeep\thalve batch\r\n3f1a2b4\t0.000000\t0.0\tcrash\tdepth 40\r\n";
    expect(parseResults(text).map(({ commit, value, outcome }) => [commit, value, outcome])).toEqual([
      ["bea057b", 0.986041, "keep"],
      ["3f1a2b4", null, "crash"],
    ]);
  });

  it.each(["", "a\tb", "c\t\t44.0\tkeep\tno value", "c\tabc\t44.0\tkeep\tno number", "c\t1\t44.0\twon\tno status"])(
    "does not take %j for a row",
    (line) => {
      expect(parseResults(`header\n${line}\n`)).toEqual([]);
    },
  );

  it("calls a crash what has no value, and nothing a crash that has one", () => {
    expect(statusOf({ outcome: "withdrawn", value: null })).toBe("crash");
    expect(statusOf({ outcome: "keep", value: 1 })).toBe("keep");
    expect(statusOf({ outcome: "withdrawn", value: 1 })).toBe("discard");
  });
});

describe("rows", () => {
  it("begin with the baseline, even where an experiment was closed before it was measured", () => {
    const early = rowWith({ experiment: 1, outcome: "withdrawn", value: null });
    expect(withRow([early], baselineRow)).toEqual([baselineRow, early]);
    const moved = { ...baselineRow, commit: "0000002" };
    expect(withRow([baselineRow, early], moved)).toEqual([baselineRow, early, moved]);
    expect(withRow([baselineRow], early)).toEqual([baselineRow, early]);
  });

  it("know the baseline, and the frontier's value at any row", () => {
    const kept = rowWith({ experiment: 1, outcome: "keep", value: 0.98 });
    const lost = rowWith({ experiment: 2 });
    const rows = [baselineRow, kept, lost];
    expect(baselineOf(rows)).toBe(1);
    expect(baselineOf([kept])).toBeNull();
    expect(rows.map((each) => historyOf(rows).before.get(each))).toEqual([null, 1, 0.98]);
  });
});
