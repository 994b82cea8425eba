/** The last rules: what people see follows the state, and is written only when it differs. */
import type { Decision } from "./action.ts";
import { dashboardOf, saysTheSame } from "./dashboard.ts";
import { type Running, sessionStates } from "./session.ts";
import { movedText } from "./words.ts";

/** Exactly one label of the state. The last write of an end: by the old label the sweep finds what a dead pass left undone. */
export function syncLabels(session: Running): Decision | null {
  if (session.gone !== null) return null;
  const wanted = `autoresearch:${session.record.state}`;
  const { labels } = session.issue;
  const remove = sessionStates
    .map((state) => `autoresearch:${state}`)
    .filter((label) => label !== wanted && labels.includes(label));
  const add = labels.includes(wanted) ? [] : [wanted];
  if (add.length === 0 && remove.length === 0) return null;
  return { kind: "do", action: { kind: "label", add, remove }, because: `the session is ${session.record.state}` };
}

/** Nothing is said where nobody is, nor where an app may not speak: what there is to say is said when that ends. */
export function showDashboard(session: Running): Decision | null {
  if (session.gone !== null || session.locked) return null;
  const body = dashboardOf(session);
  if (session.dashboard !== null && saysTheSame(session.dashboard, body)) return null;
  return { kind: "do", action: { kind: "showDashboard", body }, because: "the dashboard is out of date" };
}

/** Says on an issue that was moved that its session stayed behind. */
export function tellMoved(session: Running): Decision | null {
  const { gone, key } = session;
  const to = gone?.to ?? null;
  if (to === null || to.told) return null;
  const body = movedText(key, session.record);
  return { kind: "do", action: { kind: "tellMoved", to, body }, because: gone!.because };
}
