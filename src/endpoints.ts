/**
 * What the process says of itself over HTTP: /healthz, /readyz, and /metrics for whoever has the token. Answered before
 * Probot is asked, so that probes leave no lines in the log; and while the process ends, deliveries are refused here.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Health, Standing } from "./health.ts";
import type { Metrics } from "./metrics.ts";

export type EndpointsOptions = {
  readonly health: Health;
  readonly metrics: Metrics;
  /** Who shows it as a bearer token may read the metrics; null: nobody may. */
  readonly metricsToken: string | null;
};

/** True where the request was answered here. */
export type Endpoints = (request: IncomingMessage, response: ServerResponse) => boolean;

export function endpointsOf({ health, metrics, metricsToken }: EndpointsOptions): Endpoints {
  return (request, response) => {
    const reads = request.method === "GET" || request.method === "HEAD";
    switch (reads ? request.url?.split("?", 1)[0] : null) {
      case "/healthz":
        stands(response, health.liveness());
        return true;
      case "/readyz":
        stands(response, health.readiness());
        return true;
      case "/metrics":
        void showMetrics(request, response, metrics, metricsToken);
        return true;
      default:
        if (!health.isClosing) return false;
        response.setHeader("connection", "close");
        // GitHub notes a failed delivery, which the next process asks for.
        stands(response, health.readiness());
        return true;
    }
  };
}

function stands(response: ServerResponse, standing: Standing): void {
  const body = standing.ok ? { status: "ok" } : { status: "unavailable", because: standing.because };
  response.writeHead(standing.ok ? 200 : 503, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
}

async function showMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  { registry }: Metrics,
  token: string | null,
): Promise<void> {
  const refuse = (status: number, sentence: string) => {
    response.writeHead(status, { "content-type": "text/plain" }).end(`${sentence}\n`);
  };
  if (token === null) return refuse(404, "Metrics are off: METRICS_TOKEN is not set.");
  if (!showsToken(request.headers.authorization ?? null, token)) return refuse(401, "Metrics need the token.");
  response.writeHead(200, { "content-type": registry.contentType }).end(await registry.metrics());
}

/** Whether the header `Authorization` holds the token; takes the same time however wrong it is. */
export function showsToken(header: string | null, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header ?? ""), digest(`Bearer ${token}`));
}
