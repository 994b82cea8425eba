import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Brief, PastExperiment } from "../../src/domain/proposal.ts";
import { briefJsonBytes, briefJsonOf } from "../../src/researcher/brief/brief-json.ts";
import { briefWith, repairWith } from "../support/brief.ts";
import { longSession } from "../support/long-session.ts";
import { configWith, rowWith } from "../support/session.ts";
import { ask, raise, sayIt } from "./command-world.ts";

describe("a value of its environment does not get out", () => {
  it("by a proposal, nor by what it prints before it fails", async () => {
    const leak = `echo "KEY = '$MY_OWN_KEY'" >> train.py; ${sayIt}`;
    const asked = ask(leak, { env: ["MY_OWN_KEY"], environment: { MY_OWN_KEY: "correct-horse-battery" } });
    await expect(asked).rejects.toThrow(
      /^no change of agent passed the guard in 3 runs; the last: it holds a value of its environment$/,
    );
    const failed = ask('echo "my key is $MY_OWN_KEY" >&2; exit 3', {
      env: ["MY_OWN_KEY"],
      environment: { MY_OWN_KEY: "correct-horse-battery" },
    });
    await expect(failed).rejects.toThrow("the command agent failed: it ended with status 3: my key is ***");
  });

  const key = "correct-horse-battery";
  const given = { env: ["MY_KEY"], environment: { MY_KEY: key } };
  /** What comes of it, in one text: answers, and why there is none. */
  const outcomeOf = (script: string, environment = given.environment) =>
    ask(script, { ...given, environment }).then(
      (answer) => JSON.stringify(answer),
      (error: Error) => error.message,
    );

  it.each([
    ["why it has no idea", `echo "{\\"nothing\\": \\"all of $MY_KEY was tried\\"}" > "$AUTORESEARCH_ANSWER"`],
    [
      "an answer's own keys",
      `${raise}; echo "{\\"title\\": \\"a\\", \\"hypothesis\\": \\"a\\", \\"$MY_KEY\\": 1}" > "$AUTORESEARCH_ANSWER"`,
    ],
    ["a name of a file", `ln -s x "model-$MY_KEY.py"; mkdir model; ln -s x "model/$MY_KEY.py"; ${sayIt}`],
    [
      "a title that is cut",
      `${raise}; printf '{"title": "%0110d %s", "hypothesis": "a"}' 1 "$MY_KEY" > "$AUTORESEARCH_ANSWER"`,
    ],
    ["a reason that is cut", `printf '{"nothing": "%0590d %s"}' 1 "$MY_KEY" > "$AUTORESEARCH_ANSWER"`],
  ])("nor by %s", async (_name, script) => {
    const outcome = await outcomeOf(script);
    expect(outcome).not.toContain("correct");
    expect(outcome).toMatch(/\*\*\*|it holds a value/);
  });

  it("nor with something unseen in its midst, nor on one line where it has two", async () => {
    const nothing = (text: string) => `printf '{"nothing": "${text}"}' > "$AUTORESEARCH_ANSWER"`;
    expect(await outcomeOf(nothing("correct-\\u200bhorse-<!-- x -->battery"))).toBe(
      '{"kind":"nothing","because":"***"}',
    );
    expect(await outcomeOf(nothing("two words"), { MY_KEY: "two\nwords\n" })).toBe(
      '{"kind":"nothing","because":"***"}',
    );
  });

  it("but what is short is no secret, and the rest is told as it is", async () => {
    const script = `echo '{"nothing": "all of it was tried"}' > "$AUTORESEARCH_ANSWER"`;
    expect(await outcomeOf(script, { MY_KEY: "it" })).toBe('{"kind":"nothing","because":"all of it was tried"}');
  });
});

describe("the facts as JSON", () => {
  const evil = "SEEN <!-- SECRET -->\u200Band\u001B[31m more";
  const past: PastExperiment = {
    row: rowWith({ description: evil, because: evil }),
    hypothesis: evil,
    diff: evil,
    metrics: { [evil]: 1 },
    curve: [1],
    logTail: evil,
  };
  const steering: Brief["steering"] = [
    { comment: 1, kind: "note", by: "ada", text: evil, at: "2026-11-23T12:00:00Z", takenUpIn: null },
  ];
  const full = briefWith({
    program: evil,
    config: configWith({ mutable: ["train.py", evil] }),
    rows: [rowWith({ description: evil, because: evil })],
    inFlight: [evil],
    recent: [past],
    notes: { ideas: [evil], lessons: [evil], foreclosed: [evil] },
    steering,
    repair: repairWith({ diff: evil, traceback: evil, because: evil, description: evil, hypothesis: evil }),
  });

  it("hold what a person would see, in every place", () => {
    const json = briefJsonOf(full, evil);
    expect(json).not.toMatch(/SECRET|<!--|\u200B|\\u00/);
    expect(json.match(/SEEN and more/g)).toHaveLength(21);
    expect(JSON.parse(json)).toMatchObject({ program: "SEEN and more", refused: "SEEN and more" });
  });

  it("hold of a program nothing that its page does not show, be a comment closed or not", () => {
    expect(JSON.parse(briefJsonOf(briefWith({ program: "Lower it. <!-- and\nSECRET" }), null))).toMatchObject({
      program: "Lower it.",
    });
  });

  it("reach the command, without the issue's title and without the files", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-command-test-"));
    try {
      await ask(`cp "$AUTORESEARCH_BRIEF_JSON" ${dir}/brief.json; ${raise}; ${sayIt}`, { program: full.program });
      const json = JSON.parse(readFileSync(path.join(dir, "brief.json"), "utf8")) as Record<string, unknown>;
      expect(json).toMatchObject({ program: "SEEN and more", experiment: 1 });
      for (const absent of ["title", "files", "purse", "library"]) expect(json).not.toHaveProperty(absent);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it("have a bound, whatever anybody wrote", () => {
    const huge = '"\\é\u{1F600}\n'.repeat(30_000);
    const monster: PastExperiment = {
      ...past,
      row: rowWith({ description: huge, because: huge }),
      hypothesis: huge,
      diff: huge,
      logTail: huge,
      curve: Array.from({ length: 9_999 }, () => 1.234567890123),
      metrics: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}${huge.slice(0, 500)}`, 1])),
    };
    const many = Array.from({ length: 300 }, () => huge);
    const json = briefJsonOf(
      briefWith({
        program: huge,
        config: configWith({ mutable: many.map((_, index) => `${"a".repeat(1_000)}${index}`) }),
        rows: Array.from({ length: 2_000 }, () => monster.row),
        inFlight: many,
        recent: Array.from({ length: 30 }, () => monster),
        notes: { ideas: many, lessons: many, foreclosed: many },
        steering: many.map((text) => ({ ...steering[0]!, text })),
        repair: repairWith({ diff: huge, traceback: huge, because: huge, description: huge, hypothesis: huge }),
      }),
      huge,
    );
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(briefJsonBytes);
    const long = briefJsonOf(longSession(1_000), null);
    expect(Buffer.byteLength(long)).toBeLessThan(200_000);
    expect((JSON.parse(long) as { rows: { experiment: number }[] }).rows.at(-1)!.experiment).toBe(1_000);
  });
});
