/**
 * The researcher `claude`: a model with the brief before it and a few tools. It sees texts and numbers, never a token but
 * its own key, which is no part of any text.
 *
 * Always: every way in which a model may not answer has an answer of its own. Waiting is `Later`; another model is asked in
 * a conversation of its own; what only a person can mend is said; nothing is asked for again and again without a pause.
 */
import Anthropic from "@anthropic-ai/sdk";
import type { Answer, Brief, Researcher } from "../../domain/proposal.ts";
import { briefTextOf } from "../brief/brief-text.ts";
import { shelfOf } from "../brief/shelf.ts";
import { Later } from "../later.ts";
import { type Pace, converse, usualPace } from "./conversation.ts";
import { priceOf } from "./prices.ts";
import { checkSyntax } from "./syntax.ts";
import type { Trouble } from "./trouble.ts";
import { Workbench } from "./workbench.ts";

export type ClaudeMeans = {
  readonly apiKey: string | null;
  /** Where the Messages API is; null: Anthropic's own. */
  readonly baseUrl: string | null;
  /** PATH of the bot, where python3 is looked for. */
  readonly path: string;
};

const anthropicUrl = "https://api.anthropic.com";
/** When waiting is all that can be done and nobody said how long. */
const usualWaitMs = 60_000;

/** The researcher; each proposal is made from its brief alone. */
export function claude(means: ClaudeMeans, pace: Pace = usualPace): Researcher {
  const { apiKey } = means;
  const wrong = apiKey === null || apiKey === "" ? keyMissing : fitsHeader(apiKey) ? null : keyGarbled;
  if (wrong !== null) return { propose: () => Promise.resolve({ kind: "person", because: wrong }) };
  const client = new Anthropic({
    apiKey,
    authToken: null,
    baseURL: means.baseUrl ?? anthropicUrl,
    // Each attempt has a reservation of its own, so the SDK must make none by itself.
    maxRetries: 0,
    logLevel: "off",
    openTelemetry: false,
  });
  return { repairs: true, propose: (brief, signal) => propose(brief, { client, path: means.path, pace }, signal) };
}

const keyMissing =
  "`ANTHROPIC_API_KEY` is not set where the bot runs, and `researcher.kind` is `claude`. Set it and start the bot again, or choose `researcher: {kind: mutate}`, which needs no key";

const keyGarbled =
  "`ANTHROPIC_API_KEY` holds a character that no key has (an ellipsis, a line break): copy the whole key once more and start the bot again";

/** What can't be sent never leaves: the error of a header would hold the key, and look like an answer that broke off. */
function fitsHeader(key: string): boolean {
  try {
    return new Headers({ "x-api-key": key }).has("x-api-key");
  } catch {
    return false;
  }
}

type With = { readonly client: Anthropic; readonly path: string; readonly pace: Pace };

async function propose(brief: Brief, { client, path, pace }: With, signal: AbortSignal): Promise<Answer> {
  const { config, purse } = brief;
  const shelf = await shelfOf(brief);
  const text = briefTextOf(brief, shelf, "tools");
  const { model: configured, fallbacks } = config.researcher;
  const queue = [...new Set([...(brief.model === null ? [] : [brief.model]), configured, ...fallbacks])];
  const refusedOnce = new Set<string>();
  const troubles: Trouble[] = [];
  for (let model = queue.shift(); model !== undefined; model = queue.shift()) {
    const price = priceOf(model, config.researcher.prices);
    if (price === null) {
      troubles.push({
        kind: "unknownModel",
        because: `no price of ${model} is known; say it in \`researcher.prices\``,
      });
      continue;
    }
    const bench = new Workbench(brief, shelf.paths, model, (file) => checkSyntax(file, path, signal));
    const outcome = await converse(text, bench, { client, model, price, purse, config, pace }, signal);
    if (outcome.kind === "answer") return withPassedOver(outcome.answer, troubles);
    const { trouble } = outcome;
    // All models alike have no key, no money, and the same limits.
    if (trouble.kind === "person") return { kind: "person", because: trouble.because };
    if (trouble.kind === "spent") return { kind: "nothing", because: trouble.because };
    if (trouble.kind === "limited") throw new Later(trouble.because, trouble.retryAfterMs ?? usualWaitMs);
    // A refusal may be chance: each model is asked a second time, after the others.
    if (trouble.kind === "refused" && !refusedOnce.has(model)) {
      refusedOnce.add(model);
      queue.push(model);
    } else troubles.push(trouble);
  }
  return conclude(troubles);
}

/** A model that will not answer the next time either is a mistake of somebody's, who is told: another one costs another price. */
function withPassedOver(answer: Answer, troubles: readonly Trouble[]): Answer {
  const lasting = troubles.filter(({ kind }) => kind === "unknownModel" || kind === "unfit");
  if (answer.kind !== "proposal" || lasting.length === 0) return answer;
  return { ...answer, passedOver: lasting.map(({ because }) => because).join("; ") };
}

/** No model answered: wait, where that may help; else a person is needed. */
function conclude(troubles: readonly Trouble[]): Answer {
  const because = [...new Set(troubles.map((trouble) => trouble.because))].join("; ");
  const waits = troubles.filter((trouble) => trouble.kind === "overloaded");
  if (waits.length > 0) {
    throw new Later(because, Math.max(usualWaitMs, ...waits.map(({ retryAfterMs }) => retryAfterMs ?? 0)));
  }
  // The next attempt may end better; the desk waits longer after each.
  if (troubles.some(({ kind }) => kind === "useless")) throw new Error(because);
  return {
    kind: "person",
    because: `${because}. Name another model (\`/autoresearch model NAME\`, or \`researcher.model\` and \`researcher.fallbacks\`)`,
  };
}
