import { expect, test } from "vitest";
import { firstLook } from "../../src/github/observe-comments.ts";
import { recordWith } from "../support/session.ts";

test("a command in the second of the start is listed: GitHub's times have no fractions", () => {
  const at = "2026-11-23T19:41:54.060Z";
  const first = firstLook({ record: recordWith({ startedAt: at, since: at }) }, Date.parse(at));
  expect(first).toBeLessThanOrEqual(Date.parse("2026-11-23T19:41:54Z"));
});
