/**
 * Questions: experiments whose value nobody should believe unasked (not a number, not above zero, a jump beyond
 * `metric.max_gain`, a gain that took more time than others had). Such a value is unknown, never a win and never a loss: a
 * person keeps it, has it measured again, or closes the pull request. Meanwhile the session goes on with other ideas, up to
 * a point.
 */
import type { Decision } from "./action.ts";
import { buttons } from "./buttons.ts";
import { type Phase, openExperiments } from "./experiment.ts";
import type { Experiment, Running } from "./session.ts";
import { oneLine, questionText } from "./words.ts";

/** So many unanswered questions mean that something is wrong with the measuring: nothing new is proposed. */
export const questionsAtMost = 3;

export type Question = { readonly experiment: Experiment; readonly phase: Extract<Phase, { kind: "unknown" }> };

/** The experiments that wait for a person's word. */
export function questionsIn(session: Running): Question[] {
  return openExperiments(session).flatMap(({ experiment, phase }) =>
    phase.kind === "unknown" ? [{ experiment, phase }] : [],
  );
}

/** Asks about the first experiment that was not asked about yet: its check is still open. */
export function askPerson(session: Running): Decision | null {
  for (const { experiment, phase } of questionsIn(session)) {
    if (experiment.check === null || experiment.check.completed) continue;
    return {
      kind: "do",
      action: {
        kind: "ask",
        experiment: experiment.number,
        pullRequest: experiment.pullRequest,
        attempt: experiment.trials.at(-1)?.attempt ?? 0,
        check: experiment.check.id,
        title: `unknown: ${oneLine(phase.because)}`,
        question: questionText(phase),
        buttons:
          phase.value === null ? buttons.question.filter(({ identifier }) => identifier !== "keep") : buttons.question,
      },
      because: phase.because,
    };
  }
  return null;
}
