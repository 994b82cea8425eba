import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "../../src/domain/unified-diff.ts";

const line = fc.constantFrom("a = 1", "b = 2", "", "    return x", "# why", "-x", "+y");
const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.map((each) => `${each}\n`).join(""));

describe("a unified diff", () => {
  it("shows what changed with three lines around it, and joins what is near", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join("");
    const after = before
      .replace("line 3\n", "line three\n")
      .replace("line 7\n", "")
      .replace("line 18\n", "line 18\nmore\n");
    expect(unifiedDiff([{ path: "train.py", text: before }], [{ path: "train.py", text: after }]))
      .toMatchInlineSnapshot(`
      "--- a/train.py
      +++ b/train.py
      @@ -1,11 +1,10 @@
       line 0
       line 1
       line 2
      -line 3
      +line three
       line 4
       line 5
       line 6
      -line 7
       line 8
       line 9
       line 10
      @@ -17,4 +16,5 @@
       line 16
       line 17
       line 18
      +more
       line 19
      "
    `);
  });

  it("is nothing where nothing changed, and names what comes and goes", () => {
    const a = { path: "a.py", text: "a\n" };
    expect(unifiedDiff([a], [a])).toBe("");
    expect(unifiedDiff([a], [{ path: "b.py", text: "b\n" }])).toContain(
      "+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n--- /dev/null",
    );
  });

  it("is cut where it is too long to read", () => {
    const long = "x".repeat(1_000);
    const files = Array.from({ length: 40 }, (_, index) => ({ path: `${index}.py`, text: `${long}\n` }));
    expect(unifiedDiff([], files).length).toBeLessThan(20_100);
  });

  it("is what git makes the one of the other with", () => {
    const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-diff-"));
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          if (before === "" || after === "" || before === after) return;
          writeFileSync(path.join(dir, "train.py"), before);
          const diff = unifiedDiff([{ path: "train.py", text: before }], [{ path: "train.py", text: after }]);
          execFileSync("git", ["apply", "--whitespace=nowarn", "-"], { cwd: dir, input: diff });
          expect(readFileSync(path.join(dir, "train.py"), "utf8")).toBe(after);
        }),
        { numRuns: 40 },
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
