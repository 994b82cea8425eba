import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkInputs } from "../../src/local/github/actions/dispatch-inputs.ts";
import { type Contexts, evaluate, evaluateCondition, evaluateText } from "../../src/local/github/actions/expression.ts";
import { takes } from "../../src/local/github/actions/plan.ts";
import { isWithin } from "../../src/local/github/actions/run-filters.ts";
import { parseWorkflow } from "../../src/local/github/actions/workflow.ts";
import { masked, parseFileCommand, StepLines } from "../../src/local/runner/commands.ts";
import { inputVariable } from "../../src/local/runner/own-action.ts";
import { shippedWorkflow } from "./actions-world.ts";

describe("expressions", () => {
  const contexts: Contexts = {
    inputs: { labels: '["self-hosted","gpu"]', text: "a }} b", flag: true },
    needs: { train: { result: "success", outputs: { measurement: "{}" } } },
  };
  it.each([
    ["plain text", "plain text"],
    ["${{ fromJSON(inputs.labels) }}", ["self-hosted", "gpu"]],
    ["report ${{ needs.train.outputs.digest }}", "report "],
    ["${{ inputs.text }}|${{ '}}' }}", "a }} b|}}"],
    ["${{ inputs.flag && 'yes' || 'no' }}", "yes"],
    ["${{ format('{0} and {1}', 1, true) }}", "1 and true"],
    ["${{ needs.nobody.outputs.x }}", null],
    ["${{ 'It''s' }}", "It's"],
  ])("%s", (text, value) => {
    expect(evaluate(text, contexts)).toEqual(value);
  });

  it.each([
    ["${{ secrets.X }}", "Unrecognized named-value: 'secrets'"],
    ["${{ inputs.", "the expression is not closed"],
    ["${{ 1 + 1 }}", "can't be evaluated"],
  ])("that are wrong throw: %s", (text, words) => {
    expect(() => evaluate(text, contexts)).toThrow(words);
  });

  it("give a text that is put in as it is, and evaluate nothing in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = evaluateText("<${{ inputs.v }}>", { inputs: { v: `${value}\${{ secrets.X }}` } });
        expect(text).toBe(`<${value}\${{ secrets.X }}>`);
      }),
    );
  });

  const fine = { success: true, failure: false, cancelled: false };
  const broken = { success: false, failure: true, cancelled: false };
  const cancelled = { success: false, failure: false, cancelled: true };
  it.each([
    [undefined, fine, true],
    [undefined, broken, false],
    ["needs.train.outputs.measurement != ''", fine, true],
    ["needs.train.outputs.other != ''", fine, false],
    ["needs.train.outputs.measurement != ''", broken, false],
    ["needs.train.outputs.measurement != ''", cancelled, false],
    ["always()", cancelled, true],
    ["${{ always() && needs.train.result == 'success' }}", broken, true],
    ["failure()", broken, true],
    ["failure()", cancelled, false],
    ["cancelled()", cancelled, true],
    ["'always()' == ''", fine, false],
    ["!cancelled()", broken, true],
  ])("as condition %s with %o: %s", (condition, status, value) => {
    expect(evaluateCondition(condition, contexts, status)).toBe(value);
  });
});

describe("the shipped workflow", () => {
  const workflow = parseWorkflow(shippedWorkflow);
  it("is understood, every key of it", () => {
    expect(workflow.jobs.map(({ key, unsupported }) => [key, unsupported])).toEqual([
      ["train", null],
      ["report", null],
    ]);
    expect(Object.keys(workflow.inputs!)).toEqual(["trial", "commit", "base", "spec", "runs_on"]);
  });

  it("gives the job that trains nothing to write with, and the one that reports nothing but checks", () => {
    expect(workflow.jobs.map(({ permissions }) => permissions)).toEqual([{ contents: "read" }, { checks: "write" }]);
  });

  it("has no text of an input in a command, and checks nothing out", () => {
    expect(
      workflow.jobs
        .flatMap(({ steps }) => steps)
        .flatMap((step) => step.uses ?? "a command")
        .map((uses) => uses.replace(/@.*/, "")),
    ).toEqual([
      "autoresearch-app/autoresearch-app/action",
      "actions/upload-artifact",
      "autoresearch-app/autoresearch-app/action",
    ]);
    expect(shippedWorkflow).not.toMatch(/^concurrency:/m);
  });
});

describe("workflow files", () => {
  const job = (lines: string) =>
    `on: workflow_dispatch\njobs:\n  one:\n    runs-on: x\n    steps: [{run: 'true'}]\n${lines}`;
  it.each([
    [
      "a job with a matrix",
      job("    strategy: {matrix: {a: [1]}}\n"),
      "the local GitHub does not know `strategy` of a job",
    ],
    [
      "a workflow with concurrency",
      job("concurrency: x\n"),
      "the local GitHub does not know `concurrency` of a workflow",
    ],
    [
      "a step with an unknown key",
      "on: push\njobs: {one: {runs-on: x, steps: [{run: x, timeout-minutes: 1}]}}",
      "the local GitHub does not know `timeout-minutes` of a step",
    ],
    [
      "another shell",
      "on: push\njobs: {one: {runs-on: x, steps: [{run: x, shell: python}]}}",
      "the local GitHub knows no shell but bash, not `python`",
    ],
    [
      "a step with nothing to do",
      "on: push\njobs: {one: {runs-on: x, steps: [{name: x}]}}",
      "a step must have either `uses` or `run`",
    ],
  ])("%s can't be carried out, and it says why", (_, text, because) => {
    expect(parseWorkflow(text).jobs[0]!.unsupported).toBe(because);
  });

  it.each([
    ["no YAML", "a: [", "at line 1"],
    ["no jobs", "on: push\n", "jobs: "],
    [
      "a job that needs nobody",
      "on: push\njobs: {one: {runs-on: x, needs: two, steps: [{run: x}]}}",
      "job one needs two, which is not there",
    ],
    ["a wrong permission", job("    permissions: {contents: admin}\n"), "jobs.one.permissions"],
  ])("%s can't be read", (_, text, words) => {
    expect(() => parseWorkflow(text)).toThrow(words);
  });

  it.each([
    ["on: workflow_dispatch", {}],
    ["on: [push, workflow_dispatch]", {}],
    ["on: {workflow_dispatch: }", {}],
    ["on: push", null],
    ["on: {push: }", null],
  ])("%s", (on, inputs) => {
    expect(parseWorkflow(`${on}\njobs: {one: {runs-on: x, steps: [{run: x}]}}`).inputs).toEqual(inputs);
  });
});

