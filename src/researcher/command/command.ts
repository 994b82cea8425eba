/**
 * The researcher `command`: an agent of the admin's choice (claude, codex, a script) that works in a checkout of the frontier
 * with the brief as a file, and leaves changed files and a small JSON.
 *
 * Always: what runs is what the admin allowed by RESEARCHER_COMMANDS; a repository chooses among the names. Its environment
 * is PATH, HOME (a folder of its own), LANG and what the admin named. It is the bot's user that runs: what that user may
 * read, the command may read (docs/researchers.md says how to keep it apart). No value that it was handed is in what it
 * answers, nor in why it failed.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type Answer, type Brief, type Researcher, nothingSpent } from "../../domain/proposal.ts";
import { redact } from "../../domain/secrets.ts";
import { briefTextOf, wholeBrief } from "../brief/brief-text.ts";
import { briefJsonOf } from "../brief/brief-json.ts";
import { oneLineOf } from "../brief/quote.ts";
import { shelfOf } from "../brief/shelf.ts";
import { visible, visibleLog } from "../brief/visible.ts";
import { refusalOf } from "../guard.ts";
import { proposalOf, submissionSchema } from "../submission.ts";
import type { AllowedCommand } from "../../domain/allowed-commands.ts";
import { type Checkout, changesIn, layCheckout, readPlain } from "./checkout.ts";
import { clearAway } from "./clear-away.ts";
import { runCommand } from "./process.ts";

export type CommandMeans = {
  readonly commands: Readonly<Record<string, AllowedCommand>>;
  /** The bot's environment, of which a command gets PATH, LANG and what its entry names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const words = z
  .string()
  .nullish()
  .transform((text) => text ?? "");

/** What the command writes: a submission of which only title and hypothesis must be there, or that it has no idea. */
const answerSchema = z.union([
  submissionSchema.extend({
    kind: submissionSchema.shape.kind.default("other"),
    expected: words,
    refuted_by: words,
    lesson: words,
    ideas: submissionSchema.shape.ideas.default([]),
    foreclosed: submissionSchema.shape.foreclosed.default([]),
    /** Dollars that it spent, by its own word. */
    cost_usd: z.number().min(0).optional(),
  }),
  z.strictObject({ nothing: z.string(), cost_usd: z.number().min(0).optional() }),
]);

type Said = z.output<typeof answerSchema>;

/** Runs in one folder, the first and those after a refusal. */
const runsAtMost = 3;
const secretLength = 8;
const becauseLength = 600;

export function command(name: string, means: CommandMeans): Researcher {
  const allowed = Object.hasOwn(means.commands, name) ? means.commands[name]! : null;
  if (allowed === null) {
    const because = `\`researcher.command\` is \`${name}\`, which the bot's admin has not allowed (RESEARCHER_COMMANDS)`;
    return { propose: () => Promise.resolve({ kind: "person", because }) };
  }
  const handedOn = allowed.env.flatMap((variable) => {
    const value = means.environment[variable];
    return value === undefined ? [] : [[variable, value] as const];
  });
  const secrets = handedOn.flatMap(([, value]) => [value.trim(), value.trim().replaceAll(/\s+/g, " ")]);
  const given: With = {
    name,
    run: allowed.run,
    environment: means.environment,
    handedOn: Object.fromEntries(handedOn),
    secrets: secrets.filter((value) => value.length >= secretLength),
  };
  return { repairs: true, propose: (brief, signal) => propose(brief, given, signal) };
}

type With = Pick<CommandMeans, "environment"> & {
  readonly name: string;
  readonly run: string;
  /** What the admin named of the bot's environment, and the values that are not to be seen again. */
  readonly handedOn: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
};

async function propose(brief: Brief, given: With, signal: AbortSignal): Promise<Answer> {
  if (brief.purse.leftUsd <= 0) {
    return { kind: "nothing", because: `the limit of $${brief.config.limits.cost_usd} for the researcher is reached` };
  }
  const home = await mkdtemp(path.join(tmpdir(), "autoresearch-command-"));
  try {
    const places = placesIn(home);
    await mkdir(places.checkout);
    await mkdir(places.home);
    const checkout = await layCheckout(places.checkout, brief, given.environment["PATH"] ?? "");
    let refused: string | null = null;
    for (let run = 1; run <= runsAtMost; run += 1) {
      const result = await runOnce(brief, refused, checkout, { ...given, places }, signal);
      if (result.kind !== "refused") return result;
      refused = result.because;
    }
    throw new Error(`no change of ${given.name} passed the guard in ${runsAtMost} runs; the last: ${refused}`);
  } finally {
    await clearAway(home);
  }
}

type Places = ReturnType<typeof placesIn>;

function placesIn(home: string) {
  const at = (name: string) => path.join(home, name);
  return {
    checkout: at("checkout"),
    home: at("home"),
    brief: at("brief.md"),
    briefJson: at("brief.json"),
    answer: at("answer.json"),
  };
}

