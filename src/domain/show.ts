/** The last rules: what people see follows the state, and is written only when it differs. */
import type { Decision } from "./action.ts";
import { dashboardOf, saysTheSame } from "./dashboard.ts";
import { nextNumber } from "./feeding.ts";
import { type Edit, type Running, isEnded, rowOf, sessionStates } from "./session.ts";
import { movedText } from "./words.ts";
import { editNotTaken, emptyProgram, withRepair } from "./words-research.ts";

/** An edit of the program by somebody who may: it holds from the next proposal on. */
export function heedEdit(session: Running): Decision | null {
  const { edit, record } = session;
  if (edit === null || isEnded(record.state) || refusalOf(edit) !== null) return null;
  const because = `@${edit.by} edited the program`;
  return { kind: "do", action: { kind: "heedEdit", edit, refusal: null, from: nextNumber(session) }, because };
}

/** Says of any other edit that it is not taken: when there is nothing else to do, as with words of those who have no voice. */
export function refuseEdit(session: Running): Decision | null {
  const { edit, record } = session;
  if (edit === null || isEnded(record.state)) return null;
  const refusal = refusalOf(edit);
  if (refusal === null) return null;
  const because = `an edit of @${edit.by} is not taken`;
  return { kind: "do", action: { kind: "heedEdit", edit, refusal, from: 0 }, because };
}

function refusalOf(edit: Edit): string | null {
  if (!edit.mayWrite) return editNotTaken(edit);
  return /\p{L}/u.test(edit.text.replace(/<!--[\s\S]*?-->/g, "")) ? null : emptyProgram(edit);
}

/** An open pull request says each repair. */
export function showRepairs(session: Running): Decision | null {
  for (const { pullRequest, pull, idea, body, number } of session.experiments) {
    if (pull !== "open" || idea?.repair == null) continue;
    const wanted = withRepair(body, idea.repair, idea);
    if (wanted === body) continue;
    const because = `experiment ${number} was mended`;
    return { kind: "do", action: { kind: "describe", pullRequest, body: wanted }, because };
  }
  return null;
}

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

/** What a commit's check says of an experiment that is over: left open, the commit would look unfinished for ever. */
export function completeChecks(session: Running): Decision | null {
  const [loose] = session.looseChecks;
  if (loose === undefined) return null;
  const outcome = rowOf(session, loose.experiment)?.outcome ?? "withdrawn";
  return { kind: "do", action: { kind: "completeCheck", ...loose, outcome }, because: "its experiment is settled" };
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
