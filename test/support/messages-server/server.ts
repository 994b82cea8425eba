/**
 * A server that speaks Anthropic's Messages API, for tests: streams, tools, thinking, usage with an honest cache, refusals,
 * errors, slow and broken answers. A script says what is answered to what; the server checks each request as the real one
 * would, and keeps all of them. A request that it refuses fails the test that closes it.
 */
import { randomBytes } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PromptCache, type Tokens } from "./cache.ts";
import { type Said, type StreamEvent, eventsOf, outputTokensOf } from "./events.ts";
import { type AssistantBlock, type MessagesRequest, models, requestSchema } from "./forms.ts";
import { thoughtKey, violationOf } from "./rules.ts";

/** What the model does: uses tools, says something, refuses, is cut off. Or what the API does instead. */
export type Reply =
  | {
      readonly use: readonly { readonly name: string; readonly input: Record<string, unknown> }[];
      readonly slowMs?: number;
    }
  | { readonly say: string; readonly stop?: "end_turn" | "max_tokens" | "model_context_window_exceeded" }
  /** A thought, and nothing after it. */
  | { readonly think: "thinking" | "redacted_thinking" }
  | { readonly refuse: string | null }
  | {
      readonly error: {
        readonly status: number;
        readonly type: string;
        readonly message?: string;
        readonly code?: string;
      };
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The stream breaks off after so many events: the connection is cut, or an error is its last event. */
  | { readonly breakAfter: number; readonly as: "cut" | "overloaded_error" }
  /** Nothing comes, ever. */
  | { readonly hang: true };

export type Seen = { readonly request: MessagesRequest; readonly tokens: Tokens; readonly outputTokens: number };

/** What is answered to the request; `turn` counts the answers of the model in this conversation, `call` all calls. */
export type Script = (request: MessagesRequest, at: { turn: number; call: number }) => Reply | Promise<Reply>;

export const testKey = "sk-ant-test-0123456789";

export type MessagesServer = Awaited<ReturnType<typeof startMessagesServer>>;

export async function startMessagesServer(script: Script) {
  const cache = new PromptCache();
  const issued = new Set<string>();
  const seen: Seen[] = [];
  const violations: string[] = [];
  const bodies: string[] = [];
  let calls = 0;

  const refuse = (response: ServerResponse, status: number, type: string, message: string, more: object = {}) => {
    const { headers = {}, code } = more as { headers?: Record<string, string>; code?: string };
    response.writeHead(status, { "content-type": "application/json", "request-id": "req_test", ...headers });
    const details = code === undefined ? {} : { details: { error_code: code } };
    response.end(JSON.stringify({ type: "error", error: { type, message, ...details }, request_id: "req_test" }));
  };
  const violate = (response: ServerResponse, status: number, message: string) => {
    violations.push(message);
    refuse(response, status, "invalid_request_error", message);
  };

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await textOf(incoming);
    bodies.push(body);
    if (incoming.method !== "POST" || incoming.url !== "/v1/messages")
      return violate(response, 404, `no ${incoming.url}`);
    const { authorization, "x-api-key": key } = incoming.headers;
    if (key !== testKey && authorization !== `Bearer ${testKey}`)
      return refuse(response, 401, "authentication_error", "invalid x-api-key");
    if (incoming.headers["anthropic-version"] === undefined)
      return violate(response, 400, "anthropic-version is missing");
    if (!incoming.headers["content-type"]?.startsWith("application/json")) return violate(response, 400, "not JSON");
    const { model } = JSON.parse(body) as { model: string };
    if (models[model] === undefined) return refuse(response, 404, "not_found_error", `model: ${model}`);
    const parsed = requestSchema.safeParse(JSON.parse(body));
    if (!parsed.success) return violate(response, 400, JSON.stringify(parsed.error.issues[0]));
    const request = parsed.data;
    const violation = violationOf(request, issued);
    if (violation !== null) return violate(response, 400, violation);

    calls += 1;
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    const reply = await script(request, { turn, call: calls });
    if ("error" in reply) {
      const { status, type, message = type, code } = reply.error;
      return refuse(response, status, type, message, { headers: reply.headers, code });
    }
    if ("hang" in reply) return;
    const said = saidOf(reply, request);
    for (const block of said.content) if (block.type === "thinking") issued.add(thoughtKey(model, block));
    const tokens = cache.take(request, Date.now());
    seen.push({ request, tokens, outputTokens: outputTokensOf(said) });
    const events = eventsOf(`msg_${randomBytes(8).toString("hex")}`, model, said, tokens);
    if ("slowMs" in reply) await new Promise((resolve) => setTimeout(resolve, reply.slowMs));
    await send(response, reply, events);
  };

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      violations.push(String(error));
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The requests that were answered by a model, in order. */
    seen,
    /** The bodies of all requests, as they came. */
    bodies,
    calls: () => calls,
    /** Ends it; rejects when a request broke the rules of the API. */
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (violations.length > 0) throw new Error(`the Messages API would have refused: ${violations.join("; ")}`);
    },
  };
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function send(response: ServerResponse, reply: Reply, events: readonly StreamEvent[]): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "request-id": "req_test" });
  const write = (event: StreamEvent) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const broken = "breakAfter" in reply ? reply : null;
  for (const event of events.slice(0, broken?.breakAfter ?? events.length)) write(event);
  if (broken === null) {
    response.end();
    return;
  }
  // What was written is on its way before the connection goes.
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (broken.as === "cut") response.destroy();
  else {
    write({ type: "error", error: { type: broken.as, message: "Overloaded" }, request_id: "req_test" });
    response.end();
  }
}

let serial = 0;

/** The answer as blocks. Every answer begins with thinking, whose text is left out as models do by default. */
function saidOf(reply: Reply, { model }: MessagesRequest): Said {
  serial += 1;
  const thought: AssistantBlock = {
    type: "thinking",
    thinking: "",
    signature: `sig-${model}-${serial}-${"x".repeat(400)}`,
  };
  if ("use" in reply) {
    const uses = reply.use.map(({ name, input }, index): AssistantBlock => ({
      type: "tool_use",
      id: `toolu_${serial}_${index}`,
      name,
      input,
    }));
    return { content: [thought, ...uses], stopReason: "tool_use" };
  }
  if ("refuse" in reply) {
    return { content: [], stopReason: "refusal", refusal: { category: reply.refuse, explanation: null } };
  }
  if ("think" in reply) {
    const redacted: AssistantBlock = { type: "redacted_thinking", data: `data-${serial}` };
    return { content: [reply.think === "thinking" ? thought : redacted], stopReason: "end_turn" };
  }
  const words = "say" in reply ? reply.say : "Let me see.";
  return {
    content: [thought, { type: "text", text: words }],
    stopReason: ("stop" in reply && reply.stop) || "end_turn",
  };
}
