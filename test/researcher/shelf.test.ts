import { describe, expect, it } from "vitest";
import type { Brief } from "../../src/domain/proposal.ts";
import { shelfOf } from "../../src/researcher/brief/shelf.ts";
import { briefWith, train } from "../support/brief.ts";

describe("the shelf", () => {
  const library = (files: Record<string, string | null>): Brief["library"] => ({
    paths: () => Promise.resolve(Object.keys(files)),
    read: (path) => Promise.resolve(files[path] ?? null),
    experiment: () => Promise.resolve(null),
  });

  it("holds the protected files that the code imports or the program names", async () => {
    const files = [{ path: "train.py", text: "from prepare import x\nimport lib.data, os as o\n" }];
    const there = {
      "train.py": "…",
      "prepare.py": "P",
      "lib/data.py": "L",
      "lib/other.py": "O",
      "README.md": "R",
      "held_out.txt": null,
    };
    const brief = briefWith({ files, program: "Read README.md, and held_out.txt.", library: library(there) });
    const { paths, files: open } = await shelfOf(brief);
    expect(paths).toHaveLength(6);
    expect(open.map(({ path }) => path)).toEqual(["prepare.py", "lib/data.py", "README.md"]);
  });

  it("leaves out what is too large", async () => {
    const files = [{ path: "train.py", text: "import a\nimport b\nimport c\n" }];
    const there = { "a.py": "x".repeat(30_000), "b.py": "x".repeat(20_000), "c.py": "x".repeat(20_000) };
    const { files: open } = await shelfOf(briefWith({ files, library: library(there) }));
    expect(open.map(({ path }) => path)).toEqual(["b.py"]);
  });

  it("never shows the text of a mutable file twice", async () => {
    const { files } = await shelfOf(briefWith({ program: "Change train.py.", files: [train] }));
    expect(files).toEqual([]);
  });

  it("is found among as many paths as GitHub lists at once, however long the program is", async () => {
    const others = Array.from({ length: 100_000 }, (_, at) => [`lib/module_${at}.py`, `N = ${at}\n`] as const);
    const files = [
      { path: "train.py", text: `import lib.module_7\n${"x = 1\n".repeat(500)}` },
      { path: "model.py", text: `from lib.module_19999 import N\n${"y = 1\n".repeat(500)}` },
    ];
    const program = `${"Lower the loss, by all means. ".repeat(500)}\nRead lib/module_12345.py.`;
    const brief = briefWith({ files, program, library: library(Object.fromEntries(others)) });
    const { paths, files: open } = await shelfOf(brief);
    expect(paths).toHaveLength(100_000);
    expect(open.map(({ path, text }) => [path, text])).toEqual([
      ["lib/module_7.py", "N = 7\n"],
      ["lib/module_12345.py", "N = 12345\n"],
      ["lib/module_19999.py", "N = 19999\n"],
    ]);
  });
});
