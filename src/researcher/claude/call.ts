/**
 * One call of a model, and its money. Always: the most that it can cost is set aside before, so that a limit is never
 * passed; what it did cost is read from the usage after; of what nobody knows (a stream that broke) the most is assumed.
 */
import { APIConnectionTimeoutError, type Anthropic } from "@anthropic-ai/sdk";
import { type Purse, type Spending, nothingSpent } from "../../domain/proposal.ts";
import {
  type Price,
  type Usage,
  inputCeiling,
  outputCeiling,
  outputTokensFor,
  spendingOf,
  unknownSpending,
} from "./prices.ts";
import { Failed, mayHaveCost, troubleOf } from "./trouble.ts";

export type Request = Omit<Anthropic.MessageStreamParams, "max_tokens">;

/** Tokens that the API puts around what we send (the system prompt for tools, the frames of messages), generously. */
const framing = 2_000;
/** A call that can't answer in so many tokens is not worth its input. */
export const leastOutput = 2_000;

/** What earlier calls of the same conversation tell of the next one's size. */
export type Known = { readonly bytes: number; readonly tokens: number };

/**
 * An upper bound of a request's tokens. A token holds at least one byte of text, so a text has no more tokens than UTF-8
 * bytes; of what was sent before in this conversation, the API has counted the tokens.
 */
export function tokenCeiling(bytes: number, known: Known | null): number {
  return known === null ? bytes + framing : known.tokens + Math.max(0, bytes - known.bytes) + framing;
}

export function bytesOf(request: Request): number {
  return Buffer.byteLength(JSON.stringify(request));
}

export type Answered = {
  readonly message: Anthropic.Message;
  readonly known: Known;
  /** So long the answer could be: what was asked for, or less where no more was left to pay for it. */
  readonly roomTokens: number;
};

/** How long an answer may be: as long as there is money for, between these. */
export type Room = { readonly leastTokens: number; readonly mostTokens: number };

/** Calls once. Throws `Failed`, or the signal's reason when it is aborted. */
export async function callOnce(
  client: Anthropic,
  request: Request,
  at: { price: Price; purse: Purse; known: Known | null; room: Room; timeoutMs: number; limitUsd: number },
  signal: AbortSignal,
): Promise<Answered> {
  const bytes = bytesOf(request);
  const inputUsd = inputCeiling(tokenCeiling(bytes, at.known), at.price);
  const affordable = Math.min(at.room.mostTokens, outputTokensFor(at.purse.leftUsd - inputUsd, at.price));
  // Where not even that is left, the purse is asked all the same: it is to know what was wanted.
  const maxTokens = Math.max(affordable, at.room.leastTokens);
  const reservedUsd = inputUsd + outputCeiling(maxTokens, at.price);
  if (!at.purse.reserve(reservedUsd)) {
    const left = Math.max(0, at.purse.leftUsd).toFixed(2);
    const because = `what is left of the limit of $${at.limitUsd} for the researcher ($${left}) does not pay for another call, which may cost $${reservedUsd.toFixed(2)}`;
    throw new Failed({ kind: "spent", because });
  }
  const timeout = AbortSignal.timeout(at.timeoutMs);
  const stream = client.messages.stream(
    { ...request, max_tokens: maxTokens },
    { signal: AbortSignal.any([signal, timeout]) },
  );
  let begun: Usage | null = null;
  stream.on("streamEvent", (_event, snapshot) => {
    begun = snapshot.usage;
  });
  try {
    const message = await stream.finalMessage();
    at.purse.settle(reservedUsd, spendingOf(message.usage, at.price));
    return { message, known: { bytes, tokens: allTokens(message.usage) }, roomTokens: maxTokens };
  } catch (error) {
    at.purse.settle(reservedUsd, spentOn(error, begun, { ...at, maxTokens, reservedUsd }));
    signal.throwIfAborted();
    if (timeout.aborted) throw new Failed(troubleOf(new APIConnectionTimeoutError(), request.model));
    throw new Failed(troubleOf(error, request.model));
  }
}

function allTokens(usage: Usage): number {
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
  return input_tokens + output_tokens + (cache_creation_input_tokens ?? 0) + (cache_read_input_tokens ?? 0);
}

function spentOn(
  error: unknown,
  begun: Usage | null,
  at: { price: Price; maxTokens: number; reservedUsd: number },
): Spending {
  if (begun !== null) return spendingOf({ ...begun, output_tokens: at.maxTokens }, at.price);
  return mayHaveCost(error) ? unknownSpending(at.reservedUsd) : nothingSpent;
}
