/**
 * The real bot in a process of its own, to be killed: all is loaded when it says `warm`; it serves when it is told to, and one
 * that was not killed serves another world after that. Only its researcher is scripted, as a function of the experiment's number, so that an idea that is lost is thought again.
 */
import { defaultAppOptions } from "../../src/app.ts";
import type { Researcher } from "../../src/domain/proposal.ts";
import { serve } from "../../src/serve.ts";
import { type Idea, answerOf } from "./researchers.ts";

/** What the bot is told over the channel. */
export type CrashBotStart = {
  readonly apiUrl: string;
  readonly port: number;
  readonly appId: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly logLevel: "fatal" | "info";
  /** A Redis that it shares with other bots. */
  readonly redisUrl?: string | null;
  /** By experiment: what is tried. */
  readonly ideas: Readonly<Record<number, ScriptedIdea>>;
};

/** `after`: it is proposed on a frontier alone whose file holds this. */
export type ScriptedIdea = Idea & { readonly after?: string };

function researcherOf(ideas: CrashBotStart["ideas"]): Researcher {
  return {
    propose: async (brief) => {
      const idea = ideas[brief.experiment];
      if (idea === undefined) return { kind: "nothing", because: "the script is at its end" };
      const isTime = brief.files.some(({ text }) => text.includes(idea.after ?? ""));
      return isTime ? answerOf(brief, idea) : { kind: "nothing", because: "it builds on what is not there yet" };
    },
  };
}

let running: Promise<{ close(): Promise<void> }> | null = null;

function start({ ideas, ...given }: CrashBotStart): void {
  const researcher = researcherOf(ideas);
  running = serve({
    ...defaultAppOptions,
    ...given,
    researcherFor: () => researcher,
    host: "127.0.0.1",
    webhookPath: "/api/github/webhooks",
    webhookProxy: null,
    metricsToken: null,
    secrets: [],
    logFormat: "json",
  });
  running.catch((error: unknown) => {
    // As the process of the product would: whoever runs it starts it again.
    if (given.logLevel !== "fatal") console.error(error);
    process.exit(1);
  });
}

async function stop(): Promise<void> {
  await (await running)?.close();
  running = null;
  process.send!("stopped");
}

process.on("message", (message) => {
  if (message === "stop") void stop();
  else start(message as CrashBotStart);
});
process.once("disconnect", () => process.exit(0));
process.send!("warm");
