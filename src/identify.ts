/**
 * Who the app is, asked until GitHub says so. A refusal is told apart from an outage: the one is the admin's to mend, the
 * other passes. But a GitHub that comes up after an outage may refuse what it takes a moment later, so that a refusal ends the
 * process as the first answer alone.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { messageOf } from "./domain/thrown.ts";
import type { GitHubApp } from "./github/app.ts";
import { classify } from "./github/errors.ts";
import type { Identity } from "./github/view.ts";
import type { Health } from "./health.ts";

/** GitHub does not take the app's credentials. The message is a sentence for the admin. */
export class Refused extends Error {
  override name = "Refused";
}

export type Asking = { readonly github: GitHubApp; readonly health: Health; readonly log: Logger };

const askAgainMs = 5_000;
const askAgainRefusedMs = 15_000;

/** Asks once; null: GitHub does not answer. Throws `Refused`. */
export async function identify({ github, health, log }: Asking): Promise<Identity | null> {
  try {
    const identity = await github.identity();
    health.identified();
    return identity;
  } catch (error) {
    const { kind, because } = classify(error, Date.now());
    if (kind !== "later") throw new Refused(`GitHub does not take the app's credentials: ${because}`);
    health.unidentified(because);
    log.warn({ because }, "GitHub does not say who the app is");
    return null;
  }
}

/** Asks until it is known, refused or not (a refusal is logged); null where the signal is aborted before. */
export async function identifyLater(asking: Asking, signal: AbortSignal): Promise<Identity | null> {
  let pauseMs = askAgainMs;
  for (;;) {
    try {
      await sleep(pauseMs, undefined, { signal, ref: false });
      const identity = await identify(asking);
      if (identity !== null) return identity;
      pauseMs = askAgainMs;
    } catch (error) {
      if (signal.aborted) return null;
      asking.health.unidentified(messageOf(error));
      asking.log.error({ err: error }, "the app can do nothing until GitHub takes it; asked again");
      pauseMs = askAgainRefusedMs;
    }
  }
}
