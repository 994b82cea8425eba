/** What a researcher is asked, and what it answers. A researcher sees texts and numbers; it never sees a token. */
import type { Config } from "./config.ts";
import type { Sha } from "./names.ts";
import type { Row } from "./results.ts";

/** A file's path and its text. */
export type FileText = { readonly path: string; readonly text: string };

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
};

/** A thought whose contents have a key; what a candidate's commit says. */
export type Idea = Thought & { readonly key: string };

/** One change to the mutable surface. `files` holds the whole new text of each changed file. */
export type Proposal = Thought & { readonly files: readonly FileText[] };

export type Answer =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "nothing"; readonly because: string };

/** Proposes one change at a time. Rejects when it can't answer now; the signal aborts it when the session stops. */
export type Researcher = { propose(brief: Brief, signal: AbortSignal): Promise<Answer> };

/** A proposal on the desk: made for experiment `number` on the frontier's commit `parent`. */
export type Prepared = {
  readonly number: number;
  readonly parent: Sha;
  readonly key: string;
  readonly proposal: Proposal;
};

/** The researcher's desk, which lives in the process alone: a crash costs one proposal, never correctness. */
export type Desk =
  | { readonly kind: "idle" }
  | { readonly kind: "thinking" }
  | { readonly kind: "ready"; readonly prepared: Prepared }
  /** Nothing is left to try on the frontier's commit `parent`; on another commit there may be. */
  | { readonly kind: "exhausted"; readonly because: string; readonly parent: Sha }
  | { readonly kind: "failed"; readonly because: string; readonly failures: number; readonly retryAtMs: number };