describe("the inputs of a dispatch", () => {
  const text = { type: "string", required: false, default: null, options: [] } as const;
  it.each([
    [{ a: text }, { a: "x" }, { a: "x" }],
    [{ a: { ...text, default: "d" } }, {}, { a: "d" }],
    [{ a: { ...text, required: true, default: "d" } }, {}, { a: "d" }],
    [{ a: text }, {}, { a: "" }],
    [{ a: { ...text, type: "boolean" as const } }, { a: "true" }, { a: true }],
    [{ a: { ...text, type: "number" as const } }, { a: "1.5" }, { a: 1.5 }],
    [{ a: text }, { a: 7 }, { a: "7" }],
  ])("%o with %o", (wanted, given, inputs) => {
    expect(checkInputs(wanted, given)).toEqual({ kind: "good", inputs });
  });
  it.each([
    [{ a: text }, { b: "x" }, 'Unexpected inputs provided: ["b"]'],
    [{ a: { ...text, required: true } }, {}, "Required input 'a' not provided"],
    [{ a: { ...text, required: true } }, { a: "" }, "Required input 'a' not provided"],
    [
      { a: { ...text, type: "choice" as const, options: ["x"] } },
      { a: "y" },
      "Provided value 'y' for input 'a' not in the list of allowed values",
    ],
    [
      { a: { ...text, type: "boolean" as const } },
      { a: "perhaps" },
      "Provided value 'perhaps' for input 'a' is not a boolean",
    ],
    [{ a: text }, { a: ["x"] }, "Provided value for input 'a' is not a text, a number or a boolean"],
    [{ a: text }, { a: "x".repeat(70_000) }, "inputs are too large."],
  ])("%o refuses %o", (wanted, given, message) => {
    expect(checkInputs(wanted, given)).toEqual({ kind: "bad", message });
  });
});

describe("who takes a job", () => {
  const gpu = { labels: ["self-hosted", "Linux", "gpu"], hosted: false };
  const hosted = { labels: ["ubuntu-latest"], hosted: true };
  it.each([
    [gpu, ["self-hosted", "GPU"], true],
    [gpu, ["gpu"], true],
    [gpu, ["self-hosted", "tpu"], false],
    [gpu, ["ubuntu-latest"], false],
    [hosted, ["ubuntu-latest"], true],
    [hosted, ["self-hosted"], false],
    [{ labels: ["ubuntu-latest", "self-hosted"], hosted: false }, ["ubuntu-latest"], false],
  ])("%o for %o: %s", (runner, labels, value) => {
    expect(takes(runner, labels)).toBe(value);
  });
});

describe("the filter by time", () => {
  const created = "2026-11-23T12:00:00Z";
  it.each([
    ["2026-11-23", true],
    ["2026-11-22", false],
    [">=2026-11-23T12:00:00Z", true],
    [">2026-11-23T12:00:00Z", false],
    ["<2026-11-23T12:00:01Z", true],
    ["<=2026-11-23", true],
    ["2026-11-01..2026-11-23", true],
    ["*..2026-11-22", false],
    ["2026-11-24..*", false],
  ])("%s: %s", (wanted, value) => {
    expect(isWithin(created, wanted)).toBe(value);
  });
});

describe("what a step says to its runner", () => {
  it("shows groups and errors, hides masked values, and commands that are only for the runner", () => {
    const lines = new StepLines(new Set());
    const shown = [
      "::group::a%0Ab",
      "::add-mask::secret",
      "my secret",
      "::endgroup::",
      "::error file=x,line=1::no",
      "::debug::x",
      "a ::b:: c",
    ].map((line) => lines.read(line));
    expect(shown).toEqual(["##[group]a\nb", null, "my ***", "##[endgroup]", "##[error]no", null, "a ::b:: c"]);
  });

  it("takes nothing for a command between stop-commands and its word", () => {
    const lines = new StepLines(new Set());
    const said = ["::stop-commands::word", "::add-mask::x", "::other::", "x", "::word::", "::add-mask::x", "x"];
    expect(said.map((line) => lines.read(line))).toEqual([null, "::add-mask::x", "::other::", "x", null, null, "***"]);
  });

  it("hides the longer of two masks first", () => {
    expect(masked("abcdef abc", new Set(["abc", "abcdef"]))).toBe("*** ***");
  });

  it("hands outputs over in both forms", () => {
    expect(parseFileCommand("a=1=2\nb<<E\nx\n\ny=z\nE\nc=\n")).toEqual({ a: "1=2", b: "x\n\ny=z", c: "" });
    expect(() => parseFileCommand("b<<E\nx\n")).toThrow("Matching delimiter not found");
    expect(() => parseFileCommand("nonsense\n")).toThrow("Invalid format");
  });

  it("gets inputs in upper case, blanks as underscores, hyphens kept", () => {
    expect(inputVariable("runs on-gpu")).toBe("INPUT_RUNS_ON-GPU");
  });
});
