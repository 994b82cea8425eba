/**
 * What a delivery wakes, for all who take deliveries (app.ts, serverless.ts). Nearly all are hints, and may be lost. A press of
 * a button stands nowhere else: it is written down before its delivery is answered, so that one that fails here counts as
 * failed for GitHub, and can be repeated.
 */
import type { GitHubApp } from "./github/app.ts";
import { hearPress, keepPress } from "./github/press.ts";
import { type Heard, hear } from "./hints.ts";

export type Delivery = { readonly id: string; readonly event: string; readonly payload: unknown };

/** null: it concerns no session. `bot` is the bot's own login. */
export async function take({ id, event, payload }: Delivery, bot: string, github: GitHubApp): Promise<Heard | null> {
  const press = event === "check_run" ? hearPress(payload) : null;
  if (press === null) return hear(event, payload, bot);
  await keepPress(await github.clientFor(press.key), press, id);
  return { key: press.key, hint: new Set(["pulls", "comments", "issue"]) };
}
