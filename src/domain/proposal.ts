/** What a researcher is asked, and what it answers. A researcher sees texts and numbers; it never sees a token. */
import type { Config } from "./config.ts";
import type { Sha } from "./names.ts";
import type { Row } from "./results.ts";

/** A file's path and its text. */
export type FileText = { readonly path: string; readonly text: string };

/** What a change is about; when a session is stuck, another kind is asked for. */
export const changeKinds = [
  "hyperparameter",
  "architecture",
  "optimiser",
  "schedule",
  "data",
  "regularisation",
  "simplify",
  "combine",
  "other",
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** What calls of a model took: tokens as the vendor counts them, and dollars by the configured prices. */
export type Spending = {
  readonly usd: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
};

export const nothingSpent: Spending = {
  usd: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
};

/** Money for one task of a researcher: what is not reserved is not spent, so that a limit is never passed. */
export type Purse = {
  /** Dollars that may still be reserved; Infinity where nothing is limited. */
  readonly leftUsd: number;
  /** Sets aside the most that a call can cost; false: there is not enough left, so the call must not be made. */
  reserve(usd: number): boolean;
  /** After the call: gives the reservation back and takes what was spent. */
  settle(reservedUsd: number, spent: Spending): void;
};

/** What a person with write access asked for in a comment. */
export type Steering = {
  readonly comment: number;
  readonly kind: "note" | "try";
  readonly by: string;
  readonly text: string;
  readonly at: string;
  /** The first experiment that was proposed with it on the desk (`note`) or for it (`try`); null: none yet. */
  readonly takenUpIn: number | null;
};

/** The memory of a session, `notes.md` on the results branch; people may edit it. Newest last, bounded. */
export type Notes = {
  readonly ideas: readonly string[];
  readonly lessons: readonly string[];
  readonly foreclosed: readonly string[];
};

export const noNotes: Notes = { ideas: [], lessons: [], foreclosed: [] };

/** One experiment of the past as it can be looked at: text of the candidate's making is data, never words to obey. */
export type PastExperiment = {
  readonly row: Row;
  readonly hypothesis: string | null;
  /** Unified diff of the mutable files against the frontier it was built on. */
  readonly diff: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Points of the loss curve, in order. */
  readonly curve: readonly number[];
  /** The end of the training's log, or the lines of its traceback. */
  readonly logTail: string;
};

/** What a researcher may look at besides the brief; everything is at the frontier or in the past. Rejects on failure. */
export type Library = {
  /** Paths of the repository at the frontier, sorted. */
  paths(): Promise<readonly string[]>;
  /** The whole text of a file at the frontier; null: it is not there, is no text, is very large, or is private to the evaluation. */
  read(path: string): Promise<string | null>;
  experiment(number: number): Promise<PastExperiment | null>;
};

/** A crash that goes back to whoever wrote the change. */
export type Repair = {
  readonly experiment: number;
  /** 1 for the first repair of this experiment, 2 for the last. */
  readonly attempt: number;
  /** The commit that crashed, and its failure in one line that equal failures share. */
  readonly head: Sha;
  readonly failure: string;
  readonly description: string;
  readonly hypothesis: string | null;
  /** The mutable files as they crashed. */
  readonly files: readonly FileText[];
  readonly diff: string;
  /** Why the trial gave no value, and the useful lines of its traceback. */
  readonly because: string;
  readonly traceback: string;
};

/** How often a kind of change was tried, and how often it was kept. */
export type KindTally = Readonly<Partial<Record<ChangeKind, { readonly tried: number; readonly kept: number }>>>;

/** Settled experiments that a brief shows whole. */
export const recentAtMost = 4;

export type Brief = {
  /** `owner/repo#issue`: the seed of whatever chance a researcher uses. */
  readonly session: string;
  readonly experiment: number;
  readonly program: string;
  readonly config: Config;
  /** The frontier's commit, and the mutable files there. */
  readonly frontier: Sha;
  readonly files: readonly FileText[];
  readonly rows: readonly Row[];
  /** Descriptions of the experiments that are not settled yet. */
  readonly inFlight: readonly string[];
  /** Whether files with these contents were tried before in this session. */
  readonly wasTried: (files: readonly FileText[]) => boolean;
  readonly baseline: number | null;
  readonly frontierValue: number | null;
  /** Standard deviation of the metric between equal runs; null while it is not known. */
  readonly sigma: number | null;
  /** The last few settled experiments, oldest first, with all that is known of them. */
  readonly recent: readonly PastExperiment[];
  readonly kinds: KindTally;
  readonly notes: Notes;
  /** What people asked for and is still to be heeded: every note, and the first `try` that was not taken up. */
  readonly steering: readonly Steering[];
  /** Name of the model that a person asked for by command; null: as configured. */
  readonly model: string | null;
  readonly left: { readonly experiments: number; readonly hours: number; readonly usd: number | null };
  /** The crash to mend instead of a new idea; null: a new idea is wanted. */
  readonly repair: Repair | null;
  readonly library: Library;
  readonly purse: Purse;
};

/** What a change is about, in words. */
export type Thought = {
  /** A few words, for the title and the table. */
  readonly description: string;
  readonly hypothesis: string;
  readonly expected: string | null;
  readonly refutedBy: string | null;
  /** Who thought of it: `mutate`, a model's name. */
  readonly researcher: string;
  readonly kind: ChangeKind;
  /** Login of the person whose `try` it takes up; null: the researcher's own idea. */
  readonly askedBy: string | null;
};

/** What a researcher learnt from the last results, would try next, and holds to be hopeless: for `notes.md`. */
export type Insights = {
  readonly lesson: string | null;
  readonly ideas: readonly string[];
  readonly foreclosed: readonly string[];
};

export const noInsights: Insights = { lesson: null, ideas: [], foreclosed: [] };

/** A thought whose contents have a key; what a candidate's commit says. */
export type Idea = Thought & {
  readonly key: string;
  /** Keys of what earlier commits of the experiment held, and was tried. */
  readonly keysBefore: readonly string[];
  /** What all its proposals took together; null: nothing was counted. */
  readonly spent: Spending | null;
  /** Lines of code more than the frontier that it was built on; see `lineChange`. */
  readonly lines: number | null;
  readonly insights: Insights;
  /** What of people's steering was on the desk; see `steeringKey`. */
  readonly heeded: readonly string[];
  /** Attempts that earlier commits of the experiment had. */
  readonly attemptsBefore: number;
  /** What a repair mended: the failure's signature, and how. null: it is no repair. */
  readonly repair: { readonly attempt: number; readonly failure: string; readonly description: string } | null;
};

/** One change to the mutable surface. `files` holds the whole new text of each changed file. */
export type Proposal = Thought & { readonly files: readonly FileText[]; readonly insights: Insights };

/** What there is to say beside a thought where nothing more is known. */
export const untold = {
  keysBefore: [],
  spent: null,
  lines: null,
  insights: noInsights,
  heeded: [],
  attemptsBefore: 0,
  repair: null,
} as const satisfies Partial<Idea>;

/** The keys of all that was tried when another commit takes the place of the idea's; bounded, the newest stay. */
export function keysTried({ keysBefore, key }: Idea): string[] {
  return [...new Set([...keysBefore, key])].slice(-keysBeforeAtMost);
}

const keysBeforeAtMost = 20;

/** The tally with one experiment of this kind more, or less. */
export function withTried(tally: KindTally, kind: ChangeKind, isKept: boolean, by: 1 | -1 = 1): KindTally {
  const { tried, kept } = tally[kind] ?? { tried: 0, kept: 0 };
  const next = { tried: Math.max(0, tried + by), kept: Math.max(0, kept + (isKept ? by : 0)) };
  return { ...tally, [kind]: next };
}

export type Answer =
  /** `passedOver`: why it was not made by the model that a person named, in a sentence that they should read. */
  | { readonly kind: "proposal"; readonly proposal: Proposal; readonly passedOver?: string }
  | { readonly kind: "nothing"; readonly because: string }
  /** Nothing more will come until a person has done something (a key, a model's name, money): the session is blocked. */
  | { readonly kind: "person"; readonly because: string };

/** Proposes one change at a time. Rejects when it can't answer now; the signal aborts it when the session stops. */
export type Researcher = {
  propose(brief: Brief, signal: AbortSignal): Promise<Answer>;
  /** True where a crash may come back to it, as `brief.repair`. */
  readonly repairs?: true;
  /** True where it reads no words: past experiments, notes and what people ask for are not gathered for it. */
  readonly wordless?: true;
};

/** What a session must know of its researcher. */
export type Traits = { readonly repairs: boolean; readonly wordless: boolean };

/** The crash that a proposal mends: of the experiment's commit `head`, for the `attempt`-th time. */
export type RepairOf = { readonly head: Sha; readonly attempt: number; readonly failure: string };

/** A proposal on the desk: made for experiment `number` on the frontier's commit `parent`. */
export type Prepared = {
  readonly number: number;
  readonly parent: Sha;
  readonly key: string;
  readonly proposal: Proposal;
  /** What its thinking took. */
  readonly spent: Spending;
  /** null: a new idea. */
  readonly repair: RepairOf | null;
  /** What of people's steering was on the desk, and the `try` that it takes up; see `steeringKey`. */
  readonly heeded: readonly string[];
};

/** The researcher's desk, which lives in the process alone: a crash costs one proposal, never correctness. */
export type Desk =
  | { readonly kind: "idle" }
  | { readonly kind: "thinking" }
  | { readonly kind: "ready"; readonly prepared: Prepared; readonly passedOver?: string | undefined }
  /** Nothing is left to try on the frontier's commit `parent`; on another commit there may be. */
  | { readonly kind: "exhausted"; readonly because: string; readonly parent: Sha }
  /** The researcher needs a person (a key, money, a model's name). */
  | { readonly kind: "helpless"; readonly because: string }
  /** The purse that stands in session.json is used up; more is to be put into it (domain/ledger.ts). */
  | { readonly kind: "short" }
  /** What is left of `limits.cost_usd` does not pay for another call. */
  | { readonly kind: "spent"; readonly because: string }
  /** The crash of this commit can't be mended: the experiment ends as it is. */
  | { readonly kind: "beyondRepair"; readonly because: string; readonly head: Sha }
  /** Nothing that takes up the `try` of this comment passed the guard. */
  | { readonly kind: "refused"; readonly because: string; readonly comment: number }
  | { readonly kind: "failed"; readonly because: string; readonly failures: number; readonly retryAtMs: number };
