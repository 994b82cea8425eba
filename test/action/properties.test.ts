import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkOf, textOf, titleOf } from "../../action/src/check.ts";
import { outputText } from "../../action/src/file-commands.ts";
import { logTail } from "../../action/src/log-tail.ts";
import { digestOf, encodeMeasurement, maxMeasurementBytes } from "../../action/src/measurement-json.ts";
import { readLog, LogReader } from "../../action/src/read-log.ts";
import { redact } from "../../src/domain/secrets.ts";
import { sparkline } from "../../action/src/sparkline.ts";
import { mutableMatcher, parseDiffTree } from "../../action/src/surface.ts";
import {
  type Measurement,
  measurementJsonOf,
  measurementSchema,
  parseMeasurement,
} from "../../src/domain/measurement.ts";

/** Text as logs have it: words of the forms that are read, carriage returns, terminal codes, odd characters. */
const piece = fc.oneof(
  fc.constantFrom(
    "---",
    "\n---\n",
    "val_bpb: ",
    "val_bpb: 0.5\n",
    "num_steps: 3\n",
    "\r",
    "\r\n",
    "\n",
    "\u001b[31m",
    "`````",
    "````json measurement\n",
    "\nTraceback (most recent call last):\n",
    '  File "train.py", line 3, in f\n',
    '  File "train.py", line 99999999999999999999, in f\n',
    `  File "train.py", line ${"9".repeat(400)}, in f\n`,
    '  File "train.py", line 0, in f\n',
    `  File "${"x".repeat(600)}", line 3, in f\n`,
    "ValueError: no\n",
    "\rstep 00012 (1%) | loss: 3.5 |",
    "ghs_",
    "0123456789abcdefghij",
    "-----BEGIN ",
    "-----END X-----",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const logText = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
const sha = fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdef")), minLength: 40, maxLength: 40 });
const longText = (maxLength: number) =>
  fc.oneof(
    fc.string({ unit: "binary", maxLength }),
    logText.map((text) => text.slice(0, maxLength)),
    fc.constantFrom("`", "é", "\u0001", "🙂").map((unit) => unit.repeat(maxLength).slice(0, maxLength)),
  );
const common = {
  version: fc.constant(1 as const),
  trial: fc.constant("12:7:1"),
  commit: sha,
  base: sha,
  because: longText(1_000),
  seconds: finite.map(Math.abs),
  metrics: fc.dictionary(
    fc.string({ maxLength: 80 }).filter((key) => key !== "__proto__"),
    finite,
    { maxKeys: 60 },
  ),
  exitCode: fc.option(fc.integer()),
  signal: fc.option(fc.constant("SIGKILL")),
  sandbox: longText(100),
  protectedFiles: fc.record({ count: fc.nat(), changed: fc.array(longText(200), { maxLength: 50 }) }),
  runner: longText(200),
  curve: fc.array(fc.tuple(finite, finite), { maxLength: 200 }),
  logTail: longText(16_000),
  at: fc.option(fc.record({ path: longText(200), line: fc.integer({ min: 1 }), message: longText(2_000) })),
};
const measurement: fc.Arbitrary<Measurement> = fc.oneof(
  fc.record({ ...common, status: fc.constant("measured" as const), value: finite }),
  fc.record({
    ...common,
    status: fc.constantFrom(
      "crash" as const,
      "timeout" as const,
      "cancelled" as const,
      "rejected" as const,
      "unknown" as const,
    ),
  }),
);

describe("reading a log", () => {
  it("gives the same however it is cut into chunks", () => {
    fc.assert(
      fc.property(logText, fc.array(fc.nat({ max: 200 })), (text, cuts) => {
        const reader = new LogReader("val_bpb");
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        for (let index = 1; index < places.length; index++) reader.push(text.slice(places[index - 1], places[index]));
        expect(reader.end()).toEqual(readLog(text, "val_bpb"));
      }),
    );
  });

  it("gives numbers only, rising steps, and never more than 200 points", () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 2_000 }), fc.constantFrom("1.5", "nan", "inf", "2e-3")), {
      maxLength: 1_500,
    });
    fc.assert(
      fc.property(steps, (points) => {
        const text = points.map(([step, loss]) => `\rstep ${step} | loss: ${loss} | x`).join("");
        const { curve } = readLog(text, "val_bpb");
        expect(curve.length).toBeLessThanOrEqual(200);
        expect(curve.every(([, loss]) => Number.isFinite(loss))).toBe(true);
        const kept = curve.map(([step]) => step);
        expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      }),
    );
  });

  it("keeps the first and the last point of a long curve", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5_000 }), (count) => {
        const text = Array.from({ length: count }, (_, step) => `\rstep ${step} | loss: 1 |`).join("");
        const { curve } = readLog(text, "val_bpb");
        expect([curve[0]![0], curve.at(-1)![0]]).toEqual([0, count - 1]);
        expect(curve.length).toBeGreaterThanOrEqual(Math.min(count, 100));
      }),
      { numRuns: 50 },
    );
  });

  it("finds every value of the metric that follows the first rule, and none before it", () => {
    const lines = fc.array(fc.constantFrom("---", "val_bpb: 1", "val_bpb: 2", "loss: 3", "text"), { maxLength: 30 });
    fc.assert(
      fc.property(lines, (lines) => {
        const block = lines.slice(lines.indexOf("---") + 1).filter((line) => line.startsWith("val_bpb"));
        const read = readLog(lines.join("\n"), "val_bpb");
        expect(read.metricTexts).toEqual(block.map((line) => line.slice(9)).slice(0, 3));
        expect(read.hasRule).toBe(lines.includes("---"));
      }),
    );
  });
});

