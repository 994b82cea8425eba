/**
 * The side of Actions that runners see: they register, take jobs, are told to cancel, hand in logs and results; and the
 * clock that ends what nobody else ends (a runner that is gone, a queue of a day, a cancellation that is not heard).
 *
 * Always: a request of a runner about a job that is not its own any more is answered 410 and changes nothing.
 */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { keepArtifact } from "./actions/artifacts.ts";
import { jobContexts } from "./actions/contexts.ts";
import { appendLog, logFile } from "./actions/job-log.ts";
import { isSignedAddress } from "./actions/log-address.ts";
import { completeSchema, type JobMessage, registerSchema, stepsSchema } from "./actions/messages.ts";
import { jobOfRunner, jobsOf, jobsWith, type Runner, runnerNamed, runsWith, type WorkflowJob } from "./actions/rows.ts";
import { runnerSecret, runnerSecretFile } from "./actions/runner-secret.ts";
import { advance, endJob, giveUpJob, noteSteps, placeOf, takeJob, workflowOf } from "./actions/runs.ts";
import type { Core } from "./core.ts";
import { fullName, repositoryOf } from "./finders.ts";

export type ActionsOptions = {
  /** A runner that was not heard of for so long is lost, and so is its job. GitHub waits about ten minutes. */
  readonly lostAfterSeconds?: number;
  /** A job that no runner took for so long fails. */
  readonly queueLimitHours?: number;
  /** A job whose runner does not act on a cancellation for so long is cancelled without it. */
  readonly cancelLimitSeconds?: number;
};

export type Actions = {
  /** The file with the secret that runners show. */
  readonly secretFile: string;
  /** Looks at the clock now: what is overdue ends. It also happens by itself, once a second. */
  readonly sweep: () => void;
  readonly stop: () => void;
};

type Limits = { readonly lostMs: number; readonly queueMs: number; readonly cancelMs: number };
type State = {
  readonly core: Core;
  readonly limits: Limits;
  readonly heard: Map<number, number>;
  readonly startedMs: number;
};

/** Answers the requests of runners; null: not theirs. */
type RunnerHandler = (request: Request) => Promise<Response | null>;

/** Lets runners in, and goes on with the runs that were under way. */
export function openActions(
  core: Core,
  serve: (handler: RunnerHandler) => void,
  options: ActionsOptions = {},
): Actions {
  const state: State = {
    core,
    limits: {
      lostMs: (options.lostAfterSeconds ?? 60) * 1_000,
      queueMs: (options.queueLimitHours ?? 24) * 3_600_000,
      cancelMs: (options.cancelLimitSeconds ?? 300) * 1_000,
    },
    heard: new Map(),
    startedMs: core.now().getTime(),
  };
  // A process that died between two steps of a run left it where it was.
  for (const status of ["queued", "in_progress"] as const)
    for (const run of runsWith(core.store, status)) advance(core, run.id);
  const stopped = new AbortController();
  serve((request) => answerRunner(state, request, stopped.signal));
  const timer = setInterval(() => sweep(state), 1_000);
  timer.unref();
  return {
    secretFile: (runnerSecret(core), runnerSecretFile(core)),
    sweep: () => sweep(state),
    stop: () => {
      clearInterval(timer);
      stopped.abort();
    },
  };
}

function sweep({ core, limits, heard, startedMs }: State): void {
  const nowMs = core.now().getTime();
  for (const runner of core.store.all("runner")) {
    if (!runner.online || nowMs - (heard.get(runner.id) ?? startedMs) <= limits.lostMs) continue;
    core.store.put("runner", { ...runner, online: false });
    loseJobOf(core, runner);
  }
  for (const job of jobsWith(core.store, "queued")) {
    if (nowMs - Date.parse(job.createdAt) <= limits.queueMs) continue;
    const labels = job.labels.join(", ");
    giveUpJob(
      core,
      job,
      "failure",
      `The job was queued for more than 24 hours: no runner with the labels ${labels} took it.`,
    );
  }
  for (const job of jobsWith(core.store, "in_progress")) {
    if (job.cancelledAt === null || nowMs - Date.parse(job.cancelledAt) <= limits.cancelMs) continue;
    giveUpJob(core, job, "cancelled", "The runner did not act on the cancellation.");
  }
}