type Result = Answer | { readonly kind: "refused"; readonly because: string };

/** One run and what came of it; the one way on which the command's words go out. */
async function runOnce(
  brief: Brief,
  refused: string | null,
  checkout: Checkout,
  given: With & { places: Places },
  signal: AbortSignal,
): Promise<Result> {
  const { name, run, environment, handedOn, secrets, places } = given;
  await writeBrief(brief, refused, places);
  await rm(places.answer, { force: true });
  const env = { ...environmentOf(environment, places), ...handedOn };
  const timeoutMs = brief.config.researcher.timeout * 1000;
  const ended = await runCommand(run, { cwd: places.checkout, env, timeoutMs }, signal);
  if (ended.problem !== null) {
    const tail = redact(visible(ended.output), secrets).trim().slice(-300);
    throw new Error(shown(`the command ${name} failed: ${ended.problem}${tail === "" ? "" : `: ${tail}`}`, secrets));
  }
  const answer = await readAnswer(places.answer);
  const result = "problem" in answer ? refusal(answer.problem) : await resultOf(answer, brief, checkout, name);
  if (result.kind !== "proposal") return { ...result, because: shown(result.because, secrets) };
  return holdsAny([answer, result], secrets) ? refusal("it holds a value of its environment") : result;
}

function refusal(because: string): Result {
  return { kind: "refused", because };
}

async function resultOf(answer: Said, brief: Brief, checkout: Checkout, name: string): Promise<Result> {
  if (answer.cost_usd !== undefined) brief.purse.settle(0, { ...nothingSpent, usd: answer.cost_usd });
  if ("nothing" in answer) return { kind: "nothing", because: answer.nothing };
  // A folder that can't be read is the command's own doing, and so is its name.
  const changes = await changesIn(checkout, brief.config.mutable).catch((error: Error) => ({
    ok: false as const,
    because: error.message,
  }));
  if (!changes.ok) return refusal(changes.because);
  const proposal = proposalOf(answer, changes.files, brief, name);
  const because = refusalOf(proposal, brief);
  return because === null ? { kind: "proposal", proposal } : refusal(because);
}

/** One line as people may see it. Before anything is taken away or cut, and after: half a value would not be known again. */
function shown(text: string, secrets: readonly string[]): string {
  const seen = visibleLog(redact(text, secrets).slice(0, 10 * becauseLength));
  return oneLineOf(redact(seen.replaceAll(/\s+/g, " "), secrets), becauseLength);
}

function holdsAny(value: unknown, secrets: readonly string[]): boolean {
  const all = JSON.stringify(value);
  return secrets.some((secret) => all.includes(JSON.stringify(secret).slice(1, -1)));
}

/** All that a command's environment holds beside what the admin names. */
function environmentOf(bot: CommandMeans["environment"], places: Places): Record<string, string> {
  const kept = ["PATH", "LANG"].flatMap((name) => (bot[name] === undefined ? [] : [[name, bot[name]] as const]));
  return {
    ...Object.fromEntries(kept),
    HOME: places.home,
    AUTORESEARCH_BRIEF: places.brief,
    AUTORESEARCH_BRIEF_JSON: places.briefJson,
    AUTORESEARCH_ANSWER: places.answer,
  };
}

async function writeBrief(brief: Brief, refused: string | null, places: Places): Promise<void> {
  const text = wholeBrief(briefTextOf(brief, await shelfOf(brief), "folder"));
  const again =
    refused === null ? "" : `\n\n## Your last answer was refused\n\n${refused}. Mend it; the folder is as you left it.`;
  await writeFile(places.brief, `${text}${again}\n\n${answerForm}\n`);
  await writeFile(places.briefJson, briefJsonOf(brief, refused));
}

const answerForm = `## The form of the answer

\`\`\`json
{
  "title": "the change in a few words",
  "hypothesis": "why it should help",
  "kind": "hyperparameter | architecture | optimiser | schedule | data | regularisation | simplify | combine | other",
  "expected": "what you expect of the metric, or null",
  "refuted_by": "the result that would prove you wrong, or null",
  "lesson": "what the last results taught, or null",
  "ideas": ["ideas for later"],
  "foreclosed": ["avenues that are closed for good"],
  "cost_usd": 0.12
}
\`\`\`

Only \`title\` and \`hypothesis\` must be there. If you have no idea at all: \`{"nothing": "the reason"}\`.`;

async function readAnswer(at: string): Promise<Said | { problem: string }> {
  const text = await readPlain(at);
  if (text === null) return { problem: "there is no answer in the file that AUTORESEARCH_ANSWER names" };
  try {
    const parsed = answerSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    return { problem: `the answer is not of the form asked for: ${z.prettifyError(parsed.error)}` };
  } catch {
    return { problem: "the answer is not JSON" };
  }
}
