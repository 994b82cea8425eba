import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Brief } from "../../src/domain/proposal.ts";
import { baseOf, refusalOf } from "../../src/researcher/guard.ts";
import { briefWith, repairWith, train } from "../support/brief.ts";
import { configWith, proposalWith } from "../support/session.ts";

const looks = "it changes only white space and comments";
const seed = "it changes only a seed, and a lucky seed is not a finding";

const fileWith = (text: string) => ({ path: "train.py", text });

/** Why a train.py of this text is refused where there was that one. */
function refusal(after: string, before: string = train.text, given: Partial<Brief> = {}): string | null {
  return refusalOf(proposalWith({ files: [fileWith(after)] }), briefWith({ files: [fileWith(before)], ...given }));
}

describe("the guard, on a repair", () => {
  it("holds it against what crashed, not against the frontier", () => {
    const crashed = fileWith("LR = 0.04 +\n");
    const repair = repairWith({ files: [crashed] });
    expect(refusal(crashed.text, train.text, { repair })).toBe("it changes nothing");
    expect(refusal(train.text, train.text, { repair })).toBeNull();
    expect(baseOf(briefWith({ repair }))).toEqual([crashed]);
    expect(baseOf(briefWith())).toEqual([train]);
  });
});

describe("what a change amounts to", () => {
  const code = 'import torch\n\ndef f(x):\n    """Doc."""\n    return x  # same\n\nSEED = 42\nLR = 0.1\n';
  it.each([
    ["a comment", code.replace("# same", "# other"), looks],
    ["a comment more", `# new\n${code}`, looks],
    ["blank lines and blanks", code.replace("LR = 0.1", "\n\nLR   =  0.1  "), looks],
    ["line ends", code.replaceAll("\n", "\r\n"), looks],
    ["a docstring", code.replace("Doc.", "Another."), looks],
    ["the width of an indentation", code.replaceAll("    ", "  "), looks],
    ["a line broken in brackets", code.replace("f(x)", "f(\n    x\n)"), looks],
    ["a seed", code.replace("42", "1337"), seed],
    ["a seed and a comment", code.replace("42", "1337  # lucky"), seed],
    ["a seed with a type", code.replace("SEED = 42", "SEED: int = 43"), seed],
    ["a call that seeds", `${code}torch.manual_seed(7)\n`, seed],
    ["a call that seeds all", `${code}torch.cuda.manual_seed_all(SEED + 1)\n`, seed],
    ["a seed taken away", code.replace("SEED = 42\n", ""), seed],
    ["a seed and a constant", code.replace("42", "43").replace("0.1", "0.2"), null],
    ["a constant", code.replace("0.1", "0.2"), null],
    ["the depth of a line", code.replace("    return x", "return x"), null],
    ["a text", code.replace("import torch", "import torch\nNAME = 'a # b'"), null],
    ["all of it taken away", "", null],
  ])("is seen in %s", (_name, text, because) => {
    expect(refusal(text, code)).toBe(because);
  });

  it.each([
    ["A = 'x # 1'\n", "A = 'x # 2'\n"],
    ['A = """\n# 1\n"""\n', 'A = """\n# 2\n"""\n'],
    ['A = f"{d["#"]} # 1"\n', 'A = f"{d["#"]} # 2"\n'],
    ["A = 1 # x\\\nB = 1\n", "A = 1 # x\\\nB = 2\n"],
    ["A = r'\\' # 1'\n", "A = r'\\' # 2'\n"],
  ])("is something in %j", (before, after) => {
    expect(refusal(after, before)).toBeNull();
  });

  it.each([
    ["rng = np.random.default_rng(1)\n", "rng = np.random.default_rng(2)\n"],
    ["f(x, seed=1)\n", "f(x, seed=-2)\n"],
    ["dataSeed = 1\n", "dataSeed = 2\n"],
    ["key = jax.random.PRNGKey(0)\n", "key = jax.random.PRNGKey(1)\n"],
    ["random.seed(0)\n", "random.seed(31337)\n"],
    ["key = jax.random.key(1)\n", "key = jax.random.key(2)\n"],
    ["config = {'lr': 1, 'seed': 1}\n", "config = {'lr': 1, 'seed': 2}\n"],
    ["config['seed'] = 1\n", "config['seed'] = 2\n"],
    ["config.seed = 1\n", "config.seed = 2\n"],
    ["SEED_VALUE = 1\n", "SEED_VALUE = 2\n"],
    ["base_seed_2 = 1\n", "base_seed_2 = 2\n"],
  ])("is a seed in %j", (before, after) => {
    expect(refusal(after, before)).toBe(seed);
  });

  it("is more than a seed where more changes", () => {
    expect(refusal("seed_everything(1)\nf(3)\n", "seed_everything(1)\nf(2)\n")).toBeNull();
    expect(refusal("SEED = 2\nSEEDLINGS = 3\n", "SEED = 1\nSEEDLINGS = 2\n")).toBeNull();
    expect(refusal("f(4, seed=2)\n", "f(3, seed=1)\n")).toBeNull();
    expect(refusal("c = {'seed': 2, 'lr': 2}\n", "c = {'seed': 1, 'lr': 1}\n")).toBeNull();
  });

  it.each(["num_seed_tokens", "seed_length", "SEED_TOKENS", "num_seed", "seeds", "seedling", "c['seed_size']"])(
    "is no seed by the name of %s",
    (name) => {
      expect(refusal(`${name} = 8\n`, `${name} = 4\n`)).toBeNull();
    },
  );

  it("is no seed in a key that is not of jax.random", () => {
    expect(refusal("x = table.key(8)\n", "x = table.key(4)\n")).toBeNull();
  });

  it("is nothing in a new file without code", () => {
    const brief = briefWith({ config: configWith({ mutable: ["*.py"] }) });
    expect(refusalOf(proposalWith({ files: [{ path: "new.py", text: "# later\n" }] }), brief)).toBe(looks);
  });

  it("is looks in other files too", () => {
    const config = configWith({ mutable: ["train.py", "model.yaml"] });
    const brief = briefWith({ config, files: [train, { path: "model.yaml", text: "a: 1\nb:\n  c: 2\n" }] });
    const yaml = (text: string) => refusalOf(proposalWith({ files: [{ path: "model.yaml", text }] }), brief);
    expect(yaml("a: 1\n\nb:   \n  c: 2\n")).toBe(looks);
    expect(yaml("a: 1\nb:\nc: 2\n")).toBeNull();
  });

  it("is read to the end, whatever the text", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("(", "'", '"', "#", "\\", "\n", "{", "f", "a", " ", "é", "1"),
          maxLength: 60,
        }),
        (text) => {
          expect(refusal(`${text}\nx = 1\ny = 2`, `${text}\nx = 1\ny = 2`)).toBe("it changes nothing");
          expect(refusal("z = 9\n", text)).toBeNull();
        },
      ),
      { numRuns: 1_000 },
    );
    const brackets = "(".repeat(200_000);
    expect(refusal(`${brackets}1`, brackets)).toBeNull();
  });
});

