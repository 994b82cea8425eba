/** Which app is told of which event, and what a delivery is sent with. */
import { createHmac } from "node:crypto";
import { holds } from "./access.ts";
import type { App, Delivery, Permissions } from "./entities.ts";

/** What an app must be permitted to be told of an event; any one of the names, at `read`. */
const permissionsFor: Readonly<Record<string, readonly string[]>> = {
  issues: ["issues"],
  issue_comment: ["issues", "pull_requests"],
  label: ["issues", "pull_requests"],
  pull_request: ["pull_requests"],
  check_run: ["checks"],
  check_suite: ["checks"],
  push: ["contents"],
  create: ["contents"],
  delete: ["contents"],
  workflow_run: ["actions"],
  workflow_job: ["actions"],
  workflow_dispatch: ["contents"],
  repository: ["metadata"],
};

/** Every app is told of these, subscribed or not. */
const always = new Set(["installation", "installation_repositories"]);

/** True when the app is to be told of the event. */
export function hears(app: App, event: string): boolean {
  if (always.has(event)) return true;
  const mayKnow = (permissions: Permissions): boolean =>
    (permissionsFor[event] ?? []).some((name) => holds(permissions, name, "read"));
  // Apps that may write checks are told of checks without asking.
  const byRight = (event === "check_run" || event === "check_suite") && holds(app.permissions, "checks", "write");
  return (app.events.includes(event) || byRight) && mayKnow(app.permissions);
}

/** The headers that the app is sent; also shown in the delivery's record. */
export function headersOf(app: App, delivery: Delivery, body: string): Record<string, string> {
  return {
    accept: "*/*",
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/0000000",
    "x-github-delivery": delivery.guid,
    "x-github-event": delivery.event,
    "x-github-hook-id": String(app.id),
    "x-github-hook-installation-target-id": String(app.id),
    "x-github-hook-installation-target-type": "integration",
    "x-hub-signature-256": `sha256=${createHmac("sha256", app.webhookSecret).update(body).digest("hex")}`,
  };
}
