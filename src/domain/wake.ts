/** When to look again if nothing is heard: a lost webhook changes when a pass runs, never what it does. */
import { timeoutSeconds } from "./config.ts";
import { activeTrials, openExperiments } from "./experiment.ts";
import { type Running, isEnded } from "./session.ts";
import { type Trial, stuckAtMs } from "./trial.ts";

/** A dispatched run that no runner took for so long is said on the dashboard. */
export const queuedLongMs = 60_000;

/** So long after one look the next one comes, where nothing is heard and nothing has its own time. */
export const lookAgainMs = 60_000;

/** Milliseconds since the epoch, or null when only an event or the sweep can change anything. */
export function wakeAt(session: Running): number | null {
  const { nowMs, record, desk } = session;
  const trials = [...session.frontier.ownTrials, ...session.experiments.flatMap((experiment) => experiment.trials)];
  const times = trials.flatMap((trial) => trialTimes(trial, session));
  const unfinished = openExperiments(session).length > 0 || activeTrials(session).length > 0;
  if (isEnded(record.state)) {
    if (unfinished) return nowMs + 5_000;
    // What was cancelled is seen to its end: the dashboard says how many trials were cut off.
    return session.strays.length > 0 ? nowMs + lookAgainMs : null;
  }
  if (desk.kind === "failed") times.push(desk.retryAtMs);
  // What the dashboard says of it is taken away then.
  if (record.state === "running" && session.slow !== null) times.push(session.slow.untilMs + 1_000);
  if (record.state === "running") times.push(Date.parse(record.startedAt) + record.config.limits.hours * 3_600_000);
  const next = times.map((time) => (time > nowMs ? time : nowMs + lookAgainMs));
  return next.length === 0 ? null : Math.min(...next);
}

function trialTimes(trial: Trial, session: Running): number[] {
  const { config } = session.record;
  switch (trial.phase.kind) {
    case "intended":
    case "reporting":
      return [trial.phase.untilMs];
    case "queued":
      return [trial.phase.sinceMs + queuedLongMs];
    case "training": {
      const expected = trial.phase.sinceMs + config.trial.budget * 1000 + 30_000;
      const latest = trial.phase.sinceMs + timeoutSeconds(config) * 1000 + 30_000;
      return [expected, latest, stuckAtMs(trial.phase, config)];
    }
    case "measured":
    case "lost":
      return [];
  }
}
