/** The accounts of the prompt cache: what of a request was written before, and what is written now. */
import { createHash } from "node:crypto";
import type { MessagesRequest } from "./forms.ts";

/** A prefix shorter than this is not kept. */
const least = 1_024;
/** From a breakpoint so many blocks back are looked at. */
const lookBack = 20;

export type Tokens = {
  readonly input: number;
  readonly read: number;
  readonly written: { readonly fiveMinutes: number; readonly hour: number };
};

/** As many tokens as this server takes a text to have: four characters each. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

type Block = { readonly hash: string; readonly tokens: number; readonly ttl: "5m" | "1h" | null };

export class PromptCache {
  readonly #until = new Map<string, number>();

  /** Counts a request, and keeps the prefixes that it marks. */
  take(request: MessagesRequest, nowMs: number): Tokens {
    const blocks = blocksOf(request);
    const sums = blocks.map(() => 0);
    for (const [index, { tokens }] of blocks.entries()) sums[index] = (sums[index - 1] ?? 0) + tokens;
    const total = sums.at(-1) ?? 0;
    const marks = blocks.flatMap(({ ttl }, index) => (ttl === null || sums[index]! < least ? [] : [{ index, ttl }]));
    const hit = this.#longest(
      blocks,
      marks.map(({ index }) => index),
      nowMs,
    );
    const read = hit === -1 ? 0 : sums[hit]!;
    let fiveMinutes = 0;
    let hour = 0;
    let from = read;
    for (const { index, ttl } of marks) {
      const more = Math.max(0, sums[index]! - from);
      if (ttl === "1h") hour += more;
      else fiveMinutes += more;
      from = Math.max(from, sums[index]!);
      this.#until.set(blocks[index]!.hash, nowMs + (ttl === "1h" ? 3_600_000 : 300_000));
    }
    return { input: total - Math.max(from, read), read, written: { fiveMinutes, hour } };
  }

  #longest(blocks: readonly Block[], marks: readonly number[], nowMs: number): number {
    for (const mark of marks.toReversed()) {
      for (let index = mark; index > Math.max(-1, mark - lookBack); index -= 1) {
        if ((this.#until.get(blocks[index]!.hash) ?? 0) > nowMs) return index;
      }
    }
    return -1;
  }
}

/** All blocks in the order that a prefix goes through them; a hash stands for all up to there. The marks are no part of it. */
function blocksOf({ model, tools = [], system = [], messages }: MessagesRequest): Block[] {
  let hash = model;
  const all = [
    ...tools.map((block) => ["tools", block] as const),
    ...system.map((block) => ["system", block] as const),
    ...messages.flatMap(({ role, content }) => content.map((block) => [role, block] as const)),
  ];
  return all.map(([place, block]) => {
    const { cache_control, ...plain } = block as { cache_control?: { ttl?: "5m" | "1h" } | null };
    const text = JSON.stringify([place, plain]);
    hash = createHash("sha256").update(hash).update(text).digest("hex");
    return { hash, tokens: countTokens(text), ttl: cache_control == null ? null : (cache_control.ttl ?? "5m") };
  });
}
