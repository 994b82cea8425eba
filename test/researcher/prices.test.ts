import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/domain/config.ts";
import { tokenCeiling } from "../../src/researcher/claude/call.ts";
import { inputCeiling, outputTokensFor, priceOf, spendingOf } from "../../src/researcher/claude/prices.ts";
import { configWith } from "../support/session.ts";

const opus = priceOf("claude-opus-5-5", {})!;
const million = 1_000_000;

describe("a price", () => {
  it("is known for the models of the defaults", () => {
    const { model, fallbacks } = configWith().researcher;
    for (const name of [model, ...fallbacks]) expect(priceOf(name, {})).not.toBeNull();
    expect(opus).toEqual({ input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5, cacheWriteHour: 8 });
  });

  it("is the same for a model with a date, and not for another that begins so", () => {
    expect(priceOf("claude-haiku-4-5-20251001", {})).toEqual(priceOf("claude-haiku-4-5", {}));
    expect(priceOf("claude-opus-5-5-turbo", {})).toBeNull();
    for (const name of ["constructor", "__proto__", ""]) expect(priceOf(name, {})).toBeNull();
  });

  it("is the configured one where there is one", () => {
    const { prices } = configSchema.parse({
      researcher: { prices: { "claude-opus-5-5": { input: 1, output: 2, cache_read: 0.1, cache_write: 1.5 } } },
    }).researcher;
    expect(priceOf("claude-opus-5-5", prices)).toEqual({
      input: 1,
      output: 2,
      cacheRead: 0.1,
      cacheWrite: 1.5,
      cacheWriteHour: 2,
    });
    expect(priceOf("claude-opus-5-5-20260922", prices)!.input).toBe(1);
  });
});

describe("what a call costs", () => {
  it("is counted by what the tokens were", () => {
    const usage = {
      input_tokens: 100,
      output_tokens: 1_000,
      cache_read_input_tokens: 20_000,
      cache_creation_input_tokens: 5_000,
      cache_creation: { ephemeral_1h_input_tokens: 4_000 },
    };
    const spent = spendingOf(usage, opus);
    expect(spent.usd).toBeCloseTo((100 * 4 + 1_000 * 20 + 20_000 * 0.2 + 1_000 * 5 + 4_000 * 8) / million, 12);
    expect(spent).toMatchObject({
      inputTokens: 100,
      outputTokens: 1_000,
      cacheReadTokens: 20_000,
      cacheWriteTokens: 5_000,
    });
  });

  it("is never more than what is set aside for it", () => {
    const tokens = fc.integer({ min: 0, max: million });
    fc.assert(
      fc.property(tokens, tokens, tokens, tokens, (input, read, written, output) => {
        const usage = {
          input_tokens: input,
          output_tokens: output,
          cache_read_input_tokens: read,
          cache_creation_input_tokens: written,
          cache_creation: { ephemeral_1h_input_tokens: Math.floor(written / 2) },
        };
        const most = inputCeiling(input + read + written, opus) + (output * opus.output) / million;
        expect(spendingOf(usage, opus).usd).toBeLessThanOrEqual(most + 1e-9);
      }),
    );
  });

  it("buys as many tokens as it pays for", () => {
    expect(outputTokensFor(0.02, opus)).toBe(1_000);
    expect(outputTokensFor(-1, opus)).toBeLessThan(0);
    expect(outputTokensFor(1, { ...opus, output: 0 })).toBe(Infinity);
  });
});

describe("the most tokens of a request", () => {
  it("are its bytes, and where a call went before, what was counted and the bytes since", () => {
    expect(tokenCeiling(10_000, null)).toBe(12_000);
    expect(tokenCeiling(12_000, { bytes: 10_000, tokens: 3_000 })).toBe(7_000);
  });
});
