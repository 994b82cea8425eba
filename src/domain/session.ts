/**
 * A session as `decide` sees it: everything GitHub says about one labelled issue, in the words of the domain. It is made
 * anew from the view on every step; nothing in it is remembered but what GitHub remembers (and the researcher's desk).
 */
import { z } from "zod";
import { appealSchema } from "./appeal.ts";
import type { Command } from "./command.ts";
import { type Config, storedConfigSchema } from "./config.ts";
import { historyOf } from "./history.ts";
import { type SessionKey, type Sha, sha } from "./names.ts";
import { type Account, emptyLedger, ledgerSchema } from "./ledger.ts";
import { type Desk, type Idea, type Traits, changeKinds } from "./proposal.ts";
import type { Row } from "./results.ts";
import { steeringSchema } from "./steering.ts";
import type { Trial } from "./trial.ts";
import type { Noise, Outcome } from "./verdict.ts";

/** `running` and `paused` go on; `blocked` waits for a person; `stopped` and `done` are ends. */
export const sessionStates = ["running", "paused", "stopped", "done", "blocked"] as const;
export type SessionState = (typeof sessionStates)[number];

const shaSchema = z
  .string()
  .regex(/^[0-9a-f]{40}$/)
  .transform(sha);

/**
 * `session.json` on the results branch: what of a session is not in its refs and pull requests. The bot alone writes it,
 * by compare-and-swap of the branch.
 */
export const recordSchema = z.object({
  version: z.literal(1, { error: "session.json was written by a newer version of the bot: run that one" }),
  startedBy: z.string(),
  startedAt: z.string(),
  /** The default branch's commit that the session began at: where protected files come from. */
  base: shaSchema,
  /** The default branch, whose workflow is used, and those that were it before. */
  baseBranch: z.string(),
  formerBranches: z.array(z.string()).default([]),
  program: z.string(),
  config: storedConfigSchema,
  state: z.enum(sessionStates),
  /** The comment whose command brought the state about; null: none did. */
  order: z.int().nullable().default(null),
  /** When, by whom (null: the bot itself) and why the state is what it is. */
  since: z.string(),
  by: z.string().nullable(),
  because: z.string(),
  /** Rows that stood in results.tsv when the session was last set going: failures are counted from there. */
  rowsBefore: z.int(),
  noise: z.object({ sumOfSquares: z.number(), degrees: z.number() }),
  /** Attempts to measure a frontier, up to the last row of one. */
  frontierAttempts: z.int().default(0),
  /** GitHub's id of the event by which the trigger label was put on, when the state was last written; null: not known. */
  labelEvent: z.int().nullable().default(null),
  /** What people asked of single experiments, oldest first. */
  appeals: z.array(appealSchema).default([]),
  /** Keys of the contents that were measured or refused, oldest first; see `contentKey`. */
  tried: z.array(z.string()),
  /** Title of the issue when the session began. */
  title: z.string().default(""),
  /** Digest of the issue's text that was last taken into the program, or refused. */
  issueDigest: z.string().nullable().default(null),
  /** The last edit of the issue's text since the start: who made it, and the first experiment that it holds for. */
  edit: z.object({ by: z.string(), at: z.string(), taken: z.boolean(), from: z.int() }).nullable().default(null),
  /** What the researcher has cost. */
  ledger: ledgerSchema.default(emptyLedger),
  /** How often each kind of change was tried, and kept. */
  kinds: z.partialRecord(z.enum(changeKinds), z.object({ tried: z.int().min(0), kept: z.int().min(0) })).default({}),
  /** What people asked of the researcher, oldest first. */
  steering: z.array(steeringSchema).default([]),
  /** The model that a person asked for; null: as configured. */
  model: z.string().nullable().default(null),
});

export type SessionRecord = z.output<typeof recordSchema>;

/** The frontier's tip and what is known of its value; `trials` of it were averaged. */
export type Frontier = {
  readonly tip: Sha;
  readonly value: number | null;
  readonly trials: number;
  /** The experiment whose merge the tip is, by the bot's own trailers; null for the base or a commit of a person. */
  readonly experiment: number | null;
  /** Trials of experiment 0 on the tip, where it has no trailers to say its value. */
  readonly ownTrials: readonly Trial[];
  /** The next free attempt of experiment 0. */
  readonly nextAttempt: number;
  /** The bot's own check on the tip: where the intent stands. */
  readonly check: number | null;
};

/** One idea with a pull request of its own. Experiments that are settled and cleaned up are rows, and only rows. */
export type Experiment = {
  readonly number: number;
  readonly pullRequest: number;
  readonly description: string;
  /** Key of its contents; null when the pull request no longer says. */
  readonly key: string | null;
  /** What the bot's last commit of it says; null where that can't be found. */
  readonly idea: Idea | null;
  readonly head: Sha;
  /** The frontier's commit that it is built on, with its value. */
  readonly parent: { readonly tip: Sha; readonly value: number | null; readonly trials: number };
  readonly pull: "open" | "closed" | "merged";
  /** The outcome's label on the pull request: the last thing that is written of an experiment. */
  readonly label: Outcome | null;
  readonly body: string;
  readonly trials: readonly Trial[];
  /** The next attempt's number. */
  readonly nextAttempt: number;
  /** The bot's own check on the head, if it is there. */
  readonly check: { readonly id: number; readonly completed: boolean } | null;
  /** The branch that a person pointed its pull request at, in the frontier's place; null: nobody did. */
  readonly elsewhere: string | null;
  /** What the bot's merge of its head says, at the frontier's tip or below what came there since; null: none was found. */
  readonly mergedValue: number | null;
  /** Why it can't be carried onto the frontier; null: it was not tried, or it can. */
  readonly conflict: string | null;
};

