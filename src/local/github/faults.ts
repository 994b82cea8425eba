/**
 * Faults that a test arms: what the real GitHub does on a bad day. A fault hits requests of apps (jobs' included), not
 * those of the test's own people, unless it says so.
 */
import type { Actor } from "./auth.ts";
import type { Repository } from "./entities.ts";
import type { Store } from "./store.ts";

export type Match = {
  readonly method?: string;
  /** The template, `/repos/{owner}/{repo}/pulls`, or a pattern of the path. */
  readonly route?: string | RegExp;
  /** Whose requests; `app` when not said: everyone's but people's. `bot`: not those of jobs either. */
  readonly by?: "app" | "bot" | "person" | "anyone";
  /** Lets so many matching requests pass first. */
  readonly skip?: number;
  /** How many requests it hits; 1 when not said. */
  readonly times?: number;
};

export type Effect =
  /** Answers with an error: before the work is done, or after it was done. */
  | { readonly kind: "fail"; readonly when: "before" | "after"; readonly status: number; readonly message?: string }
  /** Closes the connection with no answer; `first` is called before that, say, to end the process that asked. */
  | { readonly kind: "drop"; readonly when: "before" | "after"; readonly first?: () => Promise<void> | void }
  /** Says nothing for so long, then closes the connection. */
  | { readonly kind: "silence"; readonly when: "before" | "after"; readonly ms: number }
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "primaryLimit"; readonly resetInSeconds: number }
  | { readonly kind: "secondaryLimit"; readonly retryAfterSeconds: number; readonly status?: 403 | 429 };

export type ArmedFault = {
  readonly hits: number;
  /** The last request that it hit, known as soon as it is chosen and before anything comes of it; null: none so far. */
  readonly lastHit: Asked | null;
  readonly remove: () => void;
};

/** What is known of a request when faults are looked at. */
export type Asked = {
  readonly method: string;
  readonly template: string | null;
  readonly path: string;
  readonly actor: Actor;
};

type Armed = { match: Match; effect: Effect; seen: number; hits: number; lastHit: Asked | null };

/** The world as lists show it while they are stale. */
export type StaleView = { readonly store: Store; readonly refs: (repo: Repository) => ReadonlyMap<string, string> };

export class Faults {
  #armed: Armed[] = [];
  #stale: { match: Match; view: StaleView } | null = null;
  readonly #freeze: () => StaleView;

  constructor(freeze: () => StaleView) {
    this.#freeze = freeze;
  }

  /** Arms a fault. */
  add(match: Match, effect: Effect): ArmedFault {
    const armed: Armed = { match, effect, seen: 0, hits: 0, lastHit: null };
    this.#armed.push(armed);
    return {
      get hits() {
        return armed.hits;
      },
      get lastHit() {
        return armed.lastHit;
      },
      remove: () => {
        this.#armed = this.#armed.filter((one) => one !== armed);
      },
    };
  }

  /** From now on lists answer with what is there now, whatever is written; ends with the returned function. */
  freezeLists(match: Match = {}): () => void {
    const frozen = { match, view: this.#freeze() };
    this.#stale = frozen;
    return () => {
      if (this.#stale === frozen) this.#stale = null;
    };
  }

  clear(): void {
    this.#armed = [];
    this.#stale = null;
  }

  /** The effects that hit this request, each counted. */
  effectsOn(asked: Asked): Effect[] {
    const effects: Effect[] = [];
    for (const armed of this.#armed) {
      if (!matches(armed.match, asked)) continue;
      armed.seen += 1;
      if (armed.seen <= (armed.match.skip ?? 0) || armed.hits >= (armed.match.times ?? 1)) continue;
      armed.hits += 1;
      armed.lastHit = asked;
      effects.push(armed.effect);
    }
    return effects;
  }

  staleViewFor(asked: Asked): StaleView | null {
    return this.#stale !== null && asked.method === "GET" && matches(this.#stale.match, asked)
      ? this.#stale.view
      : null;
  }
}

function matches(match: Match, asked: Asked): boolean {
  const person = asked.actor.kind === "person";
  const by = match.by ?? "app";
  if (((by === "app" || by === "bot") && person) || (by === "person" && !person)) return false;
  if (by === "bot" && asked.actor.kind === "installation" && asked.actor.job) return false;
  if (match.method !== undefined && match.method !== asked.method) return false;
  if (match.route === undefined) return true;
  return typeof match.route === "string" ? match.route === asked.template : match.route.test(asked.path);
}
