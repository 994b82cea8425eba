import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatExperimentBranch,
  formatRunName,
  formatSessionKey,
  formatTrialId,
  frontierBranch,
  parseExperimentBranch,
  parseRunName,
  parseSessionKey,
  parseSha,
  parseTrialId,
  resultsBranch,
  sha,
  shortSha,
} from "../../src/domain/names.ts";

const issue = fc.integer({ min: 1, max: 2_147_483_647 });
const count = fc.integer({ min: 1, max: 1_000_000 });
const experiment = fc.integer({ min: 0, max: 1_000_000 });
const trialId = fc.record({ issue, experiment, attempt: count });
const login = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,20}$/);
const repo = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/);

/** What is formatted is parsed back; and whatever is parsed at all is what would have been formatted. */
function isCodec<T>(
  values: fc.Arbitrary<T>,
  format: (value: T) => string,
  parse: (text: string) => T | null,
  like: fc.Arbitrary<string>,
): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(parse(format(value))).toEqual(value);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(like, values.map(format), fc.string()), (text) => {
      const parsed = parse(text);
      if (parsed !== null) expect(format(parsed)).toBe(text);
    }),
  );
}

const digits = fc.stringMatching(/^[0-9]{1,25}$/);

describe("names", () => {
  it("are what docs/design.md says", () => {
    expect(frontierBranch(12)).toBe("autoresearch/12/frontier");
    expect(resultsBranch(12)).toBe("autoresearch/12/results");
    expect(formatExperimentBranch(12, 7)).toBe("autoresearch/12/exp-0007");
    expect(formatExperimentBranch(12, 12_345)).toBe("autoresearch/12/exp-12345");
    expect(formatTrialId({ issue: 12, experiment: 7, attempt: 1 })).toBe("12:7:1");
    expect(formatRunName({ issue: 12, experiment: 0, attempt: 3 })).toBe("autoresearch 12:0:3");
    expect(formatSessionKey({ owner: "ada", repo: "nano", issue: 12 })).toBe("ada/nano#12");
  });

  it("of sessions are read back as they were written", () => {
    const like = fc.tuple(login, repo, digits).map(([a, b, c]) => `${a}/${b}#${c}`);
    isCodec(fc.record({ owner: login, repo, issue }), formatSessionKey, parseSessionKey, like);
  });

  it("of experiments' branches are read back as they were written", () => {
    const like = fc.tuple(digits, digits).map(([a, b]) => `autoresearch/${a}/exp-${b}`);
    isCodec(
      fc.record({ issue, experiment }),
      (each) => formatExperimentBranch(each.issue, each.experiment),
      parseExperimentBranch,
      like,
    );
  });

  it("of trials are read back as they were written", () => {
    isCodec(
      trialId,
      formatTrialId,
      parseTrialId,
      fc.tuple(digits, digits, digits).map((parts) => parts.join(":")),
    );
  });

  it("of runs are read back as they were written", () => {
    isCodec(
      trialId,
      formatRunName,
      parseRunName,
      fc.tuple(digits, digits, digits).map((parts) => `autoresearch ${parts.join(":")}`),
    );
  });

  it.each([
    ["autoresearch/12/exp-7", "too few digits"],
    ["autoresearch/12/exp-00007", "too many"],
    ["autoresearch/012/exp-0007", "a zero before the issue"],
    ["refs/heads/autoresearch/12/exp-0007", "a whole ref"],
    ["autoresearch/12/exp-0007/more", "something behind"],
    ["autoresearch/12/frontier", "another branch"],
    ["autoresearch/12/exp-9007199254740993", "more than a number holds"],
  ])("%s is no experiment's branch: %s", (branch) => {
    expect(parseExperimentBranch(branch)).toBeNull();
  });

  it.each([
    "12:7:0",
    "0:7:1",
    "12:07:1",
    "12:7",
    "12:7:1:1",
    " 12:7:1",
    "12:7:1\n",
    "12:-7:1",
    "12:9007199254740993:1",
  ])("%j is no trial", (text) => {
    expect(parseTrialId(text)).toBeNull();
    expect(parseRunName(`autoresearch ${text}`)).toBeNull();
  });

  it("of commits are forty small hexadecimal digits, and nothing else", () => {
    const id = "0123456789abcdef0123456789abcdef01234567";
    expect(sha(id)).toBe(id);
    expect(shortSha(sha(id))).toBe("0123456");
    for (const wrong of [id.slice(1), `${id}0`, id.toUpperCase(), `${id}\n`, ""]) {
      expect(parseSha(wrong)).toBeNull();
      expect(() => sha(wrong)).toThrow(TypeError);
    }
  });
});
