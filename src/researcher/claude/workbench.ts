/**
 * Where the model works on one proposal: its changes so far, and what the tools answer. Nothing leaves it before the guard
 * has let it pass.
 */
import type { Answer, Brief, FileText, Repair } from "../../domain/proposal.ts";
import { isPython } from "../../domain/python.ts";
import { isMutable } from "../../domain/start.ts";
import { unseen } from "../brief/frontier.ts";
import { experimentText } from "../brief/now.ts";
import { fenced, keepHead, languageOf } from "../brief/quote.ts";
import { visibleFile, visibleLine, visibleLog } from "../brief/visible.ts";
import { baseOf, refusalOf } from "../guard.ts";
import { type Submission, proposalOf, requestIn } from "../submission.ts";
import { replaceOnce } from "./edit.ts";
import type { Syntax } from "./syntax.ts";
import { type ToolInput, type ToolName, parseInput, toolNames } from "./tools.ts";

/** What a tool answers. */
export type ToolAnswer = {
  readonly text: string;
  readonly isError: boolean;
  /** The end of the work: a submission that was let pass, or that what was asked for can't be done. */
  readonly end?: Extract<Answer, { kind: "proposal" | "nothing" }>;
  /** The submission was refused. */
  readonly refused?: boolean;
};

export type Check = (file: FileText) => Promise<Syntax>;

const linesAtMost = 600;
const readTokens = 10_000;
const listTokens = 4_000;
const experimentTokens = 6_000;

const answer = (text: string): ToolAnswer => ({ text, isError: false });
const error = (problem: string, quote = ""): ToolAnswer => ({ text: saying(problem, quote), isError: true });

/** A sentence, and what it quotes: data, in a fence and without what can't be seen. */
function saying(words: string, quote = ""): string {
  const sentence = `${words[0]!.toUpperCase()}${words.slice(1)}.`;
  return quote === "" ? sentence : `${sentence}\n\n${fenced(visibleLog(quote))}`;
}

/** A path in a sentence; the repository's may hold anything but a zero byte. */
function named(path: string): string {
  return `\`${visibleLine(path, 300).replaceAll("`", "'")}\``;
}

/** `quote` is the compiler's word, which quotes the code. */
type SyntaxProblem = { readonly because: string; readonly quote: string; readonly sure: boolean };

function isOfSyntax({ failure }: Repair): boolean {
  return /^(?:Syntax|Indentation|Tab)Error\b/.test(failure);
}

export class Workbench {
  readonly #brief: Brief;
  readonly #paths: readonly string[];
  readonly #researcher: string;
  readonly #check: Check;
  readonly #files: Map<string, string>;

  /** `paths` are the repository's; `researcher` is who signs. */
  constructor(brief: Brief, paths: readonly string[], researcher: string, check: Check) {
    this.#brief = brief;
    this.#paths = paths;
    this.#researcher = researcher;
    this.#check = check;
    this.#files = new Map(baseOf(brief).map(({ path, text }) => [path, text]));
  }

  /** Does what the model asked for. A tool that is not known, or input that is not valid, is an answer too. */
  async use(name: string, input: unknown): Promise<ToolAnswer> {
    const known = toolNames.find((each) => each === name);
    if (known === undefined) return error(`there is no tool \`${name}\`; there are ${toolNames.join(", ")}`);
    return this.#run(known, input);
  }

