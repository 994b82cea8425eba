/**
 * The configuration of a session: one schema, every default. It comes from `.github/autoresearch.yml` on the default
 * branch, overridden key by key by the YAML front matter of the issue. What is not known or not valid is refused with the
 * place at fault (see config-text.ts); a session never starts on a guess.
 */
import { z } from "zod";

const durationPattern = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$/;

/** Seconds of a duration such as `5m`, `90s`, `1h30m`, or of a number of seconds; null when it is neither, or zero. */
export function parseDuration(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) && value > 0 ? value : null;
  if (typeof value !== "string" || value === "") return null;
  const match = durationPattern.exec(value.trim());
  if (match === null) return null;
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
  const total = hours * 3600 + minutes * 60 + seconds;
  return total > 0 ? total : null;
}

const duration = z.unknown().transform((value, context) => {
  const seconds = parseDuration(value);
  if (seconds !== null) return seconds;
  context.addIssue({ code: "custom", message: "must be a duration such as `5m`" });
  return z.NEVER;
});

const text = z.string({ error: "must be text" }).min(1, "must not be empty");
const line = text.regex(/^[^\n\r]*$/, "must be one line");
const count = (least: number) => z.int({ error: "must be a whole number" }).min(least, `must be at least ${least}`);
const amount = z.number({ error: "must be a number" }).refine(Number.isFinite, "must be a number");

const mutablePath = line
  .regex(/^[^/]/, "must be relative to the top of the repository")
  .refine((path) => !path.split("/").includes(".."), "must stay inside the repository")
  .refine(
    (path) => !/^\.(git|github)(\/|$)/.test(path),
    "must not be in `.git` or `.github`: they judge the experiment",
  );

/** Names that the bot's own check and the other trailers of a merge have. */
const takenNames = /^(autoresearch|trials|experiment|pull[_.-]*request|session)[_.-]*$/i;

const metric = z.strictObject({
  /** Name of the line in the summary block and of the check. */
  name: text
    .regex(/^[A-Za-z][\w.-]{0,63}$/, "must be a name such as `val_bpb`")
    .refine((name) => !takenNames.test(name), "must not be a name that the bot uses itself")
    .default("val_bpb"),
  direction: z.enum(["lower", "higher"], { error: "must be `lower` or `higher`" }).default("lower"),
  /** The session is done when the frontier reaches it. */
  target: amount.nullable().default(null),
  /** Largest believable gain of one experiment, as a fraction of the frontier's value. */
  max_gain: amount.positive("must be above 0").default(0.2),
});

const outsidePath = line
  .regex(/^(?:\/|~\/)/, "must begin with `/` or `~/`: what is in the repository is protected anyway")
  .refine((path) => !path.split("/").includes(".."), "must not hold `..`");

const privatePath = line.refine((path) => !path.split("/").includes(".."), "must not hold `..`");

const trial = z
  .strictObject({
    command: line.default("uv run train.py"),
    /** Run before, with the network, outside the sandbox, in the files of the base alone. */
    setup: line.nullable().default(null),
    /** A protected command that prints the metric; null: the training log has it. */
    evaluate: line.nullable().default(null),
    /** A command of the candidate that answers the evaluate command. */
    serve: line.nullable().default(null),
    /** Files outside the repository that must be the same after a trial. */
    protect: z.array(outsidePath, { error: "must be a list of paths" }).default([]),
    /** Files that the evaluate command alone may read. */
    private: z.array(privatePath, { error: "must be a list of paths" }).default([]),
    /** Seconds that the command may train; the command keeps to it itself. */
    budget: duration.default(300),
    /** Seconds after which the trial is ended; null: twice the budget (karpathy's rule: 5 minutes, killed at 10). */
    timeout: duration.nullable().default(null),
    sandbox: z.enum(["auto", "required", "off"], { error: "must be `auto`, `required` or `off`" }).default("auto"),
  })
  .refine(({ serve, evaluate }) => serve === null || evaluate !== null, {
    path: ["serve"],
    message: "must come with `trial.evaluate`, whose command it answers",
  })
  .refine(({ private: secret, evaluate }) => secret.length === 0 || evaluate !== null, {
    path: ["private"],
    message: "must come with `trial.evaluate`: nothing else may read these files",
  });

const runner = z.strictObject({
  labels: z
    .array(line, { error: "must be a list of labels" })
    .min(1, "must name at least one label")
    .default(["self-hosted", "gpu"]),
  /** Trials at a time: the number of GPUs that this session may hold. */
  concurrency: count(1).max(64, "must be at most 64").default(1),
  /** The name of the public repository whose owner has read what a self-hosted runner there means. */
  allow_public: line
    .regex(/^[^/\s]+\/[^/\s]+$/, "must be `owner/name`")
    .nullable()
    .default(null),
});

const dollars = amount.min(0, "must not be negative");

/** Dollars for a million tokens. */
const price = z.strictObject({
  input: dollars,
  output: dollars,
  cache_read: dollars,
  /** Writing to the cache for five minutes, and for an hour; null: twice the input, as Anthropic has it. */
  cache_write: dollars,
  cache_write_hour: dollars.nullable().default(null),
});

