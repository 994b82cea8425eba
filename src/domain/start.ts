/** What a session needs before it begins: all of it is looked at, and the first thing that is wrong is said. */
import picomatch from "picomatch";
import { readConfig, splitFrontMatter } from "./config-text.ts";
import { type Sha, configPath, workflowFile } from "./names.ts";
import type { Start } from "./session.ts";
import { startRefusal } from "./words.ts";

export type StartFacts = {
  readonly by: string;
  readonly mayWrite: boolean;
  readonly base: Sha;
  readonly baseBranch: string;
  /** Every path in the base commit. */
  readonly paths: readonly string[];
  readonly configText: string | null;
  readonly issueBody: string;
  /** Text of the file that `program` names; null: it names none, or it is not there. */
  readonly programText: string | null;
};

/** The file that holds the program, by the configuration, or null. */
export function programPath(configText: string | null, issueBody: string): string | null {
  const result = readConfig(configText, issueBody);
  return result.ok ? result.config.program : null;
}

/** To compile a pattern takes longer than to ask it, and a tree has many paths. */
const matchers = new WeakMap<readonly string[], (path: string) => boolean>();

/**
 * Whether a path belongs to the mutable surface. The action asks the same of the same patterns (action/src/surface.ts):
 * `!` is a part of a name, and `*` does not reach names that begin with a dot. What judges an experiment is never mutable,
 * whatever a pattern reaches.
 */
export function isMutable(path: string, mutable: readonly string[]): boolean {
  const matches = matchers.get(mutable) ?? picomatch([...mutable], { nonegate: true });
  matchers.set(mutable, matches);
  return (mutable.includes(path) || matches(path)) && !/^\.(git|github)(\/|$)/i.test(path);
}

export function startOf(facts: StartFacts): Start {
  const refuse = (problem: string): Start => ({ kind: "refused", problem: startRefusal(problem) });
  if (!facts.mayWrite)
    return refuse(`@${facts.by} has no write access, and only people with write access can start a session.`);

  const result = readConfig(facts.configText, facts.issueBody);
  if (!result.ok) return refuse(result.problem);
  const { config } = result;

  const workflow = `.github/workflows/${workflowFile}`;
  if (!facts.paths.includes(workflow)) {
    return refuse(
      `\`${workflow}\` is not on \`${facts.baseBranch}\`. It is what trains a candidate on your runner: copy it there as the README says.`,
    );
  }
  const missing = config.mutable.find((pattern) => {
    const alone = [pattern];
    return !facts.paths.some((path) => isMutable(path, alone));
  });
  if (missing !== undefined) {
    return refuse(
      `\`mutable\` names \`${missing}\`, which does not exist on \`${facts.baseBranch}\`. It is set in \`${configPath}\` or in the front matter of the issue; the default is \`train.py\`.`,
    );
  }
  if (config.program !== null && facts.programText === null) {
    return refuse(`\`program\` names \`${config.program}\`, which does not exist on \`${facts.baseBranch}\`.`);
  }
  const { text } = splitFrontMatter(facts.issueBody);
  const program = [facts.programText?.trim() ?? "", text].filter((part) => part !== "").join("\n\n");
  if (!/\p{L}/u.test(program.replace(/<!--[\s\S]*?-->/g, "").replace(/^#+ .*$|^_No response_$/gm, ""))) {
    return refuse(
      "the issue has no text. The program (what to research, and what to leave alone) is the issue's text.",
    );
  }
  const { base, baseBranch, by } = facts;
  return { kind: "ready", base, baseBranch, config, program, by };
}
