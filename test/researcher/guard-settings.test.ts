/** What a change amounts to beside Python: in files of settings, and in several files at once. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { FileText } from "../../src/domain/proposal.ts";
import { refusalOf } from "../../src/researcher/guard.ts";
import { briefWith } from "../support/brief.ts";
import { configWith, proposalWith } from "../support/session.ts";

const looks = "it changes only white space and comments";
const seed = "it changes only a seed, and a lucky seed is not a finding";
const config = configWith({ mutable: ["*"] });

/** Why the change from one state of the files to the other is refused. */
function refusal(before: readonly FileText[], after: readonly FileText[]): string | null {
  return refusalOf(proposalWith({ files: after }), briefWith({ config, files: before }));
}

/** The same for one file of that name. */
function refusalIn(path: string, before: string, after: string): string | null {
  return refusal([{ path, text: before }], [{ path, text: after }]);
}

const python = (value: number) => ({ path: "train.py", text: `SEED = ${value}\nLR = 0.1\n` });
const yaml = (text: string) => ({ path: "conf.yaml", text });

describe("a change of several files", () => {
  it("is of a seed where the rest is looks", () => {
    expect(refusal([python(1), yaml("lr: 1\n")], [python(2), yaml("lr: 1\n\n")])).toBe(seed);
    expect(refusal([python(1), yaml("lr: 1\n")], [python(2), yaml("lr: 1  # lower?\n")])).toBe(seed);
    expect(refusal([python(1), yaml("lr: 1\nseed: 1\n")], [python(2), yaml("lr: 1\nseed: 2\n")])).toBe(seed);
    const script = (text: string) => ({ path: "run.sh", text });
    expect(refusal([python(1), script("a\n")], [python(2), script("a\n\n")])).toBe(seed);
  });

  it("is something where one of them is", () => {
    expect(refusal([python(1), yaml("lr: 1\n")], [python(2), yaml("lr: 2\n")])).toBeNull();
    expect(refusal([python(1), yaml("seed: 1\n")], [python(1), yaml("seed: 2\n"), { path: "a.txt", text: "b" }])).toBe(
      null,
    );
  });
});

describe("a change of settings", () => {
  it.each([
    ["a comment in YAML", "a.yaml", "lr: 1 # x\n# y\n", "lr: 1 # z\n", looks],
    ["a comment within a flow", "a.yml", "a: [1, # x\n  2]\n", "a: [1,\n  2]\n", looks],
    ["the width of a gap", "a.yaml", "lr: 1\n", "lr:   1\n", looks],
    ["a comment in TOML", "a.toml", "lr = 1 # x\n", "# y\nlr = 1\n", looks],
    ["white space in JSON", "a.json", '{"lr": 1, "b": [1]}', '{\n  "lr": 1,\n  "b": [ 1 ]\n}\n', looks],
    ["line ends", "a.yaml", "a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", looks],
    ["a text with a #", "a.yaml", 'a: "x # y"\n', 'a: "x # z"\n', null],
    ["an address with a #", "a.yaml", "a: b#c\n", "a: b#d\n", null],
    ["a heading within a text", "a.yaml", "a: |\n  # x\n  b\n", "a: |\n  # y\n  b\n", null],
    ["a # within a text of several lines", "a.yaml", "a: 'x\n  # y'\n", "a: 'x\n  # z'\n", null],
    ["a text of TOML", "a.toml", 'a = "x # y"\n', 'a = "x # z"\n', null],
    ["a long text of TOML", "a.toml", 'a = """\n# y\n"""\n', 'a = """\n# z\n"""\n', null],
    ["a literal text of TOML", "a.toml", "a = '''\\''' # y\n", "a = '''\\''' # z\n", looks],
    ["a text after another one", "a.toml", "a = 'x\\' # y\nb = '#'\n", "a = 'x\\' # y\nb = '##'\n", null],
    ["a text of JSON", "a.json", '{"a": "# x"}', '{"a": "# y"}', null],
    ["the gap within a text", "a.json", '{"a": "x y"}', '{"a": "x  y"}', null],
    ["a depth", "a.yaml", "a:\n  b: 1\n", "a:\nb: 1\n", null],
  ])("is seen in %s", (_name, path, before, after, because) => {
    expect(refusalIn(path, before, after)).toBe(because);
  });

  it.each([
    ["a.yaml", "lr: 1\nseed: 1\n", "lr: 1\nseed: 2\n"],
    ["a.yaml", "lr: 1\nseed: 1\n", "lr: 1\n"],
    ["a.yaml", "data:\n  random-seed: 1 # x\n", "data:\n  random-seed: 0x10\n"],
    ["a.yaml", "a: {lr: 1, seed: 1}\n", "a: {lr: 1, seed: -2}\n"],
    ["a.yaml", "'seed': 1\nb: 1\n", "'seed': 2\nb: 1\n"],
    ["a.toml", "seed = 1\nlr = 1\n", "seed = 1_000\nlr = 1\n"],
    ["a.toml", "train.seed=1\n", "train.seed = 2\n"],
    ["a.json", '{"lr": 1, "seed": 1}', '{"lr": 1, "seed": 2}'],
    ["a.json", '{\n  "lr": 1,\n  "seed": 1\n}\n', '{"lr": 1}'],
  ])("is of a seed in %s: %j", (path, before, after) => {
    expect(refusalIn(path, before, after)).toBe(seed);
  });

  it.each([
    ["a.yaml", "num_seed_tokens: 4\n", "num_seed_tokens: 8\n"],
    ["a.yaml", "seeds: 4\n", "seeds: 8\n"],
    ["a.yaml", "seed: 1\nlr: 1\n", "seed: 2\nlr: 2\n"],
    ["a.yaml", "prompt: |\n  seed: 1\n", "prompt: |\n  seed: 2\n"],
    ["a.yaml", 'prompt: "seed: 1"\n', 'prompt: "seed: 2"\n'],
    ["a.toml", 'prompt = """\nseed = 1\n"""\n', 'prompt = """\nseed = 2\n"""\n'],
    ["a.json", '{"seed_rate": 1}', '{"seed_rate": 2}'],
    ["a.json", '{"seed": 1, "lr": 1}', '{"seed": 1, "lr": 2}'],
  ])("is more than a seed in %s: %j", (path, before, after) => {
    expect(refusalIn(path, before, after)).toBeNull();
  });
});