/** The form of a model's name, wherever a person says one. */
export const modelNameForm = /^[\w.:/@-]{1,100}$/;

const modelName = line.regex(modelNameForm, "must be a model's name such as `claude-opus-5-5`");

const researcher = z
  .strictObject({
    /** `mutate` changes one constant at a time and needs no key; `command` is an agent that the bot's admin allows. */
    kind: z
      .enum(["claude", "mutate", "command"], { error: "must be `claude`, `mutate` or `command`" })
      .default("claude"),
    model: modelName.default("claude-opus-5-5"),
    /** How much the model is to think; null: as much as it does by itself. */
    effort: z
      .enum(["low", "medium", "high", "xhigh", "max"], { error: "must be `low`, `medium`, `high`, `xhigh` or `max`" })
      .nullable()
      .default(null),
    /** Models that are asked, in this order, where the one before refuses, is not known or is overloaded. */
    fallbacks: z
      .array(modelName, { error: "must be a list of models" })
      .max(5, "must be at most 5")
      .default(["claude-sonnet-5"]),
    /** Prices of models that the program doesn't know, or that you pay another price for. */
    prices: z.record(z.string(), price, { error: "must be prices by the models' names" }).default({}),
    /** Calls of the model that one proposal may take. */
    turns: count(2).max(100, "must be at most 100").default(24),
    /** Name of the command, as the bot's admin gave it (RESEARCHER_COMMANDS): never a command line. */
    command: line
      .regex(/^[\w.-]{1,64}$/, "must be a name that the bot's admin allows, not a command line")
      .nullable()
      .default(null),
    /** Seconds after which the command is ended. */
    timeout: duration.default(1200),
  })
  .refine(({ kind, command }) => kind !== "command" || command !== null, {
    path: ["command"],
    message: "must name the command when `researcher.kind` is `command`",
  });

const keep = z.strictObject({
  /** A gain counts when it is at least this many standard errors. */
  sigmas: amount.min(0, "must not be negative").default(2),
  /** Standard deviation of the metric between equal runs; null: measured from repeated trials of the session. */
  noise: amount.min(0, "must not be negative").nullable().default(null),
  /** Smallest gain that is worth a merge, in the metric's unit. */
  min_gain: amount.min(0, "must not be negative").default(0),
  /** Trials of the untouched code: their spread is the first estimate of the noise. */
  baseline_trials: count(1).max(20, "must be at most 20").default(3),
  /** Trials that one candidate may have, to tell luck from gain. */
  trials: count(1).max(20, "must be at most 20").default(2),
  /** Keep a candidate that is equal to the frontier, as far as can be told, and has fewer lines of code. */
  simpler: z.boolean({ error: "must be `true` or `false`" }).default(true),
});

const limits = z.strictObject({
  experiments: count(1).default(100),
  hours: amount.positive("must be above 0").default(24),
  /** Dollars that the researcher may cost. */
  cost_usd: amount.min(0, "must not be negative").default(20),
  /** Experiments in a row that gave no value, after which a person is asked. */
  failures: count(1).default(10),
});

export const configSchema = z.strictObject({
  /** A file whose text is the program, instead of the issue's; the issue's text is put behind it. */
  program: line.nullable().default(null),
  mutable: z
    .array(mutablePath, { error: "must be a list of paths" })
    .min(1, "must name at least one path")
    .default(["train.py"]),
  metric: metric.prefault({}),
  trial: trial.prefault({}),
  runner: runner.prefault({}),
  researcher: researcher.prefault({}),
  keep: keep.prefault({}),
  limits: limits.prefault({}),
});

export type Config = z.output<typeof configSchema>;

/** Parts without which values could not be compared: what is not known there is not passed over. */
const comparing = new Set(["metric", "trial"]);

/**
 * The configuration as a session keeps it. What a newer version of the bot wrote and this one doesn't know is left out, as long
 * as it does not touch how trials are measured; what a person writes is told in full, by `configSchema`.
 */
export const storedConfigSchema = z.preprocess((given) => {
  const unknown = configSchema.safeParse(given).error?.issues ?? [];
  const known: unknown = structuredClone(given);
  for (const issue of unknown) {
    if (issue.code !== "unrecognized_keys" || comparing.has(String(issue.path[0]))) continue;
    const at = issue.path.reduce<unknown>((part, name) => (part as Record<PropertyKey, unknown>)[name], known);
    for (const key of issue.keys) delete (at as Record<string, unknown>)[key];
  }
  return known;
}, configSchema);

/** Every default. */
export const defaultConfig: Config = configSchema.parse({});

/** Seconds after which a trial is ended from outside. */
export function timeoutSeconds(config: Config): number {
  return config.trial.timeout ?? config.trial.budget * 2;
}

/** `5m`, `1h30m`, `3s`: the duration as a person writes it. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "m"],
    [whole % 60, "s"],
  ] as const;
  const shown = parts.filter(([value]) => value > 0).map(([value, unit]) => `${value}${unit}`);
  return shown.length === 0 ? "0s" : shown.join("");
}
