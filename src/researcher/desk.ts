/**
 * The desk: where a researcher thinks while passes go on. One task at a time, ahead of need, so that no runner waits for
 * it; a stop aborts it at once. It lives in the process alone: what a crash loses is one idea, and what it may have cost
 * stands in session.json already (purse.ts).
 */
import type { Account, Ledger } from "../domain/ledger.ts";
import type { Sha } from "../domain/names.ts";
import type {
  Brief,
  Desk as DeskState,
  FileText,
  Library,
  Prepared,
  Proposal,
  Researcher,
} from "../domain/proposal.ts";
import { steeringKey } from "../domain/steering.ts";
import { messageOf } from "../domain/thrown.ts";
import { baseOf, refusalOf, resultOf } from "./guard.ts";
import { Later } from "./later.ts";
import { Money, type OpenPurse } from "./purse.ts";
import { requestIn } from "./submission.ts";

const refusalsAtMost = 5;
/** A repair or a `try` that failed so often comes to nothing: it holds up every other idea. */
const failuresAtMost = 2;
const firstRetryMs = 10_000;
const longestRetryMs = 600_000;
/** A researcher that says when to come back is believed up to here. */
const longestWaitMs = 3_600_000;

type KeyOf = (files: readonly FileText[]) => string;
/** A brief as the loop gives it: the money is the desk's own. */
export type Task = Omit<Brief, "purse">;

const idle: DeskState = { kind: "idle" };
/** What may be otherwise once people have asked for something: no idea is left, a pause, another model is needed. */
const revisable: ReadonlySet<DeskState["kind"]> = new Set(["exhausted", "failed", "helpless"]);

export class Desk {
  #state = idle;
  #abort: AbortController | null = null;
  #purse: OpenPurse | null = null;
  #failures = 0;
  /** Whether people asked for something since the task began. */
  #heard = false;
  /** How often what was asked for has failed, by the commit to mend or the comment of the `try`. */
  readonly #failuresOf = new Map<Sha | number, number>();
  #passedOver: string | null = null;
  readonly #money = new Money();
  readonly #keyOf: KeyOf;

