import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Idea, changeKinds, keysTried, untold } from "../../src/domain/proposal.ts";
import { formatCandidate, mergeFacts, mergeMessage, parseCandidate, trailerName } from "../../src/domain/trailers.ts";
import { configSchema } from "../../src/domain/config.ts";
import { oneLine } from "../../src/domain/words.ts";

const merge = {
  experiment: 7,
  description: "batch 2^19 → 2^18",
  metric: "val_bpb",
  value: 0.9932,
  trials: 2,
  pullRequest: 17,
  issue: 12,
};

const idea: Idea = {
  ...untold,
  description: "batch 2^19 → 2^18",
  hypothesis: "At a fixed time more, smaller steps win.",
  expected: "−0.001 … −0.01",
  refutedBy: "a loss curve that is worse at equal time",
  researcher: "mutate",
  kind: "other" as const,
  askedBy: null,
  key: "0123456789abcdef",
};

/** Words that look like the message's own parts. */
const words = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(
    "Expected: a win",
    "Contents: 0",
    "Val-Bpb: 0.1",
    "Experiment: 3",
    "\n\nContents: 0",
    "exp 3: x",
    "a\r\nb",
  ),
);
const line = words.map(oneLine);
/** Words of a list: something, and of a length that is kept. */
const said = line.filter((text) => text !== "");
/** What the guard lets through: a description that says something, and fits into a title. */
const ideas: fc.Arbitrary<Idea> = fc
  .record({
    description: words.filter((text) => oneLine(text) !== ""),
    hypothesis: words,
    expected: fc.option(words, { nil: null }),
    refutedBy: fc.option(words, { nil: null }),
    researcher: words,
    kind: fc.constantFrom(...changeKinds),
    askedBy: fc.constantFrom(null, "ada"),
    key: fc.stringMatching(/^[0-9a-f]{16}$/),
    spent: fc.option(
      fc.record({
        usd: fc.integer({ min: 0, max: 1e8 }).map((micro) => micro / 1e6),
        inputTokens: fc.nat(),
        outputTokens: fc.nat(),
        cacheReadTokens: fc.nat(),
        cacheWriteTokens: fc.nat(),
      }),
      { nil: null },
    ),
    lines: fc.option(fc.integer({ min: -500, max: 500 }), { nil: null }),
    insights: fc.record({
      lesson: fc.option(said, { nil: null }),
      ideas: fc.array(said, { maxLength: 5 }),
      foreclosed: fc.array(said, { maxLength: 5 }),
    }),
    heeded: fc.array(fc.constantFrom("note 12", "try 13"), { maxLength: 3 }),
    attemptsBefore: fc.nat({ max: 9 }),
    keysBefore: fc.array(fc.stringMatching(/^[0-9a-f]{16}$/), { maxLength: 3 }),
    repair: fc.option(fc.record({ attempt: fc.integer({ min: 1, max: 2 }), failure: line, description: line }), {
      nil: null,
    }),
  })
  .map((each) => ({
    ...each,
    description: oneLine(each.description),
    hypothesis: oneLine(each.hypothesis),
    researcher: oneLine(each.researcher),
    expected: each.expected === null ? null : oneLine(each.expected),
    refutedBy: each.refutedBy === null ? null : oneLine(each.refutedBy),
  }));