/** A comment with commands that has no receipt yet. */
export type Order = {
  readonly comment: number;
  /** The issue or pull request that it stands on. */
  readonly on: number;
  readonly author: string;
  readonly mayWrite: boolean;
  readonly commands: readonly Command[];
  readonly at: string;
};

/** The trigger label was put on: GitHub's id of the event, and its time by GitHub's clock. */
export type Labelling = { readonly event: number; readonly by: string; readonly atMs: number };

/** The issue's text as somebody left it after the session took it. */
export type Edit = {
  readonly by: string;
  readonly mayWrite: boolean;
  readonly at: string;
  readonly digest: string;
  /** Without front matter. */
  readonly text: string;
};

/** What a start would take, or why it is refused. */
export type Start =
  | {
      readonly kind: "ready";
      readonly base: Sha;
      readonly baseBranch: string;
      readonly config: Config;
      readonly program: string;
      readonly title: string;
      /** Of the issue's text, as in `record.issueDigest`. */
      readonly issueDigest: string;
      readonly by: string;
    }
  | { readonly kind: "refused"; readonly problem: string };

/** An issue that was deleted, or moved to where the app sees nothing; or that lives on in another repository. */
export type Gone = {
  readonly because: string;
  /** Where it is now; `told`: that the session stayed behind was said there. */
  readonly to: (SessionKey & { readonly told: boolean }) | null;
};

export type Session = {
  readonly key: SessionKey;
  readonly nowMs: number;
  readonly htmlUrl: string;
  readonly issue: {
    readonly open: boolean;
    readonly title: string;
    readonly labels: readonly string[];
    readonly closedBy: string | null;
  };
  /** The issue's conversation is locked: no app may speak there. */
  readonly locked: boolean;
  /** What became of the issue, where it is there no more; null: it is there. */
  readonly gone: Gone | null;
  /** The repository's default branch as it is now. */
  readonly defaultBranch: string;
  /** Who put the trigger label on last, and when; null: nobody did, or it was not looked up. */
  readonly labelled: Labelling | null;
  /** Who took it off last. */
  readonly unlabelledBy: string | null;
  readonly start: Start | null;
  readonly record: SessionRecord | null;
  readonly frontier: Frontier | null;
  readonly rows: readonly Row[];
  /** Not settled, or not cleaned up; by number. */
  readonly experiments: readonly Experiment[];
  readonly orders: readonly Order[];
  readonly desk: Desk;
  /** What the desk has spent. */
  readonly account: Account;
  readonly traits: Traits;
  /** Why the last proposal is of another model than the one that was named; null: it is of that one, or nothing is known. */
  readonly passedOver: string | null;
  /** An edit of the issue's text that nothing was made of yet. */
  readonly edit: Edit | null;
  /** Body of the dashboard comment; null: there is none. */
  readonly dashboard: string | null;
  /** Commit of the results branch, for links. */
  readonly resultsTip: Sha | null;
  /** Pull request frontier → default branch. */
  readonly report: number | null;
  /** Runs that were asked to be cancelled: the process's memory, so that it asks once. */
  readonly cancelled: ReadonlySet<number>;
  /** How many trials the end cut off, as GitHub shows it. */
  readonly cutOff: number;
  /** Runs of the session that have not ended and belong to no trial that is waited for. */
  readonly strays: readonly number[];
  /** People without write access who were told so already. */
  readonly denied: ReadonlySet<string>;
  /** Checks of the bot's own that are open and whose experiment is settled: another process began one too late. */
  readonly looseChecks: readonly { readonly check: number; readonly experiment: number }[];
  /** Why requests to GitHub go out slowly, and until when; null: they do not. */
  readonly slow: { readonly because: string; readonly untilMs: number } | null;
};

/** A session whose branches are there: what every rule after the start is about. */
export type Running = Session & { readonly record: SessionRecord; readonly frontier: Frontier };

export function hasStarted(session: Session): session is Running {
  return session.record !== null && session.frontier !== null;
}

export function isEnded(state: SessionState): boolean {
  return state === "stopped" || state === "done";
}

export function noiseOf(session: Running): Noise {
  return session.record.noise;
}

/** The untouched code is measured often enough to know the noise; a frontier that a person moved, once. */
export function trialsOfFrontier(record: SessionRecord, tip: Sha): number {
  return tip === record.base ? record.config.keep.baseline_trials : 1;
}

/** Attempts that an experiment has had, on all its commits. */
export function attemptsOf(experiment: Experiment): number {
  return experiment.nextAttempt - 1;
}

export function rowOf(session: Session, experiment: number): Row | null {
  return historyOf(session.rows).byExperiment.get(experiment) ?? null;
}
