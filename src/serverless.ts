/**
 * Handlers for platforms where no process stays: one call for each delivery, and one that a schedule makes. They are the
 * same loop (reconcile.ts) with nothing kept between calls but what makes reads free.
 *
 * Always: a call ends when its sessions have nothing to do but wait, their researchers' thinking done, or when its time is
 * over. Nothing of a session outlives it, so each pass looks at everything. With a Redis one call at a time has a session;
 * without, calls beside each other may waste work (docs/operations.md, Serverless), never corrupt.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { Probot } from "probot";
import { meteredAuthenticatorOf, replicasFor } from "./app.ts";
import { type Delivery, take } from "./delivery.ts";
import { type SessionKey, formatSessionKey } from "./domain/names.ts";
import { showsToken } from "./endpoints.ts";
import { type CallOptions, callOptionsOf, optionsOf } from "./environment.ts";
import { GitHubApp, PartlyRead } from "./github/app.ts";
import { hasWriteLimits } from "./github/octokit.ts";
import { type Hint, everything } from "./github/view.ts";
import { isEcho } from "./hints.ts";
import { Metrics } from "./metrics.ts";
import { Passes } from "./passes.ts";
import type { Next } from "./queue.ts";
import type { Replicas } from "./replicas.ts";
import { type Listening, type ServeOptions, logOf, probotOptions } from "./serve.ts";

export type ServerlessOptions = Omit<ServeOptions, keyof Listening> & CallOptions;

export type Handlers = {
  /**
   * One delivery. GitHub waits for ten seconds: with `waitUntil`, which platforms give for work after the answer, the
   * answer is 202 at once; without it the answer comes when the work is done.
   */
  readonly webhook: (request: Request, waitUntil?: (work: Promise<unknown>) => void) => Promise<Response>;
  /** One pass over every session; for a schedule, with the sweep's token. */
  readonly sweep: (request: Request) => Promise<Response>;
};

/** The handlers that the environment describes; throws a sentence about what is missing or wrong. */
export function handlersFrom(env: NodeJS.ProcessEnv): Handlers {
  const [options, call] = [optionsOf(env), callOptionsOf(env)];
  if ("problem" in options) throw new Error(options.problem);
  if ("problem" in call) throw new Error(call.problem);
  return handlersOf({ ...options, ...call });
}

export function handlersOf(options: ServerlessOptions): Handlers {
  const log = logOf(options);
  const probot = new Probot(probotOptions(options, log));
  const metrics = new Metrics();
  const github = new GitHubApp(meteredAuthenticatorOf(probot, metrics), {
    spaced: hasWriteLimits(options.apiUrl),
    unreadable: (what, error) => log.warn({ err: error, what }, "the sweep could not read it"),
  });
  const call: Call = { options, github, log, metrics };
  // Where the call is over nobody can be woken: what was written down waits for the next one.
  const late = () => {};
  return {
    webhook: async (request, waitUntil) => {
      const payload = await signedPayload(request, probot);
      if (payload === null) return answer(400, { because: "the signature does not fit the delivery" });
      const header = (name: string) => request.headers.get(`x-github-${name}`) ?? "";
      const delivery = { id: header("delivery"), event: header("event"), payload };
      // Most deliveries concern no session, and cost nothing. Who the bot is costs a request, and is asked afterwards.
      const heard = await take(delivery, { github, bot: "", pressWithinMs: options.pressWithinMs, late });
      if (heard === null) return answer(200, { passes: 0 });
      const work = passOn(call, delivery, heard.key);
      if (waitUntil === undefined) return work;
      waitUntil(work);
      return answer(202, {});
    },
    sweep: async (request) => {
      if (!showsToken(request.headers.get("authorization"), options.sweepToken)) {
        return answer(401, { because: "a sweep needs SWEEP_TOKEN as its bearer token" });
      }
      return sweepAll(call);
    },
  };
}

type Call = {
  readonly options: ServerlessOptions;
  readonly github: GitHubApp;
  readonly log: Logger;
  readonly metrics: Metrics;
};

async function signedPayload(request: Request, probot: Probot): Promise<unknown> {
  const body = await request.text();
  const signature = request.headers.get("x-hub-signature-256") ?? "";
  await probot.ready();
  const fits = await probot.webhooks.verify(body, signature).catch(() => false);
  try {
    return fits ? (JSON.parse(body) as unknown) : null;
  } catch {
    return null;
  }
}

