/** What begins and ends a session by hand: the label put on, put on again, taken off; the issue closed. */
import type { Decision } from "./action.ts";
import { triggerLabel } from "./names.ts";
import { baselineOf } from "./results.ts";
import { type Labelling, type Running, type Session, type SessionRecord, isEnded } from "./session.ts";

/** An issue without a session: started where the label is on and nothing is wrong, else waited for. */
export function decideStart(session: Session): Decision {
  const labelled = session.issue.open && session.issue.labels.includes(triggerLabel);
  if (!labelled) return { kind: "wait", untilMs: null, because: "the label is not on" };
  if (session.start === null) return { kind: "wait", untilMs: session.nowMs + 5_000, because: "not all is read yet" };
  if (session.start.kind === "refused") {
    return { kind: "do", action: { kind: "refuseStart", text: session.start.problem }, because: session.start.problem };
  }
  return { kind: "do", action: { kind: "start", start: session.start }, because: `labelled by ${session.start.by}` };
}

/** Closing, deleting or moving the issue, or taking the label off, is `stop` by other means. */
export function stopByHand(session: Running): Decision | null {
  if (isEnded(session.record.state)) return null;
  const closed = !session.issue.open;
  if (!closed && session.issue.labels.includes(triggerLabel)) return null;
  const by = closed ? session.issue.closedBy : session.unlabelledBy;
  const shut = session.gone?.because ?? "the issue was closed";
  const because = closed ? shut : `the label ${triggerLabel} was taken off`;
  return {
    kind: "do",
    action: { kind: "setState", change: { state: "stopped", by, because }, restart: null },
    because,
  };
}

/** The label put on again after an end (or a block) goes on with the same session, with what the issue says now. */
export function startAgain(session: Running): Decision | null {
  const { record, start } = session;
  if (!isLabelledAgain(session, record) || start === null) return null;
  if (start.kind === "refused") {
    return { kind: "do", action: { kind: "refuseStart", text: start.problem }, because: start.problem };
  }
  // What makes values comparable stays as it was, unless nothing was measured yet: then all is read anew.
  const { config, base, baseBranch } = session.record;
  const { mutable, metric, trial } = config;
  const keep = { ...start.config.keep, baseline_trials: config.keep.baseline_trials };
  const fresh = baselineOf(session.rows) === null;
  const restart = {
    startedAt: new Date(session.nowMs).toISOString(),
    program: start.program,
    title: start.title,
    issueDigest: start.issueDigest,
    edit: null,
    base: fresh ? start.base : base,
    baseBranch: fresh ? start.baseBranch : baseBranch,
    config: fresh ? start.config : { ...start.config, mutable, metric, trial, keep },
  };
  const change = { state: "running", by: start.by, because: `the label ${triggerLabel} was put on again` } as const;
  return { kind: "do", action: { kind: "setState", change, restart }, because: change.because };
}

/** Whether somebody put the label on after the session had ended or was blocked. */
export function isLabelledAgain({ labelled, issue }: Session, record: SessionRecord): boolean {
  if (record.state === "running" || record.state === "paused" || !issue.open) return false;
  return labelled !== null && isPutOnAgain(labelled, record);
}

/** Whether the label was put on after the record's state was written. By GitHub's own count, where the record has it. */
export function isPutOnAgain({ event, atMs }: Labelling, record: SessionRecord): boolean {
  return record.labelEvent === null ? atMs > Date.parse(record.since) : event > record.labelEvent;
}
