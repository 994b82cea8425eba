/** What the real API refuses beyond the form of a request: one sentence, or null. */
import { type MessagesRequest, models } from "./forms.ts";

/** `issued` are the thinking blocks that this server made, as JSON with the model that made them. */
export function violationOf(request: MessagesRequest, issued: ReadonlySet<string>): string | null {
  const model = models[request.model]!;
  const { tool_choice, thinking, max_tokens } = request;
  if (max_tokens > model.maxTokens)
    return `max_tokens: ${max_tokens} > ${model.maxTokens}, the most of ${request.model}`;
  if (model.isNew && (tool_choice?.type === "any" || tool_choice?.type === "tool"))
    return "tool_choice forces tool use, which this model does not support";
  if (model.isNew && thinking?.type === "disabled") return "thinking can't be disabled for this model";
  return breakpoints(request) ?? schemas(request) ?? turns(request) ?? thoughts(request, issued);
}

function breakpoints({ tools = [], system = [], messages }: MessagesRequest): string | null {
  const blocks = [...tools, ...system, ...messages.flatMap(({ content }) => content as object[])];
  const ttls = blocks.flatMap((block) => {
    const control = (block as { cache_control?: { ttl?: string } | null }).cache_control;
    return control == null ? [] : [control.ttl ?? "5m"];
  });
  if (ttls.length > 4) return `A maximum of 4 blocks with cache_control may be provided. Found ${ttls.length}.`;
  if (ttls.some((ttl, index) => ttl === "1h" && ttls[index - 1] === "5m"))
    return "a ttl of 1h must not come after one of 5m";
  return null;
}

const notInStrict = /^(?:minimum|maximum|multipleOf|minLength|maxLength|minItems|maxItems|\$schema)$/;

function schemas({ tools = [] }: MessagesRequest): string | null {
  for (const { name, strict, input_schema } of tools) {
    const problem = strict === true ? strictProblem(input_schema) : null;
    if (problem !== null) return `tools.${name}.input_schema: ${problem}`;
  }
  return null;
}

function strictProblem(schema: unknown): string | null {
  if (Array.isArray(schema)) return schema.map(strictProblem).find((each) => each !== null) ?? null;
  if (typeof schema !== "object" || schema === null) return null;
  const entries = Object.entries(schema);
  const bad = entries.find(([key, value]) => notInStrict.test(key) && typeof value !== "object");
  if (bad !== undefined) return `${bad[0]} is not supported`;
  if ("type" in schema && Array.isArray(schema.type)) return "a list of types is not supported";
  if (
    "type" in schema &&
    schema.type === "object" &&
    !("additionalProperties" in schema && schema.additionalProperties === false)
  )
    return "additionalProperties must be false";
  return entries.map(([, value]) => strictProblem(value)).find((each) => each !== null) ?? null;
}

/** Turns alternate, begin and end with the user's; every use of a tool has its result right after. */
function turns({ messages }: MessagesRequest): string | null {
  if (messages[0]!.role !== "user") return "messages: the first must be the user's";
  if (messages.at(-1)!.role !== "user")
    return "this model does not support prefill: the last message must be the user's";
  let open: string[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    const results = content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
    if (role === "user") {
      const missing = open.find((id) => !results.includes(id));
      if (missing !== undefined) return `messages.${index}: no tool_result for the tool_use ${missing}`;
      const strange = results.find((id) => !open.includes(id));
      if (strange !== undefined) return `messages.${index}: no tool_use ${strange} in the message before`;
      const text = content.findIndex(({ type }) => type === "text");
      if (text !== -1 && content.slice(text).some(({ type }) => type === "tool_result"))
        return `messages.${index}: tool_result blocks must come before text`;
    }
    open = role === "assistant" ? content.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])) : [];
  }
  return null;
}

/** Thinking blocks come back letter by letter, to the model that made them, and never as the end of an answer. */
function thoughts({ model, messages }: MessagesRequest, issued: ReadonlySet<string>): string | null {
  for (const [index, { role, content }] of messages.entries()) {
    if (role !== "assistant") continue;
    const changed = content.some((block) => block.type === "thinking" && !issued.has(thoughtKey(model, block)));
    if (changed) return `messages.${index}: thinking blocks can't be modified, nor given to another model`;
    const ends = content.at(-1)!.type;
    if (ends === "thinking" || ends === "redacted_thinking")
      return `messages.${index}: The final block in an assistant message cannot be \`${ends}\`.`;
    const starts = content[0]!.type;
    if (models[model]!.isNew && starts !== "thinking" && starts !== "redacted_thinking")
      return `messages.${index}: the thinking block of this turn is missing`;
  }
  return null;
}

export function thoughtKey(model: string, { thinking, signature }: { thinking: string; signature: string }): string {
  return JSON.stringify([model, thinking, signature]);
}
