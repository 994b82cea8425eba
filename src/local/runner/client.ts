/**
 * The runner's side of the talk with the local GitHub (github/actions/messages.ts has its forms).
 *
 * Always: what is sent about a job is sent until it was answered; a server that is away for a while is waited for. A job
 * that is not ours any more (410) is told as `gone`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  heartbeatSchema,
  type JobMessage,
  jobMessageSchema,
  registeredSchema,
  type StepState,
} from "../github/actions/messages.ts";

export type Identity = {
  readonly name: string;
  readonly labels: readonly string[];
  readonly hosted: boolean;
  readonly os: string;
};

export type Completion = {
  readonly conclusion: "success" | "failure" | "cancelled";
  readonly outputs: Readonly<Record<string, string>>;
  readonly steps: readonly StepState[];
};

export type RunnerClient = {
  /** A job, or null when none came for a while; `unknown`: the server does not know us, register again. */
  readonly acquire: (runnerId: number, signal: AbortSignal) => Promise<JobMessage | null | "unknown">;
  readonly register: (identity: Identity, signal: AbortSignal) => Promise<number>;
  /** Resolves at once when the job is cancelled, else after a while. */
  readonly heartbeat: (runnerId: number, jobId: number, signal: AbortSignal) => Promise<"on" | "cancel" | "gone">;
  readonly log: (runnerId: number, jobId: number, offset: number, text: Buffer) => Promise<"kept" | "gone">;
  /** Hands a file in; `taken`: the run has one of this name. */
  readonly artifact: (
    runnerId: number,
    jobId: number,
    name: string,
    file: Buffer,
  ) => Promise<"kept" | "taken" | "gone">;
  readonly steps: (runnerId: number, jobId: number, steps: readonly StepState[]) => Promise<void>;
  readonly complete: (runnerId: number, jobId: number, completion: Completion) => Promise<void>;
  /** Tells that the runner goes away; does not insist. */
  readonly leave: (runnerId: number) => Promise<void>;
};

const acquireSeconds = 20;
const heartbeatSeconds = 5;
const pausesMs = [100, 250, 500, 1_000, 2_000];
const requestMs = 60_000;
/** How long the end of a job is insisted on while the server is away. */
const insistMs = 120_000;

/** @throws (from every call) Error when the secret is not the server's */
export function runnerClient(url: string, secret: string): RunnerClient {
  const send: Send = async (method, path, body, signal) => {
    const response = await fetch(`${url}/_local/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${secret}`,
        "content-type": Buffer.isBuffer(body) ? "text/plain; charset=utf-8" : "application/json",
      },
      ...(body === undefined ? {} : { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) }),
      signal,
    });
    if (response.status === 401) throw new Refused("the secret is not the one of this local GitHub");
    return { status: response.status, body: await response.json().catch((): unknown => null) };
  };
  const ofJob = (runnerId: number, jobId: number, rest: string) => `jobs/${jobId}/${rest}runner=${runnerId}`;
  return {
    register: async (identity, signal) => {
      const answer = await insist(send, "POST", "runners", identity, signal);
      return registeredSchema.parse(answer.body).id;
    },
    acquire: async (runnerId, signal) => {
      const answer = await insist(
        send,
        "POST",
        `runners/${runnerId}/acquire?wait=${acquireSeconds}`,
        undefined,
        signal,
      );
      if (answer.status === 404) return "unknown";
      return answer.status === 200 ? jobMessageSchema.parse(answer.body) : null;
    },
    heartbeat: async (runnerId, jobId, signal) => {
      const path = ofJob(runnerId, jobId, `heartbeat?wait=${heartbeatSeconds}&`);
      const answer = await insist(send, "POST", path, undefined, signal);
      if (answer.status !== 200) return "gone";
      return heartbeatSchema.parse(answer.body).cancel ? "cancel" : "on";
    },
    log: async (runnerId, jobId, offset, text) => {
      const path = ofJob(runnerId, jobId, `log?offset=${offset}&`);
      const answer = await insist(send, "POST", path, text, AbortSignal.timeout(insistMs));
      return answer.status === 204 ? "kept" : "gone";
    },
    artifact: async (runnerId, jobId, name, file) => {
      const path = ofJob(runnerId, jobId, `artifact?name=${encodeURIComponent(name)}&`);
      const { status } = await insist(send, "POST", path, file, AbortSignal.timeout(insistMs));
      return status === 204 ? "kept" : status === 409 ? "taken" : "gone";
    },
    steps: async (runnerId, jobId, steps) => {
      await insist(send, "POST", ofJob(runnerId, jobId, "steps?"), { steps }, AbortSignal.timeout(insistMs));
    },
    complete: async (runnerId, jobId, completion) => {
      await insist(send, "POST", ofJob(runnerId, jobId, "complete?"), completion, AbortSignal.timeout(insistMs));
    },
    leave: async (runnerId) => {
      await send("DELETE", `runners/${runnerId}`, undefined, AbortSignal.timeout(1_000)).catch(() => {});
    },
  };
}

type Answer = { readonly status: number; readonly body: unknown };
type Send = (method: string, path: string, body: unknown, signal: AbortSignal) => Promise<Answer>;

/** Trying again would not help. */
export class Refused extends Error {}

/** Sends until there is an answer; throws when the signal is aborted first. */
async function insist(send: Send, method: string, path: string, body: unknown, signal: AbortSignal): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      const answer = await send(method, path, body, AbortSignal.any([signal, AbortSignal.timeout(requestMs)]));
      if (answer.status < 500) return answer;
    } catch (error) {
      if (error instanceof Refused || signal.aborted) throw error;
    }
    await sleep(pausesMs[Math.min(attempt, pausesMs.length - 1)], undefined, { signal });
  }
}
