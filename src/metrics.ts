/**
 * What the process counts of itself, for Prometheus. One registry for each process (or test): nothing here is global.
 *
 * Always: labels come from small fixed sets (kinds, routes as templates, states) or from installations; no name of a
 * repository, person or session is one. docs/operations.md lists every name.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { Action } from "./domain/action.ts";
import type { Spending } from "./domain/proposal.ts";
import { type SessionState, sessionStates } from "./domain/session.ts";
import type { Exchange } from "./github/meter.ts";

/**
 * How a pass ended: `waits` (nothing to do but wait), `unfinished` (so many steps that others get their turn), `paused` (it met
 * an error that passes), `failed` (it threw), `stopped` (the process ends).
 */
export const passEnds = ["waits", "unfinished", "paused", "failed", "stopped"] as const;
export type PassEnd = (typeof passEnds)[number];

/** Sessions whose state is remembered for the gauge. */
const sessionsAtMost = 10_000;

export class Metrics {
  readonly registry = new Registry();
  readonly #passes = this.#counter("passes_total", "Passes over sessions, by how they ended.", ["end"]);
  readonly #duration = this.#histogram(
    "pass_duration_seconds",
    "Time of one pass.",
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  );
  readonly #delay = this.#histogram(
    "wakeup_delay_seconds",
    "Time from the first hint to the pass that takes it up.",
    [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800],
  );
  readonly #hints = this.#counter("hints_total", "Hints that woke a session, by where they came from.", ["source"]);
  readonly #actions = this.#counter("actions_total", "Actions that were carried out, by kind.", ["action"]);
  readonly #experiments = this.#counter("experiments_total", "Experiments that were concluded, by outcome.", [
    "outcome",
  ]);
  readonly #requests = this.#counter(
    "github_requests_total",
    "Requests to GitHub, by route and status (none: no answer came).",
    ["route", "status"],
  );
  readonly #remaining = this.#gauge(
    "github_limit_remaining",
    "Requests left of GitHub's primary limit, as the last answer said; installation 'app' is the app itself.",
    ["installation"],
  );
  readonly #limit = this.#gauge("github_limit", "GitHub's primary limit in an hour.", ["installation"]);
  readonly #sweeps = this.#counter("sweeps_total", "Sweeps over all sessions, by how they ended.", ["end"]);
  readonly #redeliveries = this.#counter(
    "redeliveries_total",
    "Failed deliveries that GitHub was asked to repeat.",
    [],
  );
  readonly #cost = this.#counter("researcher_cost_usd_total", "Dollars that researchers spent, by configured prices.", [
    "researcher",
  ]);
  readonly #tokens = this.#counter("researcher_tokens_total", "Tokens that researchers used, as the vendor counts.", [
    "researcher",
    "kind",
  ]);
  /** When the hint came that no pass has taken up yet, by session. */
  readonly #hintedAtMs = new Map<string, number>();
  readonly #states = new Map<string, SessionState>();

  constructor() {
    for (const end of passEnds) this.#passes.inc({ end }, 0);
    const sessions: Gauge<"state"> = this.#gauge(
      "sessions",
      "Sessions by state, as this process saw them last.",
      ["state"],
      () => {
        for (const state of sessionStates)
          sessions.set({ state }, [...this.#states.values()].filter((each) => each === state).length);
      },
    );
  }

  /** A hint woke the session; `source` is the webhook's event, `sweep`, or `researcher`. */
  hinted(session: string, source: string, nowMs: number): void {
    this.#hints.inc({ source });
    if (!this.#hintedAtMs.has(session)) this.#hintedAtMs.set(session, nowMs);
  }

  passBegan(session: string, nowMs: number): void {
    const hintedAtMs = this.#hintedAtMs.get(session);
    if (hintedAtMs === undefined) return;
    this.#hintedAtMs.delete(session);
    this.#delay.observe(Math.max(0, nowMs - hintedAtMs) / 1000);
  }

  /** `state`: of the session as the pass left it; null: there is no session. */
  passEnded(session: string, end: PassEnd, durationMs: number, state: SessionState | null): void {
    this.#passes.inc({ end });
    this.#duration.observe(durationMs / 1000);
    this.#states.delete(session);
    if (state === null) return;
    this.#states.set(session, state);
    if (this.#states.size > sessionsAtMost) this.#states.delete(this.#states.keys().next().value!);
  }

  acted(action: Action): void {
    this.#actions.inc({ action: action.kind });
    if (action.kind === "conclude") this.#experiments.inc({ outcome: action.outcome });
  }

  /** One request to GitHub, with what its answer says of the limit. */
  asked({ route, status, installation, limit, remaining }: Exchange): void {
    this.#requests.inc({ route, status: status ?? "none" });
    if (limit !== null) this.#limit.set({ installation }, limit);
    if (remaining !== null) this.#remaining.set({ installation }, remaining);
  }

  swept(end: "done" | "failed"): void {
    this.#sweeps.inc({ end });
  }

  redelivered(): void {
    this.#redeliveries.inc();
  }

  /** What a researcher's calls of a model took; `researcher` is its kind, as configured. */
  spent(researcher: string, spending: Spending): void {
    this.#cost.inc({ researcher }, spending.usd);
    this.#tokens.inc({ researcher, kind: "input" }, spending.inputTokens);
    this.#tokens.inc({ researcher, kind: "output" }, spending.outputTokens);
    this.#tokens.inc({ researcher, kind: "cache_read" }, spending.cacheReadTokens);
    this.#tokens.inc({ researcher, kind: "cache_write" }, spending.cacheWriteTokens);
  }

  /** Shows memory, processor and event loop of the process. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Shows the queue: sessions that wait for room, and all that it knows (asleep ones too). */
  watchQueue(lengths: () => { readonly ready: number; readonly known: number }): void {
    const ready: Gauge = this.#gauge("queue_length", "Sessions that wait for room to have their pass.", [], () =>
      ready.set(lengths().ready),
    );
    const known: Gauge = this.#gauge("queue_sessions", "Sessions in the queue: ready, in a pass, or asleep.", [], () =>
      known.set(lengths().known),
    );
  }

  #counter<const L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `autoresearch_${name}`, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name: `autoresearch_${name}`, help, buckets, registers: [this.registry] });
  }

  #gauge<const L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect: () => void = () => {},
  ): Gauge<L> {
    return new Gauge({ name: `autoresearch_${name}`, help, labelNames, collect, registers: [this.registry] });
  }
}
