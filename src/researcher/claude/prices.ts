/**
 * What calls cost. A model without a price is never called: a limit in dollars means nothing where nobody knows them.
 */
import type { Config } from "../../domain/config.ts";
import { type Spending, nothingSpent } from "../../domain/proposal.ts";

/** Dollars for a million tokens. */
export type Price = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Writing to the cache for five minutes. */
  readonly cacheWrite: number;
  readonly cacheWriteHour: number;
};

const price = (input: number, output: number, cacheRead: number): Price => ({
  input,
  output,
  cacheRead,
  cacheWrite: input * 1.25,
  cacheWriteHour: input * 2,
});

/**
 * Anthropic's price list as of 2026-11 (platform.claude.com, the models' pages). Haiku 5.5 has two prices: this is the one
 * of requests above 100,000 tokens; shorter ones cost a fifth of it.
 */
const known: Readonly<Record<string, Price>> = {
  "claude-fable-5-1": price(10, 50, 1),
  "claude-opus-5-5": price(4, 20, 0.2),
  "claude-opus-5": price(5, 25, 0.5),
  "claude-sonnet-5-5": price(2, 10, 0.1),
  "claude-sonnet-5": price(2, 10, 0.2),
  "claude-haiku-5-5": price(0.5, 2.5, 0.05),
  "claude-haiku-4-5": price(1, 5, 0.1),
};

/** The model's price: as configured, else as listed; a date at the end of its name doesn't matter. Null: nobody knows. */
export function priceOf(model: string, prices: Config["researcher"]["prices"]): Price | null {
  const undated = model.replace(/-\d{8}$/, "");
  const configured = own(prices, model) ?? own(prices, undated);
  if (configured === null) return own(known, undated);
  const { input, output, cache_read, cache_write, cache_write_hour } = configured;
  const cacheWriteHour = cache_write_hour ?? input * 2;
  return { input, output, cacheRead: cache_read, cacheWrite: cache_write, cacheWriteHour };
}

function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | null {
  return Object.hasOwn(record, name) ? record[name]! : null;
}

/** The token counts of one call, as the API reports them. */
export type Usage = {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens: number | null;
  readonly cache_creation_input_tokens: number | null;
  readonly cache_creation: { readonly ephemeral_1h_input_tokens: number } | null;
};

const million = 1_000_000;

/** What a call took. */
export function spendingOf(usage: Usage, at: Price): Spending {
  const cacheReadTokens = usage.cache_read_input_tokens ?? 0;
  const cacheWriteTokens = usage.cache_creation_input_tokens ?? 0;
  const hour = Math.min(cacheWriteTokens, usage.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  const usd =
    (usage.input_tokens * at.input +
      usage.output_tokens * at.output +
      cacheReadTokens * at.cacheRead +
      (cacheWriteTokens - hour) * at.cacheWrite +
      hour * at.cacheWriteHour) /
    million;
  const { input_tokens: inputTokens, output_tokens: outputTokens } = usage;
  return { usd, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens };
}

/** The most that so many tokens of input can cost, wherever they end up. */
export function inputCeiling(tokens: number, at: Price): number {
  return (tokens * Math.max(at.input, at.cacheRead, at.cacheWrite, at.cacheWriteHour)) / million;
}

/** How many tokens of output a sum pays for. */
export function outputTokensFor(usd: number, at: Price): number {
  return at.output === 0 ? Number.POSITIVE_INFINITY : Math.floor((usd * million) / at.output);
}

export function outputCeiling(tokens: number, at: Price): number {
  return (tokens * at.output) / million;
}

/** A sum that was spent, nobody knows on how many tokens. */
export function unknownSpending(usd: number): Spending {
  return { ...nothingSpent, usd };
}
