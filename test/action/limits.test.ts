/** The limits of the Checks API, and what is posted without secrets, whatever a trial printed and however much of it. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CheckRun, checkOf } from "../../action/src/check.ts";
import type { Bench } from "../../action/src/commands.ts";
import { conclude } from "../../action/src/conclude.ts";
import { measurementOf } from "../../action/src/measurement-of.ts";
import { readLog } from "../../action/src/read-log.ts";
import type { CommandResult } from "../../action/src/run-command.ts";
import {
  digestOf,
  encodeInAnyCase,
  encodeMeasurement,
  maxMeasurementBytes,
} from "../../action/src/measurement-json.ts";
import { type Measurement, measurementJsonOf, parseMeasurement } from "../../src/domain/measurement.ts";
import { makeWorld, plainSpec, trainOn, type World } from "./world.ts";

const told = { metric: "val_bpb", frontier: 1, runUrl: `https://github.example/${"o".repeat(39)}/r/actions/runs/1` };

/** Characters that are many bytes, many in JSON, part of a pair, or mean something in Markdown. */
const unit = fc.constantFrom("x", "`", "|", "é", "\u0001", "\ud83d", "🙂", "\u202e", "@a ", "\n", "<", "\\", '"', "漢");
/** Up to exactly so many characters of one or a few of them. */
const hostile = (most: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(unit, { minLength: 1, maxLength: 4 }), fc.constantFrom(0, 1, most >> 1, most))
    .map(([units, length]) => units.join("").repeat(length).slice(0, length));
const large = fc.constantFrom(0, -1e-300, 1e300, 5e-324, 0.1 + 0.2, -123456789.123456, 1e20);
const key = fc.integer({ min: 0, max: 99 }).map((index) => `${index}`.padEnd(64, "k"));

/** What the action can make at most: the bounds of read-log.ts and measurement-of.ts. */
const measurement: fc.Arbitrary<Measurement> = fc
  .record({
    version: fc.constant(1 as const),
    trial: fc.constant(`${2 ** 31}:999999:999`),
    commit: fc.constant("c".repeat(40)),
    base: fc.constant("b".repeat(40)),
    because: hostile(1_000),
    seconds: large.map(Math.abs),
    metrics: fc
      .uniqueArray(fc.tuple(key, large), { selector: ([name]) => name, maxLength: 100 })
      .map(Object.fromEntries),
    exitCode: fc.constantFrom(null, 0, 255),
    signal: fc.constantFrom(null, "SIGKILL"),
    sandbox: hostile(100),
    protectedFiles: fc.record({
      count: fc.nat(),
      changed: fc
        .tuple(hostile(200), fc.constantFrom(0, 1, 50))
        .map(([path, count]) => Array.from({ length: count }, () => path)),
    }),
    runner: hostile(200),
    curve: fc
      .tuple(large, fc.constantFrom(0, 1, 2, 200))
      .map(([loss, count]) => Array.from({ length: count }, (_, step): [number, number] => [step, loss])),
    logTail: hostile(16_000),
    at: fc.constantFrom(null, 1, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER).chain((line) =>
      line === null
        ? fc.constant(null)
        : fc.record({
            path: fc.constantFrom("train.py", "a/".repeat(249), "x".repeat(501)),
            line: fc.constant(line),
            message: hostile(500),
          }),
    ),
    status: fc.constantFrom("measured", "crash", "timeout", "cancelled", "rejected", "unknown"),
    value: large,
  })
  .map((given) => {
    const { value: _, ...rest } = given;
    return (given.status === "measured" ? given : rest) as Measurement;
  });

/** GitHub's documentation says characters and its database counts bytes; UTF-16 units are what a JavaScript counts. */
function expectWithin(text: string, most: number): void {
  expect(Math.max(Buffer.byteLength(text), text.length, Array.from(text).length)).toBeLessThanOrEqual(most);
  expect(text.isWellFormed()).toBe(true);
}

function expectLimits({ name, external_id, output }: CheckRun): void {
  expectWithin(name, 255);
  expectWithin(external_id, 255);
  expectWithin(output.title, 255);
  expect(output.title).toMatch(/\S/);
  expectWithin(output.summary, 65_535);
  expectWithin(output.text, 65_535);
  expect(output.annotations.length).toBeLessThanOrEqual(50);
  for (const { path, message, title, start_line, end_line } of output.annotations) {
    expectWithin(title, 255);
    expectWithin(message, 65_535);
    expect(message).toMatch(/\S/);
    expect(path.length).toBeLessThanOrEqual(500);
    expect([start_line, end_line]).toEqual([start_line, start_line]);
    expect(start_line).toBeLessThan(2 ** 31);
  }
}

