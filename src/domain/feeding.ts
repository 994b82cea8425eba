/** New experiments: when one is wanted, when one is opened, and when a person is asked instead. */
import type { Decision } from "./action.ts";
import { limitReached } from "./ending.ts";
import { openExperiments } from "./experiment.ts";
import { questionsAtMost, questionsIn } from "./question.ts";
import type { Running } from "./session.ts";
import type { Outcome } from "./verdict.ts";
import { experimentCount, oneLine } from "./words.ts";

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
  const last = session.rows
    .slice(rowsBefore)
    .filter((row) => row.experiment > 0 && (row.value !== null || failed.has(row.outcome)))
    .slice(-failures);
  if (last.length < failures || last.some((row) => row.value !== null)) return null;
  return block(`${experimentCount(failures)} in a row gave no value; the last: ${last.at(-1)!.because}`);
}

/** One experiment more than there are runners is kept ready, so that a runner never waits for an idea. */
function wantsMore(session: Running): boolean {
  const open = openExperiments(session).filter(({ phase }) => phase.kind !== "recorded" && phase.kind !== "unknown");
  if (questionsIn(session).length >= questionsAtMost) return false;
  return open.length < session.record.config.runner.concurrency + 1 && limitReached(session) === null;
}

function nextNumber(session: Running): number {
  const numbers = [...session.rows.map((row) => row.experiment), ...session.experiments.map((each) => each.number)];
  return numbers.reduce((most, number) => Math.max(most, number), 0) + 1;
}

export function open(session: Running): Decision | null {
  if (session.desk.kind !== "ready" || isOvertaken(session) || !wantsMore(session)) return null;
  const prepared = { ...session.desk.prepared, number: nextNumber(session) };
  return { kind: "do", action: { kind: "open", prepared }, because: "an idea is ready" };
}

/**
 * Somebody else (a bot beside this one, or a process that died) opened the experiment that the idea was for, and with the same
 * idea, perhaps on another frontier. Another idea keeps, for the next number.
 */
function isOvertaken({ desk, experiments, rows }: Running): boolean {
  if (desk.kind !== "ready") return false;
  const { number, proposal } = desk.prepared;
  const theirs = [
    ...experiments.filter((each) => each.number >= number),
    ...rows.filter((each) => each.experiment >= number),
  ];
  return theirs.some((each) => oneLine(each.description) === oneLine(proposal.description));
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
