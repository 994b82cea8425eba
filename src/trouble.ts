/**
 * Trouble: what a pass does about an error. Whatever it was, nothing is repeated blindly: the session is looked at anew, later
 * where GitHub says so, and a person is asked where only a person can help.
 */
import { type Action, fieldsOf } from "./domain/action.ts";
import { sayTrouble } from "./github/act-labels.ts";
import { setState } from "./github/act-results.ts";
import type { Context } from "./github/act.ts";
import { classify, isRest, isStatus } from "./github/errors.ts";
import { distrustOrders } from "./github/observe-comments.ts";
import { Held } from "./github/pace.ts";
import { type View, everything } from "./github/view.ts";
import type { Deps, Memory } from "./memory.ts";

/** Thrown when an action changes nothing and there is no session that could be blocked: the queue comes back later. */
export class Stuck extends Error {
  override name = "Stuck";
}

/** Equal failures in a row after which an issue without a session is told. */
const failuresToTell = 4;
const firstPauseMs = 1_000;
const longestPauseMs = 300_000;

/** What was thrown, and in the middle of what; `inHand` null: of a look. */
export type Trouble = {
  readonly error: unknown;
  readonly inHand: Action | null;
  readonly context: Context;
  readonly memory: Memory;
  readonly deps: Deps;
};

/** As `answerError`; where telling a person of an error meets another one, both are left to the next pass. */
export async function answerCalmly(trouble: Trouble): Promise<number | null> {
  const { inHand, context, memory, deps } = trouble;
  try {
    return await answerError(trouble);
  } catch (second) {
    if (second instanceof Stuck || isRest(second)) throw second;
    const kind = classify(second, deps.now());
    deps.log.warn({ ...fieldsOf(inHand), because: kind.because }, "the error could not be told");
    forget(context.view);
    return kind.kind === "later" ? Math.max(kind.afterMs, pauseMs(memory)) : pauseMs(memory);
  }
}

/**
 * How long nothing is to be done; null: look again at once. Throws where there is no session that could be blocked, or where
 * the session is to rest or has another name.
 */
async function answerError({ error, inHand, context, memory, deps }: Trouble): Promise<number | null> {
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
    // But for what people asked: by then they may have taken it back, or lost their access, or another process obeyed.
    if (view.orders.length > 0) distrustOrders(view);
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
  return memory.failures === 1 && kind.kind === "stale" ? null : pauseMs(memory);
}

function pauseMs({ failures }: Memory): number {
  return Math.min(firstPauseMs * 2 ** failures, longestPauseMs);
}

/** Forgets what may have changed behind an unknown outcome; what never changes (commits) stays. */
function forget(view: View): void {
  view.resultsKnown = false;
  view.checks.clear();
}
