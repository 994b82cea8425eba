/** Answers that use no tool: the model is reminded, and the conversation that was paid for goes on. */
import { expect, test } from "vitest";
import type { Reply } from "../support/messages-server/server.ts";
import { configWith } from "../support/session.ts";
import { ask, edit, submit } from "./claude-world.ts";

const only = configWith({ researcher: { fallbacks: [] } });

test("who talks instead of working is reminded, twice", async () => {
  const { answer, server } = await ask([{ say: "I would raise the rate." }, { say: "Shall I?" }, edit(), submit()]);
  expect(answer.kind).toBe("proposal");
  expect(JSON.stringify(server.seen[1]!.request.messages.at(-1))).toContain("end with `submit`");
  await expect(ask([{ say: "No." }], { config: only })).rejects.toThrow("claude-opus-5-5 ended without a submission");
});

test("who only thinks is reminded, and the conversation goes on with the same model", async () => {
  for (const think of ["thinking", "redacted_thinking"] as const) {
    const replies: Reply[] = [{ think }, edit(), { think }, submit()];
    const { answer, server } = await ask(replies, { config: only });
    expect(answer).toMatchObject({ kind: "proposal", proposal: { researcher: "claude-opus-5-5" } });
    const said = server.seen.map(({ request }) => request.messages);
    expect(said.map((messages) => messages.map(({ role }) => role))).toEqual([
      ["user"],
      ["user"],
      ["user", "assistant", "user"],
      ["user", "assistant", "user"],
    ]);
    for (const reminded of [said[1]!, said[3]!])
      expect(JSON.stringify(reminded.at(-1)!.content.at(-1))).toContain("end with `submit`");
  }
  await expect(ask([{ think: "thinking" }], { config: only })).rejects.toThrow("ended without a submission");
});
