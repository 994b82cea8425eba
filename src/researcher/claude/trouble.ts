/**
 * Why the model did not answer, and what is to be done about it: one kind for each remedy. What the API says of itself in
 * words may change, so statuses, types and codes are read.
 */
import { APIConnectionError, APIConnectionTimeoutError, APIError, AnthropicError } from "@anthropic-ai/sdk";
import { redact } from "../../domain/secrets.ts";
import { oneLineOf } from "../brief/quote.ts";
import { visible } from "../brief/visible.ts";

export type Trouble =
  /** The model declined: another one may not. */
  | { readonly kind: "refused"; readonly because: string }
  /** The model is not there for us at all. */
  | { readonly kind: "unknownModel"; readonly because: string }
  /** Nobody is to blame; the same call may work soon. */
  | { readonly kind: "overloaded"; readonly because: string; readonly retryAfterMs: number | null }
  /** We called too often. */
  | { readonly kind: "limited"; readonly because: string; readonly retryAfterMs: number | null }
  /** The answer was of no use: cut off, no submission in all turns. */
  | { readonly kind: "useless"; readonly because: string }
  /** The API doesn't take what we send it for this model. */
  | { readonly kind: "unfit"; readonly because: string }
  /** A key, a permission, money: for all models alike. */
  | { readonly kind: "person"; readonly because: string }
  /** The limit in dollars doesn't allow another call. */
  | { readonly kind: "spent"; readonly because: string };

/** A call that failed, as it is thrown inside of a conversation. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.because);
    this.trouble = trouble;
  }
}

/** Codes of money that ran out, which waiting does not mend before the month is over. */
const moneyCodes = /(?:spend|ramp)_limit_(?:reached|exceeded)|billing|organization_on_hold/;

/** Why the call of `model` failed. Errors that are not the API's are thrown on. */
export function troubleOf(error: unknown, model: string): Trouble {
  if (error instanceof APIConnectionTimeoutError) {
    return { kind: "overloaded", because: `${model} gave no answer in time`, retryAfterMs: null };
  }
  if (error instanceof APIConnectionError) {
    return { kind: "overloaded", because: "the Anthropic API can't be reached", retryAfterMs: null };
  }
  if (!(error instanceof APIError)) {
    // A stream that ends in the middle, or holds what is not an event, is the SDK's own error.
    if (error instanceof AnthropicError || error instanceof SyntaxError)
      return { kind: "overloaded", because: `the answer of ${model} broke off`, retryAfterMs: null };
    throw error;
  }
  const status: number | undefined = error.status;
  const said = oneLineOf(redact(visible(error.apiMessage ?? error.message), []), 200);
  const retryAfterMs = error.headers === undefined ? null : retryAfterOf(error.headers);
  if (error.type === "billing_error" || status === 402 || moneyCodes.test(error.errorCode ?? "") || isCredit(said)) {
    return { kind: "person", because: `the Anthropic API wants money: ${said}` };
  }
  if (status === 401 || error.type === "authentication_error") {
    return { kind: "person", because: `the Anthropic API refuses the key in ANTHROPIC_API_KEY: ${said}` };
  }
  if (status === 403) return { kind: "person", because: `the Anthropic API forbids it: ${said}` };
  if (status === 404) return { kind: "unknownModel", because: `the Anthropic API does not know the model ${model}` };
  if (status === 429)
    return { kind: "limited", because: `the Anthropic API's rate limit is reached: ${said}`, retryAfterMs };
  if (error.type === "overloaded_error" || status === 529) {
    return { kind: "overloaded", because: `${model} is overloaded`, retryAfterMs };
  }
  const ours = status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409;
  if (ours) return { kind: "unfit", because: `the Anthropic API does not take the request for ${model}: ${said}` };
  return { kind: "overloaded", because: `the Anthropic API failed: ${said}`, retryAfterMs };
}

/** An empty balance comes as an invalid request, without a code of its own. */
function isCredit(said: string): boolean {
  return /credit balance|usage limits/i.test(said);
}

function retryAfterOf(headers: Headers): number | null {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const after = headers.get("retry-after");
  if (after === null) return null;
  const seconds = Number(after);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1000;
  return null;
}

/** Codes of a connection that was never made: the request did not arrive. */
const unconnected = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/;
/** Of a TLS handshake that failed. What else `ERR_SSL_` names (a bad record, say) may come in the middle of an answer. */
const unshaken =
  /^(?:EPROTO|ERR_TLS_HANDSHAKE_TIMEOUT|ERR_SSL_(?:WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|HTTP_REQUEST|\w*(?:HANDSHAKE_FAILURE|PROTOCOL_VERSION|UNRECOGNIZED_NAME|CERTIFICATE)\w*))$/;
/** Of a certificate that was not believed, which is before anything is sent. */
const untrusted =
  /^(?:\w*CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;
/** `fetch` has no code for an address that it does not go to. */
const unasked = /^(?:bad port|unknown scheme)$/;

function neverLeft(cause: Error): boolean {
  if (!("code" in cause) || typeof cause.code !== "string") return unasked.test(cause.message);
  const { code } = cause;
  return [unconnected, unshaken, untrusted].some((codes) => codes.test(code));
}

/**
 * Whether a failed call may have been paid for. An answer with an error's status made nothing; neither did a connection that
 * was never made. A stream that broke, and a time-out, may have.
 */
export function mayHaveCost(error: unknown): boolean {
  if (error instanceof APIConnectionError) {
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
      if (neverLeft(cause)) return false;
    }
    return true;
  }
  return !(error instanceof APIError && typeof error.status === "number");
}
