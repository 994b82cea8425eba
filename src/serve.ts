/** The app as an HTTP server: Probot's, with the process's own endpoints before it. */
import type { Server as HttpServer, RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { Probot, Server } from "probot";
import { type App, type AppOptions, wireApp } from "./app.ts";
import { endpointsOf } from "./endpoints.ts";
import { BotOctokit } from "./github/octokit.ts";
import { Health } from "./health.ts";
import { type LogOptions, logTo } from "./log.ts";
import { Metrics } from "./metrics.ts";

/** How the app is known to GitHub, and where GitHub is. */
export type Credentials = {
  readonly appId: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  /** `https://api.github.com`, or `https://HOST/api/v3` of an enterprise server. */
  readonly apiUrl: string;
};

/** Where deliveries are taken. */
export type Listening = {
  readonly host: string;
  readonly port: number;
  readonly webhookPath: string;
  /** A smee.io channel that hands deliveries on to a machine behind a firewall; null: none. */
  readonly webhookProxy: string | null;
};

export type ServeOptions = AppOptions &
  Credentials &
  Listening & {
    /** Bearer token of /metrics; null: there are no metrics to be had. */
    readonly metricsToken: string | null;
    readonly logLevel: LogOptions["level"];
    readonly logFormat: LogOptions["format"];
    /** Values that must never be seen in the log, beside those of `Credentials` and the metrics' token. */
    readonly secrets: readonly string[];
  };

/** The passes in hand get so long to end; then the process goes, which loses nothing. */
export const closeWithinMs = 20_000;

export type Serving = {
  /** Takes no deliveries any more, lets the passes in hand end (for a bounded time), and stops listening. */
  close(): Promise<void>;
};

/** The log of a process with these options. */
export function logOf(options: Omit<ServeOptions, keyof Listening>): Logger {
  const { logLevel: level, logFormat: format, privateKey, webhookSecret, metricsToken, secrets } = options;
  const known = [privateKey, webhookSecret, ...(metricsToken === null ? [] : [metricsToken]), ...secrets];
  return logTo({ level, format, secrets: known });
}

/** What Probot is made with. */
export function probotOptions({ appId, privateKey, webhookSecret, apiUrl }: Credentials, log: Logger) {
  return { appId, privateKey, secret: webhookSecret, baseUrl: apiUrl, log, Octokit: BotOctokit };
}

/** Starts serving; resolves when deliveries are taken. Throws `Refused` where GitHub does not take the credentials. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const log = logOf(options);
  const health = new Health();
  const metrics = new Metrics();
  metrics.watchProcess();
  const server = new Server({
    log,
    host: options.host,
    port: options.port,
    webhookPath: options.webhookPath,
    ...(options.webhookProxy === null ? {} : { webhookProxy: options.webhookProxy }),
    enableStaticFiles: false,
    Probot: Probot.defaults({ ...probotOptions(options, log), webhookPath: options.webhookPath }),
  });
  let app: App;
  await server.load((probot) => {
    app = wireApp(probot, options, { metrics, health });
  });
  answerFirst(await server.start(), endpointsOf({ health, metrics, metricsToken: options.metricsToken }));
  const stopBeating = health.start();
  const stop = async () => {
    stopBeating();
    await server.stop();
  };
  try {
    await app!.begin();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    close: async () => {
      health.closing();
      const ended = await Promise.race([app!.close().then(() => true), sleep(closeWithinMs, false, { ref: false })]);
      if (!ended) log.warn({ because: `passes were in hand for ${closeWithinMs / 1000} s more` }, "ended in mid-pass");
      await stop();
    },
  };
}

/** Puts the endpoints before whoever answers the server's requests. */
function answerFirst(server: HttpServer, endpoints: ReturnType<typeof endpointsOf>): void {
  const others = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    if (endpoints(request, response)) return;
    for (const other of others) other(request, response);
  });
}
