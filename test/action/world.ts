/** A repository, a candidate and the action as a real child process, as a runner would start it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Measurement, measurementSchema, type TrialSpec } from "../../src/domain/measurement.ts";

const top = join(import.meta.dirname, "..", "..");
export const sourceEntry = join(top, "action", "src", "main.ts");
export const bundledEntry = join(top, "action", "dist", "index.js");

/** What a candidate changes: text, null (deleted) or a link. */
type Changes = Readonly<Record<string, string | null | { readonly link: string }>>;

export type World = {
  readonly folder: string;
  readonly serverUrl: string;
  readonly repository: string;
  readonly base: string;
  /** Commits the changes on top of the base and gives the commit. */
  readonly candidate: (changes: Changes) => string;
  readonly remove: () => void;
};

const gitEnv = {
  PATH: process.env["PATH"] ?? "",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.com",
};

function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, env: gitEnv, encoding: "utf8" }).trim();
}

/** A bare repository `o/r` with one commit of these files. */
export function makeWorld(files: Readonly<Record<string, string>>): World {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "action-test-")));
  const work = join(folder, "work");
  mkdirSync(work);
  git(work, "init", "--quiet", "--initial-branch=main");
  put(work, files);
  git(work, "add", "--all", "--force");
  git(work, "commit", "--quiet", "--message=base");
  const base = git(work, "rev-parse", "HEAD");
  const bare = join(folder, "server", "o", "r.git");
  git(folder, "clone", "--quiet", "--bare", work, bare);
  return {
    folder,
    serverUrl: `file://${join(folder, "server")}`,
    repository: "o/r",
    base,
    candidate: (changes) => {
      git(work, "checkout", "--quiet", "--detach", base);
      put(work, changes);
      git(work, "add", "--all", "--force");
      git(work, "commit", "--quiet", "--allow-empty", "--message=candidate");
      const commit = git(work, "rev-parse", "HEAD");
      git(work, "push", "--quiet", bare, `${commit}:refs/heads/c-${commit}`);
      return commit;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function put(work: string, changes: Changes): void {
  for (const [path, content] of Object.entries(changes)) {
    const file = join(work, path);
    rmSync(file, { recursive: true, force: true });
    if (content === null) continue;
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "string") writeFileSync(file, content);
    else symlinkSync(content.link, file);
  }
}

export const plainSpec: TrialSpec = {
  version: 1,
  command: "bash train.sh",
  setup: null,
  evaluate: null,
  serve: null,
  protect: [],
  private: [],
  budgetSeconds: 1,
  timeoutSeconds: 30,
  mutable: ["train.sh"],
  metric: "val_bpb",
  direction: "lower",
  sandbox: "off",
  frontier: null,
};

export type Run = {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  readonly printed: () => string;
  readonly done: Promise<Result>;
};

export type Result = {
  readonly status: number | null;
  readonly printed: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** The output `measurement`, parsed by the schema; throws when there is none. */
  readonly measurement: Measurement;
  /** The file that the output `log` names. */
  readonly log: string;
  /** What was left in RUNNER_TEMP beside the runner's own files. */
  readonly leftovers: readonly string[];
};

/** Starts the action as a runner does; `env` overrides, undefined removes. */
export function startAction(world: World, env: Readonly<Record<string, string | undefined>>, entry = sourceEntry): Run {
  const temp = mkdtempSync(join(world.folder, "temp-"));
  const [output, summary] = [join(temp, "output"), join(temp, "summary")];
  for (const file of [output, summary]) writeFileSync(file, "");
  const child = spawn(process.execPath, [entry], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: world.folder,
      RUNNER_TEMP: temp,
      RUNNER_NAME: "gpu-1",
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_SERVER_URL: world.serverUrl,
      GITHUB_REPOSITORY: world.repository,
      GITHUB_RUN_ID: "99",
      ACTIONS_RUNTIME_TOKEN: "actions-runtime-token",
      INPUT_TRIAL: "12:7:1",
      INPUT_BASE: world.base,
      INPUT_TOKEN: "ghs_theTokenOfThisVeryJob0123456789",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (printed += chunk.toString()));
  const done = new Promise<Result>((resolve) => {
    child.on("close", (status) => {
      const outputs = readOutputs(readFileSync(output, "utf8"));
      resolve({
        status,
        printed,
        outputs,
        summary: readFileSync(summary, "utf8"),
        get measurement() {
          if (outputs["measurement"] === undefined) throw new Error(`no measurement; the action printed:\n${printed}`);
          return measurementSchema.parse(JSON.parse(outputs["measurement"]));
        },
        leftovers: readdirSync(temp).filter((name) => !["output", "summary", "autoresearch-12-7-1.log"].includes(name)),
        log: outputs["log"] === undefined || outputs["log"] === "" ? "" : readFileSync(outputs["log"], "utf8"),
      });
    });
  });
  return { child, printed: () => printed, done };
}

/** Runs mode `train` on a candidate to its end. */
export async function trainOn(
  world: World,
  commit: string,
  spec: Partial<TrialSpec> = {},
  entry = sourceEntry,
): Promise<Result> {
  return startTrain(world, commit, spec, entry).done;
}

export function startTrain(world: World, commit: string, spec: Partial<TrialSpec> = {}, entry = sourceEntry): Run {
  return startAction(
    world,
    { INPUT_MODE: "train", INPUT_COMMIT: commit, INPUT_SPEC: JSON.stringify({ ...plainSpec, ...spec }) },
    entry,
  );
}

/** The reading of GITHUB_OUTPUT that the runner does. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  while (lines.length > 0) {
    const head = /^([\w-]+)<<(.+)$/.exec(lines.shift()!);
    if (head === null) continue;
    const end = lines.indexOf(head[2]!);
    outputs[head[1]!] = lines.splice(0, end).join("\n");
    lines.shift();
  }
  return outputs;
}

/** Resolves when the condition holds; the test's own time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A zombie that nobody reaps is not alive.
  const status = `/proc/${pid}/stat`;
  return !existsSync("/proc/self/stat") || (existsSync(status) && !/\) Z /.test(readFileSync(status, "utf8")));
}

/** The process ids that a log names in lines `pid: 123`. */
export function pidsIn(text: string): number[] {
  return Array.from(text.matchAll(/^pid: (\d+)$/gm), (match) => Number(match[1]));
}

/** A link to a program of this machine, in a folder that is to be the whole search path. */
export function linkProgram(name: string, folder: string): void {
  const found = (process.env["PATH"] ?? "").split(":").find((entry) => existsSync(join(entry, name)));
  if (found !== undefined && !existsSync(join(folder, name))) symlinkSync(join(found, name), join(folder, name));
}

/** The processes that have this in their environment. */
export function processesWith(entry: string): number[] {
  return processes().filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(entry) && isAlive(pid);
    } catch {
      return false;
    }
  });
}

/** A process's children, and theirs. */
export function childrenOf(parent: number): number[] {
  const parents = new Map(
    processes().map((pid) => {
      try {
        return [pid, Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[1])];
      } catch {
        return [pid, 0];
      }
    }),
  );
  const found = [parent];
  for (const above of found) for (const [pid, own] of parents) if (own === above) found.push(pid);
  return found.slice(1);
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}