describe("the check of any trial", () => {
  it("is within the limits however counted, and carries the measurement that the run vouches for", () => {
    fc.assert(
      fc.property(measurement, (measurement) => {
        const json = encodeMeasurement(measurement);
        expect(json.length).toBeLessThanOrEqual(maxMeasurementBytes);
        const parsed = parseMeasurement(json)!;
        expect(parsed.status).toBe(measurement.status);
        const check = checkOf(json, parsed, told);
        expectLimits(check);
        expect(digestOf(measurementJsonOf(check.output.text)!)).toBe(digestOf(json));
        expect(check.output.summary).toContain(`[the run](${told.runUrl})`);
        // Where a rule was broken the check names a file, however many there were.
        if (measurement.protectedFiles.changed.length > 0)
          expect(parsed.protectedFiles.changed.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });

  it("says where the whole log is, or nothing of one where nothing was printed", () => {
    const plain = fc.sample(measurement, 1)[0]!;
    const summary = (logTail: string) => checkOf("{}", { ...plain, logTail }, told).output.summary;
    expect(summary("a line")).toContain("the whole log is the run's artifact `log`");
    expect(summary("")).not.toContain("artifact");
  });

  it("has an annotation on the line that broke, unless GitHub would refuse the place and the check with it", () => {
    const plain = fc.sample(measurement, 1)[0]!;
    const places = (path: string, line: number) =>
      checkOf("{}", { ...plain, at: { path, line, message: "no" } }, told).output.annotations.map((each) => each.path);
    expect(places("train.py", 12)).toEqual(["train.py"]);
    expect(places("train.py", 2 ** 31)).toEqual([]);
    expect(places("x".repeat(501), 12)).toEqual([]);
  });
});

describe("what a candidate printed", () => {
  const inputs = {
    spec: plainSpec,
    trial: "12:7:1",
    commit: "c".repeat(40),
    base: "b".repeat(40),
    RUNNER_NAME: "gpu-1",
  };
  const bench = { inputs, sandbox: { name: "bubblewrap" }, secrets: [] } as unknown as Bench;
  const number = fc.constantFrom("3", "0", "9".repeat(20), "9".repeat(400), "-1", "1e999", "nan", "5e-324", "0.5");
  const line = fc
    .tuple(
      fc.constantFrom(
        "---",
        "val_bpb: #",
        "__proto__: #",
        "constructor: #",
        "step # | loss: # |",
        "Traceback (most recent call last):",
        '  File "train.sh", line #, in f',
        `  File "${"x".repeat(600)}", line #`,
        '  File "/x/../y", line #',
        "ValueError: no",
        "FAIL",
        "MemoryError",
      ),
      number,
    )
    .map(([text, given]) => text.replaceAll("#", given));
  const end = fc.constantFrom<Partial<CommandResult>>(
    { exitCode: 0 },
    { exitCode: 1 },
    { exitCode: 137 },
    { exitCode: null, signal: "SIGKILL" },
    { ended: "timeout" },
    { ended: "bound" },
  );

  it("gives a measurement, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), end, (lines, end) => {
        const training: CommandResult = {
          ended: "itself",
          exceeded: null,
          exitCode: 0,
          signal: null,
          notStarted: null,
          killedForMemory: false,
          seconds: 1,
          log: readLog(lines.join("\n"), "val_bpb"),
          ...end,
        };
        const evidence = { training, evaluation: null, changed: [] };
        const ending = conclude(evidence, plainSpec, { roots: ["/x"], isMutable: () => true });
        const measurement = measurementOf({ ending, evidence, protectedCount: 1 }, bench);
        expect(parseMeasurement(encodeMeasurement(measurement))).not.toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it("and gives one that is no value where it has no form", () => {
    const odd = fc.constantFrom<Partial<Record<keyof Measurement | "value", unknown>>>(
      { at: { path: "train.py", line: 1e20, message: "no" } },
      { because: "x".repeat(2_000) },
      { metrics: { val_bpb: Number.NaN } },
      { value: Number.NaN, status: "measured" },
      { seconds: Number.NaN },
      { metrics: { ["k".repeat(50_000)]: 1 } },
      { curve: [[1, Number.POSITIVE_INFINITY]] },
    );
    fc.assert(
      fc.property(measurement, odd, (plain, odd) => {
        const parsed = parseMeasurement(encodeInAnyCase({ ...plain, ...odd } as Measurement))!;
        const isBroken = plain.protectedFiles.changed.length > 0 || (odd["status"] ?? plain.status) === "rejected";
        expect(parsed).toMatchObject({ status: isBroken ? "rejected" : "crash", trial: plain.trial, metrics: {} });
        expect(parsed.because).toContain("no form");
      }),
    );
  });
});

describe("what is posted holds no secret", () => {
  let world: World;
  beforeAll(() => {
    world = makeWorld({ "train.sh": "true\n" });
  });
  afterAll(() => world.remove());
  const token = "ghs_theTokenOfThisVeryJob0123456789";
  const printing = async (script: string) => {
    const result = await trainOn(world, world.candidate({ "train.sh": script }), { mutable: ["**"] });
    const check = checkOf(result.outputs["measurement"]!, result.measurement, told);
    expect(`${JSON.stringify(check)}${result.summary}${result.log}`).not.toContain("ghs_theTok");
    return result.measurement;
  };

  it.each([
    ["as the value", `printf '%s\\n' --- 'val_bpb: ${token}'`, "unknown", "val_bpb is ***"],
    ["as the name of a number", `printf '%s\\n' --- '${token}: 3' 'val_bpb: 0.5'`, "measured", "val_bpb 0.5"],
    ["as the last line", `echo 'no access with ${token}'; exit 3`, "crash", "exit status 3: no access with ***"],
    [
      "where the phrase is cut",
      `echo "${"x".repeat(285)} ${token}"; exit 3`,
      "crash",
      // 300 characters, the token was taken out before they were counted.
      `exit status 3: ${"x".repeat(284)}…`,
    ],
    [
      "in a traceback, as message and as file",
      `printf '%s\\n' 'Traceback (most recent call last):' '  File "${token}.py", line 3, in f' 'E: ${token}'; exit 1`,
      "crash",
      "E: *** at ***.py:3",
    ],
  ])("%s", async (_, script, status, because) => {
    expect(await printing(`${script}\n`)).toMatchObject({ status, because });
  });
});
