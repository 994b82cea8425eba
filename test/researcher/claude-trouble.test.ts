import { describe, expect, it, test } from "vitest";
import { nothingSpent } from "../../src/domain/proposal.ts";
import { claude } from "../../src/researcher/claude/claude.ts";
import { usualPace } from "../../src/researcher/claude/conversation.ts";
import { briefWith, train } from "../support/brief.ts";
import type { Reply, Script } from "../support/messages-server/server.ts";
import { purseOf } from "../support/purse.ts";
import { configWith } from "../support/session.ts";
import { ask, edit, later, quick, submission, submit } from "./claude-world.ts";

const alone = configWith({ researcher: { fallbacks: [] } });

const refused: Reply = { refuse: "frontier_llm" };
const overloaded: Reply = { error: { status: 529, type: "overloaded_error", message: "Overloaded" } };
const limited = (headers: Record<string, string>): Reply => ({
  error: { status: 429, type: "rate_limit_error", message: "too many input tokens per minute" },
  headers,
});

/** A model that works in two turns, after what the script has first. */
const works =
  (...first: Reply[]): Script =>
  (_request, { call, turn }) =>
    first[call - 1] ?? (turn === 0 ? edit() : submit());

/** One model answers so, all others work. */
const only =
  (model: string, reply: Reply): Script =>
  (request, { turn }) =>
    request.model === model ? reply : turn === 0 ? edit() : submit();

describe("a refusal", () => {
  it("is answered by the next model, in a conversation of its own", async () => {
    const { answer, server, purse } = await ask(only("claude-opus-5-5", refused));
    expect(answer).toMatchObject({ kind: "proposal", proposal: { researcher: "claude-sonnet-5" } });
    expect(server.seen.map(({ request }) => request.model)).toEqual([
      "claude-opus-5-5",
      "claude-sonnet-5",
      "claude-sonnet-5",
    ]);
    expect(server.seen[1]!.request.messages).toHaveLength(1);
    expect(purse.openUsd).toBeCloseTo(0, 10);
  });

  it("in the middle of the work leaves nothing of it to the next model", async () => {
    const { answer, server } = await ask((request, { turn }) =>
      request.model === "claude-opus-5-5"
        ? turn === 0
          ? edit()
          : refused
        : turn === 0
          ? edit("DEPTH = 8", "DEPTH = 9")
          : submit(),
    );
    expect(answer).toMatchObject({ proposal: { files: [{ text: train.text.replace("DEPTH = 8", "DEPTH = 9") }] } });
    expect(server.seen).toHaveLength(4);
  });

  it("may be chance: each model is asked twice, and then a person, with the category", async () => {
    const { answer, server } = await ask([refused]);
    expect(server.calls()).toBe(4);
    expect(answer).toEqual({
      kind: "person",
      because:
        "claude-opus-5-5 declined to answer (frontier_llm); claude-sonnet-5 declined to answer (frontier_llm). Name another model (`/autoresearch model NAME`, or `researcher.model` and `researcher.fallbacks`)",
    });
    const chance = await ask(works({ refuse: null }), { config: alone });
    expect(chance.answer.kind).toBe("proposal");
  });
});

describe("an overload", () => {
  it("is waited for in place, and the conversation goes on", async () => {
    const { answer, server } = await ask((_request, { call, turn }) =>
      call === 2 || call === 3 ? overloaded : turn === 0 ? edit() : submit(),
    );
    expect(answer).toMatchObject({ kind: "proposal", proposal: { researcher: "claude-opus-5-5" } });
    expect(server.calls()).toBe(4);
  });

  it("that stays is answered by the next model", async () => {
    const { answer } = await ask(only("claude-opus-5-5", overloaded));
    expect(answer).toMatchObject({ proposal: { researcher: "claude-sonnet-5" } });
  });

  it("of all models is waited for, a minute or as long as the API says", async () => {
    expect(await later(ask([overloaded]))).toEqual({
      because: "claude-opus-5-5 is overloaded; claude-sonnet-5 is overloaded",
      retryAfterMs: 60_000,
    });
    const long: Reply = { ...overloaded, headers: { "retry-after": "300" } };
    expect((await later(ask([long], { config: alone }))).retryAfterMs).toBe(300_000);
  });

  it("costs nothing, since nothing was made", async () => {
    const purse = purseOf(20);
    await later(ask([overloaded], { purse }));
    expect(purse.spent).toEqual(nothingSpent);
    expect(purse.openUsd).toBeCloseTo(0, 10);
  });

  it("in the middle of a stream is told by an event, and what was made is paid", async () => {
    const purse = purseOf(20);
    const { answer, server } = await ask(works({ breakAfter: 4, as: "overloaded_error" }), { purse });
    expect(answer.kind).toBe("proposal");
    const { tokens } = server.seen[0]!;
    // What it wrote before is not known: as much as it was allowed to.
    expect(purse.spent.outputTokens).toBeGreaterThan(16_000);
    expect(purse.spent.usd).toBeGreaterThan((16_000 * 20 + tokens.input * 4) / 1e6);
  });
});

