/**
 * The researcher `command`: an agent of the admin's choice (claude, codex, a script) that works in a checkout of the frontier
 * with the brief as a file, and leaves changed files and a small JSON.
 *
 * Always: what runs is what the admin allowed by RESEARCHER_COMMANDS; a repository chooses among the names. Its environment
 * is PATH, HOME (a folder of its own), LANG and what the admin named. It is the bot's user that runs: what that user may
 * read, the command may read (docs/researchers.md says how to keep it apart).
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type Answer, type Brief, type Proposal, type Researcher, nothingSpent } from "../../domain/proposal.ts";
import { redact } from "../../domain/secrets.ts";
import { briefTextOf, wholeBrief } from "../brief/brief-text.ts";
import { oneLineOf } from "../brief/quote.ts";
import { shelfOf } from "../brief/shelf.ts";
import { visible, visibleLine } from "../brief/visible.ts";
import { refusalOf } from "../guard.ts";
import { proposalOf, submissionSchema } from "../submission.ts";
import type { AllowedCommand } from "../../domain/allowed-commands.ts";
import { type Checkout, changesIn, layCheckout, readPlain } from "./checkout.ts";
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

/** Runs in one folder, the first and those after a refusal. */
const runsAtMost = 3;
const secretLength = 8;

export function command(name: string, means: CommandMeans): Researcher {
  const allowed = Object.hasOwn(means.commands, name) ? means.commands[name]! : null;
  if (allowed === null) {
    const because = `\`researcher.command\` is \`${name}\`, which the bot's admin has not allowed (RESEARCHER_COMMANDS)`;
    return { propose: () => Promise.resolve({ kind: "person", because }) };
  }
  return {
    repairs: true,
    propose: (brief, signal) => propose(brief, { name, allowed, environment: means.environment }, signal),
  };
}

type With = { readonly name: string; readonly allowed: AllowedCommand } & Pick<CommandMeans, "environment">;

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
    await rm(home, { recursive: true, force: true });
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

async function runOnce(
  brief: Brief,
  refused: string | null,
  checkout: Checkout,
  { name, allowed, environment, places }: With & { places: Places },
  signal: AbortSignal,
): Promise<Answer | { kind: "refused"; because: string }> {
  await writeBrief(brief, refused, places);
  await rm(places.answer, { force: true });
  const handedOn = allowed.env.flatMap((variable) => {
    const value = environment[variable];
    return value === undefined ? [] : [[variable, value] as const];
  });
  const env = { ...environmentOf(environment, places), ...Object.fromEntries(handedOn) };
  const timeoutMs = brief.config.researcher.timeout * 1000;
  const ended = await runCommand(allowed.run, { cwd: places.checkout, env, timeoutMs }, signal);
  const secrets = handedOn.map(([, value]) => value).filter((value) => value.length >= secretLength);
  if (ended.problem !== null) {
    const tail = oneLineOf(redact(visible(ended.output), secrets).slice(-300), 300);
    throw new Error(`the command ${name} failed: ${ended.problem}${tail === "" ? "" : `: ${tail}`}`);
  }
  const answer = await readAnswer(places.answer);
  if ("problem" in answer) return { kind: "refused", because: answer.problem };
  if (answer.cost_usd !== undefined) brief.purse.settle(0, { ...nothingSpent, usd: answer.cost_usd });
  if ("nothing" in answer) return { kind: "nothing", because: visibleLine(answer.nothing, 300) };
  const changes = await changesIn(checkout, brief.config.mutable);
  if (!changes.ok) return { kind: "refused", because: changes.because };
  const proposal = proposalOf(answer, changes.files, brief, name);
  const refusal = holdsAny(proposal, secrets) ? "it holds a value of its environment" : refusalOf(proposal, brief);
  return refusal === null ? { kind: "proposal", proposal } : { kind: "refused", because: refusal };
}

function holdsAny(proposal: Proposal, secrets: readonly string[]): boolean {
  const all = JSON.stringify(proposal);
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
  const { wasTried: _, library: __, purse: ___, files: ____, ...plain } = brief;
  const repair = brief.repair === null ? null : { ...brief.repair, files: undefined };
  // The files are in the folder; of all other texts the JSON holds what a person would see.
  const seen = (_key: string, value: unknown) => (typeof value === "string" ? visible(value) : value);
  await writeFile(places.briefJson, JSON.stringify({ ...plain, repair, refused }, seen, 2));
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

async function readAnswer(at: string): Promise<z.output<typeof answerSchema> | { problem: string }> {
  const text = await readPlain(at);
  if (text === null) return { problem: "there is no answer in the file that AUTORESEARCH_ANSWER names" };
  try {
    const parsed = answerSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    return { problem: `the answer is not of the form asked for: ${oneLineOf(z.prettifyError(parsed.error), 300)}` };
  } catch {
    return { problem: "the answer is not JSON" };
  }
}
