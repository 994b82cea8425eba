import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { ended, isAlive, until } from "./actions-world.ts";

const leash = path.resolve(import.meta.dirname, "../../src/local/leash.ts");
const folder = mkdtempSync(path.join(tmpdir(), "leash-test-"));
const started: ChildProcess[] = [];
afterEach(async () => {
  for (const child of started.splice(0)) await ended(child, "SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A parent that starts a child on a leash; gives both. */
async function parentAndChild(child: string): Promise<{ parent: ChildProcess; childPid: number }> {
  const [parentFile, childFile, pidFile] = ["parent.mjs", "child.mjs", "pid"].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  rmSync(pidFile, { force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    childFile,
    `import { writeFileSync } from "node:fs";\n${child}\nwriteFileSync(${JSON.stringify(pidFile)}, String(process.pid));\n`,
  );
  writeFileSync(
    parentFile,
    `import { spawn } from "node:child_process";
     spawn(process.execPath, ["--import", ${JSON.stringify(leash)}, ${JSON.stringify(childFile)}], { stdio: ["ignore", "ignore", "inherit", "ipc"], detached: true });
     setInterval(() => {}, 1000);`,
  );
  const parent = spawn(process.execPath, [parentFile], { stdio: ["ignore", "ignore", "inherit"] });
  started.push(parent);
  await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
  return { parent, childPid: Number(readFileSync(pidFile, "utf8")) };
}

it("a child may end in order when its parent is killed with kill -9", async () => {
  const note = path.join(folder, "note");
  const { parent, childPid } = await parentAndChild(
    `process.on("SIGTERM", () => { writeFileSync(${JSON.stringify(note)}, "ended in order"); process.exit(0); }); setInterval(() => {}, 1000);`,
  );
  expect(isAlive(childPid)).toBe(true);
  await ended(parent, "SIGKILL");
  await until(() => !isAlive(childPid));
  expect(readFileSync(note, "utf8")).toBe("ended in order");
});

it("a child that does not hear SIGTERM ends all the same", async () => {
  const { parent, childPid } = await parentAndChild(`process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);`);
  await ended(parent, "SIGKILL");
  await until(() => !isAlive(childPid));
  expect(isAlive(childPid)).toBe(false);
});

it("a child that is done is not held by the leash, and lives as long as it likes with its parent", async () => {
  const { childPid } = await parentAndChild("setTimeout(() => {}, 100);");
  await until(() => !isAlive(childPid));
  expect(started.at(-1)!.exitCode).toBeNull();
});