describe("a stream", () => {
  it.each([0, 1, 5])(
    "that is cut after %d events is asked for again, and counts as it may have cost",
    async (breakAfter) => {
      const purse = purseOf(20);
      const { answer } = await ask(works({ breakAfter, as: "cut" }), { purse });
      expect(answer.kind).toBe("proposal");
      expect(purse.spent.usd).toBeGreaterThan((16_000 * 20) / 1e6);
      expect(purse.openUsd).toBeCloseTo(0, 10);
    },
  );

  it("that takes its time is waited for", async () => {
    const slow: Reply = { use: [{ name: "submit", input: submission }], slowMs: 300 };
    const { answer } = await ask([edit(), slow]);
    expect(answer.kind).toBe("proposal");
  });

  it("that never comes is given up in time, and all models are waited for", async () => {
    const purse = purseOf(20);
    const pace = { ...quick, pausesMs: [], callTimeoutMs: 200 };
    expect(await later(ask([{ hang: true }], { pace, purse }))).toEqual({
      because: "claude-opus-5-5 gave no answer in time; claude-sonnet-5 gave no answer in time",
      retryAfterMs: 60_000,
    });
    expect(purse.spent.usd).toBeCloseTo(
      purse.reservations.reduce((sum, usd) => sum + usd, 0),
      10,
    );
  });

  it("is let go at once when the session stops", async () => {
    const stop = new AbortController();
    const purse = purseOf(20);
    const asked = ask(
      () => {
        setTimeout(() => stop.abort(new Error("stopped")), 50);
        return { hang: true };
      },
      { signal: stop.signal, purse },
    );
    await expect(asked).rejects.toThrow("stopped");
    expect(purse.openUsd).toBeCloseTo(0, 10);
    expect(purse.reservations).toHaveLength(1);
  });
});

describe("a rate limit", () => {
  it("of a moment is waited for in place", async () => {
    const { answer } = await ask(works(limited({ "retry-after": "1" })));
    expect(answer).toMatchObject({ proposal: { researcher: "claude-opus-5-5" } });
  });

  it("of an hour is handed on, and no other model is asked", async () => {
    expect(await later(ask([limited({ "retry-after": "3600" })]))).toEqual({
      because: "the Anthropic API's rate limit is reached: too many input tokens per minute",
      retryAfterMs: 3_600_000,
    });
  });

  it("that nobody measures is a minute", async () => {
    expect((await later(ask([limited({})]))).retryAfterMs).toBe(60_000);
  });
});

describe("what only a person can mend", () => {
  it.each<[string, Reply, string]>([
    [
      "a spend limit that comes as a rate limit",
      {
        error: {
          status: 429,
          type: "rate_limit_error",
          message: "monthly limit",
          code: "enforced_spend_limit_reached",
        },
      },
      "the Anthropic API wants money: monthly limit",
    ],
    [
      "a bill",
      { error: { status: 402, type: "billing_error", message: "no credit" } },
      "the Anthropic API wants money: no credit",
    ],
    [
      "an empty balance, which comes as an invalid request",
      { error: { status: 400, type: "invalid_request_error", message: "Your credit balance is too low" } },
      "the Anthropic API wants money: Your credit balance is too low",
    ],
    [
      "a permission",
      { error: { status: 403, type: "permission_error", message: "not yours" } },
      "the Anthropic API forbids it: not yours",
    ],
  ])("is %s", async (_name, reply, because) => {
    const { answer, server } = await ask([reply]);
    expect(answer).toEqual({ kind: "person", because });
    expect(server.calls()).toBe(1);
  });

  it("is a key that is wrong, or missing, in a sentence without the key", async () => {
    const { answer } = await ask([edit()], { key: "sk-ant-wrong-key-0123456789" });
    expect(answer).toEqual({
      kind: "person",
      because: "the Anthropic API refuses the key in ANTHROPIC_API_KEY: invalid x-api-key",
    });
    const without = await claude({ apiKey: null, baseUrl: null, path: "" }).propose(
      briefWith(),
      new AbortController().signal,
    );
    expect(without).toMatchObject({
      kind: "person",
      because: expect.stringContaining("`ANTHROPIC_API_KEY` is not set") as string,
    });
  });

  it("is a model that nobody knows, where no other is named", async () => {
    const priced = { "claude-nine": { input: 1, output: 1, cache_read: 1, cache_write: 1 } };
    const config = configWith({ researcher: { model: "claude-nine", prices: priced, fallbacks: [] } });
    const { answer } = await ask([edit()], { config });
    expect(answer).toMatchObject({
      kind: "person",
      because: expect.stringMatching(/^the Anthropic API does not know the model claude-nine\./) as string,
    });
    const other = configWith({ researcher: { model: "claude-nine", prices: priced } });
    expect((await ask(works(), { config: other })).answer).toMatchObject({
      proposal: { researcher: "claude-sonnet-5" },
    });
  });

  it("is a model whose price nobody knows: it is never called", async () => {
    const unpriced = configWith({ researcher: { model: "claude-fable-5-2", fallbacks: [] } });
    const { answer, server } = await ask([edit()], { config: unpriced });
    expect(answer).toMatchObject({
      kind: "person",
      because: expect.stringMatching(
        /^no price of claude-fable-5-2 is known; say it in `researcher\.prices`\./,
      ) as string,
    });
    expect(server.bodies).toEqual([]);
  });

  it("is said where the configured model answers in the place of one that a person named", async () => {
    const unpriced = await ask(works(), { model: "claude-opus-5.5" });
    expect(unpriced.answer).toMatchObject({
      proposal: { researcher: "claude-opus-5-5" },
      passedOver: "no price of claude-opus-5.5 is known; say it in `researcher.prices`",
    });
    const prices = { "claude-nine": { input: 1, output: 1, cache_read: 1, cache_write: 1 } };
    const unknown = await ask(works(), { model: "claude-nine", config: configWith({ researcher: { prices } }) });
    expect(unknown.answer).toMatchObject({
      proposal: { researcher: "claude-opus-5-5" },
      passedOver: "the Anthropic API does not know the model claude-nine",
    });
    const chance = await ask(only("claude-haiku-4-5", overloaded), { model: "claude-haiku-4-5" });
    expect(chance.answer).toMatchObject({ proposal: { researcher: "claude-opus-5-5" } });
    expect(chance.answer).not.toHaveProperty("passedOver");
  });

  it("is a request that no model takes", async () => {
    const { answer } = await ask([
      { error: { status: 400, type: "invalid_request_error", message: "effort: not for this model" } },
    ]);
    expect(answer).toMatchObject({
      kind: "person",
      because: expect.stringContaining(
        "does not take the request for claude-opus-5-5: effort: not for this model",
      ) as string,
    });
    const long = await ask([{ say: "…", stop: "model_context_window_exceeded" }], { config: alone });
    expect(long.answer).toMatchObject({
      kind: "person",
      because: expect.stringContaining("don't fit in the context of claude-opus-5-5") as string,
    });
  });
});

