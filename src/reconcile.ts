/**
 * The loop. One pass over one session: observe what GitHub shows, decide the next thing (pure), act, fold the answer in,
 * and decide again, until there is nothing to do but wait.
 *
 * Always: a pass may be cut off at any point and begun again from nothing; it may run beside another one, which costs work
 * and no more. A failed write is never repeated: everything is looked at anew.
 */
import { decide } from "./domain/decide.ts";
import { type Action, type ActionOf, type Decision, experimentIn } from "./domain/action.ts";
import type { SessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import { type Running, type Session, type SessionState, hasStarted, isEnded } from "./domain/session.ts";
import { parseCandidate } from "./domain/trailers.ts";
import type { Config } from "./domain/config.ts";
import { type Context, act } from "./github/act.ts";
import { contentKey } from "./github/files.ts";
import { sayTrouble } from "./github/act-labels.ts";
import { setState } from "./github/act-results.ts";
import { briefOf } from "./github/brief.ts";
import type { Client } from "./github/client.ts";
import { classify, isRest, isStatus } from "./github/errors.ts";
import { Held } from "./github/pace.ts";
import { observe } from "./github/observe.ts";
import { sessionOf } from "./github/session-of.ts";
import { type Hint, type Identity, type View, emptyView, everything } from "./github/view.ts";
import type { Next } from "./queue.ts";
import { Desk } from "./researcher/desk.ts";

export type Log = {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
};

/** What the process remembers of a session between passes: a cache, a desk, and who sits at it. */
export type Memory = {
  view: View;
  readonly desk: Desk;
  hired: { readonly config: Config; readonly researcher: Researcher } | null;
  lastAction: string;
  repeats: number;
  failures: number;
};

export type Deps = {
  readonly clientFor: (key: SessionKey) => Promise<Client>;
  /** Throws `Resting` where the app lost its access to the session's repository. */
  readonly confirm: (key: SessionKey) => Promise<void>;
  readonly identity: () => Promise<Identity>;
  readonly researcherFor: (config: Config) => Researcher;
  readonly wake: (key: SessionKey) => void;
  readonly now: () => number;
  /** Of this pass: it names the session and the pass in every line. */
  readonly log: Log;
  /** Hears of every action that was carried out. */
  readonly acted: (action: Action) => void;
  /** True when the process is about to end: the pass begins no action any more. */
  readonly stopping: () => boolean;
};

const stepsAtMost = 100;
/** The same action so often in a row means that it changes nothing: a person is asked (docs/design.md, rule 10). */
const repeatsAtMost = 5;

export function emptyMemory(key: SessionKey): Memory {
  return { view: emptyView(key), desk: new Desk(contentKey), hired: null, lastAction: "", repeats: 0, failures: 0 };
}

/** One pass; answers when the next one is due, or null: when woken. */
export async function reconcile(key: SessionKey, hint: Hint, memory: Memory, deps: Deps): Promise<Next> {
  const context: Context = {
    client: await deps.clientFor(key),
    identity: await deps.identity(),
    now: deps.now,
    view: memory.view,
    account: () => memory.desk.account,
  };
  for (const aspect of hint) memory.view.old.add(aspect);

  for (let step = 0; step < stepsAtMost && !deps.stopping(); step += 1) {
    let inHand: Action | null = null;
    try {
      // 1. What is the case?
      await observe(context.client, memory.view, context.identity, deps.now());
      clearIfUsed(memory);
      const known = sessionIn(context, memory, deps);
      if (known === null) return null;
      if (known.record !== null && isEnded(known.record.state)) memory.desk.clear();
      // 2. What is to be done?
      const decision = decide(known);
      if (decision.kind === "wait") {
        deps.log.debug({ action: "wait", because: decision.because, untilMs: decision.untilMs }, "wait");
        return decision.untilMs;
      }
      if (deps.stopping()) break;
      const chosen = unlessStuck(decision, memory);
      inHand = chosen.action;
      deps.log.info({ ...fieldsOf(inHand), because: chosen.because }, inHand.kind);
      // 3. Do it.
      await carryOut(chosen, known, context, memory, deps);
      memory.failures = 0;
      deps.acted(inHand);
    } catch (error) {
      const waitMs = await answerCalmly(error, inHand, context, memory, deps);
      if (waitMs !== null) return { notBeforeMs: deps.now() + waitMs };
    }
  }
  return deps.now();
}

/** How the log names what is done or was tried; null: the session was looked at. */
function fieldsOf(action: Action | null): Record<string, unknown> {
  if (action === null) return { action: "observe" };
  const experiment = experimentIn(action);
  return { action: action.kind, ...(experiment === null ? {} : { experiment }) };
}

/** The session as the view and the desk have it; null where there is no issue. */
function sessionIn({ view, identity, client }: Context, memory: Memory, deps: Deps): Session | null {
  const { record } = view;
  const { desk } = memory;
  if (record !== null) desk.sees(record.ledger, record.config.limits.cost_usd);
  const researcher = record === null ? null : researcherOf(record.config, memory, deps);
  const traits = { repairs: researcher?.repairs === true, wordless: researcher?.wordless === true };
  const study = { desk: desk.state, account: desk.account, traits };
  return sessionOf(view, study, identity, deps.now(), client.slow);
}

/** One researcher for as long as the configuration is the same. */
function researcherOf(config: Config, memory: Memory, deps: Deps): Researcher {
  if (memory.hired?.config !== config) memory.hired = { config, researcher: deps.researcherFor(config) };
  return memory.hired.researcher;
}

async function carryOut(
  { action }: Extract<Decision, { kind: "do" }>,
  session: Session,
  context: Context,
  memory: Memory,
  deps: Deps,
): Promise<void> {
  const { desk } = memory;
  if (action.kind === "propose" && hasStarted(session)) return think(action, session, context, memory, deps);
  if (action.kind === "propose") return;
  // After the end nothing is spent any more: what is set aside by then is all that the last write has to keep.
  const state = stateAfter(action);
  if (state !== null && isEnded(state)) desk.clear();
  await act(action, context);
  if (isAnswered(action)) desk.clear();
  if (state === "running") desk.tryAgain();
}

async function think(
  action: ActionOf<"propose">,
  session: Running,
  context: Context,
  memory: Memory,
  deps: Deps,
): Promise<void> {
  const { key } = memory.view;
  const researcher = researcherOf(session.record.config, memory, deps);
  const task = await briefOf(context, session, action);
  memory.desk.think(researcher, task, deps.now, () => deps.wake(key));
}

/** What was on the desk is answered. */
function isAnswered({ kind }: Action): boolean {
  return kind === "mend" || kind === "fillPurse" || kind === "dropTry";
}

/**
 * Takes an idea off the desk when it is on GitHub, and only then: to open it may have been done by a write of which no answer
 * came; and where a dead pass left a branch of the same number, that was opened, and the idea keeps for the next one.
 */
function clearIfUsed({ view, desk }: Memory): void {
  if (desk.state.kind !== "ready") return;
  const { key } = desk.state.prepared;
  const isInFlight = [...view.pulls.values()].some(({ head }) => {
    const message = view.commits.get(head)?.message;
    return message !== undefined && parseCandidate(message)?.key === key;
  });
  if (isInFlight || view.record?.tried.includes(key) === true) desk.clear();
}

/** The state that the action brings the session into; null: it stays in its own. */
function stateAfter(action: Action): SessionState | null {
  switch (action.kind) {
    case "obey":
      return action.change?.state ?? null;
    case "setState":
      return action.change.state;
    case "finish":
      return "done";
    default:
      return null;
  }
}

/** Thrown when an action changes nothing and there is no session that could be blocked: the queue comes back later. */
class Stuck extends Error {
  override name = "Stuck";
}

/** The decision, or, when it was taken over and over without effect, to ask a person. */
function unlessStuck(decision: Extract<Decision, { kind: "do" }>, memory: Memory): Extract<Decision, { kind: "do" }> {
  const { action } = decision;
  const name = JSON.stringify(action);
  // The researcher may be asked the same again: it answers later, and its failures have their own pauses.
  memory.repeats = name === memory.lastAction && action.kind !== "propose" ? memory.repeats + 1 : 0;
  memory.lastAction = name;
  if (memory.repeats < repeatsAtMost) return decision;
  memory.repeats = 0;
  const because = `${action.kind} was done ${repeatsAtMost} times and changed nothing (${decision.because})`;
  const { record } = memory.view;
  if (record === null || record.state !== "running") throw new Stuck(because);
  const change = { state: "blocked", by: null, because } as const;
  return { kind: "do", action: { kind: "setState", change, restart: null }, because };
}

/** Equal failures in a row after which an issue without a session is told. */
const failuresToTell = 4;
const firstPauseMs = 1_000;
const longestPauseMs = 300_000;

/** As `answerError`; where telling a person of an error meets another one, both are left to the next pass. */
async function answerCalmly(
  error: unknown,
  inHand: Action | null,
  context: Context,
  memory: Memory,
  deps: Deps,
): Promise<number | null> {
  try {
    return await answerError(error, inHand, context, memory, deps);
  } catch (second) {
    if (second instanceof Stuck || isRest(second)) throw second;
    const kind = classify(second, deps.now());
    deps.log.warn({ ...fieldsOf(inHand), because: kind.because }, "the error could not be told");
    forget(context.view);
    const pauseMs = Math.min(firstPauseMs * 2 ** memory.failures, longestPauseMs);
    return kind.kind === "later" ? Math.max(kind.afterMs, pauseMs) : pauseMs;
  }
}

/**
 * How long nothing is to be done; null: look again at once. Throws where there is no session that could be blocked, or where
 * the session is to rest or has another name.
 */
async function answerError(
  error: unknown,
  inHand: Action | null,
  context: Context,
  memory: Memory,
  deps: Deps,
): Promise<number | null> {
  if (error instanceof Stuck || isRest(error)) throw error;
  const { view } = context;
  const kind = classify(error, deps.now());
  // Whoever may see nothing any more is told that nothing is there.
  if (kind.kind !== "later" && isStatus(error, 401, 403, 404)) await deps.confirm(view.key);
  if (error instanceof Held && kind.kind === "later") {
    // Nothing was sent: what is known is still so, and the action was not tried.
    deps.log.info({ ...fieldsOf(inHand), because: kind.because, waitMs: kind.afterMs }, "held");
    memory.repeats = 0;
    memory.lastAction = "";
    return kind.afterMs;
  }
  deps.log.warn({ ...fieldsOf(inHand), kind: kind.kind, because: kind.because }, "the pass met an error");
  view.old = new Set(everything);
  memory.failures += 1;
  if (kind.kind === "later") {
    // What was written may or may not have been done: nothing that we folded in is trusted.
    forget(view);
    memory.repeats = 0;
    return kind.afterMs;
  }
  const { record } = view;
  const blocks = kind.kind === "person" && record !== null && record.state === "running";
  if (blocks) {
    await setState({ state: "blocked", by: null, because: kind.because }, null, context);
    return null;
  }
  const tells = kind.kind === "person" || memory.failures === failuresToTell;
  if (tells && record === null && view.start?.kind === "ready") await sayTrouble(kind.because, context);
  // The first look that was out of date is mended by looking again; the next ones take their time.
  return memory.failures === 1 && kind.kind === "stale"
    ? null
    : Math.min(firstPauseMs * 2 ** memory.failures, longestPauseMs);
}

/** Forgets what may have changed behind an unknown outcome; what never changes (commits) stays. */
function forget(view: View): void {
  view.resultsKnown = false;
  view.checks.clear();
}