describe("what has no place in a change", () => {
  const key = `sk-ant-${"a".repeat(20)}`;
  it("is a new secret, which is not repeated", () => {
    const secret = "train.py holds what looks like a secret";
    expect(refusal(`LR = 1\nKEY = "${key}"\n`)).toBe(secret);
    expect(refusal(`LR = 1\nKEY = "${key}"\n`, `KEY = "${key}"\n`)).toBeNull();
    expect(refusal("K = '''-----BEGIN RSA PRIVATE KEY-----\nx'''\n")).toBe(secret);
  });

  it("is a secret in what is said of it", () => {
    const proposal = proposalWith({ files: [fileWith("LR = 0.04\n")], hypothesis: `use ${key}` });
    expect(refusalOf(proposal, briefWith())).toBe("what it says of itself holds what looks like a secret");
  });

  it.each(["\u202E", "\u200B", "\u{E0041}", "\u0007"])("is a character that can't be seen (%j)", (char) => {
    expect(refusal(`LR = 0.04  # a${char}b\n`)).toMatch(
      /^train\.py holds a character that can't be seen \(U\+[0-9A-F]{4,5}\)$/,
    );
    expect(refusal(`LR = 0.04  # a${char}b\n`, `LR = 0.02  # a${char}b\n`)).toBeNull();
  });
});
