/** The process: reads the environment, serves, and ends when it is told to. The only place with process.env. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { defaultAppOptions } from "./app.ts";
import { type ServeOptions, githubApiUrl, serve } from "./serve.ts";

const environment = z.object({
  APP_ID: z.coerce
    .number({ error: "APP_ID must be the app's number" })
    .int()
    .positive("APP_ID must be the app's number"),
  PRIVATE_KEY: z.string().optional(),
  PRIVATE_KEY_PATH: z.string().optional(),
  WEBHOOK_SECRET: z
    .string({ error: "WEBHOOK_SECRET is not set: without it anybody could send the bot orders" })
    .min(1, "WEBHOOK_SECRET is empty")
    .refine((secret) => secret !== "development", "WEBHOOK_SECRET is Probot's default; choose your own"),
  PORT: z.coerce.number().int().min(1).max(65535).default(3000),
  HOST: z.string().default("localhost"),
  WEBHOOK_PATH: z.string().startsWith("/").default("/api/github/webhooks"),
  GITHUB_API_URL: z.url().default(githubApiUrl),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  SWEEP_INTERVAL_SECONDS: z.coerce
    .number()
    .positive()
    .default(defaultAppOptions.sweepEveryMs / 1000),
});

function optionsOf(env: NodeJS.ProcessEnv): ServeOptions | { problem: string } {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const name = String(issue.path[0]);
    return { problem: issue.message.includes(name) ? issue.message : `${name}: ${issue.message}` };
  }
  const { PRIVATE_KEY, PRIVATE_KEY_PATH, ...rest } = parsed.data;
  const privateKey =
    PRIVATE_KEY ?? (PRIVATE_KEY_PATH === undefined ? undefined : readFileSync(PRIVATE_KEY_PATH, "utf8"));
  if (privateKey === undefined)
    return { problem: "PRIVATE_KEY (or PRIVATE_KEY_PATH) is not set: it is the app's key, made on its settings page" };
  return {
    ...defaultAppOptions,
    sweepEveryMs: rest.SWEEP_INTERVAL_SECONDS * 1000,
    appId: rest.APP_ID,
    privateKey: privateKey.replaceAll("\\n", "\n"),
    webhookSecret: rest.WEBHOOK_SECRET,
    port: rest.PORT,
    host: rest.HOST,
    webhookPath: rest.WEBHOOK_PATH,
    apiUrl: rest.GITHUB_API_URL.replace(/\/$/, ""),
    logLevel: rest.LOG_LEVEL,
  };
}

const options = optionsOf(process.env);
if ("problem" in options) {
  console.error(`autoresearch can't start: ${options.problem}.`);
  process.exit(1);
}
const running = await serve(options);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void running.close().then(() => process.exit(0));
  });
}
