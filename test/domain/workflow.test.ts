import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { sayDifference, workflowDifferences } from "../../src/domain/workflow.ts";
import { shippedWorkflow } from "../../src/github/shipped.ts";

const shipped = shippedWorkflow();

/** The shipped text with one place changed; the place must be there. */
function changed(from: string | RegExp, to: string): string {
  const text = shipped.replace(from, to);
  expect(text).not.toBe(shipped);
  return text;
}

const said = (text: string) => workflowDifferences(text, shipped).map(sayDifference);
const places = (text: string) => workflowDifferences(text, shipped).map(({ place }) => place);

describe("a copy of the workflow", () => {
  it.each<[string, () => string]>([
    ["as it is", () => shipped],
    ["without comments, in another order of keys", () => stringify(parse(shipped), { sortMapEntries: true })],
    [
      "with the action pinned",
      () => shipped.replaceAll("action@v1", "action@0123456789abcdef0123456789abcdef01234567"),
    ],
    ["with a name of its own", () => changed(/^name: .*$/m, "name: research")],
    ["with another time-out", () => changed("timeout-minutes: 1440", "timeout-minutes: 60")],
    ["on another machine of GitHub's", () => changed("runs-on: ubuntu-latest", "runs-on: ubuntu-24.04")],
    ["with the report on a machine of one's own", () => changed("ubuntu-latest", "[self-hosted, report]")],
    ["with the report in a group", () => changed("ubuntu-latest", "{group: small}")],
    ["with other spaces in expressions", () => shipped.replaceAll("${{ inputs.spec }}", "${{inputs.spec}}")],
    ["with braces around the condition", () => changed(/if: (needs.*)$/m, "if: ${{ $1 }}")],
    [
      "with a fork's copy of the action",
      () => shipped.replaceAll("autoresearch-app/autoresearch-app", "ada/autoresearch-app"),
    ],
    ["with the token's other name", () => shipped.replaceAll("github.token", "secrets.GITHUB_TOKEN")],
    ["with a list of one", () => changed("needs: train", "needs: [train]")],
    ["with a step of its own", () => changed("    steps:\n", "    steps:\n      - run: nvidia-smi\n")],
    [
      "with permissions for the whole of it that no job takes",
      () => changed(/^permissions: .*$/m, "permissions: write-all"),
    ],
    [
      "with an input that nobody must send",
      () => changed("    inputs:\n", "    inputs:\n      note:\n        type: string\n"),
    ],
  ])("%s will do", (_name, text) => {
    expect(said(text())).toEqual([]);
  });

  it.each<[string, () => string, string]>([
    ["another run-name", () => changed(/^run-name: .*$/m, "run-name: trial"), "run-name"],
    ["another trigger", () => changed("on:\n", "on:\n  pull_request:\n"), "on.pull_request"],
    ["no input", () => changed(/ {6}base:\n(?: {8}.*\n)+/, ""), "on.workflow_dispatch.inputs.base"],
    [
      "an input of another type",
      () => changed("type: string", "type: number"),
      "on.workflow_dispatch.inputs.trial.type",
    ],
    [
      "an input that the bot does not send",
      () => changed("    inputs:\n", "    inputs:\n      note:\n        required: true\n"),
      "on.workflow_dispatch.inputs.note",
    ],
    ["a queue of Actions", () => changed("jobs:\n", "concurrency: gpu\njobs:\n"), "concurrency"],
    ["another machine", () => changed(/runs-on: \$.*$/m, "runs-on: self-hosted"), "jobs.train.runs-on"],
    ["more permissions", () => changed("contents: read", "contents: write"), "jobs.train.permissions"],
    ["permissions of the repository", () => changed(/ {4}permissions:\n {6}checks.*\n/, ""), "jobs.report.permissions"],
    ["another name of the report", () => changed(/name: report .*$/m, "name: report"), "jobs.report.name"],
    ["another condition", () => changed(/if: needs.*$/m, "if: always()"), "jobs.report.if"],
    ["another output", () => changed("steps.trial.outputs.digest", "steps.trial.outputs.sum"), "jobs.train.outputs"],
    ["another id of the step", () => changed("id: trial", "id: it"), "jobs.train.steps.id"],
    ["another action", () => changed("autoresearch-app/autoresearch-app", "evil/action"), "jobs.train.steps.uses"],
    ["another mode", () => changed("mode: report", "mode: train"), "jobs.report.steps.with.mode"],
    ["no spec", () => changed(/ {10}spec: .*\n/, ""), "jobs.train.steps.with.spec"],
    ["a secret", () => changed("    outputs:", '    env: {KEY: "${{ secrets.KEY }}"}\n    outputs:'), "jobs.train"],
    ["a secret for all jobs", () => changed("jobs:\n", 'env: {KEY: "${{ secrets.KEY }}"}\njobs:\n'), "env"],
    ["the report where candidates train", () => changed("ubuntu-latest", "[self-hosted, gpu]"), "jobs.report.runs-on"],
    ["the report on any machine", () => changed("ubuntu-latest", "{labels: self-hosted}"), "jobs.report.runs-on"],
    [
      "the report where the bot says",
      () => changed("ubuntu-latest", "${{ fromJSON(inputs.runs_on) }}"),
      "jobs.report.runs-on",
    ],
    ["the report nowhere", () => changed(/^ +runs-on: ubuntu-latest\n/m, ""), "jobs.report.runs-on"],
    ["a third job", () => `${shipped}  more:\n    runs-on: ubuntu-latest\n    steps: []\n`, "jobs.more"],
    ["a job of another name", () => shipped.replaceAll(/^ {2}report:$/gm, "  tell:"), "jobs.report"],
    ["no YAML", () => "on: [", "the file"],
    ["nothing in it", () => "", "run-name"],
  ])("with %s will not", (_name, text, place) => {
    expect(places(text())[0]).toBe(place);
  });

  it("is spoken of in half a sentence, on one line", () => {
    expect(said(changed("contents: read", "contents: write"))).toEqual([
      "`jobs.train.permissions` is `contents: write`, and should be `contents: read`",
    ]);
    expect(said(changed("on:\n", "on:\n  push:\n"))).toEqual(["`on.push` should not be there"]);
    const foreign = changed(/if: needs.*$/m, 'if: "`@ada`\\n\\n# big"');
    expect(said(foreign)).toEqual([
      "`jobs.report.if` is `'@ada' # big`, and should be `needs.train.outputs.measurement != ''`",
    ]);
    expect(said("on: [")).toEqual(["it is not valid YAML"]);
  });
});
