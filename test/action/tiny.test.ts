/** The shipped example as its users have it: its own configuration, its own evaluator, real training for a moment. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../src/domain/config.ts";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { noBubblewrap } from "./bubblewrap.ts";
import { makeWorld, type Result, trainOn, type World } from "./world.ts";

const example = join(import.meta.dirname, "../../examples/tiny");
const read = (path: string) => readFileSync(join(example, path), "utf8");
// What running it by hand leaves beside it is not of it.
const paths = readdirSync(example, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !/__pycache__|\.pickle$/.test(join(entry.parentPath, entry.name)))
  .map((entry) => relative(example, join(entry.parentPath, entry.name)));
const files = Object.fromEntries(paths.map((path) => [path, read(path)]));
const config = configSchema.parse(parse(read(".github/autoresearch.yml")));
const { command, evaluate, serve, private: secret } = config.trial;
const spec: Partial<TrialSpec> = {
  command,
  evaluate,
  serve,
  private: secret,
  mutable: config.mutable,
  budgetSeconds: 0.3,
  timeoutSeconds: 60,
};

let world: World;
beforeAll(() => {
  world = makeWorld(files);
});
afterAll(() => world.remove());

const run = async (sandbox: TrialSpec["sandbox"], change: (text: string) => string = (text) => text): Promise<Result> =>
  trainOn(world, world.candidate({ "train.py": change(read("train.py")) }), { ...spec, sandbox });

const modes = [["in the sandbox", "required"] as const, ["without one", "off"] as const];
describe.each(modes.filter(([, mode]) => mode === "off" || noBubblewrap === null))("tiny %s", (_, sandbox) => {
  it("is measured by its evaluator, on text that is in no training", async () => {
    const { measurement, log } = await run(sandbox);
    expect(measurement).toMatchObject({ status: "measured", exitCode: 0 });
    expect(measurement.status === "measured" && measurement.value).toBeGreaterThan(1);
    expect(measurement.status === "measured" && measurement.value).toBeLessThan(4);
    expect(measurement.metrics).toMatchObject({ held_out_bytes: Buffer.byteLength(files["held_out.txt"]!) });
    expect(measurement.metrics["num_steps"]).toBeGreaterThan(0);
    expect(measurement.curve.length).toBeGreaterThan(5);
    expect(/=== training ===([^]*?)\n=== evaluation ===/.exec(log)![1]).not.toContain("val_bpb:");
  });
});

describe("tiny's evaluator", () => {
  it.each([
    ["no distribution", (t: string) => t.replaceAll('array("d", model.predict())', 'array("d", [1.0] * 256)'), "crash"],
    [
      "not a number",
      (t: string) => t.replaceAll('array("d", model.predict())', 'array("d", [math.nan] * 256)'),
      "crash",
    ],
    ["certain of one byte", (t: string) => t.replaceAll("model.predict())", "[1.0] + [0.0] * 255)"), "unknown"],
    ["that it won", (t: string) => `${t}\n    print("---"); print("val_bpb: 0.000001")\n`, "measured"],
  ])("does not believe a model that says %s", async (_name, change, status) => {
    const { measurement } = await run("auto", change);
    expect(measurement.status).toBe(status);
    if (measurement.status === "unknown") expect(measurement.because).toBe("val_bpb is inf");
    if (measurement.status === "measured") expect(measurement.value).toBeGreaterThan(1);
  });
});

describe.skipIf(noBubblewrap !== null)("the held-out text of tiny", () => {
  it("is neither where the training runs nor where the model answers", async () => {
    // The phrase is in two parts, or it would be found in the program that looks for it.
    const look = `
import os
places = [os.path.dirname(os.getcwd()), os.path.expanduser("~"), "/tmp"]
for top, _, names in (walked for place in places for walked in os.walk(place)):
    for name in names:
        try: found = b"it branches a *fron" b"tier* off" in open(os.path.join(top, name), "rb").read(200_000)
        except OSError: continue
        if found: print("found", os.path.join(top, name), file=sys.stderr, flush=True)
print("looked", file=sys.stderr, flush=True)
`;
    const { measurement } = await run("required", (text) =>
      text.replace('if __name__ == "__main__":\n', `if __name__ == "__main__":${look.replaceAll("\n", "\n    ")}\n`),
    );
    expect(measurement).toMatchObject({ status: "measured" });
    expect(measurement.logTail.match(/^looked$/gm)).toHaveLength(2);
    expect(measurement.logTail).not.toContain("found /");
  });
});
