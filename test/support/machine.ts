/**
 * Before all tests: what every child process would otherwise pay for again and again.
 *
 * - `python3` may be a shim (pyenv's starts a dozen of shells each time): the interpreter behind it goes first in PATH.
 * - Compiled modules are kept for the processes that start later.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export default function prepare(): () => void {
  const python = execFileSync("python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  process.env["PATH"] = `${path.dirname(python)}:${process.env["PATH"] ?? ""}`;
  const cache = mkdtempSync(path.join(tmpdir(), "autoresearch-compiled-"));
  process.env["NODE_COMPILE_CACHE"] = cache;
  return () => rmSync(cache, { recursive: true, force: true });
}
