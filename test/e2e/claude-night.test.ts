/** A whole night with a model, through the real SDK: it errs, mends, declines, is overloaded, and its money comes to an end. */
import { afterEach, expect, test } from "vitest";
import { claude } from "../../src/researcher/claude/claude.ts";
import { startWorld } from "../support/e2e.ts";
import { type MessagesServer, type Reply, startMessagesServer, testKey } from "../support/messages-server/server.ts";

let server: MessagesServer | null = null;
afterEach(async () => {
  await server?.close();
});

const change = (old_text: string, new_text: string): Reply => ({
  use: [{ name: "edit_file", input: { path: "train.py", old_text, new_text } }],
});

const submit = (title: string): Reply => ({
  use: [
    {
      name: "submit",
      input: {
        title,
        hypothesis: `${title}: it should help.`,
        kind: "hyperparameter",
        expected: "",
        refuted_by: "",
        lesson: `${title} was worth a try.`,
        ideas: [],
        foreclosed: [],
      },
    },
  ],
});

/** Dollars for a million tokens: input, output, read from the cache, written for five minutes. */
const prices: Readonly<Record<string, readonly [number, number, number, number]>> = {
  "claude-opus-5-5": [4, 20, 0.2, 5],
  "claude-sonnet-5": [2, 10, 0.2, 2.5],
};

test("a night with a repair, a refusal, an overload, and a limit that is not passed", async () => {
  const limit = 0.3;
  let overloaded = 0;
  const messages = await startMessagesServer((request, { turn }) => {
    const text = JSON.stringify(request.messages[0]);
    const number = Number(/mend experiment (\d+)|Experiment (\d+): your best/.exec(text)?.slice(1).find(Boolean));
    if (text.includes("mend experiment"))
      return turn === 0 ? change("CRASH = 1", "CRASH = 0") : submit("Divide by one");
    if (number === 2 && request.model === "claude-opus-5-5") return { refuse: "frontier_llm" };
    if (number === 3 && overloaded < 1) {
      overloaded += 1;
      return { error: { status: 529, type: "overloaded_error" } };
    }
    if (turn > 0) return submit(`Idea ${number}`);
    if (number === 1) return change("VALUE = 2\nSLEEP = 0\nCRASH = 0", "VALUE = 1.9\nSLEEP = 0\nCRASH = 1");
    return change(/OTHER = [\d.]+/.exec(text)![0], `OTHER = ${number / 100}`);
  });
  server = messages;
  const pace = { pausesMs: [10], longestPauseMs: 1_000, callTimeoutMs: 10_000 };
  const means = { apiKey: testKey, baseUrl: messages.url, path: process.env["PATH"] ?? "" };
  const world = await startWorld({
    training: "real",
    researcher: claude(means, pace),
    config: `limits: {experiments: 50, cost_usd: ${limit}}\n`,
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");

  const record = (await world.record(issue))!;
  expect(record.because).toContain("cost_usd");
  const rows = await world.rows(issue);
  // The first crashed, was mended on its own pull request, and was kept.
  expect(rows.find((row) => row.experiment === 1)).toMatchObject({ outcome: "keep", value: 1.9 });
  const pulls = await world.pulls();
  const commits = await world.as("ada").rest.pulls.listCommits({ ...world.at, pull_number: pulls[0]!.number });
  expect(commits.data).toHaveLength(2);
  // The second was declined by one model and made by the other.
  expect(pulls.find((pull) => pull.title === "exp 2: Idea 2")!.body).toContain("claude-sonnet-5");
  expect(overloaded).toBe(1);
  // What the API counted is what was spent, and it is within the limit.
  const usd = messages.seen.reduce((sum, { request, tokens, outputTokens }) => {
    const [input, output, read, write] = prices[request.model]!;
    return (
      sum +
      (tokens.input * input + outputTokens * output + tokens.read * read + tokens.written.fiveMinutes * write) / 1e6
    );
  }, 0);
  expect(usd).toBeLessThanOrEqual(limit);
  expect(record.ledger.spending.usd).toBeGreaterThanOrEqual(usd - 1e-9);
  expect(record.ledger.spending.usd).toBeLessThanOrEqual(limit);
  // Most of what is sent was sent before.
  const { cacheReadTokens, cacheWriteTokens, inputTokens } = record.ledger.spending;
  expect(cacheReadTokens / (cacheReadTokens + cacheWriteTokens + inputTokens)).toBeGreaterThan(0.5);
  expect(rows.length).toBeGreaterThan(4);
});
