import { readFileSync } from "node:fs";
import { type JobMessage, jobMessageSchema } from "../../src/local/github/actions/messages.ts";
import type { ActionsWorld } from "./actions-world.ts";

/** A runner that does what the test says, over the wire that runners use. */
export async function fakeRunner(world: ActionsWorld, name: string, labels: string[], hosted = false) {
  const secret = readFileSync(world.github.actions.secretFile, "utf8");
  const send = async (
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${world.github.url}/_local/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json().catch((): unknown => null) };
  };
  const { id } = (await send("runners", { name, labels, hosted, os: "linux" })).body as { id: number };
  const ofJob = async (jobId: number, rest: string, body?: unknown) => send(`jobs/${jobId}/${rest}runner=${id}`, body);
  return {
    send,
    acquire: async (wait = 0, signal?: AbortSignal): Promise<JobMessage | null> => {
      const answer = await send(`runners/${id}/acquire?wait=${wait}`, undefined, signal);
      return answer.status === 200 ? jobMessageSchema.parse(answer.body) : null;
    },
    heartbeat: async (jobId: number, wait = 0) => ofJob(jobId, `heartbeat?wait=${wait}&`),
    log: async (jobId: number, offset: number, text: string) => ofJob(jobId, `log?offset=${offset}&`, text),
    artifact: async (jobId: number, name: string, text: string) =>
      (await ofJob(jobId, `artifact?name=${name}&`, text)).status,
    complete: async (jobId: number, conclusion: string, outputs: Record<string, string> = {}) =>
      ofJob(jobId, "complete?", { conclusion, outputs, steps: [] }),
  };
}