  /** `keyOf` names the contents of a mutable surface. */
  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
  }

  get state(): DeskState {
    return this.#state;
  }

  /** What the last proposal said of the models that were passed over for it. */
  get passedOver(): string | null {
    return this.#passedOver;
  }

  get account(): Account {
    return this.#money.account;
  }

  /** Takes note of the ledger in session.json and of `limits.cost_usd`. */
  sees(ledger: Ledger, limitUsd: number): void {
    this.#money.sees(ledger, limitUsd);
  }

  /** Whether the purse holds money for nothing now: the next write of session.json takes it out, and puts none in. */
  letGoOfMoney(): boolean {
    return this.#money.letGo();
  }

  /** Sets the researcher thinking; `changed` is called when there is something to see. */
  think(researcher: Researcher, task: Task, nowMs: () => number, changed: () => void): void {
    if (this.#state.kind === "thinking") return;
    const abort = new AbortController();
    const purse = this.#money.open();
    this.#abort = abort;
    this.#purse = purse;
    this.#heard = false;
    this.#state = { kind: "thinking" };
    const settle = (state: DeskState) => {
      if (state.kind === "ready" && purse.spent().usd > 0) this.#money.countProposal();
      if (this.#abort !== abort) return;
      this.#abort = null;
      this.#purse = null;
      if (state.kind !== "failed") this.#failures = 0;
      if (state.kind === "ready") this.#passedOver = state.passedOver ?? null;
      this.#state = this.#heard && revisable.has(state.kind) ? idle : state;
      changed();
    };
    const brief = { ...task, library: patient(task.library), purse };
    void propose(researcher, brief, abort.signal, { keyOf: this.#keyOf, purse })
      // What is wanted no more has not failed; nor has what was given no money.
      .catch((error: unknown) =>
        abort.signal.aborted || purse.refused() !== null ? idle : this.#failed(error, task, nowMs()),
      )
      .then((state) => {
        purse.finish();
        return settle(state.kind === "ready" ? state : withoutMoney(state, purse));
      });
  }

  /** Clears the desk: the idea was used, or is wanted no more. */
  clear(): void {
    this.#abort?.abort();
    this.#purse?.close();
    this.#abort = null;
    this.#purse = null;
    this.#state = idle;
  }

  /** A person says to go on: what the researcher could not do it may be able to do now. */
  tryAgain(): void {
    if (this.#state.kind !== "thinking" && this.#state.kind !== "ready") this.clear();
  }

  /** People ask for something, or for something else: what was said without it is said no more. */
  heed(): void {
    if (this.#state.kind === "thinking") this.#heard = true;
    else if (revisable.has(this.#state.kind)) this.clear();
  }

  #failed(error: unknown, task: Task, nowMs: number): DeskState {
    const because = messageOf(error);
    const nothing = error instanceof Later ? null : this.#comesToNothing(task, because);
    if (nothing !== null) return nothing;
    this.#failures += 1;
    const failures = this.#failures;
    // A pause that was named may be too short each time: what is asked again costs a conversation.
    const growingMs = Math.min(firstRetryMs * 2 ** (failures - 1), longestRetryMs);
    const waitMs =
      error instanceof Later ? Math.min(Math.max(growingMs, error.retryAfterMs), longestWaitMs) : growingMs;
    return { kind: "failed", because, failures, retryAtMs: nowMs + waitMs };
  }

  /** Counts a failure of what was asked for; null: it may be asked for again, as a new idea always may. */
  #comesToNothing(task: Task, because: string): DeskState | null {
    const nothing = nothingOf(task, because);
    if (nothing === null) return null;
    const name = nothing.kind === "refused" ? nothing.comment : nothing.head;
    const failures = (this.#failuresOf.get(name) ?? 0) + 1;
    this.#failuresOf.set(name, failures);
    if (failures < failuresAtMost) return null;
    this.#failuresOf.delete(name);
    return nothing;
  }
}

/** The end of a repair or of a `try` that nothing comes of; null: neither was asked for. */
function nothingOf(task: Task, because: string): Extract<DeskState, { kind: "beyondRepair" | "refused" }> | null {
  if (task.repair !== null) return { kind: "beyondRepair", because, head: task.repair.head };
  const wanted = requestIn(task);
  return wanted === undefined ? null : { kind: "refused", because, comment: wanted.comment };
}

/** A task that ended without a proposal after it was given no money ended for want of money, whatever it says. */
function withoutMoney(state: DeskState, purse: OpenPurse): DeskState {
  switch (purse.refused()) {
    case null:
      return state;
    case "purse":
      return { kind: "short" };
    case "limit":
      return { kind: "spent", because: "what is left of limits.cost_usd does not pay for another call of the model" };
  }
}

/** What GitHub does not give just now is no failure of the task: that is asked for again. */
function patient(library: Library): Library {
  const orLater = <T>(given: Promise<T>) =>
    given.catch((error: unknown) => {
      throw new Later(messageOf(error), firstRetryMs);
    });
  return {
    paths: () => orLater(library.paths()),
    read: (path) => orLater(library.read(path)),
    experiment: (number) => orLater(library.experiment(number)),
  };
}

async function propose(
  researcher: Researcher,
  brief: Brief,
  signal: AbortSignal,
  { keyOf, purse }: { keyOf: KeyOf; purse: OpenPurse },
): Promise<DeskState> {
  const { repair } = brief;
  const wanted = repair === null ? requestIn(brief) : undefined;
  let refused = "";
  for (let attempt = 0; attempt < refusalsAtMost; attempt += 1) {
    const answer = await researcher.propose(brief, signal);
    if (answer.kind === "person") return { kind: "helpless", because: answer.because };
    if (answer.kind === "nothing")
      return nothingOf(brief, answer.because) ?? { kind: "exhausted", because: answer.because, parent: brief.frontier };
    const { proposal, passedOver } = answer;
    const ignored = wanted !== undefined && proposal.askedBy !== wanted.by;
    const refusal = ignored ? `it does not take up what @${wanted.by} asked for` : refusalOf(proposal, brief);
    if (refusal === null) {
      const prepared = preparedOf(proposal, brief, keyOf(resultOf(proposal, baseOf(brief))), purse);
      return { kind: "ready", prepared, passedOver };
    }
    refused = refusal;
    if (purse.refused() !== null) break;
  }
  const nothing = nothingOf(brief, repair === null ? refused : `no repair passed the guard: ${refused}`);
  if (nothing !== null) return nothing;
  throw new Error(
    `no proposal passed the guard in ${refusalsAtMost} attempts; the last was refused because ${refused}`,
  );
}

function preparedOf(proposal: Proposal, brief: Brief, key: string, purse: OpenPurse): Prepared {
  const { repair } = brief;
  const heeded =
    repair === null ? brief.steering.filter((each) => each.kind === "note" || each.by === proposal.askedBy) : [];
  // Credit is given to those alone who asked.
  const asked = heeded.some((each) => each.kind === "try");
  return {
    number: brief.experiment,
    parent: brief.frontier,
    key,
    proposal: asked ? proposal : { ...proposal, askedBy: null },
    spent: purse.spent(),
    repair: repair === null ? null : { head: repair.head, attempt: repair.attempt, failure: repair.failure },
    heeded: heeded.map(steeringKey),
  };
}
