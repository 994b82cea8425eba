/** The app as an HTTP server: Probot's. */
import { pino } from "pino";
import pretty from "pino-pretty";
import { Probot, Server } from "probot";
import { type AppOptions, startApp } from "./app.ts";
import { BotOctokit, hasWriteLimits } from "./github/octokit.ts";

export type ServeOptions = AppOptions & {
  readonly appId: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly host: string;
  readonly port: number;
  readonly webhookPath: string;
  /** A smee.io channel that hands deliveries on to a machine behind a firewall; null: none. */
  readonly webhookProxy: string | null;
  /** `https://api.github.com`, or `https://HOST/api/v3` of an enterprise server. */
  readonly apiUrl: string;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "fatal";
  readonly logFormat: "json" | "pretty";
};

/** Starts serving; resolves when webhooks are taken. `close` lets the passes in hand finish. */
export async function serve(options: ServeOptions): Promise<{ close(): Promise<void> }> {
  const log = pino(
    { level: options.logLevel },
    options.logFormat === "pretty" ? pretty({ ignore: "pid,hostname" }) : pino.destination(1),
  );
  const server = new Server({
    log,
    host: options.host,
    port: options.port,
    webhookPath: options.webhookPath,
    ...(options.webhookProxy === null ? {} : { webhookProxy: options.webhookProxy }),
    enableStaticFiles: false,
    Probot: Probot.defaults({
      appId: options.appId,
      privateKey: options.privateKey,
      secret: options.webhookSecret,
      webhookPath: options.webhookPath,
      baseUrl: options.apiUrl,
      log,
      Octokit: BotOctokit,
    }),
  });
  let close = () => Promise.resolve();
  await server.load(async (probot) => {
    const app = await startApp(probot, { ...options, spaced: hasWriteLimits(options.apiUrl) });
    close = () => app.close();
  });
  await server.start();
  return {
    close: async () => {
      await server.stop();
      await close();
    },
  };
}
