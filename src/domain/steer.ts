/** What a comment asks of the researcher: notes, ideas to try, another model. */
import type { Steer } from "./action.ts";
import { modelNameForm } from "./config.ts";
import type { Traits } from "./proposal.ts";
import type { Order, SessionRecord } from "./session.ts";
import { type Asked, isWaiting, triesAtMost, withAsked } from "./steering.ts";
import { notAModel, nothingSaid, oneTryOnly, readsNoWords, tooManyTries } from "./words-research.ts";

/** What of the order goes into the record (null: nothing), and what is answered where something does not. */
export function steeringOf(
  order: Order,
  record: SessionRecord,
  traits: Traits,
): { readonly steer: Steer | null; readonly answers: readonly string[] } {
  const answers: string[] = [];
  const asked: Asked[] = [];
  let model = record.model;
  // It was written, and the process died before the receipt: only that is owed.
  const written = record.steering.some((each) => each.comment === order.comment);
  for (const command of order.commands) {
    if (command.kind !== "note" && command.kind !== "try" && command.kind !== "model") continue;
    const { kind, text } = command;
    const refusal = traits.wordless
      ? readsNoWords(record.config.researcher.kind)
      : text === ""
        ? nothingSaid(kind)
        : kind === "model"
          ? refusedModel(text)
          : refusedAsk(kind, asked, record);
    if (refusal !== null) answers.push(refusal);
    else if (kind === "model") model = text === "default" ? null : text;
    else if (!written) {
      const { comment, author: by, at } = order;
      asked.push({ comment, kind, by, text, at, takenUpIn: null, dropped: null });
    }
  }
  const steering = asked.length === 0 ? {} : { steering: withAsked(record.steering, asked) };
  const named = model === record.model ? {} : { model };
  const steer = { ...steering, ...named };
  return { steer: Object.keys(steer).length === 0 ? null : steer, answers };
}

function refusedModel(name: string): string | null {
  return modelNameForm.test(name) ? null : notAModel();
}

function refusedAsk(kind: "note" | "try", asked: readonly Asked[], record: SessionRecord): string | null {
  if (kind === "note") return null;
  if (asked.some((each) => each.kind === "try")) return oneTryOnly();
  return record.steering.filter(isWaiting).length >= triesAtMost ? tooManyTries() : null;
}
