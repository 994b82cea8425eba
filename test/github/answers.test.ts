import { expect, test } from "vitest";
import { Answers } from "../../src/github/answers.ts";

test("answers are bound by their size, and the least recently used go first", () => {
  const answers = new Answers(1_000);
  const answer = (size: number) => ({ etag: '"e"', text: "x".repeat(size), next: false });
  answers.set("a", answer(300));
  answers.set("b", answer(300));
  answers.set("c", answer(300));
  expect(answers.get("a")).toBeDefined();
  answers.set("d", answer(300));
  expect(["a", "b", "c", "d"].filter((key) => answers.get(key) !== undefined)).toEqual(["a", "c", "d"]);
  answers.set("a", answer(10));
  answers.set("e", answer(250));
  expect(["a", "c", "d", "e"].filter((key) => answers.get(key) !== undefined)).toEqual(["a", "c", "d", "e"]);
  answers.set("whole", answer(5_000));
  expect(answers.size).toBe(0);
});
