import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mutableMatcher, privateSurface } from "../../action/src/surface.ts";
import { type StartFacts, isMutable, privateMatcher, programPath, startOf } from "../../src/domain/start.ts";
import { shippedWorkflow } from "../../src/github/shipped.ts";
import { base } from "../support/session.ts";

const workflow = ".github/workflows/autoresearch.yml";

function factsWith(given: Partial<StartFacts> = {}): StartFacts {
  return {
    by: "ada",
    mayWrite: true,
    lackingPermissions: null,
    base,
    baseBranch: "main",
    paths: ["prepare.py", "train.py", workflow],
    configText: null,
    title: "Night one",
    issueBody: "Lower val_bpb.",
    issueDigest: "0123456789abcdef",
    editedBy: null,
    programText: null,
    repository: "ada/model",
    isPublic: false,
    workflowText: shippedWorkflow(),
    shippedWorkflow: shippedWorkflow(),
    ...given,
  };
}

function refusalOf(given: Partial<StartFacts>): string {
  const start = startOf(factsWith(given));
  if (start.kind !== "refused") throw new Error("expected a refusal");
  return start.problem;
}

describe("a start", () => {
  it("is ready with what the texts say", () => {
    const configText = "mutable: [prepare.py]\nlimits: {experiments: 6}\n";
    const issueBody = "---\nlimits: {experiments: 3}\n---\nLower it.\n";
    const start = startOf(factsWith({ configText, issueBody }));
    expect(start).toMatchObject({ kind: "ready", by: "ada", base, baseBranch: "main", program: "Lower it." });
    expect(start.kind === "ready" && start.config).toMatchObject({
      mutable: ["prepare.py"],
      limits: { experiments: 3 },
    });
  });

  it("takes the program from the file that is named, and the issue's text behind it", () => {
    const issueBody = "---\nprogram: program.md\n---\nTry less dropout.";
    expect(programPath(null, issueBody)).toBe("program.md");
    const start = startOf(factsWith({ issueBody, programText: "# Research\n\nLower val_bpb.\n" }));
    expect(start).toMatchObject({ kind: "ready", program: "# Research\n\nLower val_bpb.\n\nTry less dropout." });
  });

  it.each<[string, Partial<StartFacts>, string]>([
    [
      "by somebody without write access",
      { mayWrite: false },
      "@ada has no write access, and only people with write access can start a session.",
    ],
    [
      "with a wrong configuration",
      { configText: "mutabel: [train.py]\n" },
      "`.github/autoresearch.yml` line 1: I don't know the key `mutabel`. Did you mean `mutable`?",
    ],
    [
      "without the workflow",
      { workflowText: null },
      "`.github/workflows/autoresearch.yml` is not on `main`. It is what trains a candidate on your runner: copy it there as the README says.",
    ],
    [
      "with another workflow",
      { workflowText: shippedWorkflow().replace("checks: write", "contents: write") },
      "`.github/workflows/autoresearch.yml` on `main` is not the one that I work with: `jobs.report.permissions` is `contents: write`, and should be `checks: write`. Copy it there anew as the README says.",
    ],
    [
      "in a public repository with a self-hosted runner",
      { isPublic: true, issueBody: "---\nrunner: {allow_public: ada/model}\n---\nx" },
      "`ada/model` is public and its runner may be a machine of yours: anybody can open a pull request that brings a workflow of their own, and run what they like on that machine. Make the repository private. Or read runner-setup/README.md and, if you still want it, allow it by name in `.github/autoresearch.yml` on the default branch: `runner: {allow_public: ada/model}`.",
    ],
    [
      "with a path that is both mutable and private to the evaluation",
      {
        issueBody: '---\nmutable: ["**/*.py"]\ntrial: {evaluate: python3 judge.py, private: [held/]}\n---\nx',
        paths: ["train.py", "held/data.bin", "held/answers.py"],
      },
      "`held/answers.py` is both `mutable` and `trial.private`: what the researcher may change, it reads, and what it reads may end up in a pull request. To mend it, let `mutable` or `trial.private` name less, in `.github/autoresearch.yml` or in the front matter of the issue.",
    ],
    [
      "with a mutable path that does not exist",
      { issueBody: "---\nmutable: [train.py, model/*.py]\n---\nx" },
      "`mutable` names `model/*.py`, which does not exist on `main`. It is set in `.github/autoresearch.yml` or in the front matter of the issue; the default is `train.py`.",
    ],
    [
      "with a program's file that does not exist",
      { configText: "program: program.md\n" },
      "`program` names `program.md`, which does not exist on `main`.",
    ],
    [
      "without a text",
      { issueBody: "### Program\n\n_No response_\n\n<!-- what to research -->\n" },
      "the issue has no text. The program (what to research, and what to leave alone) is the issue's text.",
    ],
  ])("%s is refused in a sentence", (_name, given, sentence) => {
    expect(refusalOf(given)).toBe(`I can't start: ${sentence} Mend it and put the label on again.`);
  });

  it("is ready in a public repository that its own file names, or on a machine of GitHub's", () => {
    const isPublic = true;
    for (const configText of ["runner: {allow_public: Ada/model}\n", "runner: {labels: [ubuntu-24.04]}\n"])
      expect(startOf(factsWith({ isPublic, configText }))).toMatchObject({ kind: "ready" });
    for (const configText of ["runner: {allow_public: ada/other}\n", "runner: {labels: [ubuntu-4090]}\n"])
      expect(refusalOf({ isPublic, configText })).toContain("is public");
  });

  it("says the first thing that is wrong, in the order in which people can mend it", () => {
    const all: Partial<StartFacts> = {
      mayWrite: false,
      configText: "a: 1\n",
      paths: [],
      issueBody: "",
      isPublic: true,
      workflowText: null,
    };
    expect(refusalOf(all)).toContain("write access");
    expect(refusalOf({ ...all, mayWrite: true })).toContain("I don't know the key");
    expect(refusalOf({ ...all, mayWrite: true, configText: null })).toContain(workflow);
    const wrong = shippedWorkflow().replaceAll("checks: write", "checks: write\n      contents: write");
    const readable = { ...all, mayWrite: true, configText: null };
    expect(refusalOf({ ...readable, workflowText: wrong })).toContain("jobs.report.permissions");
    expect(refusalOf({ ...readable, workflowText: shippedWorkflow() })).toContain("is public");
    expect(refusalOf({ mayWrite: true, paths: [workflow], issueBody: "" })).toContain("`train.py`");
  });
});

