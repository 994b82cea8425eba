import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { identitiesOf } from "../../action/src/made-things.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "made-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const identity = async () => (await identitiesOf(folder, ["made"])).get("made");

it.each([
  ["folder", (path: string) => mkdirSync(path)],
  ["file", (path: string) => writeFileSync(path, "1")],
  ["link", (path: string) => symlinkSync(String(performance.now()), path)],
])("a %s is told from another in its place, which the system may give the same number", async (_, make) => {
  const seen = new Set<string | undefined>();
  for (let time = 0; time < 10; time++) {
    make(join(folder, "made"));
    seen.add(await identity());
    rmSync(join(folder, "made"), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(seen.size).toBe(10);
});

it("a folder stays what it is, whatever is done in it and wherever it was meanwhile", async () => {
  mkdirSync(join(folder, "made"));
  const before = await identity();
  writeFileSync(join(folder, "made/file"), "1");
  chmodSync(join(folder, "made"), 0o500);
  renameSync(join(folder, "made"), join(folder, "other"));
  expect(await identity()).toBe("gone");
  renameSync(join(folder, "other"), join(folder, "made"));
  expect(await identity()).toBe(before);
  chmodSync(join(folder, "made"), 0o700);
});
