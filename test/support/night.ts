/**
 * A night on values: a session, runners, a researcher and people, with everything that may happen to them as an event.
 * Between two events `decide` is asked, and what it says is done, until it waits.
 */
import type { Action } from "../../src/domain/action.ts";
import { decide } from "../../src/domain/decide.ts";
import type { Measurement } from "../../src/domain/measurement.ts";
import type { Sha } from "../../src/domain/names.ts";
import { type Experiment, type Session, isEnded } from "../../src/domain/session.ts";
import type { Trial } from "../../src/domain/trial.ts";
import { after, withExperiment } from "./after.ts";
import {
  measurementWith,
  minuteMs,
  orderWith,
  preparedWith,
  proposalWith,
  shaOf,
  unmeasuredFrontier,
} from "./session.ts";

export type Event =
  /** The runner of the `which`-th trial that holds one goes on, and ends as `end` says. */
  | { readonly kind: "runner"; readonly which: number; readonly end: "train" | "lost" | "crash" | number }
  | { readonly kind: "researcher"; readonly answer: "idea" | "nothing" | "failure" }
  | { readonly kind: "says"; readonly what: "stop" | "pause" | "resume" | "status" }
  | { readonly kind: "closes" | "merges" | "conflicts"; readonly which: number }
  | { readonly kind: "pushes" | "unlabels" | "labels" | "deletes" }
  | { readonly kind: "minutes"; readonly minutes: number };

const stepsAtMost = 200;

export class Night {
  session: Session;
  readonly story: string[] = [];
  readonly #carriedOut: (session: Session, action: Action) => void;
  #askedOn: Sha | null = null;
  #askedFor = 1;
  #made = 500;

  /** `carriedOut` is told of every action, with the session that it was decided on. */
  constructor(session: Session, carriedOut: (session: Session, action: Action) => void) {
    this.session = session;
    this.#carriedOut = carriedOut;
    this.#settle();
  }

  happens(event: Event): void {
    this.story.push(`* ${JSON.stringify(event)}`);
    this.session = { ...this.session, nowMs: this.session.nowMs + 1_000 };
    this.#apply(event);
    this.#settle();
  }

  /** Trials whose run is going on. */
  active(): Trial[] {
    const { frontier, experiments } = this.session;
    const all = [...(frontier?.ownTrials ?? []), ...experiments.flatMap((each) => each.trials)];
    return all.filter(({ phase }) => phase.kind === "queued" || phase.kind === "training");
  }

