/**
 * Names are locks (docs/design.md, rule 2): everything the bot makes on GitHub has a name that follows from the session
 * and the experiment alone, so that a second attempt to make it meets the first. Each name is a codec: `formatX` and
 * `parseX` are inverse, and `parseX` gives null for what is not ours.
 */

declare const shaBrand: unique symbol;
/** A full git object name: 40 lower-case hexadecimal digits. */
export type Sha = string & { readonly [shaBrand]: true };

/** The text as a `Sha`, or null when it is not one. */
export function parseSha(text: string): Sha | null {
  return /^[0-9a-f]{40}$/.test(text) ? (text as Sha) : null;
}

/** The text as a `Sha`; throws a TypeError when it is not one. For values that git or GitHub gave us. */
export function sha(text: string): Sha {
  const parsed = parseSha(text);
  if (parsed === null) throw new TypeError(`not a commit id: ${JSON.stringify(text)}`);
  return parsed;
}

/** The seven digits people read; karpathy's `results.tsv` uses the same. */
export function shortSha(id: Sha): string {
  return id.slice(0, 7);
}

/** One labelled issue, and all that comes of it. */
export type SessionKey = { readonly owner: string; readonly repo: string; readonly issue: number };

export function formatSessionKey(key: SessionKey): string {
  return `${key.owner}/${key.repo}#${key.issue}`;
}

export function parseSessionKey(text: string): SessionKey | null {
  const match = /^([^/#\s]+)\/([^/#\s]+)#([1-9]\d{0,9})$/.exec(text);
  return match === null ? null : { owner: match[1]!, repo: match[2]!, issue: Number(match[3]) };
}

/** The branch of the best code so far. Names of branches are without `refs/heads/`. */
export function frontierBranch(issue: number): string {
  return `autoresearch/${issue}/frontier`;
}

/** The orphan branch that holds `results.tsv`, `progress.svg`, `session.json` and `notes.md`. */
export function resultsBranch(issue: number): string {
  return `autoresearch/${issue}/results`;
}

/** Branch of one experiment, `autoresearch/12/exp-0007`; wider numbers grow beyond four digits. */
export function formatExperimentBranch(issue: number, experiment: number): string {
  return `autoresearch/${issue}/exp-${String(experiment).padStart(4, "0")}`;
}

export function parseExperimentBranch(branch: string): { issue: number; experiment: number } | null {
  const match = /^autoresearch\/([1-9]\d*)\/exp-(\d{4,})$/.exec(branch);
  if (match === null) return null;
  const parsed = { issue: Number(match[1]), experiment: Number(match[2]) };
  return formatExperimentBranch(parsed.issue, parsed.experiment) === branch ? parsed : null;
}

/** One run of the training: the `attempt`-th (from 1) of an experiment; experiment 0 measures the frontier itself. */
export type TrialId = { readonly issue: number; readonly experiment: number; readonly attempt: number };

/** `12:7:1`, the `external_id` of the checks and the `trial` input of the workflow. */
export function formatTrialId(id: TrialId): string {
  return `${id.issue}:${id.experiment}:${id.attempt}`;
}

export function parseTrialId(text: string): TrialId | null {
  const match = /^([1-9]\d*):(0|[1-9]\d*):([1-9]\d*)$/.exec(text);
  if (match === null) return null;
  const [issue, experiment, attempt] = match.slice(1).map(Number) as [number, number, number];
  return [issue, experiment, attempt].every(Number.isSafeInteger) ? { issue, experiment, attempt } : null;
}

/** Name of the workflow run that carries out a trial: the workflow's `run-name` makes the same text of its input. */
export function formatRunName(id: TrialId): string {
  return `autoresearch ${formatTrialId(id)}`;
}

export function parseRunName(name: string): TrialId | null {
  return name.startsWith("autoresearch ") ? parseTrialId(name.slice("autoresearch ".length)) : null;
}

/** Name of the job that reports: it carries the digest of what it reports, and no other run can give itself this name. */
export function formatReportJobName(digest: string): string {
  return `report ${digest}`;
}

/** The file that users copy into `.github/workflows/`. */
export const workflowFile = "autoresearch.yml";
/** The configuration on the default branch. */
export const configPath = ".github/autoresearch.yml";
/** The label that starts a session. */
export const triggerLabel = "autoresearch";
/** The bot's own check, with the verdict. */
export const verdictCheck = "autoresearch";
