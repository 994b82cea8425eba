/**
 * The environment of the code under trial: what is named here, and nothing else. No GITHUB_*, RUNNER_*, ACTIONS_* or
 * INPUT_* reaches it (tokens and the files that the runner reads back are among them), and nothing whose name says that
 * it is a secret.
 */

const names = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TERM",
  "TMPDIR",
  "TZ",
  "LD_LIBRARY_PATH",
  "XDG_CACHE_HOME",
  "PYTHONUNBUFFERED",
]);
const prefixes = ["CUDA_", "NVIDIA_", "LC_", "HF_", "UV_"];
const secretWords = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|(?:^|_)(?:API_?)?KEY(?:_|$)|_AUTH/;

type Environment = Readonly<Record<string, string | undefined>>;

/** In the sandbox there is no network: who would ask it for something is told at once, not after a time-out. */
const offline = {
  HF_HUB_OFFLINE: "1",
  UV_OFFLINE: "1",
  UV_NO_SYNC: "1",
  UV_CACHE_DIR: "/tmp/uv-cache",
  TMPDIR: "/tmp",
};

export type TrialFacts = {
  readonly id: string;
  readonly budgetSeconds: number;
  /** Random: what a command starts is known by it. */
  readonly mark: string;
  readonly isolates: boolean;
  /** Where the command may write its temporary files when there is no sandbox. */
  readonly temp: string;
  readonly home: string;
};

/** The allowed part of `own`, and what the command may know of its trial. */
export function candidateEnv(own: Environment, trial: TrialFacts): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && isAllowed(entry[0]) && !carriesCredentials(entry[1]),
  );
  return {
    ...Object.fromEntries(kept),
    HOME: trial.home,
    ...(trial.isolates ? offline : { TMPDIR: trial.temp }),
    PYTHONUNBUFFERED: "1",
    AUTORESEARCH_BUDGET_SECONDS: String(trial.budgetSeconds),
    AUTORESEARCH_TRIAL: trial.id,
    AUTORESEARCH_MARK: trial.mark,
  };
}

const runnersOwn = /^(?:INPUT|GITHUB|ACTIONS|RUNNER)_/;

/** The environment of `trial.setup`, which the base's files alone decide: all of `own` but what is the runner's. */
export function setupEnv(own: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(own).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !runnersOwn.test(entry[0]),
    ),
  );
}

/** The values in `own` that are secret by their names, to be hidden wherever they turn up. */
export function secretValues(own: Environment): string[] {
  return Object.entries(own).flatMap(([name, value]) =>
    value !== undefined && value.length >= 8 && secretWords.test(name) ? [value] : [],
  );
}

function isAllowed(name: string): boolean {
  if (names.has(name)) return true;
  return prefixes.some((prefix) => name.startsWith(prefix)) && !secretWords.test(name);
}

/** `UV_INDEX_URL=https://name:password@host/` holds a secret under an innocent name. */
function carriesCredentials(value: string): boolean {
  return /:\/\/[^/\s@]+@/.test(value);
}
