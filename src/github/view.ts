/**
 * The view: what the process knows of one session on GitHub. Reads fill it, and so do the answers to our own writes, so
 * that a write need not be read back. It is a cache and nothing more: throwing it away at any moment costs requests.
 *
 * `aspects` are the parts that a hint can make look old. A webhook names the part that changed; the sweep names all.
 */
import type { SessionKey, Sha } from "../domain/names.ts";
import type { FileText, PastExperiment } from "../domain/proposal.ts";
import type { Row } from "../domain/results.ts";
import type { Edit, Gone, Labelling, Order, SessionRecord, Start } from "../domain/session.ts";
import type { CheckFact, JobFact, RunFact } from "../domain/trial.ts";
import type { CommentFact, CommitFact, IssueFact, PullFact, RepositoryFact } from "./facts.ts";

/** Who the bot is on this GitHub: the app's slug, and its login `slug[bot]`. */
export type Identity = { readonly slug: string; readonly login: string };

export const aspects = ["repository", "issue", "comments", "pulls", "refs", "checks", "runs"] as const;
export type Aspect = (typeof aspects)[number];
/** What a wake-up says may have changed. */
export type Hint = ReadonlySet<Aspect>;
export const everything: Hint = new Set(aspects);

/** A file of the mutable surface, with git's mode of it. */
export type MutableFile = FileText & { readonly mode: string };

export type View = {
  readonly key: SessionKey;
  /** What must be read before the next decision. */
  old: Set<Aspect>;
  repository: RepositoryFact | null;
  issue: IssueFact | null;
  /** What became of the issue of a session, where it is there no more. */
  gone: Gone | null;
  /** Since when the label is seen on the issue and nobody's putting it on is. */
  unexplainedSinceMs: number | null;
  labelled: Labelling | null;
  unlabelledBy: string | null;
  start: Start | null;
  /** Commits of the session's two branches; undefined: not read; null: not there. */
  frontier: Sha | null | undefined;
  results: Sha | null | undefined;
  /** False: what was folded into record and rows is not trusted any more. */
  resultsKnown: boolean;
  /** Since when a branch that was there is not listed. */
  goneSinceMs: number | null;
  record: SessionRecord | null;
  rows: readonly Row[];
  /** Text of notes.md; null: there is none. */
  notes: string | null;
  /** An edit of the issue's text that the record does not know. */
  edit: Edit | null;
  /** Experiments of the past that were looked at: what is settled never changes. */
  readonly past: Map<number, PastExperiment>;
  readonly pulls: Map<number, PullFact>;
  report: number | null;
  readonly commits: Map<Sha, CommitFact>;
  /** The mutable surface of commits. */
  readonly files: Map<Sha, readonly MutableFile[]>;
  readonly checks: Map<Sha, CheckFact[]>;
  readonly runs: Map<number, RunFact>;
  /** Pages of the list of runs that were read, from the newest. */
  runPages: number;
  readonly jobs: Map<number, readonly JobFact[]>;
  /** The bot's own comments on the issue and its pull requests. */
  readonly ownComments: Map<number, CommentFact>;
  orders: readonly Order[];
  /** Comments whose commands have their receipt. */
  readonly handled: Set<number>;
  commentsSince: string | null;
  readonly cancelled: Set<number>;
  /** Commits whose last intent is known to have no run: a limit forbade its dispatch before it was sent. */
  readonly unsent: Set<Sha>;
  /** `head tip` → why the one can't be carried onto the other. */
  readonly conflicts: Map<string, string>;
};

export function emptyView(key: SessionKey): View {
  return {
    key,
    old: new Set(aspects),
    repository: null,
    issue: null,
    gone: null,
    unexplainedSinceMs: null,
    labelled: null,
    unlabelledBy: null,
    start: null,
    frontier: undefined,
    results: undefined,
    resultsKnown: false,
    goneSinceMs: null,
    record: null,
    rows: [],
    notes: null,
    edit: null,
    past: new Map(),
    pulls: new Map(),
    report: null,
    commits: new Map(),
    files: new Map(),
    checks: new Map(),
    runs: new Map(),
    runPages: 0,
    jobs: new Map(),
    ownComments: new Map(),
    orders: [],
    handled: new Set(),
    commentsSince: null,
    cancelled: new Set(),
    unsent: new Set(),
    conflicts: new Map(),
  };
}

/** Everything a session's action needs besides its arguments. */
export type Repo = { readonly owner: string; readonly repo: string };

export function repoOf(view: View): Repo {
  return { owner: view.key.owner, repo: view.key.repo };
}
