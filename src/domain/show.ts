/** The last rules: what people see follows the state, and is written only when it differs. */
import type { Decision } from "./action.ts";
import { dashboardOf, saysTheSame } from "./dashboard.ts";
import { type Running, rowOf, sessionStates } from "./session.ts";

/** Exactly one label of the state. The last write of an end: by the old label the sweep finds what a dead pass left undone. */
export function syncLabels(session: Running): Decision | null {
  const wanted = `autoresearch:${session.record.state}`;
  const { labels } = session.issue;
  const remove = sessionStates
    .map((state) => `autoresearch:${state}`)
    .filter((label) => label !== wanted && labels.includes(label));
  const add = labels.includes(wanted) ? [] : [wanted];
  if (add.length === 0 && remove.length === 0) return null;
  return { kind: "do", action: { kind: "label", add, remove }, because: `the session is ${session.record.state}` };
}

/** What a commit's check says of an experiment that is over: left open, the commit would look unfinished for ever. */
export function completeChecks(session: Running): Decision | null {
  const [loose] = session.looseChecks;
  if (loose === undefined) return null;
  const outcome = rowOf(session, loose.experiment)?.outcome ?? "withdrawn";
  return { kind: "do", action: { kind: "completeCheck", ...loose, outcome }, because: "its experiment is settled" };
}

export function showDashboard(session: Running): Decision | null {
  const body = dashboardOf(session);
  if (session.dashboard !== null && saysTheSame(session.dashboard, body)) return null;
  return { kind: "do", action: { kind: "showDashboard", body }, because: "the dashboard is out of date" };
}