test("an answer that was cut off is asked for once more, with more room", async () => {
  const cut: Reply = { say: "a long thought", stop: "max_tokens" };
  const { answer, server } = await ask(works(cut));
  expect(answer.kind).toBe("proposal");
  // Who was cut off once is not cut off, and paid for, in each turn.
  expect(server.seen.map(({ request }) => request.max_tokens)).toEqual([16_000, 64_000, 64_000]);
  expect(server.seen[1]!.request.messages).toHaveLength(1);
  await expect(ask([cut], { config: alone })).rejects.toThrow(
    "the answer of claude-opus-5-5 was longer than 64000 tokens",
  );
});

describe("the limit in dollars", () => {
  it("is never passed, and the end is said", async () => {
    const look: Reply = { use: [{ name: "read_file", input: { path: "train.py", first_line: 1, last_line: 0 } }] };
    for (const limit of [0, 0.05, 0.2, 0.5]) {
      const purse = purseOf(limit);
      const { answer } = await ask([look], {
        purse,
        config: configWith({ limits: { cost_usd: limit }, researcher: { turns: 100, fallbacks: [] } }),
      }).catch((error: unknown) => ({ answer: { kind: "threw", because: String(error) } }));
      expect(purse.mostUsd).toBeLessThanOrEqual(limit + 1e-9);
      expect(answer).toMatchObject({
        kind: "nothing",
        because: expect.stringMatching(
          new RegExp(`^what is left of the limit of \\$${limit} for the researcher \\(\\$0\\.\\d\\d\\) does not pay`),
        ) as string,
      });
    }
  });

  it("is what is spent where it leaves no room for a longer answer", async () => {
    const purse = purseOf(0.25);
    const { answer, server } = await ask([{ say: "a long thought", stop: "max_tokens" }], { purse, config: alone });
    expect(answer).toMatchObject({
      kind: "nothing",
      because: expect.stringMatching(/^what is left of the limit of \$20 for the researcher/) as string,
    });
    expect(server.seen.map(({ request }) => request.max_tokens < 16_000)).toEqual([true]);
  });

  it("makes the last answers shorter rather than none", async () => {
    const purse = purseOf(0.25);
    const { answer, server } = await ask([edit(), submit()], { purse });
    expect(answer.kind).toBe("proposal");
    const [first, second] = server.seen.map(({ request }) => request.max_tokens);
    expect(first).toBeLessThan(16_000);
    expect(first).toBeGreaterThanOrEqual(2_000);
    // The tokens of what was sent are known now: less has to be set aside for them.
    expect(second).toBeGreaterThan(first!);
  });
});

test("the pauses of the product are seconds, not minutes", () => {
  expect(usualPace.pausesMs.every((ms) => ms >= 1_000 && ms <= usualPace.longestPauseMs)).toBe(true);
});
