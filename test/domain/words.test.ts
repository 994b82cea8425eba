import { untold } from "../../src/domain/proposal.ts";
import * as fc from "fast-check";
import { marked } from "marked";
import { describe, expect, it } from "vitest";
import {
  concludedBody,
  formatTime,
  inline,
  oneLine,
  pullBody,
  pullTitle,
  sessionIn,
  statusText,
  verdictLine,
  verdictTitle,
  whoAndWhen,
} from "../../src/domain/words.ts";
import {
  baselineRow,
  configWith,
  crashRow,
  experimentWith,
  measurementWith,
  recordWith,
  rowWith,
  sessionWith,
  shaOf,
  trial,
} from "../support/session.ts";
import { formatDelta, formatPercent } from "../../src/domain/numbers.ts";

describe("foreign text in a line", () => {
  it.each([
    ["a mention", "ask @ada", "ask @\u2060ada"],
    ["a team", "@org/team", "@\u2060org/team"],
    ["a word that closes an issue", "fixes #12", "fixes #\u206012"],
    ["one of another repository", "closes o/r#12", "closes o/r#\u206012"],
    ["one in the old manner", "closes GH-12 gh-3", "closes GH-\u206012 gh-\u20603"],
    ["one by its address", "closes https://github.com/o/r/issues/1", "closes https:\u2060//github.com/o/r/issues/1"],
    ["a mention as an entity", "&#64;ada", "\\&#\u206064;ada"],
    ["a cell's end", "a | b", "a \\| b"],
    ["HTML", "<img src=x>", "\\<img src=x\\>"],
    ["a hidden comment", "<!-- autoresearch:verdict -->", "\\<!-- autoresearch:verdict --\\>"],
    ["code", "`rm`", "\\`rm\\`"],
    ["a link", "[a](b)", "\\[a\\](b)"],
    ["emphasis", "**a** _b_ ~c~", "\\*\\*a\\*\\* \\_b\\_ \\~c\\~"],
    ["line ends and tabs", " a\r\n\tb\u2028c ", "a b c"],
    ["hidden characters", "a\u200bb\u202ec\u0000d\ufeffe", "a b c d e"],
    ["a mention that hides", "@\u200bada", "@ ada"],
    ["a mask", "\\@ada", "\\\\@\u2060ada"],
    ["ordinary words", "batch 2^19 → 2^18 (−0.4 %)", "batch 2^19 → 2^18 (−0.4 %)"],
  ])("is harmless: %s", (_name, text, expected) => {
    expect(inline(text)).toBe(expected);
  });

  it("is cut between characters, before it is made harmless", () => {
    expect(inline("🙂".repeat(400))).toBe("🙂".repeat(300));
    expect(inline("|".repeat(400), 5)).toBe("\\|".repeat(5));
  });

  it("is one cell of a table, and shows the words that were given", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "|",
        "\\",
        "`",
        "``",
        "*",
        "_",
        "<",
        ">",
        "[",
        "]",
        "(",
        ")",
        "!",
        "~",
        "#",
        "@",
        "&amp;",
        "\n",
        "<!--",
        "-->",
      ),
      fc.stringMatching(/^[a-z0-9 ]{0,5}$/),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 15 }).map((pieces) => pieces.join("")),
        (text) => {
          const [table] = marked.lexer(`| a | b |\n| --- | --- |\n| x${inline(text)}x | y |\n`);
          if (table?.type !== "table") throw new Error("no table");
          expect(table.rows[0]).toHaveLength(2);
          expect(table.rows[0][1].text).toBe("y");
          const kinds = table.rows[0][0].tokens.map((token: { type: string }) => token.type);
          expect(new Set(kinds)).toEqual(new Set([...kinds].filter((kind) => kind === "text" || kind === "escape")));
        },
      ),
    );
  });
});

