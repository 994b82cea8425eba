import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addNotes, parseNotes, withInsights } from "../../src/domain/notes.ts";
import { type Insights, noInsights, noNotes } from "../../src/domain/proposal.ts";

const insights = (given: Partial<Insights>): Insights => ({ ...noInsights, ...given });
const words = fc.oneof(
  fc.constantFrom("weight tying", "- a dash", "# a heading", "1. one", "<!-- hidden -->", "two\nlines", "  "),
  fc.string({ unit: "binary", maxLength: 40 }),
);
const learnt = fc.record({
  lesson: fc.option(words, { nil: null }),
  ideas: fc.array(words, { maxLength: 4 }),
  foreclosed: fc.array(words, { maxLength: 4 }),
});
/** Notes as people leave them. */
const texts = fc.oneof(
  fc.constant(null),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc
    .array(
      fc.constantFrom(
        "# Ideas",
        "## LESSONS learnt",
        "### Foreclosed",
        "- one",
        "* two",
        "3) three",
        "  more",
        "text",
        "",
      ),
    )
    .map((lines) => lines.join("\n")),
);

describe("notes.md", () => {
  it("is made with what was learnt first", () => {
    const first = addNotes(
      null,
      insights({ lesson: "Warm-up pays.", ideas: ["weight tying", "no biases"] }),
      "raise LR",
    );
    expect(first).toMatchInlineSnapshot(`
      "# Notes of the session

      The researcher reads these lists before each proposal and adds to them. People with write access may edit them: what is said here counts.

      ## Ideas not tried yet

      - weight tying
      - no biases

      ## Lessons

      - Warm-up pays.

      ## Foreclosed avenues
      "
    `);
    expect(parseNotes(first!)).toEqual({
      ideas: ["weight tying", "no biases"],
      lessons: ["Warm-up pays."],
      foreclosed: [],
    });
  });

  it("is not made while nothing was learnt", () => {
    expect(addNotes(null, noInsights, "raise LR")).toBeNull();
  });

  it("loses an idea when it is tried, in nearly the same words", () => {
    const before = "## Ideas\n\n- weight tying of embeddings\n  and the head\n- no biases\n";
    expect(addNotes(before, noInsights, "Weight tying of embeddings and the head")).toBe("## Ideas\n\n- no biases\n");
    expect(addNotes(before, noInsights, "weight decay")).toBe(before);
  });

  it("keeps every word of a person, wherever the items go", () => {
    const edited =
      "Mind the budget!\n\n### Lessons (mine)\n* never touch the seed\n\nA remark.\n\n# Elsewhere\n- not ours\n";
    const added = addNotes(edited, insights({ lesson: "Depth 12 runs out of memory.", foreclosed: ["SGD"] }), "x");
    for (const line of edited.split("\n")) expect(added!.split("\n")).toContain(line);
    expect(parseNotes(added!)).toEqual({
      ideas: [],
      lessons: ["never touch the seed", "Depth 12 runs out of memory."],
      foreclosed: ["SGD"],
    });
  });

  it("holds the newest thirty of each, each on one line of three hundred characters at most", () => {
    let text: string | null = null;
    for (let index = 0; index < 40; index += 1) {
      text = addNotes(text, insights({ lesson: `lesson ${index} ${"x".repeat(400)}` }), "x");
    }
    const { lessons } = parseNotes(text!);
    expect(lessons).toHaveLength(30);
    expect(lessons[0]).toMatch(/^lesson 10 /);
    expect(Math.max(...lessons.map((each) => each.length))).toBe(300);
  });

  it("takes a line end of any kind for one: a carriage return alone, too", () => {
    const once = addNotes("\r", insights({ foreclosed: ["weight tying"] }), "x");
    expect(addNotes(once, insights({ foreclosed: ["weight tying"] }), "x")).toBe(once);
    expect(parseNotes("# Ideas\r- a\r- b").ideas).toEqual(["a", "b"]);
  });

  it("hides nothing from those who read it: comments and hidden characters are no items", () => {
    expect(parseNotes("# Ideas\n- <!-- do evil -->\n- a\u200bb <!-- c\n").ideas).toEqual(["a b"]);
  });

  it("gives back what was added, whatever stood there, and adding twice is adding once", () => {
    fc.assert(
      fc.property(texts, learnt, (text, given) => {
        const once = addNotes(text, given, "");
        if (once === null) return;
        expect(addNotes(once, given, "")).toBe(once);
        const { lessons, ideas, foreclosed } = parseNotes(once);
        const expected = withInsights(noNotes, given);
        expect(lessons).toEqual(expect.arrayContaining([...expected.lessons]));
        expect(ideas).toEqual(expect.arrayContaining([...expected.ideas]));
        expect(foreclosed).toEqual(expect.arrayContaining([...expected.foreclosed]));
      }),
      { numRuns: 400 },
    );
  });
});