function loseJobOf(core: Core, runner: Runner): void {
  const job = jobOfRunner(core.store, runner.id);
  if (job === undefined) return;
  const kind = runner.hosted ? "hosted" : "self-hosted";
  giveUpJob(
    core,
    job,
    "failure",
    `The ${kind} runner: ${runner.name} lost communication with the server. Verify the machine is running and has a healthy network connection.`,
  );
}

const runnerPath = /^\/_local\/runners(?:\/(\d+)(?:\/(acquire))?)?$/;
const jobPath = /^\/_local\/jobs\/(\d+)\/(heartbeat|steps|log|artifact|complete)$/;
const logPath = /^\/_local\/logs\/(\d+)$/;
const maxWaitSeconds = 30;

async function answerRunner(state: State, request: Request, stopped: AbortSignal): Promise<Response | null> {
  const url = new URL(request.url);
  const log = logPath.exec(url.pathname);
  if (log !== null) return readLog(state.core, Number(log[1]), url.searchParams);
  const [runner, job] = [runnerPath.exec(url.pathname), jobPath.exec(url.pathname)];
  if (runner === null && job === null) return null;
  if (request.headers.get("authorization") !== `Bearer ${runnerSecret(state.core)}`)
    return new Response(null, { status: 401 });
  const waitMs = Math.min(Number(url.searchParams.get("wait") ?? 0), maxWaitSeconds) * 1_000;
  const wait: Wait = { ms: waitMs, ended: AbortSignal.any([request.signal, stopped]) };
  if (job !== null) return answerJob(state, request, Number(job[1]), job[2]!, url, wait);
  if (runner?.[1] === undefined) return register(state, request);
  const row = state.core.store.get("runner", Number(runner[1]));
  if (row === undefined) return new Response(null, { status: 404 });
  if (runner[2] === "acquire") return acquire(state, row, wait);
  if (request.method === "DELETE") state.core.store.put("runner", { ...row, online: false });
  return new Response(null, { status: 204 });
}

async function readLog(core: Core, jobId: number, query: URLSearchParams): Promise<Response> {
  if (!isSignedAddress(core, jobId, query))
    return new Response("The address is not valid any more.\n", { status: 403 });
  const text = await readFile(logFile(core, jobId)).catch(() => Buffer.alloc(0));
  return new Response(new Uint8Array(text), { headers: { "content-type": "text/plain; charset=utf-8" } });
}

async function register(state: State, request: Request): Promise<Response> {
  const wanted = await bodyOf(request, registerSchema);
  if (wanted === null) return new Response(null, { status: 400 });
  const { store } = state.core;
  const known = runnerNamed(store, wanted.name);
  if (known !== undefined) loseJobOf(state.core, known);
  const row = store.put("runner", { id: known?.id ?? store.nextId(), ...wanted, online: true });
  hear(state, row.id);
  return Response.json({ id: row.id });
}

function hear(state: State, runnerId: number): void {
  state.heard.set(runnerId, state.core.now().getTime());
  const runner = state.core.store.get("runner", runnerId);
  if (runner !== undefined && !runner.online) state.core.store.put("runner", { ...runner, online: true });
}

type Wait = { readonly ms: number; readonly ended: AbortSignal };

async function acquire(state: State, runner: Runner, wait: Wait): Promise<Response> {
  hear(state, runner.id);
  const taken = await firstOf(state.core, wait, () => {
    // A runner that hung up takes nothing.
    if (wait.ended.aborted || jobOfRunner(state.core.store, runner.id) !== undefined) return null;
    return takeJob(state.core, runner);
  });
  hear(state, runner.id);
  return taken === null
    ? new Response(null, { status: 204 })
    : Response.json(messageOf(state.core, taken.job, taken.token));
}

