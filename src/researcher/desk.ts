/**
 * The desk: where a researcher thinks while passes go on. One idea at a time, ahead of need, so that no runner waits for
 * it; a stop aborts it at once. It lives in the process alone: what a crash loses is one idea.
 */
import type { Brief, Desk as DeskState, Prepared, Researcher } from "../domain/proposal.ts";
import { refusalOf, resultOf } from "./guard.ts";

const refusalsAtMost = 5;
const firstRetryMs = 10_000;
const longestRetryMs = 600_000;

export class Desk {
  #state: DeskState = { kind: "idle" };
  #abort: AbortController | null = null;
  #failures = 0;
  readonly #keyOf: (files: readonly { path: string; text: string }[]) => string;

  /** `keyOf` names the contents of a mutable surface. */
  constructor(keyOf: (files: readonly { path: string; text: string }[]) => string) {
    this.#keyOf = keyOf;
  }

  get state(): DeskState {
    return this.#state;
  }

  /** Sets the researcher thinking; `changed` is called when there is something to see. */
  think(researcher: Researcher, brief: Brief, nowMs: () => number, changed: () => void): void {
    if (this.#state.kind === "thinking") return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#state = { kind: "thinking" };
    const settle = (state: DeskState) => {
      if (this.#abort !== abort) return;
      this.#abort = null;
      this.#state = state;
      changed();
    };
    const failed = (error: unknown): DeskState => {
      this.#failures += 1;
      const waitMs = Math.min(firstRetryMs * 2 ** (this.#failures - 1), longestRetryMs);
      const because = error instanceof Error ? error.message : String(error);
      return { kind: "failed", because, failures: this.#failures, retryAtMs: nowMs() + waitMs };
    };
    void propose(researcher, brief, abort.signal, this.#keyOf)
      .catch(failed)
      .then((state) => {
        if (state.kind !== "failed") this.#failures = 0;
        return settle(state);
      });
  }

  /** Clears the desk: the idea was used, or is wanted no more. */
  clear(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#state = { kind: "idle" };
  }
}

async function propose(
  researcher: Researcher,
  brief: Brief,
  signal: AbortSignal,
  keyOf: (files: readonly { path: string; text: string }[]) => string,
): Promise<DeskState> {
  let refused = "";
  for (let attempt = 0; attempt < refusalsAtMost; attempt += 1) {
    const answer = await researcher.propose(brief, signal);
    if (answer.kind === "person") return { kind: "helpless", because: answer.because };
    if (answer.kind === "nothing") return { kind: "exhausted", because: answer.because, parent: brief.frontier };
    const refusal = refusalOf(answer.proposal, brief);
    if (refusal !== null) {
      refused = refusal;
      continue;
    }
    const key = keyOf(resultOf(answer.proposal, brief.files));
    const prepared: Prepared = { number: brief.experiment, parent: brief.frontier, key, proposal: answer.proposal };
    return { kind: "ready", prepared };
  }
  throw new Error(
    `no proposal passed the guard in ${refusalsAtMost} attempts; the last was refused because ${refused}`,
  );
}
