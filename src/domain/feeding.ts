/** New experiments: when one is wanted, when one is opened, and when a person is asked instead. */
import type { Crash, Decision } from "./action.ts";
import { limitReached } from "./ending.ts";
import { type Phase, openExperiments } from "./experiment.ts";
import { wantsFilling } from "./ledger.ts";
import { moneyIsSpent } from "./limits.ts";
import { historyOf } from "./history.ts";
import { questionsAtMost, questionsIn } from "./question.ts";
import { type Experiment, type Running, attemptsOf } from "./session.ts";
import type { Outcome } from "./verdict.ts";
import { experimentCount, oneLine } from "./words.ts";
import { tryDropped } from "./words-research.ts";

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

const aside: ReadonlySet<Phase["kind"]> = new Set(["recorded", "unknown", "crashed"]);

/** One experiment more than there are runners is kept ready, so that a runner never waits for an idea. */
function wantsMore(session: Running): boolean {
  // One that crashed is at the desk, one that is unknown before a person: they hold up no runner.
  const open = openExperiments(session).filter(({ phase }) => !aside.has(phase.kind));
  if (questionsIn(session).length >= questionsAtMost) return false;
  return open.length < session.record.config.runner.concurrency + 1 && limitReached(session) === null;
}

/** The number of the experiment that is opened next. */
export function nextNumber(session: Running): number {
  const numbers = session.experiments.map((each) => each.number);
  return Math.max(historyOf(session.rows).highest, ...numbers) + 1;
}

export function open(session: Running): Decision | null {
  const { desk } = session;
  if (desk.kind !== "ready" || desk.prepared.repair !== null) return null;
  if (isOvertaken(session) || !wantsMore(session)) return null;
  const prepared = { ...desk.prepared, number: nextNumber(session) };
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

/** The crashes that are to be mended, the oldest experiment's first. */
function crashesIn(session: Running): { experiment: Experiment; crash: Crash }[] {
  return openExperiments(session).flatMap(({ experiment, phase }) => {
    if (phase.kind !== "crashed") return [];
    const { attempt, failure } = phase;
    const { head, parent } = experiment;
    return [{ experiment, crash: { head, parent: parent.tip, attempt, failure } }];
  });
}

/** Puts a repair that is ready where it belongs. */
export function mend(session: Running): Decision | null {
  const { desk } = session;
  if (desk.kind !== "ready" || desk.prepared.repair === null) return null;
  const { prepared } = desk;
  const { head, attempt } = desk.prepared.repair;
  const broken = crashesIn(session).find(({ crash }) => crash.head === head)?.experiment;
  if (broken === undefined) return null;
  const { number, pullRequest } = broken;
  return {
    kind: "do",
    action: { kind: "mend", prepared: { ...prepared, number }, pullRequest, attemptsBefore: attemptsOf(broken) },
    because: `repair ${attempt} of experiment ${number} is ready`,
  };
}

/** A researcher that needs a person waits for one, with the session. */
export function blockOnHelpless({ desk }: Running): Decision | null {
  return desk.kind === "helpless" ? block(`the researcher needs help: ${desk.because}`) : null;
}

/** Money is durable before it is spent: where the purse is used up and the limit is not, it is filled. */
export function fillPurse(session: Running): Decision | null {
  if (session.desk.kind !== "short") return null;
  return { kind: "do", action: { kind: "fillPurse" }, because: "the purse in session.json is used up" };
}

/** A `try` that nothing comes of is let go, so that it holds nobody up. */
export function dropTry({ desk, record }: Running): Decision | null {
  if (desk.kind !== "refused") return null;
  const asked = record.steering.find((each) => each.kind === "try" && each.comment === desk.comment);
  const reply = tryDropped(asked ?? null, desk.because);
  const { comment, because } = desk;
  return {
    kind: "do",
    action: { kind: "dropTry", comment, reply, because },
    because: `no proposal for it: ${because}`,
  };
}

/** Whether the researcher can be set to a task; a crash to mend is asked even of one that has no more ideas. */
function isFree(session: Running, mending: boolean): boolean {
  const { desk, frontier, nowMs } = session;
  switch (desk.kind) {
    case "idle":
    case "beyondRepair":
      return true;
    case "failed":
      return desk.retryAtMs <= nowMs;
    case "exhausted":
      return mending || desk.parent !== frontier.tip;
    case "ready":
      // A repair that is ready for what is broken no more; `mend` comes before.
      return desk.prepared.repair !== null || isOvertaken(session);
    case "thinking":
    case "helpless":
    case "short":
    case "spent":
    case "refused":
      return false;
  }
}

/** Sets the researcher to work: crashes come before new ideas. */
export function propose(session: Running): Decision | null {
  const [first] = crashesIn(session);
  const stuck = first !== undefined && session.desk.kind === "ready" && limitReached(session) !== null;
  if (!isFree(session, first !== undefined) && !stuck) return null;
  if (first === undefined && !wantsMore(session)) return null;
  if (moneyIsSpent(session) !== null) return null;
  const { ledger, config } = session.record;
  if (wantsFilling(ledger, session.account, config.limits.cost_usd)) {
    return { kind: "do", action: { kind: "fillPurse" }, because: "the purse would not pay for another proposal" };
  }
  if (first !== undefined) {
    const { experiment, crash } = first;
    const action = { kind: "propose", number: experiment.number, crash } as const;
    return { kind: "do", action, because: `experiment ${experiment.number} crashed` };
  }
  return {
    kind: "do",
    action: { kind: "propose", number: nextNumber(session), crash: null },
    because: "a runner will be free for it",
  };
}
