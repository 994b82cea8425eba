/** What a training or an evaluator prints as its value, and what becomes of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, trainOn, type World } from "./world.ts";

let world: World;
beforeAll(() => {
  world = makeWorld({
    "train.sh": "true\n",
    "evaluate.sh": "printf '%s\\n' --- \"val_bpb: $(cat $AUTORESEARCH_TRAINED/prediction)\" 'eval_seconds: 2'\n",
  });
});
afterAll(() => world.remove());

const train = (script: string) => world.candidate({ "train.sh": script });

describe("the metric", () => {
  const print = (...lines: string[]) => lines.map((line) => `echo '${line}'`).join("\n");
  it.each([
    ["no line: a crash, not a value", [], "crash", "finished without a val_bpb line after a line ---"],
    ["no line after the rule", ["val_bpb: 0.5", "---", "num_steps: 3"], "crash", "finished without a val_bpb line"],
    [
      "two lines: rejected",
      ["---", "val_bpb: 0.5", "val_bpb: 0.9"],
      "rejected",
      "printed more than one val_bpb line: which one counts is not for us to guess",
    ],
    ["nan", ["---", "val_bpb: nan"], "unknown", "val_bpb is nan"],
    ["infinite", ["---", "val_bpb: inf"], "unknown", "val_bpb is inf"],
    ["infinitely good", ["---", "val_bpb: -inf"], "unknown", "val_bpb is -inf"],
    ["zero", ["---", "val_bpb: 0"], "unknown", "val_bpb is 0"],
    ["zero by rounding", ["---", "val_bpb: 1e-999"], "unknown", "val_bpb is 1e-999"],
    ["below zero", ["---", "val_bpb:   -1.000000"], "unknown", "val_bpb is -1.000000"],
    ["beyond a number", ["---", "val_bpb: 1e999"], "unknown", "val_bpb is 1e999"],
    ["no number", ["---", "val_bpb: 0.5 (estimated)"], "unknown", "val_bpb is 0.5 (estimated)"],
    ["nothing behind the name", ["---", "val_bpb:"], "unknown", "val_bpb is empty"],
    [
      "a second block after the first: rejected",
      ["---", "val_bpb: 0.9", "---", "val_bpb:   0.75"],
      "rejected",
      "printed more than one val_bpb line: which one counts is not for us to guess",
    ],
    [
      "what stands before the first rule is no result",
      ["val_bpb: 0.1", "---", "val_bpb:   0.75"],
      "measured",
      "val_bpb 0.75",
    ],
  ])("%s", async (_, lines, status, because) => {
    const { measurement } = await trainOn(world, train(`${print(...lines)}\n`));
    expect(measurement).toMatchObject({ status, because });
    expect("value" in measurement).toBe(status === "measured");
    if (status === "unknown") expect(measurement.metrics).toEqual({});
  });

  it("that is no value is told in a bounded phrase, however much was printed", async () => {
    const { measurement } = await trainOn(
      world,
      train(`echo ---; printf 'val_bpb: %s\n' "$(head -c 100000 /dev/zero | tr '\\0' 'n')"\n`),
    );
    expect(measurement.status).toBe("unknown");
    expect(measurement.because).toMatch(/^val_bpb is n{50,300}…?$/);
  });

  it("may be zero or below where higher is better: that is a bad value, not one beyond belief", async () => {
    const { measurement } = await trainOn(world, train(`${print("---", "reward: -3.5")}\n`), {
      metric: "reward",
      direction: "higher",
    });
    expect(measurement).toMatchObject({ status: "measured", value: -3.5 });
  });

  it("is unknown too when the evaluate command says nan", async () => {
    const commit = train(`echo nan > prediction\n${print("---", "val_bpb: 0.9")}\n`);
    const { measurement } = await trainOn(world, commit, { evaluate: "bash evaluate.sh" });
    expect(measurement).toMatchObject({ status: "unknown", because: "val_bpb is nan", exitCode: 0 });
    expect(measurement).not.toHaveProperty("value");
    expect(measurement.metrics).toEqual({ eval_seconds: 2 });
  });

  it("that is nan in a training which ends with an error leaves a crash", async () => {
    const { measurement } = await trainOn(world, train(`${print("---", "val_bpb: nan", "FAIL")}\nexit 1\n`));
    expect(measurement.status).toBe("crash");
  });

  it("comes from the evaluate command where there is one, whatever the training prints", async () => {
    const commit = train(`echo 0.8125 > prediction\n${print("---", "val_bpb: 0.000001", "num_steps: 9")}\n`);
    const { measurement } = await trainOn(world, commit, { evaluate: "bash evaluate.sh" });
    expect(measurement).toMatchObject({
      status: "measured",
      value: 0.8125,
      metrics: { val_bpb: 0.8125, num_steps: 9, eval_seconds: 2 },
    });
    expect(measurement.logTail).toMatch(/val_bpb: 0\.000001[^]*=== evaluate ===[^]*val_bpb: 0\.8125/);
  });

  it("is missing when the evaluate command fails, and the reason says so", async () => {
    const { measurement } = await trainOn(world, train("true\n"), { evaluate: "echo no prediction; exit 4" });
    expect(measurement).toMatchObject({
      status: "crash",
      because: "the evaluate command exit status 4: no prediction",
      exitCode: 0,
    });
  });
});