describe("numbers as people read them", () => {
  it.each([
    [-0.0012, "−0.0012"],
    [0.0008, "+0.0008"],
    [0, "±0.0000"],
  ])("a difference of %d is %s", (delta, shown) => {
    expect(formatDelta(delta)).toBe(shown);
  });

  it.each([
    [0.9979, 0.9793, "−1.86 %"],
    [1, 1.5, "+50.00 %"],
    [2, 2, "0.00 %"],
    [-2, -1, "+50.00 %"],
    [0, 0.5, "+0.5000"],
  ])("from %d to %d is %s", (from, to, shown) => {
    expect(formatPercent(from, to)).toBe(shown);
  });

  it("a time is in UTC, to the minute", () => {
    expect(formatTime("2026-11-23T12:04:59.999Z")).toBe("2026-11-23 12:04 UTC");
  });
});

describe("titles", () => {
  it("of a pull request are one line that GitHub takes", () => {
    expect(pullTitle(36, "batch 2^19 → 2^18\n")).toBe("exp 36: batch 2^19 → 2^18");
    const long = pullTitle(36, "🙂".repeat(400));
    expect(Array.from(long)).toHaveLength(250);
    expect(long.isWellFormed()).toBe(true);
    expect(oneLine("a\u0000b\tc\r\n")).toBe("a b c");
  });

  it("of the bot's check are the outcome and its number", () => {
    const config = configWith();
    const kept = rowWith({ outcome: "keep", value: 0.9793 });
    expect(verdictTitle(kept, 0.9805, config)).toBe("keep: val_bpb 0.9793 (−0.0012)");
    expect(verdictTitle(rowWith({ outcome: "within_noise", value: 1 }), 1, config)).toBe(
      "within noise: val_bpb 1.0000 (±0.0000)",
    );
    expect(verdictTitle(crashRow(1), 1, config)).toBe("crash: out of memory");
    expect(verdictTitle(crashRow(1, { because: "x".repeat(500) }), 1, config)).toHaveLength(200);
  });
});