  async #run(name: ToolName, raw: unknown): Promise<ToolAnswer> {
    switch (name) {
      case "list_files":
        return parsed(name, raw, ({ folder }) => this.#list(folder));
      case "read_file":
        return parsed(name, raw, (input) => ifReadable(this.#read(input)));
      case "look_at_experiment":
        return parsed(name, raw, ({ number }) => ifReadable(this.#look(number)));
      case "edit_file":
        return parsed(name, raw, (input) => this.#edit(input));
      case "check_syntax":
        return this.#checkAll();
      case "submit":
        return parsed(name, raw, (input) => this.#submit(input));
      case "give_up":
        return parsed(name, raw, ({ because }) => this.#giveUp(because));
    }
  }

  #giveUp(because: string): ToolAnswer {
    if (this.#brief.repair === null && requestIn(this.#brief) === undefined)
      return error("nobody asked for something that can't be done: find an idea");
    return { ...answer("Taken."), end: { kind: "nothing", because: visibleLine(because, 300) } };
  }

  #list(folder: string): ToolAnswer {
    const under = folder.replace(/^\.?\/+|\/+$/g, "");
    const paths = [...new Set([...this.#paths, ...this.#files.keys()])].filter(
      (path) => under === "" || path.startsWith(`${under}/`),
    );
    if (paths.length === 0) return error(`there is nothing under ${folder}`);
    const { mutable } = this.#brief.config;
    const lines = paths.toSorted().map((path) => (isMutable(path, mutable) ? `${path}  (mutable)` : path));
    return answer(fenced(keepHead(visibleLog(lines.join("\n")), listTokens)));
  }

  async #read({ path, first_line, last_line }: ToolInput<"read_file">): Promise<ToolAnswer> {
    const text = this.#files.get(path) ?? (await this.#brief.library.read(path));
    if (text === null) return error(`${named(path)} is not there, is not text, or is not for you to read`);
    const seen = visibleFile(path, text);
    const lines = seen.split("\n");
    const first = Math.max(1, first_line);
    const last = Math.min(lines.length, first + linesAtMost - 1, last_line > 0 ? last_line : Number.POSITIVE_INFINITY);
    if (first > lines.length) return error(`${named(path)} has ${lines.length} lines`);
    const note = seen === text ? "" : `${unseen}\n\n`;
    const shown = keepHead(lines.slice(first - 1, last).join("\n"), readTokens);
    return answer(
      `${note}${visibleLine(path, 300)}, lines ${first} to ${last} of ${lines.length}:\n\n${fenced(shown, languageOf(path))}`,
    );
  }

  async #look(number: number): Promise<ToolAnswer> {
    const past = await this.#brief.library.experiment(number);
    if (past === null) return error(`nothing is known of an experiment ${number}`);
    return answer(keepHead(experimentText(past), experimentTokens));
  }

  #edit({ path, old_text, new_text }: ToolInput<"edit_file">): ToolAnswer {
    const { mutable } = this.#brief.config;
    if (!isMutable(path, mutable)) return error(`${named(path)} is not in the mutable surface (${mutable.join(", ")})`);
    const text = this.#files.get(path);
    if (text === undefined) {
      if (old_text !== "" || this.#paths.includes(path))
        return error(`there is no mutable text file ${named(path)} at the frontier`);
      this.#files.set(path, new_text);
      return answer(`${named(path)} is new, with ${new_text.split("\n").length} lines.`);
    }
    const edited = replaceOnce(text, old_text, new_text);
    if (!edited.ok) return error(`${edited.problem}. ${named(path)} is unchanged`);
    this.#files.set(path, edited.text);
    return answer(`${named(path)} is changed.`);
  }

  #changed(): FileText[] {
    const base = new Map(baseOf(this.#brief).map(({ path, text }) => [path, text]));
    return [...this.#files].filter(([path, text]) => base.get(path) !== text).map(([path, text]) => ({ path, text }));
  }

  async #checkAll(): Promise<ToolAnswer> {
    const problem = await this.#syntaxProblem();
    if (problem !== null)
      return problem.sure ? error(problem.because, problem.quote) : answer(saying(problem.because, problem.quote));
    return answer(this.#changed().length === 0 ? "You changed nothing yet." : "The syntax is right.");
  }

  /** `sure`: a file is wrong, which no doubt of another one hides; otherwise nobody could tell. */
  async #syntaxProblem(): Promise<SyntaxProblem | null> {
    let doubt: SyntaxProblem | null = null;
    for (const file of this.#changed().filter(({ path }) => isPython(path))) {
      const syntax = await this.#check(file);
      if (syntax.kind === "good") continue;
      if (syntax.kind === "bad" && !(await this.#isBadAsItRan(file.path)))
        return { because: `${named(file.path)} is not valid Python`, quote: syntax.because, sure: true };
      const older = `the Python here may be older than the runner's, and takes ${named(file.path)} without your change no more than with it`;
      const [because, quote] = syntax.kind === "unknown" ? [syntax.because, ""] : [older, syntax.because];
      doubt ??= { because: `The syntax could not be checked (${because}); go on without`, quote, sure: false };
    }
    return doubt;
  }

  /** Whether the Python here does not even take what the runner's has run: then its word counts for nothing. */
  async #isBadAsItRan(path: string): Promise<boolean> {
    const { files, repair } = this.#brief;
    // What crashed by its syntax was never run.
    const ran = repair === null || isOfSyntax(repair) ? files : repair.files;
    const before = ran.find((file) => file.path === path);
    return before !== undefined && (await this.#check(before)).kind === "bad";
  }

  async #submit(said: Submission): Promise<ToolAnswer> {
    const proposal = proposalOf(said, this.#changed(), this.#brief, this.#researcher);
    const refusal = refusalOf(proposal, this.#brief);
    if (refusal !== null) return { ...error(`refused: ${visibleLine(refusal, 600)}`), refused: true };
    const syntax = await this.#syntaxProblem();
    if (syntax?.sure === true) return { ...error(`refused: ${syntax.because}`, syntax.quote), refused: true };
    return { ...answer("Taken."), end: { kind: "proposal", proposal } };
  }
}

/** What the library can't read now (an outage of GitHub, a limit) is no end of a conversation that was paid for. */
async function ifReadable(answered: Promise<ToolAnswer>): Promise<ToolAnswer> {
  try {
    return await answered;
  } catch {
    return error("that can't be read just now: go on without it, or ask for it again later");
  }
}

async function parsed<Name extends ToolName>(
  name: Name,
  raw: unknown,
  use: (input: ToolInput<Name>) => ToolAnswer | Promise<ToolAnswer>,
): Promise<ToolAnswer> {
  const result = parseInput(name, raw);
  return result.ok ? use(result.input) : error(result.problem);
}
