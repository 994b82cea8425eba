/**
 * One conversation with one model, from the brief to a submission that the guard lets pass. Bounded in turns, in refusals
 * and in money. Thinking blocks go back as they came; no tool is ever forced, and the model is never changed in its midst.
 */
import type Anthropic from "@anthropic-ai/sdk";
import type { Config } from "../../domain/config.ts";
import type { Answer, Purse } from "../../domain/proposal.ts";
import type { BriefText } from "../brief/brief-text.ts";
import { type Answered, type Known, type Request, type Room, callOnce, leastOutput } from "./call.ts";
import type { Price } from "./prices.ts";
import { tools } from "./tools.ts";
import { Failed, type Trouble } from "./trouble.ts";
import type { Workbench } from "./workbench.ts";

export type Terms = {
  readonly client: Anthropic;
  readonly model: string;
  readonly price: Price;
  readonly purse: Purse;
  readonly config: Config;
  readonly pace: Pace;
};

/** Times, in milliseconds. */
export type Pace = {
  /** Pauses before a call is tried again in place, so that the conversation is not lost. */
  readonly pausesMs: readonly number[];
  /** A longer pause than this is not waited for in place. */
  readonly longestPauseMs: number;
  /** One call may take so long. */
  readonly callTimeoutMs: number;
};

export const usualPace: Pace = { pausesMs: [2_000, 15_000], longestPauseMs: 60_000, callTimeoutMs: 15 * 60_000 };

export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

const firstMaxTokens = 16_000;
/** After an answer that was cut off. Every model of today allows it. */
const longMaxTokens = 64_000;
const refusalsAtMost = 5;
const remindersAtMost = 2;
/** From so many turns before the end the model is told how many are left. */
const warnFrom = 4;
/** Trials of so many seconds and longer outlive a cache of five minutes. */
const longTrialSeconds = 200;

export async function converse(text: BriefText, bench: Workbench, terms: Terms, signal: AbortSignal): Promise<Outcome> {
  try {
    return { kind: "answer", answer: await work(text, bench, terms, signal) };
  } catch (error) {
    if (error instanceof Failed) return { kind: "trouble", trouble: error.trouble };
    throw error;
  }
}

async function work(text: BriefText, bench: Workbench, terms: Terms, signal: AbortSignal): Promise<Answer> {
  const opening = openingOf(text, terms);
  const messages = opening.messages;
  const { turns } = terms.config.researcher;
  let known: Known | null = null;
  let mostTokens = firstMaxTokens;
  let refusals = 0;
  let reminders = 0;
  for (let turn = 1; turn <= turns; turn += 1) {
    const request: Request = { ...opening, messages: withBreakpoint(messages) };
    const answered = await call(request, known, mostTokens, terms, signal);
    const { message } = answered;
    known = answered.known;
    // Who has thought longer once does so again.
    mostTokens = Math.max(mostTokens, answered.roomTokens);
    check(message, terms.model);
    const uses = message.content.filter((block) => block.type === "tool_use");
    if (uses.length === 0 || !canGoBack(message)) {
      reminders += 1;
      if (reminders > remindersAtMost) throw useless(`${terms.model} ended without a submission`);
      remind(messages, message);
      continue;
    }
    messages.push(answerIn(message));
    const { end, results, refused } = await useTools(uses, bench);
    if (end !== null) return end;
    refusals += refused;
    if (refusals >= refusalsAtMost) {
      throw useless(
        `${refusals} submissions of ${terms.model} were refused; the last: ${results.at(-1)!.content as string}`,
      );
    }
    messages.push({ role: "user", content: [...results, ...warning(turns - turn)] });
  }
  throw useless(`${terms.model} submitted nothing in ${turns} turns`);
}

/** Answers every use of a tool, in order; an end makes the rest of them idle. */
async function useTools(
  uses: readonly Anthropic.ToolUseBlock[],
  bench: Workbench,
): Promise<{ end: Answer | null; results: Anthropic.ToolResultBlockParam[]; refused: number }> {
  const results: Anthropic.ToolResultBlockParam[] = [];
  let refused = 0;
  for (const use of uses) {
    const answer = await bench.use(use.name, use.input);
    if (answer.end !== undefined) return { end: answer.end, results, refused };
    if (answer.refused === true) refused += 1;
    results.push({ type: "tool_result", tool_use_id: use.id, content: answer.text, is_error: answer.isError });
  }
  return { end: null, results, refused };
}

function warning(left: number): Anthropic.TextBlockParam[] {
  if (left > warnFrom || left === 0) return [];
  return [{ type: "text", text: `Calls left: ${left}. Submit before they are used up.` }];
}

