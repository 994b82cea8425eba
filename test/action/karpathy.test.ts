/**
 * A repository as people have it: `uv run train.py`, a cache in the home, progress by carriage returns, the summary block,
 * and the fast way out when the loss explodes. The script prints in the form of karpathy/autoresearch; `uv` is a stand-in.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { makeWorld, plainSpec, type Result, startAction, type World } from "./world.ts";

const train = `
import math, os, sys
cache = os.path.join(os.path.expanduser("~"), ".cache", "autoresearch")
print("Vocab size: 8,192")
print("Tokenizer:", open(os.path.join(cache, "tokenizer.txt")).read())
print("Model config: {'depth': 8, 'n_embd': 512}")
print("Time budget: 300s")
steps = int(os.environ.get("STEPS", "400"))
for step in range(steps):
    loss = 9.0 / (1 + step) + 0.9 if step < EXPLODES else float("nan")
    if math.isnan(loss) or loss > 100:
        print("FAIL")
        sys.exit(1)
    print(f"\\rstep {step:05d} ({100 * step / steps:.1f}%) | loss: {loss:.6f} | lrm: 1.00 | dt: 310ms | tok/sec: 1,690,000 | mfu: 39.8% | epoch: 1 | remaining: {300 - step}s    ", end="", flush=True)
print()
print("---")
print("val_bpb:          0.997900")
print("training_seconds: 300.1")
print("total_seconds:    325.9")
print("peak_vram_mb:     45060.2")
print("mfu_percent:      39.80")
print("total_tokens_M:   499.6")
print("num_steps:        953")
print("num_params_M:     50.3")
print("depth:            8")
`;
const uv = `#!/bin/bash
case "$1" in
  sync) [ "$2" = --frozen ] && mkdir -p .venv && echo ready > .venv/state && echo synced ;;
  run) grep -q ready .venv/state || { echo 'no environment'; exit 2; }
       echo x 2>/dev/null > .venv/state && echo 'the environment was written'
       exec python3 "$2" ;;
esac
`;

let world: World;
beforeAll(() => {
  world = makeWorld({ "train.py": train.replace("EXPLODES", "10**9"), "prepare.py": "", "uv.lock": "version = 1\n" });
  mkdirSync(join(world.folder, "bin"));
  writeFileSync(join(world.folder, "bin", "uv"), uv);
  chmodSync(join(world.folder, "bin", "uv"), 0o755);
  mkdirSync(join(world.folder, ".cache", "autoresearch"), { recursive: true });
  writeFileSync(join(world.folder, ".cache", "autoresearch", "tokenizer.txt"), "a tokenizer");
});
afterAll(() => world.remove());

const run = async (commit: string, sandbox: "required" | "off"): Promise<Result> =>
  startAction(world, {
    INPUT_MODE: "train",
    INPUT_COMMIT: commit,
    INPUT_SPEC: JSON.stringify({ ...plainSpec, command: "uv run train.py", mutable: ["train.py"], sandbox }),
    PATH: `${join(world.folder, "bin")}:${process.env["PATH"]}`,
  }).done;

const modes = [["in the sandbox", "required"] as const, ["without a sandbox", "off"] as const];

describe.each(modes.filter(([, mode]) => mode === "off" || noBubblewrap === null))("%s", (_, sandbox) => {
  it("its repository works as it is", async () => {
    const { measurement, printed } = await run(world.base, sandbox);
    expect(printed).toMatch(/set-up: uv sync --frozen[^]*synced/);
    expect(measurement).toMatchObject({
      status: "measured",
      value: 0.9979,
      metrics: {
        val_bpb: 0.9979,
        training_seconds: 300.1,
        total_seconds: 325.9,
        peak_vram_mb: 45060.2,
        mfu_percent: 39.8,
        total_tokens_M: 499.6,
        num_steps: 953,
        num_params_M: 50.3,
        depth: 8,
      },
    });
    expect(Object.keys(measurement.metrics)).toHaveLength(9);
    expect(measurement.curve.length).toBeGreaterThan(100);
    expect(measurement.curve.length).toBeLessThanOrEqual(200);
    expect(measurement.curve[0]).toEqual([0, 9.9]);
    expect(measurement.curve.at(-1)).toEqual([399, 0.9225]);
    expect(measurement.logTail).toContain("Tokenizer: a tokenizer\n");
    expect(measurement.logTail).toContain("step 00399 (99.8%) | loss: 0.922500");
    expect(measurement.logTail).not.toContain("step 00398");
    expect(measurement.logTail.includes("the environment was written")).toBe(sandbox === "off");
  });

  it("its way out when the loss explodes is a crash that says so", async () => {
    const commit = world.candidate({ "train.py": train.replace("EXPLODES", "12") });
    const { measurement } = await run(commit, sandbox);
    expect(measurement).toMatchObject({
      status: "crash",
      exitCode: 1,
      because:
        "FAIL: the training gave up, as it does when the loss explodes or is no number (last seen: loss 1.65 at step 11)",
    });
  });
});
