/** New experiments: when one is wanted, when one is opened, and when a person is asked instead. */
import type { Decision } from "./action.ts";
import { limitReached } from "./ending.ts";
import { openExperiments } from "./experiment.ts";
import { historyOf } from "./history.ts";
import { questionsAtMost, questionsIn } from "./question.ts";
import type { Running } from "./session.ts";
import type { Outcome } from "./verdict.ts";
import { experimentCount } from "./words.ts";

/** To wait for a person, and what for. */
export function block(because: string): Decision {
  return {
    kind: "do",
    action: { kind: "setState", change: { state: "blocked", by: null, because }, restart: null },
    because,
  };
}

/** Ends that may be the set-up's fault. What a person closed, or what met a conflict, says nothing of it. */
const failed: ReadonlySet<Outcome> = new Set(["crash", "timeout", "rejected"]);

/** So many experiments in a row without a value are the set-up's fault, not the ideas'. */
export function blockOnFailure(session: Running): Decision | null {
  const { config, rowsBefore } = session.record;
  const { failures } = config.limits;
  let [count, because] = [0, ""];
  for (let at = session.rows.length - 1; at >= rowsBefore; at -= 1) {
    const row = session.rows[at]!;
    if (row.experiment === 0) continue;
    if (row.value !== null) return null;
    if (!failed.has(row.outcome)) continue;
    if (count === 0) because = row.because;
    count += 1;
    if (count === failures) return block(`${experimentCount(failures)} in a row gave no value; the last: ${because}`);
  }
  return null;
}

/** One experiment more than there are runners is kept ready, so that a runner never waits for an idea. */
function wantsMore(session: Running): boolean {
  const open = openExperiments(session).filter(({ phase }) => phase.kind !== "recorded" && phase.kind !== "unknown");
  if (questionsIn(session).length >= questionsAtMost) return false;
  return open.length < session.record.config.runner.concurrency + 1 && limitReached(session) === null;
}

function nextNumber(session: Running): number {
  const numbers = session.experiments.map((each) => each.number);
  return Math.max(historyOf(session.rows).highest, ...numbers) + 1;
}

export function open(session: Running): Decision | null {
  if (session.desk.kind !== "ready" || isOvertaken(session) || !wantsMore(session)) return null;
  return { kind: "do", action: { kind: "open", prepared: session.desk.prepared }, because: "an idea is ready" };
}

/** Somebody else (a bot beside this one) opened the experiment that the idea was for: it may be the same idea. */
function isOvertaken(session: Running): boolean {
  return session.desk.kind === "ready" && session.desk.prepared.number !== nextNumber(session);
}

export function propose(session: Running): Decision | null {
  const { desk, frontier, nowMs } = session;
  const free =
    desk.kind === "idle" ||
    isOvertaken(session) ||
    (desk.kind === "failed" && desk.retryAtMs <= nowMs) ||
    (desk.kind === "exhausted" && desk.parent !== frontier.tip);
  if (!free || !wantsMore(session)) return null;
  return {
    kind: "do",
    action: { kind: "propose", number: nextNumber(session) },
    because: "a runner will be free for it",
  };
}
