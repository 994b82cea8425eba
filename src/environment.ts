/** What the environment says, read once: by the process that serves and by the doctor. */
import { getPrivateKey } from "@probot/get-private-key";
import { z } from "zod";
import { defaultAppOptions } from "./app.ts";
import { parseAllowedCommands } from "./domain/allowed-commands.ts";
import { messageOf } from "./domain/thrown.ts";
import { githubApiUrl } from "./github/octokit.ts";
import { logLevels } from "./log.ts";
import { type Means, researcherFor } from "./researcher/kinds.ts";
import type { ServeOptions } from "./serve.ts";

/** A secret that can be found by trying is none. */
const shortestSecret = 16;
const howToMakeOne =
  "make one with `openssl rand -hex 32`, and give the same to the app on its settings page (Webhook secret)";

const environment = z.object({
  APP_ID: z.coerce
    .number({ error: "APP_ID must be the app's number" })
    .int()
    .positive("APP_ID must be the app's number"),
  WEBHOOK_SECRET: z
    .string({ error: `WEBHOOK_SECRET is not set, and without it anybody could send the bot orders: ${howToMakeOne}` })
    .refine(
      (secret) => secret !== "development",
      `WEBHOOK_SECRET is Probot's default (development), which everybody knows: ${howToMakeOne}`,
    )
    .min(
      shortestSecret,
      `WEBHOOK_SECRET has fewer than ${shortestSecret} characters and can be guessed: ${howToMakeOne}`,
    ),
  PORT: z.coerce.number().int().min(1).max(65_535).default(3000),
  HOST: z.string().default("localhost"),
  WEBHOOK_PATH: z.string().startsWith("/").default("/api/github/webhooks"),
  WEBHOOK_PROXY_URL: z.url().optional(),
  GITHUB_API_URL: z.url().default(githubApiUrl),
  LOG_LEVEL: z.enum(logLevels).default("info"),
  LOG_FORMAT: z.enum(["json", "pretty"]).default("pretty"),
  METRICS_TOKEN: z
    .string()
    .min(
      shortestSecret,
      `METRICS_TOKEN has fewer than ${shortestSecret} characters: make one with \`openssl rand -hex 32\``,
    )
    .optional(),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "REDIS_URL must be the address of a Redis, as redis://HOST:6379" })
    .optional(),
  SWEEP_INTERVAL_SECONDS: z.coerce
    .number()
    .positive()
    .default(defaultAppOptions.sweepEveryMs / 1000),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: z.url().optional(),
});

/** What only the handlers for serverless platforms read (serverless.ts). */
const callEnvironment = z.object({
  SWEEP_TOKEN: z
    .string({ error: "SWEEP_TOKEN is not set, and without it anybody could set off sweeps" })
    .min(
      shortestSecret,
      `SWEEP_TOKEN has fewer than ${shortestSecret} characters: make one with \`openssl rand -hex 32\``,
    ),
  CALL_SECONDS: z.coerce.number().positive().default(300),
});

/** Every variable that is read. */
export const variables: readonly string[] = [
  ...Object.keys(environment.shape),
  ...Object.keys(callEnvironment.shape),
  "RESEARCHER_COMMANDS",
  "PRIVATE_KEY",
  "PRIVATE_KEY_PATH",
];
/** Variables of other parts whose values are secrets. */
const secretNames = /(?:_KEY|_TOKEN|_SECRET|_PASSWORD)$/;

/** The options of the app, or one sentence about what is missing or wrong. */
export function optionsOf(env: NodeJS.ProcessEnv): ServeOptions | { problem: string } {
  const parsed = environment.safeParse(filledIn(env));
  if (!parsed.success) return problemIn(parsed.error);
  const { data } = parsed;
  const privateKey = readKey(env);
  if (typeof privateKey !== "string") return privateKey;
  const allowed = parseAllowedCommands(env["RESEARCHER_COMMANDS"]);
  if ("problem" in allowed) return allowed;
  // A key that is missing is a matter of the sessions that want it, not of the process.
  const means: Means = {
    claude: {
      apiKey: data.ANTHROPIC_API_KEY?.trim() ?? null,
      baseUrl: data.ANTHROPIC_BASE_URL ?? null,
      path: env["PATH"] ?? "",
    },
    command: { commands: allowed.commands, environment: env },
  };
  return {
    ...defaultAppOptions,
    researcherFor: (config) => researcherFor(config, means),
    sweepEveryMs: data.SWEEP_INTERVAL_SECONDS * 1000,
    appId: data.APP_ID,
    privateKey,
    webhookSecret: data.WEBHOOK_SECRET,
    port: data.PORT,
    host: data.HOST,
    webhookPath: data.WEBHOOK_PATH,
    webhookProxy: data.WEBHOOK_PROXY_URL ?? null,
    apiUrl: data.GITHUB_API_URL.replace(/\/$/, ""),
    redisUrl: data.REDIS_URL ?? null,
    metricsToken: data.METRICS_TOKEN ?? null,
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
    secrets: secretsIn(env),
  };
}

/** What handlers on a serverless platform need to know beside `optionsOf`. */
export type CallOptions = {
  /** Who shows it as a bearer token may set off a sweep. */
  readonly sweepToken: string;
  /** A call ends within this. */
  readonly withinMs: number;
};

/** The options of a call, or one sentence about what is missing or wrong. */
export function callOptionsOf(env: NodeJS.ProcessEnv): CallOptions | { problem: string } {
  const parsed = callEnvironment.safeParse(filledIn(env));
  if (!parsed.success) return problemIn(parsed.error);
  return { sweepToken: parsed.data.SWEEP_TOKEN, withinMs: parsed.data.CALL_SECONDS * 1000 };
}

/** What is set empty, as an example file leaves it, counts as not set. */
function filledIn(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
}

function problemIn(error: z.ZodError): { problem: string } {
  const issue = error.issues[0]!;
  const name = String(issue.path[0]);
  return { problem: issue.message.includes(name) ? issue.message : `${name}: ${issue.message}` };
}

/** Values that no log may hold: what variables are named as secrets, and the passwords in addresses. */
function secretsIn(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value === "") return [];
    const password = /^\w+:\/\/[^/@]*:([^/@]+)@/.exec(value)?.[1];
    return secretNames.test(name) ? [value] : password === undefined ? [] : [password];
  });
}

function readKey(env: NodeJS.ProcessEnv): string | { problem: string } {
  try {
    const key = getPrivateKey({ env });
    return (
      key ?? { problem: "PRIVATE_KEY (or PRIVATE_KEY_PATH) is not set: it is the app's key, made on its settings page" }
    );
  } catch (error) {
    return { problem: `PRIVATE_KEY can't be read: ${messageOf(error)}` };
  }
}
