/** When a session is done, and what it leaves. */
import type { Decision } from "./action.ts";
import { openExperiments } from "./experiment.ts";
import { historyOf } from "./history.ts";
import { finalComment, reportBody, reportTitle } from "./report.ts";
import { hoursAreOver, moneyIsSpent } from "./limits.ts";
import type { Running } from "./session.ts";
import { gainOf } from "./verdict.ts";
import { experimentCount } from "./words.ts";

/** Why no further experiment is opened, or null. */
export function limitReached(session: Running): string | null {
  const { limits, metric } = session.record.config;
  const { desk } = session;
  const { tip, value } = session.frontier;
  if (desk.kind === "exhausted" && desk.parent === tip) return desk.because;
  if (value !== null && metric.target !== null && gainOf(value, metric.target, metric.direction) >= 0) {
    return `the target of ${metric.target} is reached`;
  }
  if (hoursAreOver(session)) return `${limits.hours} hours are over`;
  const unpaid = moneyIsSpent(session);
  if (unpaid !== null) return unpaid;
  const { byExperiment, settled } = historyOf(session.rows);
  const open = session.experiments.filter((experiment) => !byExperiment.has(experiment.number)).length;
  return settled + open >= limits.experiments
    ? `${experimentCount(limits.experiments)} ${limits.experiments === 1 ? "was" : "were"} made`
    : null;
}

/** What waits for a person holds no session up: it is withdrawn at the end, with its reason. */
function isBusy(session: Running): boolean {
  return openExperiments(session).some(({ phase }) => phase.kind !== "unknown");
}

/** Ends the session when nothing more will be opened and all that was is settled. */
export function decideEnd(session: Running): Decision | null {
  const because = limitReached(session);
  if (because === null || session.frontier.value === null || isBusy(session)) return null;
  const gained = session.frontier.tip !== session.record.base;
  const report = gained ? { title: reportTitle(session), body: reportBody(session) } : null;
  return { kind: "do", action: { kind: "finish", because, comment: finalComment(session, because), report }, because };
}
