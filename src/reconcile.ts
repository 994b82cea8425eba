/**
 * The loop. One pass over one session: observe what GitHub shows, decide the next thing (pure), act, fold the answer in,
 * and decide again, until there is nothing to do but wait.
 *
 * Always: a pass may be cut off at any point and begun again from nothing; it may run beside another one, which costs work
 * and no more. A failed write is never repeated: everything is looked at anew.
 */
import { decide } from "./domain/decide.ts";
import { type Action, type ActionOf, type Decision, fieldsOf } from "./domain/action.ts";
import type { SessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import { type Running, type Session, type SessionState, hasStarted, isEnded } from "./domain/session.ts";
import { parseCandidate } from "./domain/trailers.ts";
import type { Config } from "./domain/config.ts";
import { type Context, act } from "./github/act.ts";
import { briefOf } from "./github/brief.ts";
import { observe } from "./github/observe.ts";
import { sessionOf } from "./github/session-of.ts";
import type { Hint } from "./github/view.ts";
import type { Deps, Memory } from "./memory.ts";
import type { Next } from "./queue.ts";
import { Stuck, answerCalmly } from "./trouble.ts";

const stepsAtMost = 100;
/** The same action so often in a row means that it changes nothing: a person is asked (docs/design.md, rule 10). */
const repeatsAtMost = 5;

/** One pass; answers when the next one is due, or null: when woken. */
export async function reconcile(key: SessionKey, hint: Hint, memory: Memory, deps: Deps): Promise<Next> {
  const context = await contextOf(key, memory, deps);
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
      const waitMs = await answerCalmly({ error, inHand, context, memory, deps });
      if (waitMs !== null) return { notBeforeMs: deps.now() + waitMs };
    }
  }
  return deps.now();
}

async function contextOf(key: SessionKey, memory: Memory, deps: Deps): Promise<Context> {
  return {
    client: await deps.clientFor(key),
    identity: await deps.identity(),
    now: deps.now,
    view: memory.view,
    account: () => memory.desk.account,
  };
}

/**
 * Before the process or the call goes: what the purse holds and nobody will spend is taken out of session.json, since who
 * comes next counts the purse of another desk as spent. One write, and only where money would be lost.
 */
export async function giveBackMoney(memory: Memory, deps: Deps): Promise<void> {
  const { view, desk } = memory;
  const { record } = view;
  if (record === null || !view.resultsKnown || isEnded(record.state)) return;
  desk.sees(record.ledger, record.config.limits.cost_usd);
  if (!desk.letGoOfMoney()) return;
  const action: Action = { kind: "fillPurse" };
  const because = "nobody thinks here any more; what the purse holds is given back";
  deps.log.info({ ...fieldsOf(action), because }, action.kind);
  await act(action, await contextOf(view.key, memory, deps));
  deps.acted(action);
}

/** The session as the view and the desk have it; null where there is no issue. */
function sessionIn({ view, identity, client }: Context, memory: Memory, deps: Deps): Session | null {
  const { record } = view;
  const { desk } = memory;
  if (record !== null) desk.sees(record.ledger, record.config.limits.cost_usd);
  const researcher = record === null ? null : researcherOf(record.config, memory, deps);
  const traits = { repairs: researcher?.repairs === true, wordless: researcher?.wordless === true };
  const study = { desk: desk.state, account: desk.account, traits, passedOver: desk.passedOver };
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
  // Before the write: where no answer of it comes, it is the comment's receipt alone that is owed later.
  if (asksForMore(action)) desk.heed();
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

/** People have given the researcher something to heed. */
function asksForMore(action: Action): boolean {
  return (action.kind === "obey" && action.steer !== null) || (action.kind === "heedEdit" && action.refusal === null);
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
