import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfig, splitFrontMatter } from "../../src/domain/config-text.ts";

/** The sentence that answers a wrong configuration. */
function problemOf(file: string | null, issue = ""): string {
  const result = readConfig(file, issue);
  if (result.ok) throw new Error("expected a problem");
  return result.problem;
}

function configOf(file: string | null, issue = "") {
  const result = readConfig(file, issue);
  if (!result.ok) throw new Error(result.problem);
  return result.config;
}

describe("front matter", () => {
  it.each([
    ["none", "Lower val_bpb.", null, "Lower val_bpb."],
    ["some", "---\nprogram: p.md\n---\nLower val_bpb.", "program: p.md\n", "Lower val_bpb."],
    ["empty", "---\n---\nLower val_bpb.\n---\nmore", "", "Lower val_bpb.\n---\nmore"],
    ["with Windows' line ends", "---\r\nprogram: p.md\r\n---\r\nLower it.\r\n", "program: p.md\n", "Lower it."],
    ["behind a byte order mark", "\uFEFF---\nprogram: p.md\n---\n", "program: p.md\n", ""],
    ["behind empty lines", "\n \n---\nprogram: p.md\n---\nx", "program: p.md\n", "x"],
    ["under the heading of an issue form", "### Program\n\n---\nprogram: p.md\n---\nx", "program: p.md\n", "x"],
    ["with blanks behind its dashes", "---  \nprogram: p.md\n--- \t\nx", "program: p.md\n", "x"],
    [
      "a rule in the middle is none",
      "Lower it.\n\n---\nprogram: p.md\n---\n",
      null,
      "Lower it.\n\n---\nprogram: p.md\n---",
    ],
    ["a rule at the beginning is none", "---\n\nLower it.", null, "---\n\nLower it."],
    ["without its end", "---\nprogram: p.md\n\nLower it.", "program: p.md\n\nLower it.", ""],
  ])("%s", (_name, body, frontMatter, text) => {
    expect(splitFrontMatter(body)).toMatchObject({ frontMatter, text });
  });
});

describe("a configuration that is right", () => {
  it("is all defaults where nobody said anything", () => {
    expect(configOf(null)).toEqual(configOf("", "---\n---\n"));
    expect(configOf("# only a comment\n").mutable).toEqual(["train.py"]);
  });

  it("is the file's, overridden by the issue key by key, lists as a whole", () => {
    const file = "mutable: [a.py, b.py]\ntrial:\n  command: python a.py\n  budget: 3s\nlimits:\n  hours: 2\n";
    const config = configOf(file, "---\nmutable: [c.py]\ntrial: {budget: 10s}\n---\n");
    expect(config.mutable).toEqual(["c.py"]);
    expect(config.trial).toMatchObject({ command: "python a.py", budget: 10 });
    expect(config.limits.hours).toBe(2);
  });
});

