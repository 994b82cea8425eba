/** Runs git with no configuration of this machine's, so that every world behaves alike. */
import { execa } from "execa";

/** The environment of every git process: no system or user configuration, no prompt, no clean-up in the background. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  LC_ALL: "C",
  // A bare repository that another user owns is still the one that was asked for.
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "safe.directory",
  GIT_CONFIG_VALUE_0: "*",
};

export type GitResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

/** Runs `git ARGS` in a bare repository; never throws for an exit status. */
export async function tryGit(directory: string, args: readonly string[], input?: string): Promise<GitResult> {
  const result = await execa("git", ["--git-dir", directory, "-c", "core.quotePath=false", ...args], {
    env: gitEnvironment,
    input: input ?? "",
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 256 * 1024 * 1024,
  });
  return { exitCode: result.exitCode ?? 128, stdout: result.stdout, stderr: result.stderr };
}

/** Runs `git ARGS` in a bare repository and gives its output; throws where git fails. */
export async function git(directory: string, args: readonly string[], input?: string): Promise<string> {
  const result = await tryGit(directory, args, input);
  if (result.exitCode !== 0) throw new Error(`git ${args.join(" ")}: exit ${result.exitCode}: ${result.stderr.trim()}`);
  return result.stdout;
}

let version: Promise<string> | null = null;

/** Throws where git is too old: `merge-tree --write-tree` came with 2.38. */
export async function checkGitVersion(): Promise<void> {
  version ??= execa("git", ["--version"]).then(({ stdout }) => stdout.trim());
  const found = await version;
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(found)?.slice(1) ?? []).map(Number);
  if (major > 2 || (major === 2 && minor >= 38)) return;
  throw new Error(`git 2.38 or newer is needed for the local GitHub; this is ${found}`);
}
