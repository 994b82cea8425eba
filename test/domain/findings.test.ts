import { describe, expect, it } from "vitest";
import { type Finding, type FindingId, type Severity, isHealthy } from "../../src/domain/finding.ts";
import type { RepositoryFacts } from "../../src/domain/findings-repository.ts";
import { type Facts, environmentFinding, findingsOf } from "../../src/domain/findings.ts";
import { shippedManifest, shippedWorkflow } from "../../src/github/shipped.ts";

const repository: RepositoryFacts = {
  fullName: "ada/model",
  isPublic: false,
  ofOrganization: false,
  archived: false,
  baseBranch: "main",
  paths: ["prepare.py", "train.py"],
  configText: null,
  workflowText: shippedWorkflow(),
  hasTriggerLabel: true,
  runners: [{ name: "gpu-1", online: true, labels: ["self-hosted", "Linux", "GPU"] }],
};
const wanted = shippedManifest();
const installation = { suspended: false, ...wanted, url: "https://github.com/settings/installations/1" };

function facts(given: Partial<Facts> = {}): Facts {
  const app = { slug: "autoresearch" };
  return { asked: "ada/model", wanted, shippedWorkflow: shippedWorkflow(), app, installation, repository, ...given };
}

const inRepository = (given: Partial<RepositoryFacts>) => facts({ repository: { ...repository, ...given } });
const inInstallation = (given: Partial<typeof installation>) => facts({ installation: { ...installation, ...given } });

function findingOf(id: FindingId, given: Facts): Finding {
  const found = findingsOf(given).filter((finding) => finding.id === id);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe("findings", () => {
  it("ask for nothing where all is well", () => {
    const findings = findingsOf(facts());
    expect(findings.map(({ severity }) => severity)).toEqual(findings.map(() => "ok"));
    expect(findings.map(({ id }) => id)).toEqual([
      "credentials",
      "installation",
      "permissions",
      "events",
      "repository",
      "workflow",
      "config",
      "mutable",
      "public",
      "runners",
      "labels",
    ]);
    expect(isHealthy(findings)).toBe(true);
  });

  it.each<[FindingId, Severity, string, Facts]>([
    ["credentials", "fail", "does not take the app's credentials: Bad", facts({ app: { because: "Bad" } })],
    ["installation", "fail", "autoresearch is not installed on ada/model", facts({ installation: null })],
    ["installation", "fail", "can't be read: no answer", facts({ installation: { because: "no answer" } })],
    ["installation", "fail", "is suspended", inInstallation({ suspended: true })],
    [
      "permissions",
      "fail",
      "the app lacks issues: write (it has read), checks: write (it has none)",
      inInstallation({ permissions: { actions: "write", contents: "write", pull_requests: "write", issues: "read" } }),
    ],
    [
      "permissions",
      "warn",
      "workflows: write",
      inInstallation({ permissions: { ...wanted.permissions, workflows: "write" } }),
    ],
    [
      "permissions",
      "ok",
      "the app has the permissions",
      inInstallation({ permissions: { ...wanted.permissions, administration: "admin", metadata: "read" } }),
    ],
    [
      "events",
      "warn",
      "the app does not hear push",
      inInstallation({ events: wanted.events.filter((e) => e !== "push") }),
    ],
    [
      "repository",
      "fail",
      "can't be read: Git Repository is empty.",
      facts({ repository: { because: "Git Repository is empty." } }),
    ],
    ["repository", "fail", "is archived", inRepository({ archived: true })],
    ["workflow", "fail", "is not on main", inRepository({ workflowText: null })],
    [
      "workflow",
      "fail",
      "`run-name` is missing",
      inRepository({ workflowText: shippedWorkflow().replace(/^run-name.*$/m, "") }),
    ],
    ["config", "ok", "the defaults hold", inRepository({ configText: null })],
    ["config", "ok", "is valid", inRepository({ configText: "mutable: [prepare.py]\n" })],
    ["config", "fail", "line 1: I don't know the key `mutabel`", inRepository({ configText: "mutabel: [train.py]\n" })],
    [
      "mutable",
      "fail",
      "prepare.py is both `mutable` and `trial.private`",
      inRepository({ configText: 'mutable: ["*.py"]\ntrial: {evaluate: python3 judge.py, private: ["p*.py"]}\n' }),
    ],
    ["mutable", "fail", "names model/*.py, which", inRepository({ configText: "mutable: [train.py, model/*.py]\n" })],
    ["program", "fail", "names plan.md, which", inRepository({ configText: "program: plan.md\n" })],
    ["program", "ok", "prepare.py", inRepository({ configText: "program: prepare.py\n" })],
    ["public", "fail", "`ada/model` is public", inRepository({ isPublic: true })],
    [
      "public",
      "fail",
      "is public",
      inRepository({ isPublic: true, configText: "runner: {allow_public: ada/other}\n" }),
    ],
    ["public", "fail", "is public", inRepository({ isPublic: true, configText: "runner: {labels: [Self-Hosted]}\n" })],
    [
      "public",
      "warn",
      "allowed by name",
      inRepository({ isPublic: true, configText: "runner: {allow_public: Ada/Model}\n" }),
    ],
    [
      "public",
      "ok",
      "one of GitHub's own",
      inRepository({ isPublic: true, configText: "runner: {labels: [ubuntu-24.04]}\n" }),
    ],
    ["runners", "ok", "online with the labels self-hosted, gpu: gpu-1", facts()],
    ["runners", "unknown", "the app can't see runners", inRepository({ runners: null })],
    ["runners", "fail", "has no runner", inRepository({ runners: [] })],
    ["runners", "fail", "has no runner", inRepository({ configText: "runner: {labels: [self-hosted, tpu]}\n" })],
    ["runners", "fail", "but offline", inRepository({ runners: [{ ...repository.runners![0]!, online: false }] })],
    ["runners", "unknown", "organization", inRepository({ runners: [], ofOrganization: true })],
    ["runners", "unknown", "GitHub's", inRepository({ configText: "runner: {labels: [ubuntu-latest]}\n" })],
    ["labels", "warn", "no label autoresearch", inRepository({ hasTriggerLabel: false })],
  ])("%s: %s, %s", (id, severity, what, given) => {
    const finding = findingOf(id, given);
    expect(finding).toMatchObject({ severity });
    expect(finding.what).toContain(what);
    // Whatever asks for something says why, and what to do.
    expect([finding.why, finding.remedy].every((text) => (text === null) === (severity === "ok"))).toBe(true);
    expect(isHealthy([finding])).toBe(severity !== "fail");
  });

  it("leave out what can't be known for want of what is before", () => {
    expect(findingsOf(facts({ app: { because: "x" } })).map(({ id }) => id)).toEqual(["credentials"]);
    expect(findingsOf(facts({ installation: null })).map(({ id }) => id)).toEqual(["credentials", "installation"]);
    const ids = findingsOf(inRepository({ configText: "a: 1\n" })).map(({ id }) => id);
    expect(ids.slice(4)).toEqual(["repository", "workflow", "config", "labels"]);
    expect(environmentFinding("APP_ID is not set")).toMatchObject({ severity: "fail", what: "APP_ID is not set" });
  });
});
