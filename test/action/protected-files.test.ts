import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { changedPaths, hashFiles } from "../../action/src/protected-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "protected-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("a file that grew, or is new, has changed and is not read: it may be as large as a disk", async () => {
  writeFileSync(join(folder, "a"), "1");
  const before = await hashFiles(folder, ["a"]);
  // A terabyte of nothing: to read it would take the better part of an hour.
  for (const name of ["a", "b"]) {
    writeFileSync(join(folder, name), "1");
    truncateSync(join(folder, name), 1024 ** 4);
  }
  expect(changedPaths(before, await hashFiles(folder, ["a", "b"], before))).toEqual(["a", "b"]);
});

it("a file of the same size has changed where a byte has, and has not where none has", async () => {
  for (const name of ["a", "b", "empty"]) writeFileSync(join(folder, name), name === "empty" ? "" : "1");
  const before = await hashFiles(folder, ["a", "b", "empty", "none"]);
  writeFileSync(join(folder, "b"), "2");
  expect(changedPaths(before, await hashFiles(folder, ["a", "b", "empty", "none"], before))).toEqual(["b"]);
});