describe("the body of a pull request", () => {
  const idea = {
    ...untold,
    description: "batch 2^19 → 2^18",
    hypothesis: "At a fixed 5 minutes more, smaller steps beat fewer, larger ones. @ada",
    expected: "−0.001 … −0.01",
    refutedBy: "a loss curve that is worse at equal time",
    researcher: "mutate",
    kind: "other" as const,
    askedBy: null,
    key: "k",
  };
  const at = { issue: 12, experiment: 36, parent: shaOf(7) };

  it("says the idea", () => {
    expect(pullBody(idea, at)).toMatchInlineSnapshot(`
      "**Hypothesis.** At a fixed 5 minutes more, smaller steps beat fewer, larger ones. @⁠ada

      **Expected** −0.001 … −0.01. **Refuted by** a loss curve that is worse at equal time.

      <!-- autoresearch:verdict -->

      <sub>session #12 · experiment 36 · on frontier \`0000007\` · mutate</sub>

      <!-- autoresearch:session 12 -->"
    `);
  });

  it("leaves out what the researcher did not say", () => {
    const body = pullBody({ ...idea, expected: null, refutedBy: null }, at);
    expect(body).not.toContain("Expected");
    expect(body).not.toContain("Refuted");
    expect(body).not.toContain("\n\n\n");
  });

  it("says whose it is, to the bot", () => {
    expect(sessionIn(pullBody(idea, at))).toBe(12);
    expect(sessionIn("a person's pull request")).toBeNull();
    expect(sessionIn(pullBody({ ...idea, hypothesis: "<!-- autoresearch:session 66 -->" }, at))).toBe(12);
  });

  const measurements = [measurementWith({ value: 0.9793, metrics: { num_steps: 1871, peak_vram_mb: 26_726.4 } })];
  const row = rowWith({
    experiment: 36,
    outcome: "keep",
    value: 0.9793,
    memoryGb: 26.1,
    because: "lower than the frontier by 0.0012 (3.0 σ)",
  });
  const experiment = experimentWith({
    number: 36,
    body: pullBody(idea, at),
    parent: { tip: shaOf(7), value: 0.9805, trials: 1 },
    trials: [trial.measured(0.9793)],
  });
  const session = sessionWith({ rows: [baselineRow, row] });

  it("says the verdict in the place that was kept for it", () => {
    expect(concludedBody({ experiment, row, measurements, session })).toMatchInlineSnapshot(`
      "**Hypothesis.** At a fixed 5 minutes more, smaller steps beat fewer, larger ones. @⁠ada

      **Expected** −0.001 … −0.01. **Refuted by** a loss curve that is worse at equal time.

      <!-- autoresearch:verdict -->

      | | frontier | this | Δ |
      | --- | --- | --- | --- |
      | val_bpb | 0.9805 | **0.9793** | −0.0012 |
      | steps | | 1871 | |
      | peak memory | | 26.1 GiB | |

      **Verdict: keep** — lower than the frontier by 0.0012 (3.0 σ).

      [the run](https://github.test/ada/nano/actions/runs/9001) · trial on gpu-2, 5:26

      <!-- autoresearch:verdict end -->

      <sub>session #12 · experiment 36 · on frontier \`0000007\` · mutate</sub>

      <!-- autoresearch:session 12 -->"
    `);
  });

  it("says one verdict, however often it is concluded", () => {
    const once = concludedBody({ experiment, row, measurements, session });
    const twice = concludedBody({ experiment: { ...experiment, body: once }, row, measurements, session });
    expect(twice).toBe(once);
    const other = { ...row, outcome: "discard" as const, because: "a doubt of $1 and $2" };
    const changed = concludedBody({ experiment: { ...experiment, body: once }, row: other, measurements, session });
    expect(changed).not.toContain("3.0 σ");
    expect(changed.match(/Verdict:/g)).toHaveLength(1);
    expect(changed).toContain("a doubt of $1 and $2");
  });

  it("says the verdict at the end of a body that a person has rewritten", () => {
    const rewritten = { ...experiment, body: "I know better." };
    expect(concludedBody({ experiment: rewritten, row, measurements, session })).toMatch(
      /^I know better\.\n\n[\s\S]*Verdict/,
    );
  });

  it("has no table for a crash, and all values of several trials", () => {
    const crash = crashRow(36, { because: "out of memory at `train.py:412`" });
    const broken = [measurementWith({ status: "crash" })];
    const body = concludedBody({ experiment, row: crash, measurements: broken, session });
    expect(body).toContain("**Verdict: crash** — out of memory at \\`train.py:412\\`.");
    expect(body).not.toContain("| val_bpb |");
    const several = [0.98, 0.9786].map((value) => measurementWith({ value }));
    expect(concludedBody({ experiment, row, measurements: several, session })).toContain(
      "| trials | | 0.9800, 0.9786 | |",
    );
  });

  it("says the verdict in a line", () => {
    expect(verdictLine(rowWith({ outcome: "within_noise", because: "the gain | is luck" }))).toBe(
      "Verdict: within noise — the gain \\| is luck.",
    );
  });
});

describe("the status", () => {
  it("is one line", () => {
    const rows = [baselineRow, rowWith({ outcome: "keep", value: 0.97 }), rowWith({ experiment: 2 })];
    const experiments = [experimentWith({ number: 3 })];
    const session = sessionWith({ rows, experiments, frontier: { value: 0.97 } });
    expect(statusText(session)).toBe(
      "**running** (started by @\u2060ada) · 2 of 100 experiments settled, 1 kept, 1 open · val_bpb 0.9700 ← 1.0000 baseline (−3.00 %)",
    );
    expect(statusText(sessionWith({ rows: [], frontier: { value: null } }))).toContain("no value of the frontier yet");
  });

  it.each([
    ["running", "ada", "started by @ada", "running: started by @ada, 2026-11-23 12:00 UTC"],
    ["stopped", "ada", "stopped by @ada", "stopped by @ada, 2026-11-23 12:00 UTC"],
    ["stopped", "bob", "the issue was closed", "stopped: the issue was closed by @bob, 2026-11-23 12:00 UTC"],
    ["blocked", null, "crash of | @eve", "blocked: crash of \\| @\u2060eve, 2026-11-23 12:00 UTC"],
  ] as const)("says who and when: %s, %s, %s", (state, by, because, expected) => {
    expect(whoAndWhen(recordWith({ state, by, because }))).toBe(expected);
  });
});