async function passOn(call: Call, { event, payload }: Delivery, key: SessionKey): Promise<Response> {
  try {
    const { login } = await call.github.identity();
    if (isEcho(event, payload as object, login)) return answer(200, { passes: 0 });
    await passToRest(call, formatSessionKey(key), Date.now() + call.options.withinMs);
    return answer(200, { passes: 1 });
  } catch (error) {
    call.log.error({ err: error, event }, "the delivery came to nothing; the next sweep makes up for it");
    return answer(500, { because: "the pass failed; the next sweep makes up for it" });
  }
}

/** Each session once, in a random order, so that none is always the one for which there was no time. */
async function sweepAll(call: Call): Promise<Response> {
  const endMs = Date.now() + call.options.withinMs;
  const { waiting, unread } = await listed(call);
  const sessions = waiting.length;
  let failed = 0;
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined && Date.now() < endMs; next = waiting.pop()) {
      // It was logged where it failed; the others go on.
      await passToRest(call, next.name, endMs).catch(() => (failed += 1));
    }
  };
  await Promise.all(Array.from({ length: call.options.concurrency }, work));
  const rest = unread === null ? {} : { because: unread };
  return answer(failed === 0 && unread === null ? 200 : 500, { sessions, failed, left: waiting.length, ...rest });
}

/** All sessions, in a random order, and what of them could not be read; one repository must not hide the others. */
async function listed({ github }: Call): Promise<{ waiting: { name: string }[]; unread: string | null }> {
  const found: { name: string; turn: number }[] = [];
  let unread: string | null = null;
  try {
    for await (const key of github.sessions()) found.push({ name: formatSessionKey(key), turn: Math.random() });
  } catch (error) {
    if (!(error instanceof PartlyRead)) throw error;
    unread = error.message;
  }
  return { waiting: found.sort((a, b) => a.turn - b.turn), unread };
}

/** So short a wait is waited in the call: nobody would wake the session when it is over. */
const patienceMs = 15_000;
const timerHint: Hint = new Set(["runs", "checks"]);

/** Passes over a session until there is nothing to do but wait for others, or until `endMs`. */
async function passToRest(call: Call, session: string, endMs: number): Promise<void> {
  const { options, log } = call;
  const bell = new Bell();
  const ring = (key: SessionKey) => {
    // Under its new name a session is another call's.
    if (formatSessionKey(key) === session) bell.ring();
  };
  const passes = new Passes({ ...call, researcherFor: options.researcherFor, wake: ring, now: () => Date.now() });
  const hooks = { wake: () => bell.ring(), lost: () => {} };
  const replicas = replicasFor(options, log, hooks, false);
  const timeUp = setTimeout(() => passes.stop(), endMs - Date.now());
  try {
    let hint = everything;
    while (Date.now() < endMs) {
      const told = await heldBy(replicas, session);
      if (told === null) break;
      const dueMs = dueAtMs(await passes.run(session, hint.union(told)));
      const soon = passes.isThinking(session) || bell.rung || dueMs <= Date.now() + patienceMs;
      if (!soon) await passes.settle();
      const more = await replicas.end(session, !soon);
      if (!soon && !more) break;
      if (more) bell.ring();
      // A researcher that thinks rings when it is done.
      hint = (await bell.rings(Math.min(passes.isThinking(session) ? endMs : dueMs, endMs))) ? new Set() : timerHint;
    }
  } finally {
    clearTimeout(timeUp);
    passes.stop();
    await passes.settle();
    await replicas.close();
  }
}

/** What other calls told of the session, which is now this call's; null: it is another's, which was told. */
async function heldBy(replicas: Replicas, session: string): Promise<Hint | null> {
  const told = await replicas.begin(session);
  if (told !== null) return told;
  replicas.tell(session, everything, "replica");
  // Should the other have ended in between, nobody would read what it was told.
  return replicas.begin(session);
}

/** What a researcher rings when it is done thinking. */
class Bell {
  #ring = Promise.withResolvers<void>();
  #rung = false;

  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#ring.resolve();
  }

  /** Waits until it rings, and takes that in; false: it did not until then. */
  async rings(untilMs: number): Promise<boolean> {
    const turn = new AbortController();
    await Promise.race([this.#ring.promise, sleep(Math.max(0, untilMs - Date.now()), undefined, turn)]);
    turn.abort();
    const rung = this.#rung;
    this.#rung = false;
    this.#ring = Promise.withResolvers();
    return rung;
  }
}

function dueAtMs(next: Next): number {
  if (next === null) return Number.POSITIVE_INFINITY;
  return typeof next === "number" ? next : next.notBeforeMs;
}

function answer(status: number, body: Readonly<Record<string, unknown>>): Response {
  return Response.json(body, { status });
}