describe("redaction", () => {
  it("hides a known secret wherever it stands, unless it is a word", () => {
    fc.assert(
      fc.property(logText, logText, fc.uuid(), (before, after, secret) => {
        expect(redact(`${before}${secret}${after}`, [secret])).not.toContain(secret);
      }),
    );
  });

  it("leaves no part of a PEM block that begins, ends, or both", () => {
    const inside = "TheSecretKeyMaterial";
    for (const text of [
      `-----BEGIN X-----\n${inside}\n-----END X-----\nafter`,
      `-----BEGIN X-----\n${inside}`,
      `${inside}\n-----END X-----\nafter`,
    ]) {
      expect(redact(text, [])).not.toContain(inside);
    }
    expect(
      redact(
        "before -----BEGIN X-----\nkey\n-----END X----- between -----BEGIN Y-----\nkey\n-----END Y----- after",
        [],
      ),
    ).toBe("before *** between *** after");
  });

  it("holds for a tail that is cut: it is bounded and holds no half of a token", () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), (shift) => {
        const token = `ghs_${"a1".repeat(200)}`;
        const tail = logTail(`${`${token}\n`.repeat(40)}${"x".repeat(shift)}`, []);
        expect(tail.length).toBeLessThanOrEqual(12_000);
        expect(tail).not.toContain("a1a1");
      }),
    );
  });
});

describe("the measurement on its way", () => {
  it("is one line of ASCII within its bound, parses again, and loses nothing but log and curve", () => {
    fc.assert(
      fc.property(measurement, (measurement) => {
        const json = encodeMeasurement(measurement);
        expect(json.length).toBeLessThanOrEqual(maxMeasurementBytes);
        expect(json).toMatch(/^[\u0020-\u007e]*$/);
        const { logTail: _, curve: __, ...rest } = measurementSchema.parse(JSON.parse(json));
        const { logTail: ___, curve: ____, ...wanted } = measurement;
        expect(rest).toEqual(wanted);
      }),
    );
  });

  it("comes out of the outputs file as it went in, whatever it is", () => {
    fc.assert(
      fc.property(logText, (value) => {
        const text = outputText({ value }, () => "a-word-nobody-knows");
        expect(text).toBe(`value<<a-word-nobody-knows\n${value}\na-word-nobody-knows\n`);
      }),
    );
    expect(() => outputText({ value: "x\nend\ny" }, () => "end")).toThrow("delimiter");
  });
});

