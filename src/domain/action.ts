/**
 * What the bot can do. Each action is small, names everything it needs, and is carried out by `act` so that doing it twice
 * gives the same world as doing it once.
 */
import type { Appeal } from "./appeal.ts";
import type { Button } from "./buttons.ts";
import type { SessionKey, Sha } from "./names.ts";
import type { Failure } from "./repair.ts";
import type { Idea, Prepared } from "./proposal.ts";
import type { Row } from "./results.ts";
import type { Edit, SessionRecord, SessionState, Start } from "./session.ts";
import type { Noise, Outcome } from "./verdict.ts";

export type StateChange = {
  readonly state: SessionState;
  /** Login of the person; null: the bot itself. */
  readonly by: string | null;
  readonly because: string;
};

/** What a comment adds to the record, beside a change of state. */
export type Steer = Partial<Pick<SessionRecord, "steering" | "model">>;

/** The crash that is to be mended, with the commit that crashed. */
export type Crash = { readonly head: Sha; readonly parent: Sha; readonly attempt: number; readonly failure: Failure };

export type Action =
  /** Says on the issue why nothing was started, and takes the label off. */
  | { readonly kind: "refuseStart"; readonly text: string }
  /** Makes the frontier and the results branch. */
  | { readonly kind: "start"; readonly start: Extract<Start, { kind: "ready" }> }
  /** Carries out a comment's commands: the state first, the reply, and the receipt last. */
  | {
      readonly kind: "obey";
      readonly comment: number;
      readonly on: number;
      readonly change: StateChange | null;
      readonly steer: Steer | null;
      readonly appeal: Appeal | null;
      /** The pull request of a settled experiment that the appeal opens again. */
      readonly reopen: number | null;
      readonly reply: string | null;
      readonly reaction: "+1" | "confused";
    }
  | { readonly kind: "setState"; readonly change: StateChange; readonly restart: Partial<SessionRecord> | null }
  | { readonly kind: "cancelRun"; readonly run: number }
  /** Completes a check of the bot's that its experiment has outlived. */
  | { readonly kind: "completeCheck"; readonly check: number; readonly experiment: number; readonly outcome: Outcome }
  /** Writes the intent on the commit, then dispatches the workflow. Experiment 0 measures the frontier. */
  | {
      readonly kind: "dispatch";
      readonly experiment: number;
      readonly attempt: number;
      readonly firstAttempt: number;
      readonly commit: Sha;
      readonly check: number | null;
      readonly frontierValue: number | null;
    }
  /** Merges a winner: a commit with the measured tree on the frontier, by compare-and-swap. */
  | {
      readonly kind: "advance";
      readonly experiment: number;
      readonly pullRequest: number;
      readonly head: Sha;
      readonly tip: Sha;
      readonly description: string;
      readonly value: number;
      readonly trials: number;
    }
  /** Carries a change onto the frontier that has moved, as a new commit on the experiment's branch. */
  | {
      readonly kind: "carry";
      readonly experiment: number;
      readonly head: Sha;
      readonly parent: Sha;
      readonly tip: Sha;
      readonly description: string;
      /** Attempts that the experiment had up to now. */
      readonly attemptsBefore: number;
    }
  /** Puts what mends a crash on the experiment's branch, as a new commit. */
  | {
      readonly kind: "mend";
      readonly prepared: Prepared;
      readonly pullRequest: number;
      readonly attemptsBefore: number;
    }
  /** Writes rows into results.tsv, with the picture and what the session learnt of the noise. */
  | {
      readonly kind: "record";
      readonly row: Row;
      readonly key: string | null;
      readonly noise: Noise;
      /** What the experiment's commit says, for the tally of kinds, the notes and the steering. */
      readonly idea: Idea | null;
    }
  /** Puts an experiment before a person: a comment on its pull request, then the check (the last thing written). */
  | {
      readonly kind: "ask";
      readonly experiment: number;
      readonly pullRequest: number;
      readonly attempt: number;
      readonly check: number;
      readonly title: string;
      readonly question: string;
      readonly buttons: readonly Button[];
    }
  /** Completes the verdict check, then closes and labels the pull request (the label is the last thing written). */
  | {
      readonly kind: "conclude";
      readonly experiment: number;
      readonly pullRequest: number;
      readonly head: Sha;
      readonly check: number | null;
      readonly outcome: Outcome;
      readonly buttons: readonly Button[];
      readonly title: string;
      readonly verdict: string;
      readonly close: boolean;
      /** Said on the pull request, where a person opened it again; null: nothing. */
      readonly remark: string | null;
      readonly body: string;
      readonly labels: readonly string[];
    }
  | { readonly kind: "propose"; readonly number: number; readonly crash: Crash | null }
  /** Writes session.json for the money's sake alone: the purse is used up, and the limit is not. */
  | { readonly kind: "fillPurse" }
  /** Says that nothing came of a `try`, and lets it go. */
  | { readonly kind: "dropTry"; readonly comment: number; readonly reply: string; readonly because: string }
  /** Takes an edit of the text into the program, or says that it is not taken. */
  | { readonly kind: "heedEdit"; readonly edit: Edit; readonly refusal: string | null; readonly from: number }
  /** Brings the body of an open pull request up to date. */
  | { readonly kind: "describe"; readonly pullRequest: number; readonly body: string }
  | { readonly kind: "open"; readonly prepared: Prepared }
  /** The end: the report as a pull request and a comment, then the state. */
  | {
      readonly kind: "finish";
      readonly because: string;
      readonly comment: string;
      readonly report: { title: string; body: string } | null;
    }
  /** Says on the moved issue that its session stayed behind. */
  | { readonly kind: "tellMoved"; readonly to: SessionKey; readonly body: string }
  /** Uses the workflow of another branch from here on, if it is there as it must be; asks a person where it is not. */
  | { readonly kind: "followBranch"; readonly branch: string; readonly because: string }
  | { readonly kind: "label"; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly kind: "showDashboard"; readonly body: string };

/** The action of a kind. */
export type ActionOf<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** The experiment that an action is about; 0 is the frontier's own; null: it is about the session. */
export function experimentIn(action: Action): number | null {
  switch (action.kind) {
    case "dispatch":
    case "advance":
    case "carry":
    case "ask":
    case "completeCheck":
    case "conclude":
      return action.experiment;
    case "record":
      return action.row.experiment;
    case "propose":
      return action.number;
    case "open":
    case "mend":
      return action.prepared.number;
    case "refuseStart":
    case "start":
    case "obey":
    case "setState":
    case "cancelRun":
    case "finish":
    case "fillPurse":
    case "dropTry":
    case "heedEdit":
    case "describe":
    case "tellMoved":
    case "followBranch":
    case "label":
    case "showDashboard":
      return null;
  }
}

/** What `decide` answers: the next thing to do, or until when to wait (null: until something happens). */
export type Decision =
  | { readonly kind: "do"; readonly action: Action; readonly because: string }
  | { readonly kind: "wait"; readonly untilMs: number | null; readonly because: string };

/** How the log names what is done or was tried; null: the session was looked at. */
export function fieldsOf(action: Action | null): Record<string, unknown> {
  if (action === null) return { action: "observe" };
  const experiment = experimentIn(action);
  return { action: action.kind, ...(experiment === null ? {} : { experiment }) };
}
