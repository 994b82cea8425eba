/** An answer as the events of a stream. */
import type { Tokens } from "./cache.ts";
import { countTokens } from "./cache.ts";
import type { AssistantBlock } from "./forms.ts";

export type StopReason = "end_turn" | "tool_use" | "max_tokens" | "refusal" | "model_context_window_exceeded";

export type Said = {
  readonly content: readonly AssistantBlock[];
  readonly stopReason: StopReason;
  readonly refusal?: { readonly category: string | null; readonly explanation: string | null };
};

export type StreamEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Tokens of the answer, thinking included. */
export function outputTokensOf({ content }: Said): number {
  return content.reduce((sum, block) => sum + countTokens(JSON.stringify(block)), 0);
}

/** The events of one answer, in order. */
export function eventsOf(id: string, model: string, said: Said, tokens: Tokens): StreamEvent[] {
  const usage = {
    input_tokens: tokens.input,
    cache_read_input_tokens: tokens.read,
    cache_creation_input_tokens: tokens.written.fiveMinutes + tokens.written.hour,
    cache_creation: {
      ephemeral_5m_input_tokens: tokens.written.fiveMinutes,
      ephemeral_1h_input_tokens: tokens.written.hour,
    },
    output_tokens: 1,
    output_tokens_details: null,
    server_tool_use: null,
    service_tier: "standard",
    speed: "standard",
    inference_geo: "global",
  };
  const message = { id, type: "message", role: "assistant", model, content: [], stop_reason: null, usage };
  const stop_details = said.refusal === undefined ? null : { type: "refusal", ...said.refusal };
  return [
    { type: "message_start", message: { ...message, stop_sequence: null, stop_details: null, container: null } },
    { type: "ping" },
    ...said.content.flatMap(blockEvents),
    {
      type: "message_delta",
      delta: { stop_reason: said.stopReason, stop_sequence: null, stop_details, container: null },
      usage: { output_tokens: outputTokensOf(said) },
    },
    { type: "message_stop" },
  ];
}

function blockEvents(block: AssistantBlock, index: number): StreamEvent[] {
  const begin = (content_block: object) => ({ type: "content_block_start", index, content_block });
  const delta = (given: object) => ({ type: "content_block_delta", index, delta: given });
  const end = { type: "content_block_stop", index };
  switch (block.type) {
    case "text":
      return [begin({ type: "text", text: "", citations: null }), delta({ type: "text_delta", text: block.text }), end];
    case "thinking":
      return [
        begin({ type: "thinking", thinking: "", signature: "" }),
        ...(block.thinking === "" ? [] : [delta({ type: "thinking_delta", thinking: block.thinking })]),
        delta({ type: "signature_delta", signature: block.signature }),
        end,
      ];
    case "redacted_thinking":
      return [begin(block), end];
    case "tool_use": {
      const json = JSON.stringify(block.input);
      const pieces = json.match(/[\s\S]{1,40}/g) ?? [];
      const { id, name } = block;
      return [
        begin({ type: "tool_use", id, name, input: {} }),
        ...pieces.map((partial_json) => delta({ type: "input_json_delta", partial_json })),
        end,
      ];
    }
  }
}
