import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FileText } from "../../src/domain/proposal.ts";
import { isMutable } from "../../src/domain/start.ts";
import { refusalOf, resultOf } from "../../src/researcher/guard.ts";
import { briefWith, keyOf, train } from "../support/brief.ts";
import { configWith, proposalWith } from "../support/session.ts";

const changed: FileText = { path: "train.py", text: "LR = 0.04\n" };
const wide = configWith({ mutable: ["**"] });

describe("the guard", () => {
  it("lets a change of the mutable surface pass", () => {
    expect(refusalOf(proposalWith({ files: [changed] }), briefWith())).toBeNull();
  });

  it("refuses what is private to the evaluation, though a pattern of the surface reaches it", () => {
    const config = configWith({ mutable: ["**/*.py"], trial: { evaluate: "python3 judge.py", private: ["held"] } });
    const proposal = proposalWith({ files: [{ path: "held/answers.py", text: "A = 1\n" }] });
    expect(refusalOf(proposal, briefWith({ config }))).toBe("held/answers.py is private to the evaluation");
  });

  it("lets a new file of the mutable surface pass", () => {
    const brief = briefWith({ config: configWith({ mutable: ["train.py", "model/*.py"] }) });
    expect(refusalOf(proposalWith({ files: [{ path: "model/a.py", text: "DEPTH = 2\n" }] }), brief)).toBeNull();
  });

  it.each([
    ["prepare.py", "it is protected"],
    ["src/train.py", "it is another train.py"],
    ["./train.py", "it is not git's name of it"],
    ["train.py/../prepare.py", "it leads elsewhere"],
    ["train.py ", "it is another name"],
  ])("refuses a change of %j: %s", (path) => {
    expect(refusalOf(proposalWith({ files: [changed, { path, text: "x" }] }), briefWith())).toBe(
      `${path} is not in the mutable surface (train.py)`,
    );
  });

  it.each([
    ".github/workflows/autoresearch.yml",
    ".git/config",
    "a/.git/config",
    "/etc/passwd",
    "a//b",
    "../x",
    "a/./b",
    "src/.hidden",
  ])("refuses %j though everything is mutable", (path) => {
    const proposal = proposalWith({ files: [{ path, text: "x" }] });
    expect(refusalOf(proposal, briefWith({ config: wide }))).toBe(`${path} is not in the mutable surface (**)`);
  });

  it.each([
    [
      "a file of more than a million characters",
      { files: [{ path: "train.py", text: "x".repeat(1_000_001) }] },
      "train.py is larger than 1000000 characters",
    ],
    ["no description", { description: " \n" }, "it has no description"],
    ["a description that can't be seen", { description: "\u0000\u0001" }, "it has no description"],
    ["no file", { files: [] }, "it changes nothing"],
    ["the same text", { files: [train] }, "it changes nothing"],
  ])("refuses %s", (_name, given, because) => {
    expect(refusalOf(proposalWith({ files: [changed], ...given }), briefWith())).toBe(because);
  });

  it("refuses what was tried, by the whole surface and not by the change alone", () => {
    const proposal = proposalWith({ files: [changed] });
    const tried = new Set([keyOf([changed])]);
    expect(refusalOf(proposal, briefWith({ tried }))).toBe("the same code was tried before in this session");
    const other = { path: "model.py", text: "WIDTH = 8\n" };
    const config = configWith({ mutable: ["*.py"] });
    expect(refusalOf(proposal, briefWith({ tried, files: [train, other], config }))).toBeNull();
  });

  it("lets nothing pass that reaches out of the mutable surface", () => {
    const part = fc.constantFrom("train.py", "src", "..", ".", "", ".git", ".github", "a b", "é");
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const mutable = fc.constantFrom<string[]>(["train.py"], ["src/**"], ["**"], ["*", "src/*"], ["{a,.github}/**"]);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 3 }), mutable, (paths, patterns) => {
        const config = configWith({});
        const brief = briefWith({ config: { ...config, mutable: patterns } });
        const refusal = refusalOf(proposalWith({ files: paths.map((each) => ({ path: each, text: "new" })) }), brief);
        if (refusal !== null) return;
        for (const each of paths) {
          expect(isMutable(each, patterns)).toBe(true);
          expect(each).not.toMatch(/(^|\/)(\.\.?|\.git|)(\/|$)|^\.github/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the result of a proposal", () => {
  it("is the surface with the change laid over it", () => {
    const other = { path: "model.py", text: "WIDTH = 8\n" };
    const fresh = { path: "new.py", text: "" };
    expect(resultOf({ files: [changed, fresh] }, [train, other])).toEqual([changed, other, fresh]);
    expect(resultOf({ files: [] }, [train])).toEqual([train]);
  });
});
