/** Orders: what people ask for in comments, and what the bot answers. Only people with write access steer. */
import type { Decision, StateChange, Steer } from "./action.ts";
import type { Command } from "./command.ts";
import { helpText } from "./command.ts";
import type { Order, Session, SessionState } from "./session.ts";
import { steeringOf } from "./steer.ts";
import { denial, noSession, statusText, unknownCommand } from "./words.ts";

type Effect = {
  readonly change: StateChange | null;
  readonly steer: Steer | null;
  readonly reply: string | null;
  readonly refused: boolean;
};

/** Carries out the oldest comment of a person with write access that has no receipt. */
export function obey(session: Session): Decision | null {
  const order = session.orders.find((each) => each.mayWrite);
  return order === undefined ? null : answer(order, effectOf(order, session));
}

/**
 * Says to people without write access that they have no voice here: when there is nothing else to do, so that nobody holds
 * a session up by talking to it, and once to each.
 */
export function answerOthers(session: Session): Decision | null {
  const order = session.orders.find((each) => !each.mayWrite);
  if (order === undefined) return null;
  const told = session.denied.has(order.author);
  return answer(order, { change: null, steer: null, reply: told ? null : denial(order), refused: true });
}

function answer(order: Order, effect: Effect): Decision {
  const reaction = effect.refused ? "confused" : "+1";
  const { change, steer, reply } = effect;
  const because = `@${order.author} said ${order.commands.map(nameOf).join(", ")}`;
  return {
    kind: "do",
    action: { kind: "obey", comment: order.comment, on: order.on, change, steer, reply, reaction },
    because,
  };
}

function nameOf(command: Command): string {
  return command.kind === "unknown" ? "something unknown" : command.kind;
}

function refusal(reply: string): Effect {
  return { change: null, steer: null, reply, refused: true };
}

/** The commands of one comment in order: the last state counts, the replies are put one under the other. */
function effectOf(order: Order, session: Session): Effect {
  const { record } = session;
  if (record === null) {
    const help = order.commands.every((command) => command.kind === "help");
    return help ? { change: null, steer: null, reply: helpText(), refused: false } : refusal(noSession());
  }
  // The state was changed, and the process died before the receipt: only that is owed.
  if (record.order === order.comment) return { change: null, steer: null, reply: null, refused: false };
  let state = record.state;
  let change: StateChange | null = null;
  let refused = false;
  const replies: string[] = [];
  const { steer, answers } = steeringOf(order, record, session.traits);
  for (const each of answers) replies.push(each);
  refused = answers.length > 0;
  for (const command of order.commands) {
    const step = stepOf(command, state, order, session);
    if (step.to !== null && step.to !== state) {
      state = step.to;
      change = { state, by: order.author, because: step.because };
    }
    refused ||= step.refused;
    if (step.reply !== null) replies.push(step.reply);
  }
  return { change, steer, reply: replies.length === 0 ? null : [...new Set(replies)].join("\n\n"), refused };
}

type Step = { to: SessionState | null; because: string; reply: string | null; refused: boolean };

function stepOf(command: Command, state: SessionState, order: Order, session: Session): Step {
  const say = (reply: string, refused = false): Step => ({ to: null, because: "", reply, refused });
  const go = (to: SessionState, because: string): Step => ({ to, because, reply: null, refused: false });
  const ended = state === "stopped" || state === "done";
  switch (command.kind) {
    case "help":
      return say(helpText());
    case "status":
      return say(statusText(session));
    case "unknown":
      return say(unknownCommand(command), true);
    // What these ask is `steeringOf`'s.
    case "note":
    case "try":
    case "model":
      return { to: null, because: "", reply: null, refused: false };
    case "stop":
      return ended ? say(`This session is ${state} already.`) : go("stopped", `stopped by @${order.author}`);
    case "pause":
      if (ended || state === "blocked") return say(`This session is ${state}; there is nothing to pause.`, true);
      return state === "paused" ? say("This session is paused already.") : go("paused", `paused by @${order.author}`);
    case "resume":
      if (ended)
        return say(`This session is ${state}. To go on with it, put the label \`autoresearch\` on again.`, true);
      return state === "running" ? say("This session is running.") : go("running", `resumed by @${order.author}`);
  }
}
