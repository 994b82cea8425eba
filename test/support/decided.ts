/** What is decided of a session, as tests speak of it. */
import type { Action } from "../../src/domain/action.ts";
import { decide } from "../../src/domain/decide.ts";
import type { Session } from "../../src/domain/session.ts";

/** The decision as a line: the action (or `wait`) and why. */
export function next(session: Session): string {
  const decision = decide(session);
  return decision.kind === "wait" ? `wait: ${decision.because}` : `${decision.action.kind}: ${decision.because}`;
}

/** The action that is decided; throws where it is another. */
export function actionIn<K extends Action["kind"]>(session: Session, kind: K): Extract<Action, { kind: K }> {
  const decision = decide(session);
  if (decision.kind !== "do" || decision.action.kind !== kind) throw new Error(`decided ${next(session)}`);
  return decision.action as Extract<Action, { kind: K }>;
}
