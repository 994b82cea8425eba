/**
 * What a trial gave. The action writes it, the bot reads it, and nothing else passes between them: this file is the one
 * form that both import.
 *
 * Always: a value is there only when the trial was `measured`, and then it is a finite number. A crash has no value (the
 * zero that karpathy's table writes for it exists in results.tsv alone: zero would be the best bits per byte there is).
 * A trial that ended well and said a value that can be none (nan, inf, zero of a metric that is better lower) is `unknown`:
 * neither a crash nor a number, and `because` names what was printed.
 */
import { z } from "zod";

const number = z.number().refine(Number.isFinite, "must be finite");

const common = {
  version: z.literal(1),
  /** `issue:experiment:attempt` */
  trial: z.string().regex(/^\d+:\d+:\d+$/),
  /** The commit whose mutable files were trained. */
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** The commit whose protected files were used. */
  base: z.string().regex(/^[0-9a-f]{40}$/),
  /** One phrase for people: why it ended so. */
  because: z.string().max(1_000),
  /** Wall-clock seconds that the candidate's commands had: the training, and the serving while it was evaluated. */
  seconds: number.min(0),
  /** Every `key: number` line of the summary block, by its key. */
  metrics: z.record(z.string(), number),
  /** Exit status of the training command; null where a signal ended it or it never began. */
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** How the candidate was kept apart: `none`, `bubblewrap`, … */
  sandbox: z.string().max(100),
  /** Hashes of the protected files were compared before and after: how many, and which changed. */
  protectedFiles: z.object({ count: z.number().int().min(0), changed: z.array(z.string()).max(50) }),
  /** Name of the runner. */
  runner: z.string().max(200),
  /** `[seconds or step, loss]`, at most 200 points, in order. */
  curve: z.array(z.tuple([number, number])).max(200),
  /** The end of the training log, redacted, at most 16 000 characters. */
  logTail: z.string().max(16_000),
  /** Where it broke, when it broke in a mutable file. */
  at: z.object({ path: z.string(), line: z.number().int().min(1), message: z.string() }).nullable(),
};

export const measurementSchema = z.discriminatedUnion("status", [
  z.object({ ...common, status: z.literal("measured"), value: number }),
  z.object({ ...common, status: z.literal("crash") }),
  z.object({ ...common, status: z.literal("timeout") }),
  z.object({ ...common, status: z.literal("cancelled") }),
  z.object({ ...common, status: z.literal("rejected") }),
  z.object({ ...common, status: z.literal("unknown") }),
]);

export type Measurement = z.infer<typeof measurementSchema>;

/** What the bot tells the action to do: the `spec` input of the workflow, as JSON. */
export const trialSpecSchema = z.object({
  version: z.literal(1),
  /** The training command, run by `bash -c` in the checkout. */
  command: z.string().min(1),
  /** A protected command whose output is the metric; null: the metric is read from the training log. */
  evaluate: z.string().min(1).nullable(),
  /** Run in the base's own files before the candidate's are laid over them, outside the sandbox; null: the action's own idea. */
  setup: z.string().min(1).nullable().default(null),
  /** A command of the candidate that answers the evaluate command through pipes; null: there is none. */
  serve: z.string().min(1).nullable().default(null),
  /** Files outside the checkout, as absolute globs or from `~/`, that must be the same after the trial. */
  protect: z.array(z.string().min(1)).default([]),
  /** Files that the evaluate command alone may read: globs in the checkout, absolute, or from `~/`. */
  private: z.array(z.string().min(1)).default([]),
  /** For the command to know (AUTORESEARCH_BUDGET_SECONDS); the command itself keeps to it. */
  budgetSeconds: z.number().positive(),
  /** After this long the command is ended and the trial is a `timeout`. */
  timeoutSeconds: z.number().positive(),
  /** Paths (or globs) of the mutable surface: taken from the candidate, everything else from the base. */
  mutable: z.array(z.string().min(1)).min(1),
  /** `val_bpb`: the name of the metric's line, and of the check. */
  metric: z.string().regex(/^[A-Za-z][\w.-]{0,63}$/),
  direction: z.enum(["lower", "higher"]),
  sandbox: z.enum(["auto", "required", "off"]),
  /** The frontier's value when the trial was dispatched, for the check's title; null before there is a baseline. */
  frontier: z.number().nullable(),
});

export type TrialSpec = z.infer<typeof trialSpecSchema>;

/** How long the set-up of a trial may take; the action ends it then. */
export const setupLimitSeconds = 30 * 60;

const fence = "````";
const opening = `${fence}json measurement\n`;

/** The measurement inside the check's text, where `parseMeasurement` finds it again. */
export function formatMeasurement(json: string): string {
  return `<details><summary>The measurement, as the bot reads it</summary>\n\n${opening}${json}\n${fence}\n\n</details>`;
}

/** The JSON that `formatMeasurement` was given, exactly (its digest is what the run vouches for), or null. */
export function measurementJsonOf(checkText: string): string | null {
  const start = checkText.lastIndexOf(opening);
  if (start < 0) return null;
  const end = checkText.indexOf(`\n${fence}`, start + opening.length);
  return end < 0 ? null : checkText.slice(start + opening.length, end);
}

/** Parses the JSON of a measurement; null when it is not one. */
export function parseMeasurement(json: string): Measurement | null {
  try {
    return measurementSchema.parse(JSON.parse(json));
  } catch {
    return null;
  }
}
