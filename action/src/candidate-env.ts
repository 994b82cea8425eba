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

/** The allowed part of `own`, and what the command may know of its trial. */
export function candidateEnv(own: Environment, trial: { id: string; budgetSeconds: number }): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && isAllowed(entry[0]) && !carriesCredentials(entry[1]),
  );
  return {
    ...Object.fromEntries(kept),
    PYTHONUNBUFFERED: "1",
    AUTORESEARCH_BUDGET_SECONDS: String(trial.budgetSeconds),
    AUTORESEARCH_TRIAL: trial.id,
  };
}

function isAllowed(name: string): boolean {
  if (names.has(name)) return true;
  return prefixes.some((prefix) => name.startsWith(prefix)) && !secretWords.test(name);
}

/** `UV_INDEX_URL=https://name:password@host/` holds a secret under an innocent name. */
function carriesCredentials(value: string): boolean {
  return /:\/\/[^/\s@]+@/.test(value);
}