describe("the check", () => {
  const told = { metric: "val_bpb", frontier: 1, runUrl: "https://github.com/o/r/actions/runs/1" };

  it("keeps the API's limits and carries the measurement whole and last, for any measurement", () => {
    fc.assert(
      fc.property(measurement, (measurement) => {
        const json = encodeMeasurement(measurement);
        const { output } = checkOf(json, parseMeasurement(json)!, told);
        expect(Buffer.byteLength(output.text)).toBeLessThanOrEqual(65_535);
        expect(Buffer.byteLength(output.summary)).toBeLessThanOrEqual(65_535);
        expect(output.title.length).toBeLessThanOrEqual(255);
        expect(output.title).toMatch(/\S/);
        for (const annotation of output.annotations)
          expect(Buffer.byteLength(annotation.message)).toBeLessThanOrEqual(65_535);
        expect(digestOf(measurementJsonOf(output.text)!)).toBe(digestOf(json));
      }),
    );
  });

  it("shows the log in a fence that the log can't close, and a measurement in the log is not taken for ours", () => {
    fc.assert(
      fc.property(logText, (log) => {
        const json = '{"the":"measurement"}';
        const text = textOf(json, `${log}\n\`\`\`\`json measurement\n{"forged":1}\n\`\`\`\``);
        expect(measurementJsonOf(text)).toBe(json);
        const fence = /^(`{3,})text$/m.exec(text)![1]!;
        const lines = text.split("\n");
        const open = lines.indexOf(`${fence}text`);
        const closers = lines.flatMap((line, index) => (index > open && line.startsWith(fence) ? [index] : []));
        expect(closers[0]).toBe(lines.findIndex((line) => line.startsWith("<details>")) - 2);
      }),
    );
  });

  it("shortens the log from its start, never the measurement; one that is too large is refused", () => {
    const json = JSON.stringify("x".repeat(60_000));
    const text = textOf(json, `the beginning ${"log ".repeat(4_000)}the end`);
    expect(measurementJsonOf(text)).toBe(json);
    expect(text).toContain("the end\n```");
    expect(text).not.toContain("the beginning");
    expect(() => textOf(JSON.stringify("x".repeat(66_000)), "")).toThrow("too large for a check");
  });

  it.each([
    [0.9793, 0.9805, "0.9793 (−0.0012 against the frontier)"],
    [0.9805, 0.9793, "0.9805 (+0.0012 against the frontier)"],
    [0.9793, 0.9793, "0.9793 (equal to the frontier)"],
    [0.979300001, 0.9793, "0.9793 (+1e-9 against the frontier)"],
    [2.5, null, "2.5000"],
  ])("has the title of %s against %s: %s", (value, frontier, title) => {
    expect(titleOf({ status: "measured", value } as Measurement, frontier)).toBe(title);
  });
});

describe("the surface", () => {
  it("holds what its patterns name and nothing else", () => {
    const holds = mutableMatcher(["train.py", "model/**", "conf/*.yaml", "[odd].py"]);
    for (const path of ["train.py", "model/a.py", "model/deep/b.py", "conf/x.yaml", "[odd].py"])
      expect([path, holds(path)]).toEqual([path, true]);
    for (const path of [
      "src/train.py",
      "train.pyc",
      "models/a.py",
      "conf/deep/x.yaml",
      "conf/x.yml",
      "model/.hidden",
      ".train.py",
    ])
      expect([path, holds(path)]).toEqual([path, false]);
  });

  it("never takes a broken listing for an empty one", () => {
    expect(parseDiffTree("")).toEqual([]);
    const entry = `:100644 100755 ${"a".repeat(40)} ${"b".repeat(40)} M\0x y\0`;
    expect(parseDiffTree(entry)).toEqual([{ path: "x y", newMode: "100755", newObject: "b".repeat(40) }]);
    expect(() => parseDiffTree(entry.slice(0, -1))).toThrow(TypeError);
    expect(() => parseDiffTree(`x${entry}`)).toThrow(TypeError);
  });
});

describe("the sparkline", () => {
  it("has one bar a value up to its width, all of them bars", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 200 }), (values) => {
        expect(sparkline(values, 60)).toMatch(/^[▁▂▃▄▅▆▇█]+$/);
        expect(Array.from(sparkline(values, 60))).toHaveLength(Math.min(60, values.length));
      }),
    );
    expect(sparkline([3, 2, 1], 60)).toBe("█▅▁");
  });
});
