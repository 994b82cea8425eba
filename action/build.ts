/**
 * Builds action/dist/index.js from action/src: one file, readable, the same bytes from the same sources.
 *
 *     node action/build.ts            writes the bundle
 *     node action/build.ts --check    exits 1 when the committed bundle is not what the sources give
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "rolldown";

const top = join(import.meta.dirname, "..");
const bundle = join(import.meta.dirname, "dist", "index.js");

async function buildInto(file: string): Promise<void> {
  await build({
    cwd: top,
    input: join(import.meta.dirname, "src", "main.ts"),
    platform: "node",
    logLevel: "warn",
    output: { file, format: "esm", minify: false, comments: { legal: true }, codeSplitting: false },
  });
}

async function check(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "autoresearch-build-"));
  try {
    const fresh = join(folder, "index.js");
    await buildInto(fresh);
    const [built, committed] = await Promise.all([readFile(fresh), readFile(bundle).catch(() => Buffer.alloc(0))]);
    return built.equals(committed);
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (!process.argv.includes("--check")) {
  await buildInto(bundle);
} else if (!(await check())) {
  process.stderr.write(
    "action/dist/index.js is not what action/src gives: run `npm run build:action` and commit the result.\n",
  );
  process.exitCode = 1;
}
