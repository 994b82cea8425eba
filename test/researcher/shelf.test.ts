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
});