describe("a configuration that is wrong is answered with its place", () => {
  it.each([
    [
      "an unknown key",
      "mutable: [a.py]\nlimit:\n  hours: 2\n",
      "line 2: I don't know the key `limit`. Did you mean `limits`?",
    ],
    [
      "an unknown key further in",
      "trial:\n  # minutes\n  budgt: 5m\n",
      "line 3: I don't know the key `trial.budgt`. Did you mean `budget`?",
    ],
    ["an unknown key that is like nothing", "colour: blue\n", "line 1: I don't know the key `colour`."],
    ["a bad value", "trial:\n  budget: soon\n", "line 2: `trial.budget` must be a duration such as `5m`, got `soon`."],
    [
      "a value in a list",
      "mutable:\n  - train.py\n  - ../x\n",
      "line 3: `mutable.1` must stay inside the repository, got `../x`.",
    ],
    ["a list where a word belongs", "trial:\n  command: [a]\n", 'line 2: `trial.command` must be text, got `["a"]`.'],
    ["a word where a list belongs", "mutable: a.py\n", "line 1: `mutable` must be a list of paths, got `a.py`."],
    [
      "a word where a section belongs",
      "trial: fast\n",
      "line 1: `trial` is not of the form expected here, got `fast`.",
    ],
    [
      "no YAML",
      "mutable: [a.py\nlimits:\n",
      "line 2: this is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].",
    ],
    [
      "the same key twice",
      "mutable: [a.py]\nmutable: [b.py]\n",
      "line 2: this is not valid YAML: Map keys must be unique.",
    ],
    ["a list of keys", "- mutable\n", "line 1: expected `key: value` lines."],
    ["a sentence", "Please be quick.\n", "line 1: expected `key: value` lines."],
    [
      "two documents",
      "mutable: [a.py]\n---\nmutable: [b.py]\n",
      "line 2: this is not valid YAML: Source contains multiple documents.",
    ],
    ["a key of every object", "__proto__:\n  limits: {experiments: 3}\n", "line 1: I don't know the key `__proto__`."],
    ["a number without end", "limits: {hours: .inf}\n", "line 1: `limits.hours` must be a number, got `Infinity`."],
    ["a backtick", "metric: {name: '`x`'}\n", "line 1: `metric.name` must be a name such as `val_bpb`, got `'x'`."],
  ])("%s", (_name, file, sentence) => {
    expect(problemOf(file)).toBe(`\`.github/autoresearch.yml\` ${sentence}`);
  });

  it("in the issue, by the line that people see there", () => {
    const wrong = "limits:\n  experiments: none\n";
    expect(problemOf(null, `---\n${wrong}---\nx`)).toBe(
      "The issue line 3: `limits.experiments` must be a whole number, got `none`.",
    );
    expect(problemOf(null, `### Program\n\n---\n${wrong}---\nx`)).toContain("The issue line 5:");
    expect(problemOf(null, `\r\n### Program\r\n\r\n---\r\n${wrong}---\r\nx`)).toContain("The issue line 6:");
    expect(problemOf(null, "---\nmutable: [a.py]\n\nLower it.")).toContain("The issue line 4: this is not valid YAML");
  });

  it("in the text that said it last", () => {
    const file = "limits:\n  hours: 3\n";
    expect(problemOf(file, "---\nlimits:\n\n  hours: -1\n---\n")).toBe(
      "The issue line 4: `limits.hours` must be above 0, got `-1`.",
    );
    expect(problemOf("limits:\n  hours: -1\n", "---\nmutable: [a.py]\n---\n")).toBe(
      "`.github/autoresearch.yml` line 2: `limits.hours` must be above 0, got `-1`.",
    );
  });

  it("with the same lines for Windows' line ends", () => {
    expect(problemOf("mutable: [a.py]\r\nlimits:\r\n  hours: -1\r\n")).toContain("line 3:");
  });

  it("that grows without end when it is read", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => Array<string>(10).fill(`*${name}`).join(","));
    const bomb = `a: &a [x,x,x]\nb: &b [${a}]\nc: &c [${b}]\nd: [${c}]\n`;
    const sentence = "`.github/autoresearch.yml`: this YAML can't be read as a configuration.";
    expect(problemOf(bomb)).toBe(sentence);
    expect(problemOf("mutable: *files\n")).toBe(sentence);
  });

  it("whatever is written: an answer in one sentence, never an error", () => {
    const piece = fc.oneof(
      fc.constantFrom("mutable", "trial", "limits", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "&a ", "*a", "---\n"),
      fc.constantFrom("!!binary x", "!!set {a}", "? ", "| ", "'", '"', "#", "\t", "null", "<<: ", "__proto__", "5m"),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    const text = fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, text, (file, issue) => {
        const result = readConfig(file, `---\n${issue}`);
        if (!result.ok)
          expect(result.problem).toMatch(/^(`.*yml`|The issue|The configuration)( line \d+)?: [^\n]+[.?]$/);
      }),
      { numRuns: 60 },
    );
  });
});
