/** What a session needs before it begins: all of it is looked at, and the first thing that is wrong is said. */
import picomatch from "picomatch";
import type { Config } from "./config.ts";
import { readConfig, splitFrontMatter } from "./config-text.ts";
import { isHosted } from "./machines.ts";
import { type Sha, configPath, workflowFile } from "./names.ts";
import { howToPermit } from "./permissions.ts";
import type { Start } from "./session.ts";
import { startRefusal } from "./words.ts";
import { sayDifference, workflowDifferences } from "./workflow.ts";

/** The workflow's place in a repository. */
export const workflowPath = `.github/workflows/${workflowFile}`;

export type StartFacts = {
  readonly by: string;
  readonly mayWrite: boolean;
  /** What the app may not do and must, in a phrase; null: nothing. */
  readonly lackingPermissions: string | null;
  readonly base: Sha;
  readonly baseBranch: string;
  /** Every path in the base commit. */
  readonly paths: readonly string[];
  readonly configText: string | null;
  readonly title: string;
  readonly issueBody: string;
  /** Of the text in it, as `record.issueDigest` keeps it. */
  readonly issueDigest: string;
  /** Who edited text or title after the label was put on, and may not write; null: nobody. */
  readonly editedBy: string | null;
  /** Text of the file that `program` names; null: it names none, or it is not there. */
  readonly programText: string | null;
  /** `owner/name`, and whether strangers can see it. */
  readonly repository: string;
  readonly isPublic: boolean;
  /** The workflow file on the base, null: there is none; and the one that we ship. */
  readonly workflowText: string | null;
  readonly shippedWorkflow: string;
};

/** The file that holds the program, by the configuration, or null. */
export function programPath(configText: string | null, issueBody: string): string | null {
  const result = readConfig(configText, issueBody);
  return result.ok ? result.config.program : null;
}

/** The program: the text of the file that `program` names, then the issue's own without its front matter. */
export function programOf(fileText: string | null, issueText: string): string {
  return [fileText?.trim() ?? "", issueText].filter((part) => part !== "").join("\n\n");
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

/** The patterns that reach no path. */
export function missingPaths(mutable: readonly string[], paths: readonly string[]): string[] {
  return mutable.filter((pattern) => {
    const alone = [pattern];
    return !paths.some((path) => isMutable(path, alone));
  });
}

/** Whether a path is private to the evaluation. As the action has it (action/src/surface.ts): the pattern, or anything in a folder of its name. */
export function privateMatcher(globs: readonly string[]): (path: string) => boolean {
  const folders = globs.map((glob) => glob.replace(/\/+$/, ""));
  const matches = globs.map((glob) => picomatch(glob, { nonegate: true }));
  return (path) =>
    matches.some((matcher) => matcher(path)) ||
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** A path that the researcher may change, and so reads, though it is private to the evaluation; null: there is none. */
export function exposedPath({ mutable, trial }: Config, paths: readonly string[]): string | null {
  const isPrivate = privateMatcher(trial.private);
  return paths.find((path) => isPrivate(path) && isMutable(path, mutable)) ?? null;
}

/** Why no path can be both, and what to do about it: a phrase each. */
export const exposedRisk = "what the researcher may change, it reads, and what it reads may end up in a pull request";
export const exposedRemedy = `let \`mutable\` or \`trial.private\` name less, in \`${configPath}\` or in the front matter of the issue`;

/**
 * Whether a session may run in this public repository: not on a machine that may be the owner's, unless the file on the
 * default branch names the repository. An issue's front matter does not count, since anybody can write an issue; a copy of the file in
 * another repository names the wrong one.
 */
export function isPublicAllowed(repository: string, configText: string | null, config: Config): boolean {
  if (isHosted(config.runner.labels)) return true;
  const file = readConfig(configText, "");
  return file.ok && file.config.runner.allow_public?.toLowerCase() === repository.toLowerCase();
}

/** Why a public repository and a self-hosted runner don't go together: a sentence. */
export function publicRisk(repository: string): string {
  return `\`${repository}\` is public and its runner may be a machine of yours: anybody can open a pull request that brings a workflow of their own, and run what they like on that machine.`;
}

/** What to do about it: sentences. */
export function publicRemedy(repository: string): string {
  return `Make the repository private. Or read runner-setup/README.md and, if you still want it, allow it by name in \`${configPath}\` on the default branch: \`runner: {allow_public: ${repository}}\`.`;
}

export function startOf(facts: StartFacts): Start {
  const refuse = (problem: string): Start => ({ kind: "refused", problem: startRefusal(problem) });
  if (!facts.mayWrite)
    return refuse(`@${facts.by} has no write access, and only people with write access can start a session.`);

  if (facts.editedBy !== null) {
    return refuse(
      `@${facts.editedBy}, who has no write access, edited this issue after the label was put on. What is read is what somebody with write access labels.`,
    );
  }
  if (facts.lackingPermissions !== null)
    return refuse(`${facts.lackingPermissions}. Whoever owns the app can mend it: ${howToPermit}.`);
  const result = readConfig(facts.configText, facts.issueBody);
  if (!result.ok) return refuse(result.problem);
  const { config } = result;

  if (facts.workflowText === null) {
    return refuse(
      `\`${workflowPath}\` is not on \`${facts.baseBranch}\`. It is what trains a candidate on your runner: copy it there as the README says.`,
    );
  }
  const [difference] = workflowDifferences(facts.workflowText, facts.shippedWorkflow);
  if (difference !== undefined) {
    return refuse(
      `\`${workflowPath}\` on \`${facts.baseBranch}\` is not the one that I work with: ${sayDifference(difference)}. Copy it there anew as the README says.`,
    );
  }
  if (facts.isPublic && !isPublicAllowed(facts.repository, facts.configText, config)) {
    return refuse(`${publicRisk(facts.repository)} ${publicRemedy(facts.repository)}`);
  }
  const [missing] = missingPaths(config.mutable, facts.paths);
  if (missing !== undefined) {
    return refuse(
      `\`mutable\` names \`${missing}\`, which does not exist on \`${facts.baseBranch}\`. It is set in \`${configPath}\` or in the front matter of the issue; the default is \`train.py\`.`,
    );
  }
  const exposed = exposedPath(config, facts.paths);
  if (exposed !== null) {
    return refuse(
      `\`${exposed}\` is both \`mutable\` and \`trial.private\`: ${exposedRisk}. To mend it, ${exposedRemedy}.`,
    );
  }
  if (config.program !== null && facts.programText === null) {
    return refuse(`\`program\` names \`${config.program}\`, which does not exist on \`${facts.baseBranch}\`.`);
  }
  const { text } = splitFrontMatter(facts.issueBody);
  const program = programOf(facts.programText, text);
  if (!/\p{L}/u.test(program.replace(/<!--[\s\S]*?-->/g, "").replace(/^#+ .*$|^_No response_$/gm, ""))) {
    return refuse(
      "the issue has no text. The program (what to research, and what to leave alone) is the issue's text.",
    );
  }
  const { base, baseBranch, by, title, issueDigest } = facts;
  return { kind: "ready", base, baseBranch, config, program, title, issueDigest, by };
}