describe("the message of a frontier's merge", () => {
  it("says what docs/design.md asks for", () => {
    expect(mergeMessage(merge)).toMatchInlineSnapshot(`
      "exp 7: batch 2^19 → 2^18

      Val-Bpb: 0.993200
      Trials: 2
      Experiment: 7
      Pull-Request: #17
      Session: #12"
    `);
  });

  it("gives its value back, for every metric that a configuration may name and every description", () => {
    const metric = fc
      .stringMatching(/^[A-Za-z][\w.-]{0,20}$/)
      .filter((name) => configSchema.safeParse({ metric: { name } }).success);
    const whole = fc.integer({ min: -9e12, max: 9e12 });
    const value = fc.oneof(
      whole.map((each) => each / 1e6),
      whole.map((each) => each / 1e21),
    );
    const count = fc.integer({ min: 1, max: 1e6 });
    fc.assert(
      fc.property(metric, value, count, count, words, (name, given, experiment, trials, description) => {
        const message = mergeMessage({ ...merge, metric: name, value: given, experiment, trials, description });
        const facts = mergeFacts(message, name);
        expect(facts).toMatchObject({ experiment, trials, session: merge.issue });
        expect(facts!.value).toBeCloseTo(given, 6);
        expect(Math.sign(facts!.value)).toBe(Math.sign(given));
      }),
    );
  });

  it.each([
    ["a person's merge", "Merge pull request #17 from ada/idea\n\nexp 7: batch 2^19 → 2^18"],
    ["a message that quotes a merge above its end", `${mergeMessage(merge)}\n\nas I said`],
    ["a merge without a value", "exp 7: x\n\nVal-Bpb: \nExperiment: 7\nSession: #12"],
    ["a value that is no number", "exp 7: x\n\nVal-Bpb: nan\nExperiment: 7\nSession: #12"],
    ["a value beyond numbers", "exp 7: x\n\nVal-Bpb: 1e999\nExperiment: 7\nSession: #12"],
    ["another metric's value", "exp 7: x\n\nTop-1: 0.9\nExperiment: 7\nSession: #12"],
    ["no experiment", "exp 7: x\n\nVal-Bpb: 0.9\nSession: #12"],
    ["the frontier itself", "exp 0: x\n\nVal-Bpb: 0.9\nExperiment: 0\nSession: #12"],
    ["no session", "exp 7: x\n\nVal-Bpb: 0.9\nExperiment: 7"],
    ["nothing", ""],
  ])("is not seen in %s", (_name, message) => {
    expect(mergeFacts(message, "val_bpb")).toBeNull();
  });

  it.each([
    ["val_bpb", "Val-Bpb"],
    ["loss", "Loss"],
    ["eval.top-1_acc", "Eval-Top-1-Acc"],
  ])("calls %s %s", (metric, name) => {
    expect(trailerName(metric)).toBe(name);
  });
});

describe("the message of a candidate", () => {
  it("says the idea, and the key of its contents last", () => {
    expect(formatCandidate(7, idea)).toMatchInlineSnapshot(`
      "exp 7: batch 2^19 → 2^18

      At a fixed time more, smaller steps win.

      Expected: −0.001 … −0.01
      Refuted-By: a loss curve that is worse at equal time
      Change: other
      Researcher: mutate
      Contents: 0123456789abcdef"
    `);
  });

  it("gives the idea back, whatever words it is made of", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), ideas, (experiment, given) => {
        expect(parseCandidate(formatCandidate(experiment, given))).toEqual(given);
      }),
    );
  });

  it("says what was tried before, the newest where that is much", () => {
    const keys = Array.from({ length: 30 }, (_, index) => `key${index}`);
    const again = keys.reduce<Idea>((last, key) => ({ ...idea, key, keysBefore: keysTried(last) }), idea);
    expect(parseCandidate(formatCandidate(7, again))).toMatchObject({ key: "key29", keysBefore: keys.slice(9, 29) });
    expect(keysTried({ ...idea, keysBefore: [idea.key] })).toEqual([idea.key]);
  });

  it("is never taken for a merge of the bot's", () => {
    fc.assert(
      fc.property(ideas, (given) => {
        expect(mergeFacts(formatCandidate(7, given), "val_bpb")).toBeNull();
      }),
    );
  });

  it.each(["", "Fix a typo", "exp 7: x", "exp 7: x\n\nbecause\n\nResearcher: me", "x\n\nbecause\n\nContents: 00"])(
    "is not seen in %j",
    (message) => {
      expect(parseCandidate(message)).toBeNull();
    },
  );
});
