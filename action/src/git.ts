/**
 * git, for one fetch. Always: the token is in the environment of the git process alone, never on a command line, in a
 * URL or in a file; and no configuration of the machine or its user takes part (a filter or hook there would run on what
 * a candidate wrote).
 */
import { spawn } from "node:child_process";

export type Git = {
  /** Runs git and gives its standard output; throws an Error with git's own words when it fails. */
  readonly run: (args: readonly string[], stdin?: string) => Promise<string>;
};

export type GitOptions = {
  readonly gitDir: string;
  readonly workTree: string;
  /** `https://github.com`: the header goes to this server only. */
  readonly serverUrl: string;
  /** Empty: no credentials are sent. */
  readonly token: string;
  readonly signal: AbortSignal;
};

const inherited = ["PATH", "HOME", "TMPDIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"];
const proxies = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);

/** What the Authorization header holds; it is as secret as the token. */
export function basicCredentials(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString("base64");
}

function environmentOf(options: GitOptions): Record<string, string> {
  const config: [string, string][] = [
    ["core.hooksPath", "/dev/null"],
    ["core.symlinks", "true"],
    ["protocol.ext.allow", "never"],
    ["gc.auto", "0"],
    ["advice.detachedHead", "false"],
  ];
  if (options.token !== "") {
    config.push([`http.${options.serverUrl}/.extraheader`, `Authorization: basic ${basicCredentials(options.token)}`]);
  }
  const kept = [...inherited, ...proxies].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    GIT_DIR: options.gitDir,
    GIT_WORK_TREE: options.workTree,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}

/** A git that works on one git folder and one work tree. */
export function gitAt(options: GitOptions): Git {
  const env = environmentOf(options);
  return { run: async (args, stdin = "") => runGit(args, stdin, env, options) };
}

async function runGit(
  args: readonly string[],
  stdin: string,
  env: Record<string, string>,
  { signal, workTree }: GitOptions,
): Promise<string> {
  const child = spawn("git", args, {
    env,
    cwd: workTree,
    stdio: ["pipe", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  // A git that ends before it has read everything breaks the pipe; its exit status says why.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (status === 0) return Buffer.concat(out).toString();
  const said = Buffer.concat(errors).toString().trim().split("\n").slice(-3).join(" ");
  throw new Error(`git ${args[0]} failed (exit status ${status}): ${said}`);
}
