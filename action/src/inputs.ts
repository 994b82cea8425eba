/** The action's inputs and the part of the runner's environment that it uses, checked before anything is done. */
import { z } from "zod";
import { type TrialSpec, trialSpecSchema } from "../../src/domain/measurement.ts";
import { parseTrialId } from "../../src/domain/names.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const commitId = z.string().regex(/^[0-9a-f]{40}$/, "must be a full commit id (40 hexadecimal digits)");
const address = z
  .url({ protocol: /^(?:https?|file)$/, error: "must be the address of a GitHub" })
  .transform((url) => url.replace(/\/+$/, ""));

const shared = {
  trial: z.string().refine((text) => parseTrialId(text) !== null, "must be issue:experiment:attempt, such as 12:7:1"),
  commit: commitId,
  base: commitId,
  spec: z.string().transform((text, context): TrialSpec => {
    const parsed = trialSpecSchema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: "custom", path, message });
    return z.NEVER;
  }),
  token: z.string(),
  GITHUB_SERVER_URL: address.default("https://github.com"),
  GITHUB_REPOSITORY: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "must be owner/repository"),
  GITHUB_RUN_ID: z.string().regex(/^\d+$/, "must be a number"),
};

const trainSchema = z.object({
  ...shared,
  mode: z.literal("train"),
  RUNNER_TEMP: z.string().min(1, "is not set"),
  RUNNER_NAME: z.string().default("unknown"),
});

const reportSchema = z.object({
  ...shared,
  mode: z.literal("report"),
  token: z.string().min(1, "is empty: the report needs a token with `checks: write`"),
  measurement: z.string().min(1, "is empty"),
  GITHUB_API_URL: address.default("https://api.github.com"),
});

const inputsSchema = z.discriminatedUnion("mode", [trainSchema, reportSchema], {
  error: "must be `train` or `report`",
});

export type TrainInputs = z.infer<typeof trainSchema>;
export type ReportInputs = z.infer<typeof reportSchema>;

const inputNames = ["mode", "trial", "commit", "base", "spec", "measurement", "token"];

/** The inputs, or an Error that says in one line per fault what is wrong. */
export function parseInputs(environment: Environment): TrainInputs | ReportInputs {
  const given = Object.fromEntries(inputNames.map((name) => [name, environment[`INPUT_${name.toUpperCase()}`] ?? ""]));
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== "");
  const parsed = inputsSchema.safeParse({ ...Object.fromEntries(set), ...given });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => {
    const [name, ...inside] = path.map(String);
    const kind = name !== undefined && inputNames.includes(name) ? "input" : "environment variable";
    return `${kind} \`${[name, ...inside].join(".")}\` ${message}`;
  });
  throw new Error(faults.join("; "));
}

/** The page of the run that this is a part of. */
export function runUrlOf(inputs: TrainInputs | ReportInputs): string {
  return `${inputs.GITHUB_SERVER_URL}/${inputs.GITHUB_REPOSITORY}/actions/runs/${inputs.GITHUB_RUN_ID}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