function messageOf(core: Core, job: WorkflowJob, token: string): JobMessage {
  const run = core.store.get("workflowRun", job.runId)!;
  const workflow = workflowOf(core, run);
  const definition = workflow.jobs.find(({ key }) => key === job.key)!;
  return {
    jobId: job.id,
    name: job.name,
    repository: fullName(core.store, repositoryOf(core.store, job.repoId)),
    token,
    contexts: { ...jobContexts(run, placeOf(core, run), definition, jobsOf(core.store, run)) },
    env: { ...workflow.env, ...definition.env },
    outputs: { ...definition.outputs },
    steps: definition.steps.map(({ if: condition, ...step }) => ({
      ...step,
      ...(condition === undefined ? {} : { if: condition }),
    })),
    timeoutMinutes: definition.timeoutMinutes,
  };
}

async function answerJob(
  state: State,
  request: Request,
  jobId: number,
  action: string,
  url: URL,
  wait: Wait,
): Promise<Response> {
  const { core } = state;
  const own = (): WorkflowJob | null => {
    const job = core.store.get("workflowJob", jobId);
    return job?.status === "in_progress" && String(job.runnerId) === url.searchParams.get("runner") ? job : null;
  };
  const gone = new Response(null, { status: 410 });
  if (own() !== null) hear(state, own()!.runnerId!);
  switch (action) {
    case "heartbeat": {
      await firstOf(core, wait, () => (own() === null || own()?.cancelledAt !== null ? true : null));
      const job = own();
      if (job === null) return gone;
      hear(state, job.runnerId!);
      return Response.json({ cancel: job.cancelledAt !== null });
    }
    case "log": {
      const text = Buffer.from(await request.arrayBuffer());
      if (own() === null) return gone;
      appendLog(core, jobId, Number(url.searchParams.get("offset") ?? 0), text);
      return new Response(null, { status: 204 });
    }
    case "artifact": {
      const bytes = Buffer.from(await request.arrayBuffer());
      const job = own();
      if (job === null) return gone;
      const kept = keepArtifact(core, job, url.searchParams.get("name") ?? "artifact", bytes);
      return new Response(null, { status: kept === null ? 409 : 204 });
    }
    case "steps": {
      const body = await bodyOf(request, stepsSchema);
      const job = own();
      if (job === null) return gone;
      if (body === null) return new Response(null, { status: 400 });
      noteSteps(core, job, body.steps);
      return new Response(null, { status: 204 });
    }
    default: {
      const body = await bodyOf(request, completeSchema);
      const job = own();
      if (job === null) return gone;
      if (body === null) return new Response(null, { status: 400 });
      endJob(core, job, body);
      return new Response(null, { status: 204 });
    }
  }
}

/** What `look` finds: now, or after any change to a job; null when the time is over or the caller is gone. */
async function firstOf<T>(core: Core, wait: Wait, look: () => T | null): Promise<T | null> {
  const found = look();
  if (found !== null || wait.ms === 0 || wait.ended.aborted) return found;
  return new Promise((resolve) => {
    const end = (value: T | null): void => {
      off();
      clearTimeout(timer);
      wait.ended.removeEventListener("abort", onAbort);
      resolve(value);
    };
    const onAbort = (): void => end(null);
    const timer = setTimeout(() => end(look()), wait.ms);
    const off = core.signals.on("change", (change) => {
      if (change.kind !== "other" || change.topic !== "job") return;
      const value = look();
      if (value !== null) end(value);
    });
    wait.ended.addEventListener("abort", onAbort, { once: true });
  });
}

async function bodyOf<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S> | null> {
  const body: unknown = await request.json().catch(() => null);
  const parsed = schema.safeParse(body);
  return parsed.success ? parsed.data : null;
}
