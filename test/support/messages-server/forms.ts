/** The forms that the Messages API takes, as strict as the real one is for what the bot sends. */
import { z } from "zod";

const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() });
const cached = { cache_control: cacheControl.nullish() };
const text = z.strictObject({ type: z.literal("text"), text: z.string().min(1), ...cached });
const thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const redacted = z.strictObject({ type: z.literal("redacted_thinking"), data: z.string() });
const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string().regex(/^toolu_\w+$/),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  caller: z.unknown().optional(),
  ...cached,
});
const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.union([z.string(), z.array(text)]).optional(),
  is_error: z.boolean().optional(),
  ...cached,
});
/** Text that the API made has citations, which may go back when they are null. */
const answeredText = text.extend({ citations: z.null().optional() });

const user = z.strictObject({
  role: z.literal("user"),
  content: z.array(z.discriminatedUnion("type", [text, toolResult])).min(1),
});
const assistant = z.strictObject({
  role: z.literal("assistant"),
  content: z.array(z.discriminatedUnion("type", [answeredText, thinking, redacted, toolUse])).min(1),
});

const tool = z.strictObject({
  name: z.string().regex(/^[\w-]{1,128}$/),
  description: z.string().optional(),
  strict: z.boolean().optional(),
  input_schema: z.looseObject({ type: z.literal("object") }),
  ...cached,
});

/** A request of `POST /v1/messages`. There is no temperature any more. */
export const requestSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().min(1),
  system: z.array(text).optional(),
  messages: z.array(z.discriminatedUnion("role", [user, assistant])).min(1),
  tools: z.array(tool).optional(),
  tool_choice: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("auto") }),
      z.strictObject({ type: z.literal("none") }),
      z.strictObject({ type: z.literal("any") }),
      z.strictObject({ type: z.literal("tool"), name: z.string() }),
    ])
    .optional(),
  thinking: z.looseObject({ type: z.enum(["adaptive", "enabled", "disabled", "between_tools"]) }).optional(),
  output_config: z.strictObject({ effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish() }).optional(),
  stream: z.literal(true),
});

export type MessagesRequest = z.output<typeof requestSchema>;
export type AssistantBlock = z.output<typeof assistant>["content"][number];

/** What is known of a model: how much it writes, and what it no longer takes. */
export const models: Readonly<Record<string, { readonly maxTokens: number; readonly isNew: boolean }>> = {
  "claude-opus-5-5": { maxTokens: 128_000, isNew: true },
  "claude-sonnet-5-5": { maxTokens: 128_000, isNew: true },
  "claude-fable-5-1": { maxTokens: 128_000, isNew: true },
  "claude-sonnet-5": { maxTokens: 128_000, isNew: false },
  "claude-haiku-4-5": { maxTokens: 64_000, isNew: false },
};
