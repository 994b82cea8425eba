/** What the environment says, read once: by the process that serves and by the doctor. */
import { getPrivateKey } from "@probot/get-private-key";
import { z } from "zod";
import { defaultAppOptions } from "./app.ts";
import { githubApiUrl } from "./github/octokit.ts";
import { parseAllowedCommands } from "./domain/allowed-commands.ts";
import { type Means, researcherFor } from "./researcher/kinds.ts";
import type { ServeOptions } from "./serve.ts";

const environment = z.object({
  APP_ID: z.coerce
    .number({ error: "APP_ID must be the app's number" })
    .int()
    .positive("APP_ID must be the app's number"),
  WEBHOOK_SECRET: z
    .string({ error: "WEBHOOK_SECRET is not set: without it anybody could send the bot orders" })
    .min(1, "WEBHOOK_SECRET is empty: without it anybody could send the bot orders")
    .refine(
      (secret) => secret !== "development",
      "WEBHOOK_SECRET is Probot's default, which everybody knows; choose your own",
    ),
  PORT: z.coerce.number().int().min(1).max(65_535).default(3000),
  HOST: z.string().default("localhost"),
  WEBHOOK_PATH: z.string().startsWith("/").default("/api/github/webhooks"),
  WEBHOOK_PROXY_URL: z.url().optional(),
  GITHUB_API_URL: z.url().default(githubApiUrl),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  LOG_FORMAT: z.enum(["json", "pretty"]).default("pretty"),
  SWEEP_INTERVAL_SECONDS: z.coerce
    .number()
    .positive()
    .default(defaultAppOptions.sweepEveryMs / 1000),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: z.url().optional(),
});

/** The options of the app, or one sentence about what is missing or wrong. */
export function optionsOf(env: NodeJS.ProcessEnv): ServeOptions | { problem: string } {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    return { problem: issue.message.includes(name) ? issue.message : `${name}: ${issue.message}` };
  }
  const { data } = parsed;
  const privateKey = readKey(env);
  if (typeof privateKey !== "string") return privateKey;
  const allowed = parseAllowedCommands(env["RESEARCHER_COMMANDS"]);
  if ("problem" in allowed) return allowed;
  // A key that is missing is a matter of the sessions that want it, not of the process.
  const means: Means = {
    claude: {
      apiKey: data.ANTHROPIC_API_KEY?.trim() || null,
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
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
  };
}

function readKey(env: NodeJS.ProcessEnv): string | { problem: string } {
  try {
    const key = getPrivateKey({ env });
    return (
      key ?? { problem: "PRIVATE_KEY (or PRIVATE_KEY_PATH) is not set: it is the app's key, made on its settings page" }
    );
  } catch (error) {
    return { problem: `PRIVATE_KEY can't be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}
