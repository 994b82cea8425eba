/** Orders: what people ask for in comments, and what the bot answers. Only people with write access steer. */
import type { Decision, StateChange, Steer } from "./action.ts";
import type { Appeal } from "./appeal.ts";
import { type Appealing, appealing } from "./appealing.ts";
import type { Command } from "./command.ts";
import { helpText } from "./command.ts";
import type { Order, Session, SessionState } from "./session.ts";
import { steeringOf } from "./steer.ts";
import { denial, noSession, statusText, unknownCommand } from "./words.ts";

type Effect = {
  readonly change: StateChange | null;
  readonly steer: Steer | null;
  readonly appeal: Appeal | null;
  readonly reopen: number | null;
  readonly reply: string | null;
  readonly refused: boolean;
};

/** An answer in words, and nothing besides. */
const inWords = (reply: string | null, refused: boolean): Effect => ({
  change: null,
  steer: null,
  appeal: null,
  reopen: null,
  reply,
  refused,
});

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
  return answer(order, inWords(told ? null : denial(order), true));
}

function answer(order: Order, effect: Effect): Decision {
  const reaction = effect.refused ? "confused" : "+1";
  const { change, steer, appeal, reopen, reply } = effect;
  return {
    kind: "do",
    action: { kind: "obey", comment: order.comment, on: order.on, change, steer, appeal, reopen, reply, reaction },
    because: `@${order.author} said ${order.commands.map(nameOf).join(", ")}`,
  };
}

function nameOf(command: Command): string {
  return command.kind === "unknown" ? "something unknown" : command.kind;
}

/** The commands of one comment in order: the last state counts, the replies are put one under the other. */
function effectOf(order: Order, session: Session): Effect {
  const { record } = session;
  if (record === null) {
    const help = order.commands.every((command) => command.kind === "help");
    return help ? inWords(helpText(), false) : inWords(noSession(), true);
  }
  // The state was changed, and the process died before the receipt: only that is owed.
  if (record.order === order.comment) return inWords(null, false);
  let state = record.state;
  let change: StateChange | null = null;
  const { steer, answers } = steeringOf(order, record, session.traits);
  let refused = answers.length > 0;
  const replies = [...answers];
  let appeal: Appealing | null = null;
  for (const command of order.commands) {
    if (command.kind === "rerun" || command.kind === "keep") {
      appeal = appealing(command.kind, order, session);
      refused ||= appeal.refused;
      if (appeal.reply !== null) replies.push(appeal.reply);
      continue;
    }
    const step = stepOf(command, state, order, session);
    if (step.to !== null && step.to !== state) {
      state = step.to;
      change = { state, by: order.author, because: step.because };
    }
    refused ||= step.refused;
    if (step.reply !== null) replies.push(step.reply);
  }
  const { appeal: asked, reopen } = appeal ?? { appeal: null, reopen: null };
  return {
    change,
    steer,
    appeal: asked,
    reopen,
    reply: replies.length === 0 ? null : [...new Set(replies)].join("\n\n"),
    refused,
  };
}

/** A command that is about the session, and not about one experiment. */
type StateCommand = Exclude<Command, { kind: "rerun" | "keep" }>;

type Step = { to: SessionState | null; because: string; reply: string | null; refused: boolean };

function stepOf(command: StateCommand, state: SessionState, order: Order, session: Session): Step {
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