  #settle(): void {
    for (let step = 0; step < stepsAtMost; step += 1) {
      if (isEnded(this.session.record?.state ?? "running")) this.session = { ...this.session, desk: { kind: "idle" } };
      const decision = decide(this.session);
      if (decision.kind === "wait") return;
      const { action } = decision;
      this.story.push(`  ${action.kind}: ${decision.because}`);
      this.#carriedOut(this.session, action);
      if (action.kind === "propose") {
        this.#askedOn = this.session.frontier!.tip;
        this.#askedFor = action.number;
      }
      this.session = after(this.session, action);
    }
    throw new Error("decide never waits");
  }

  #apply(event: Event): void {
    const { session } = this;
    switch (event.kind) {
      case "runner":
        return this.#goOn(event.which, event.end);
      case "researcher":
        return this.#answer(event.answer);
      case "says":
        this.session = { ...session, orders: [orderWith(`/autoresearch ${event.what}`)] };
        return;
      case "closes":
        return this.#change(event.which, (each) => (each.pull === "open" ? { pull: "closed" } : {}));
      case "conflicts":
        return this.#change(event.which, (each) => (this.#isStale(each) ? { conflict: "train.py" } : {}));
      case "merges":
        return this.#merge(event.which);
      case "pushes":
        if (session.frontier !== null)
          this.session = { ...session, frontier: unmeasuredFrontier({ tip: this.#sha() }) };
        return;
      case "deletes":
        if (session.record !== null) this.session = { ...session, frontier: null };
        return;
      case "unlabels":
        return this.#label(session.issue.labels.filter((label) => label !== "autoresearch"));
      case "labels":
        return this.#label([...new Set([...session.issue.labels, "autoresearch"])]);
      case "minutes":
        this.session = { ...session, nowMs: session.nowMs + event.minutes * minuteMs };
    }
  }

  #isStale(experiment: Experiment): boolean {
    return experiment.pull === "open" && experiment.parent.tip !== this.session.frontier?.tip;
  }

  #sha(): Sha {
    this.#made += 1;
    return shaOf(this.#made);
  }

  #change(which: number, change: (experiment: Experiment) => Partial<Experiment>): void {
    const { experiments } = this.session;
    const chosen = experiments[which % Math.max(1, experiments.length)];
    if (chosen !== undefined) this.session = withExperiment(this.session, chosen.number, change(chosen));
  }

  #merge(which: number): void {
    this.#change(which, (each) => {
      if (each.pull !== "open" || this.session.frontier === null) return {};
      this.session = { ...this.session, frontier: unmeasuredFrontier({ tip: this.#sha() }) };
      return { pull: "merged" };
    });
  }

  #label(labels: string[]): void {
    const { session } = this;
    const issue = { ...session.issue, labels };
    const labelled = { event: session.nowMs, by: "ada", atMs: session.nowMs };
    const { record } = session;
    const on = labels.includes("autoresearch") && !session.issue.labels.includes("autoresearch");
    if (!on || record === null) {
      this.session = { ...session, issue, unlabelledBy: "ada" };
      return;
    }
    const { base, baseBranch, config, program } = record;
    const start = { kind: "ready" as const, base, baseBranch, config, program, title: "", issueDigest: "", by: "ada" };
    this.session = { ...session, issue, labelled, start };
  }

  #answer(answer: "idea" | "nothing" | "failure"): void {
    if (this.session.desk.kind !== "thinking" || this.#askedOn === null) return;
    const parent = this.#askedOn;
    const retryAtMs = this.session.nowMs + minuteMs;
    this.#made += 1;
    const proposal = proposalWith({ description: `idea ${this.#made}` });
    const desk = {
      idea: {
        kind: "ready",
        prepared: preparedWith({ number: this.#askedFor, parent, key: `key${this.#made}`, proposal }),
      },
      nothing: { kind: "exhausted", because: "every change was tried", parent },
      failure: { kind: "failed", because: "no answer", failures: 1, retryAtMs },
    } as const;
    this.session = { ...this.session, desk: desk[answer] };
  }

  #goOn(which: number, end: Extract<Event, { kind: "runner" }>["end"]): void {
    const active = this.active();
    const chosen = active[which % Math.max(1, active.length)];
    if (chosen === undefined) return;
    const atMs = this.session.nowMs;
    const isCancelled = this.session.cancelled.has(chosen.run!.id);
    const lost: Trial["phase"] = { kind: "lost", atMs, because: "its run ended without a measurement" };
    const phase: Trial["phase"] =
      isCancelled || end === "lost"
        ? lost
        : end === "train"
          ? { kind: "training", sinceMs: atMs, seenMs: atMs }
          : { kind: "measured", atMs, measurement: measurementOf(end) };
    const swap = (trials: readonly Trial[]) => trials.map((each) => (each === chosen ? { ...each, phase } : each));
    const { session } = this;
    const experiments = session.experiments.map((each) => ({ ...each, trials: swap(each.trials) }));
    const { frontier } = session;
    this.session = {
      ...session,
      experiments,
      frontier: frontier === null ? null : { ...frontier, ownTrials: swap(frontier.ownTrials) },
    };
  }

  /** From here on nothing goes wrong: whoever waits is answered, until the session has ended and is cleaned up. */
  calm(roundsAtMost: number): void {
    for (let round = 0; round < roundsAtMost; round += 1) {
      const { session } = this;
      const { state } = session.record!;
      const open = session.experiments.length > 0 || this.active().length > 0;
      if (isEnded(state) && !open) return;
      if (session.frontier === null) this.session = { ...session, frontier: unmeasuredFrontier({ tip: this.#sha() }) };
      if (state === "paused" || state === "blocked") this.happens({ kind: "says", what: "resume" });
      else if (this.active().length > 0) this.happens({ kind: "runner", which: 0, end: 1.05 });
      else if (session.desk.kind === "thinking") this.happens({ kind: "researcher", answer: "nothing" });
      else this.happens({ kind: "minutes", minutes: 5 });
    }
    throw new Error(`not at an end after ${roundsAtMost} rounds`);
  }
}

function measurementOf(end: "crash" | number): Measurement {
  return end === "crash"
    ? measurementWith({ status: "crash", because: "out of memory" })
    : measurementWith({ value: end });
}