/** Whether the API takes the answer back: not an empty one, nor one that ends in a thought. */
function canGoBack({ content }: Anthropic.Message): boolean {
  const last = content.at(-1)?.type;
  return last !== undefined && last !== "thinking" && last !== "redacted_thinking";
}

function answerIn({ content }: Anthropic.Message): Anthropic.MessageParam {
  return { role: "assistant", content: content as Anthropic.ContentBlockParam[] };
}

/** The model is reminded after its answer; where that can't go back, at the end of what was said before it. */
function remind(messages: Anthropic.MessageParam[], message: Anthropic.Message): void {
  const said: Anthropic.TextBlockParam = { type: "text", text: reminder };
  if (canGoBack(message)) {
    messages.push(answerIn(message), { role: "user", content: [said] });
    return;
  }
  const before = messages.pop()!.content as Anthropic.ContentBlockParam[];
  messages.push({ role: "user", content: [...before, said] });
}

const reminder = "Nobody reads text outside of tools. Go on with the tools, and end with `submit`.";

function useless(because: string): Failed {
  return new Failed({ kind: "useless", because });
}

type Opening = Omit<Request, "messages"> & { messages: Anthropic.MessageParam[] };

/** The first request: the brief, with breakpoints of the cache where a part that stays the same ends. */
function openingOf(text: BriefText, { model, config }: Terms): Opening {
  const { effort } = config.researcher;
  const ttl = config.trial.budget >= longTrialSeconds ? "1h" : "5m";
  const stable = (part: string): Anthropic.TextBlockParam => ({
    type: "text",
    text: part,
    cache_control: { type: "ephemeral", ttl },
  });
  return {
    model,
    tools,
    system: [stable(text.rules)],
    messages: [
      { role: "user", content: [stable(text.frontier), stable(text.history), { type: "text", text: text.now }] },
    ],
    ...(effort === null ? {} : { output_config: { effort } }),
  };
}

/** The messages with the fourth breakpoint, the last there may be, at their end: the next turn reads all before it. */
function withBreakpoint(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1)!;
  const content = last.content as Anthropic.ContentBlockParam[];
  const marked = { ...content.at(-1)!, cache_control: { type: "ephemeral" } } as Anthropic.ContentBlockParam;
  return [...messages.slice(0, -1), { role: "user", content: [...content.slice(0, -1), marked] }];
}

/** Throws where the answer can't be worked with. */
function check(message: Anthropic.Message, model: string): void {
  const { stop_reason, stop_details } = message;
  if (stop_reason === "refusal") {
    const category = stop_details?.category ?? "no category";
    throw new Failed({ kind: "refused", because: `${model} declined to answer (${category})` });
  }
  if (stop_reason === "model_context_window_exceeded") {
    throw new Failed({ kind: "unfit", because: `the brief and the work on it don't fit in the context of ${model}` });
  }
  if (stop_reason === "max_tokens") throw useless(`the answer of ${model} was longer than ${longMaxTokens} tokens`);
}

/**
 * A call with its second chances: what is overloaded is asked again, what was cut off may be longer. Not a little: where the
 * limit in dollars has left less than twice the room, it does not pay for the answer, and is what is said to be spent.
 */
async function call(
  request: Request,
  known: Known | null,
  mostTokens: number,
  terms: Terms,
  signal: AbortSignal,
): Promise<Answered> {
  let room: Room = { leastTokens: leastOutput, mostTokens };
  for (let attempt = 0; ;) {
    try {
      const { price, purse, pace, config } = terms;
      const at = { price, purse, known, room, timeoutMs: pace.callTimeoutMs, limitUsd: config.limits.cost_usd };
      const answered = await callOnce(terms.client, request, at, signal);
      const { message, roomTokens } = answered;
      if (message.stop_reason !== "max_tokens" || roomTokens >= longMaxTokens) return answered;
      room = { leastTokens: Math.min(2 * roomTokens, longMaxTokens), mostTokens: longMaxTokens };
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      const pauseMs = pauseAfter(error.trouble, attempt, terms.pace);
      if (pauseMs === null) throw error;
      attempt += 1;
      await pause(pauseMs, signal);
    }
  }
}

/** How long to wait before the same call is made again; null: there is no use, or not here. */
function pauseAfter(trouble: Trouble, attempt: number, { pausesMs, longestPauseMs }: Pace): number | null {
  if (trouble.kind !== "overloaded" && trouble.kind !== "limited") return null;
  const usual = pausesMs[attempt];
  if (usual === undefined) return null;
  const pauseMs = Math.max(usual, trouble.retryAfterMs ?? 0);
  return pauseMs <= longestPauseMs ? pauseMs : null;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
