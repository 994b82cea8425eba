import { readFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import type { Finding } from "../../src/domain/finding.ts";
import { startWorld } from "../support/e2e.ts";
import { type World, until } from "../support/world.ts";

const root = path.resolve(import.meta.dirname, "../..");
const workflow = ".github/workflows/autoresearch.yml";

function doctor(world: World, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [path.join(root, "src/doctor.ts"), ...args], {
    reject: false,
    extendEnv: false,
    env: {
      APP_ID: String(world.app.appId),
      PRIVATE_KEY: world.app.privateKey,
      WEBHOOK_SECRET: world.app.webhookSecret,
      GITHUB_API_URL: world.github.apiUrl,
      ...env,
    },
  });
}

async function findingsIn(world: World, repo = "ada/model", env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout } = await doctor(world, ["--repo", repo, "--json"], env);
  const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Finding[] };
  const severities = Object.fromEntries(findings.map(({ id, severity }) => [id, severity]));
  const remedies = findings.filter((each) => each.severity !== "ok" && (each.why === null || each.remedy === null));
  expect(remedies).toEqual([]);
  expect(healthy).toBe(exitCode === 0);
  return { exitCode, severities, whatOf: (id: string) => findings.find((each) => each.id === id)?.what };
}

test("a healthy repository: all is good but what the app can't see, and the status is 0", async () => {
  const world = await startWorld();
  await world.as("ada").rest.issues.createLabel({ ...world.at, name: "autoresearch" });
  const { exitCode, stdout, stderr } = await doctor(world, ["--repo", "ada/model"]);
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
  const lines = stdout.split("\n").filter((line) => /^[✓!✗?] /.test(line));
  expect(lines.map((line) => line.split(/ +/).slice(0, 2).join(" "))).toEqual([
    "✓ credentials",
    "✓ installation",
    "✓ permissions",
    "✓ events",
    "✓ repository",
    "✓ workflow",
    "✓ config",
    "✓ mutable",
    "✓ public",
    "? runners",
    "✓ labels",
  ]);
  expect(stdout).toContain("administration: read");
  expect(stdout).toMatch(/\n0 failed, 0 to look at, 1 unknown, 10 good$/);
});

test("an app that may see runners is told of the one that is online, and of none for other labels", async () => {
  const world = await startWorld({ training: "real", permissions: { administration: "read" } });
  const severities = await until("the runner is online", async () => {
    const found = await findingsIn(world);
    return found.severities["runners"] === "ok" ? found : null;
  });
  expect(severities.whatOf("runners")).toBe("online with the labels self-hosted, gpu: gpu-1");

  const other = await startWorld({
    permissions: { administration: "read" },
    config: "runner: {labels: [self-hosted, tpu]}\n",
  });
  const found = await findingsIn(other);
  expect(found.exitCode).toBe(1);
  expect(found.whatOf("runners")).toBe("the repository has no runner with the labels self-hosted, tpu");
});

test("several faults are all found at once", async () => {
  const shipped = readFileSync(path.join(root, workflow), "utf8");
  const changed = shipped.replace("      checks: write", "      checks: write\n      contents: write");
  const world = await startWorld({
    permissions: { checks: "read", workflows: "write" },
    files: {
      [workflow]: changed,
      ".github/autoresearch.yml": "mutable: [trian.py]\nprogram: plan.md\nrunner: {allow_public: ada/other}\n",
    },
    public: true,
  });
  const found = await findingsIn(world);
  expect(found.exitCode).toBe(1);
  expect(found.severities).toEqual({
    credentials: "ok",
    installation: "ok",
    permissions: "fail",
    events: "ok",
    repository: "ok",
    workflow: "fail",
    config: "ok",
    mutable: "fail",
    program: "fail",
    public: "fail",
    runners: "unknown",
    labels: "warn",
  });
  expect(found.whatOf("permissions")).toBe("the app lacks checks: write (it has read)");
  expect(found.whatOf("workflow")).toContain(
    "`jobs.report.permissions` is `checks: write, contents: write`, and should be `checks: write`",
  );
});

test("what comes first is said, and no more", async () => {
  const world = await startWorld();
  expect(await findingsIn(world, "ada/other")).toMatchObject({
    exitCode: 1,
    severities: { credentials: "ok", installation: "fail" },
  });
  expect((await findingsIn(world, "ada/model", { APP_ID: "999999" })).severities).toEqual({ credentials: "fail" });
  const unset = await findingsIn(world, "ada/model", { PRIVATE_KEY: "" });
  expect(unset.severities).toEqual({ environment: "fail" });
  expect(unset.whatOf("environment")).toContain("PRIVATE_KEY");
  const wrong = await doctor(world, ["--repo", "model"]);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain("OWNER/NAME");
});
