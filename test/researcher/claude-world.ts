/** The researcher `claude` before a scripted server, through the real SDK. */
import { onTestFinished } from "vitest";
import type { Answer, Brief, Proposal } from "../../src/domain/proposal.ts";
import { claude } from "../../src/researcher/claude/claude.ts";
import type { Pace } from "../../src/researcher/claude/conversation.ts";
import { Later } from "../../src/researcher/later.ts";
import { briefWith, train } from "../support/brief.ts";
import {
  type MessagesServer,
  type Reply,
  type Script,
  startMessagesServer,
  testKey,
} from "../support/messages-server/server.ts";
import { type KeptPurse, purseOf } from "../support/purse.ts";
import { configWith } from "../support/session.ts";

export const quick: Pace = { pausesMs: [1, 1], longestPauseMs: 1_000, callTimeoutMs: 15_000 };

export type Asked = { readonly answer: Answer; readonly server: MessagesServer; readonly purse: KeptPurse };

/** Asks once, with a script of replies; a purse of $20 where none is given. */
export async function ask(
  script: Script | readonly Reply[],
  given: Partial<Brief> & { purse?: KeptPurse; pace?: Pace; key?: string; signal?: AbortSignal } = {},
): Promise<Asked> {
  const { purse = purseOf(20), pace = quick, key = testKey, signal = new AbortController().signal, ...rest } = given;
  const server = await startMessagesServer(
    typeof script === "function" ? script : (_request, { call }) => script[call - 1] ?? script.at(-1)!,
  );
  onTestFinished(() => server.close());
  const researcher = claude({ apiKey: key, baseUrl: server.url, path: process.env["PATH"] ?? "" }, pace);
  const answer = await researcher.propose(briefWith({ config: configWith(), purse, ...rest }), signal);
  return { answer, server, purse };
}

/** The proposal that the asking ended with. */
export function proposalIn({ answer }: Asked): Proposal {
  if (answer.kind !== "proposal") throw new Error(`no proposal: ${JSON.stringify(answer)}`);
  return answer.proposal;
}

export const edit = (old_text = "LR = 0.02", new_text = "LR = 0.04", path = train.path): Reply => ({
  use: [{ name: "edit_file", input: { path, old_text, new_text } }],
});

export const submission = {
  title: "Twice the learning rate",
  hypothesis: "It is too small for the batch.",
  kind: "hyperparameter",
  expected: "lower by 0.002",
  refuted_by: "no difference",
  lesson: "Depth does not matter.",
  ideas: ["Warm up longer."],
  foreclosed: [],
};

export const submit = (given: Partial<Record<keyof typeof submission, unknown>> = {}): Reply => ({
  use: [{ name: "submit", input: { ...submission, ...given } }],
});

/** What the tools answered in the last request, in order. */
export function resultsIn(server: MessagesServer): { text: string; isError: boolean }[] {
  const { request } = server.seen.at(-1)!;
  return request.messages.flatMap(({ content }) =>
    (content as { type: string; content?: unknown; is_error?: boolean }[]).flatMap((block) =>
      block.type === "tool_result" ? [{ text: block.content as string, isError: block.is_error === true }] : [],
    ),
  );
}

/** How a researcher that can only wait says so. */
export async function later(given: Promise<unknown>): Promise<{ because: string; retryAfterMs: number }> {
  const error = await given.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Later)) throw new Error(`not Later: ${String(error)}`);
  return { because: error.message, retryAfterMs: error.retryAfterMs };
}
