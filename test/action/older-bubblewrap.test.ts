/** Versions of bubblewrap that lack an option, and what doctor.sh says of them. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, makeHostileWorld, start } from "./hostile-world.ts";
import type { World } from "./world.ts";

let world: World;
beforeAll(() => {
  world = makeHostileWorld();
});
afterAll(() => world.remove());

/** A search path whose bwrap refuses these options as a version before them does, writes down its call, and is the real one else. */
function older(...unknown: readonly string[]): { path: string; calls: () => string } {
  const folder = join(world.folder, `older${unknown.join("")}`);
  mkdirSync(folder);
  const real = execFileSync("bash", ["-c", "command -v bwrap"], { encoding: "utf8" }).trim();
  const refusals = unknown.map(
    (option) => `case " $* " in *" ${option} "*) echo "bwrap: Unknown option ${option}" >&2; exit 1 ;; esac`,
  );
  const calls = join(folder, "calls");
  writeFileSync(
    join(folder, "bwrap"),
    ["#!/bin/bash", `echo "$@" >>${calls}`, ...refusals, `exec ${real} "$@"`, ""].join("\n"),
  );
  chmodSync(join(folder, "bwrap"), 0o755);
  return { path: `${folder}:${process.env["PATH"] ?? ""}`, calls: () => readFileSync(calls, "utf8") };
}

describe.skipIf(noBubblewrap !== null)("in the sandbox of", () => {
  it.each([
    ["0.6.1, as Ubuntu 22.04 has it", ["--size", "--disable-userns"]],
    ["0.7", ["--disable-userns"]],
  ])("%s a trial is held all the same", async (_, unknown) => {
    const { path } = older(...unknown);
    const train = `import os\nprint(os.path.exists("/home"), os.statvfs("/dev/shm").f_blocks > 0)\n${block}`;
    const { measurement } = await start(world, train, "required", { env: { PATH: path } }).done;
    expect(measurement).toMatchObject({ status: "measured", value: 0.9, sandbox: "bubblewrap" });
    expect(measurement.logTail).toContain("False True");
  });

  it("a version that knows every option gets them all", async () => {
    const { path, calls } = older();
    await start(world, block, "required", { env: { PATH: path } }).done;
    for (const call of calls().trim().split("\n"))
      expect(call).toMatch(/--disable-userns .*--size \d+ --tmpfs \/dev\/shm/);
  });

  it("doctor.sh tries what the action uses", async () => {
    const { path, calls } = older("--never");
    await start(world, block, "required", { env: { PATH: path } }).done;
    const options = new Set(calls().match(/(?<= )--[a-z-]+(?= )/g));
    const doctor = readFileSync(join(import.meta.dirname, "../../runner-setup/doctor.sh"), "utf8");
    expect([...options].filter((option) => !doctor.includes(option))).toEqual([]);
    expect(options.size).toBeGreaterThan(10);
  });
});

it("a bwrap that works in no way is told by what its plainest call says", async () => {
  const folder = join(world.folder, "broken");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "bwrap"),
    `#!/bin/bash\ncase "$*" in *--size*) echo "bwrap: Unknown option --size" ;; *) echo "bwrap: setting up uid map: Permission denied" ;; esac >&2\nexit 1\n`,
  );
  chmodSync(join(folder, "bwrap"), 0o755);
  const result = await start(world, block, "required", { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}` } })
    .done;
  expect(result.printed).toMatch(
    /cannot be kept on this runner: .*uid map: Permission denied.*user namespaces are forbidden here/,
  );
});