describe("the mutable surface", () => {
  it.each([
    ["train.py", "train.py", true],
    ["train.py", "src/train.py", false],
    ["src/**", "src/a/b.py", true],
    ["*.py", "prepare.py", true],
    ["*.py", "src/a.py", false],
    ["a[1].py", "a[1].py", true],
    ["!train.py", "prepare.py", false],
    ["**", "src/.hidden", false],
    ["**", ".github/workflows/autoresearch.yml", false],
    ["./.github/**", ".github/workflows/autoresearch.yml", false],
    ["{.github,src}/**", ".github/autoresearch.yml", false],
    ["{.GITHUB,src}/**", ".GITHUB/autoresearch.yml", false],
    [".git*", ".gitignore", true],
  ])("%s and %s: %s", (pattern, path, expected) => {
    expect(isMutable(path, [pattern])).toBe(expected);
  });

  it("is never wider than the action's, which reads the same patterns; what is private is the same", () => {
    const part = fc.constantFrom(
      "train.py",
      "src",
      "*",
      "**",
      ".hidden",
      "!x",
      "a[b]",
      "{a,b}",
      "?",
      "(a|b)",
      ".github",
    );
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.array(part, { minLength: 1, maxLength: 4 }),
        (patterns, parts) => {
          const path = parts.join("/");
          if (isMutable(path, patterns)) expect(mutableMatcher(patterns)(path)).toBe(true);
          expect(privateMatcher(patterns)(path)).toBe(privateSurface(patterns).isPrivate(path));
        },
      ),
      { numRuns: 500 },
    );
  });
});