describe("settings, whatever they are", () => {
  const text = fc.string({ unit: fc.constantFrom("a", " ", "#", "'", '"', ":", "-", "\\", "\n", "1"), maxLength: 12 });
  // What ends in white space ends in looks.
  const value = fc.oneof(
    fc.integer(),
    fc.boolean(),
    text.map((each) => `${each}z`),
  );
  const flat = fc.dictionary(fc.constantFrom("lr", "depth", "name", "seeds"), value, { noNullPrototype: true });
  const settings = fc.record({ top: flat, model: flat, list: fc.array(value, { maxLength: 3 }) });
  const forms: [string, (value: unknown) => string][] = [
    ["a.yaml", (all) => stringify(all)],
    ["a.json", (all) => JSON.stringify(all)],
  ];

  it.each(forms)("are something else where they differ (%s)", (path, write) => {
    fc.assert(
      fc.property(settings, settings, (before, after) => {
        fc.pre(JSON.stringify(before) !== JSON.stringify(after));
        expect(refusalIn(path, write(before), write(after))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  const line = fc.string({ unit: fc.constantFrom("a", " ", "#", "'", '"', ":", "1"), maxLength: 12 });
  it("are the same with other comments, and differ by a seed alone with another one", () => {
    const lines = fc.array(fc.tuple(fc.constantFrom("lr", "depth", "name"), fc.integer(), line, line));
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat(), (given, first, second) => {
        const bare = given.map(([name, number, said], index) =>
          stringify({ [`${name}${index}`]: [number, `${said}z`] }),
        );
        const commented = given.map(([, , , comment], index) => `# ${comment}\n\n${bare[index]}`);
        const before = `a: 1\n${bare.join("")}`;
        const after = `a: 1 # one\n${commented.join("")}`;
        expect(refusalIn("a.yaml", before, after)).toBe(looks);
        const other = refusalIn("a.yaml", `${before}seed: ${first}\n`, `${after}seed: ${second}\n`);
        expect(other).toBe(first === second ? looks : seed);
      }),
    );
  });

  it("are read to the end", () => {
    const anything = fc.string({
      unit: fc.constantFrom("'", '"', "#", "\\", "\n", "{", "[", ":", "|", " ", "a", "=", "é"),
    });
    fc.assert(
      fc.property(fc.constantFrom("a.yaml", "a.toml", "a.json"), anything, (path, given) => {
        expect([null, looks]).toContain(refusalIn(path, given, `${given} `));
      }),
      { numRuns: 1_000 },
    );
    for (const path of ["a.yaml", "a.toml", "a.json"])
      for (const part of ['"', '\\"', '"""\\', "'", "- ", "seed: ", "[", " #", ", "])
        expect(refusalIn(path, "", part.repeat(100_000)), `${path} ${part}`).not.toBe(seed);
  });
});
