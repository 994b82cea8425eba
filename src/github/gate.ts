/**
 * A gate that lets so many through in a while: `burst` at once, then one every `everyMs`. (The generic cell rate algorithm:
 * one number is its whole memory.) In any span of t ms no more than burst + t / everyMs begin.
 */
export class Gate {
  readonly #everyMs: number;
  readonly #burst: number;
  /** When the gate would be as good as new if nobody came any more. */
  #restedMs = 0;

  constructor({ everyMs, burst }: { readonly everyMs: number; readonly burst: number }) {
    this.#everyMs = everyMs;
    this.#burst = burst;
  }

  /** Takes a place of `cost` and says when it begins; never before `nowMs`, nor before whoever asked earlier. */
  pass(nowMs: number, cost = 1): number {
    const restedMs = Math.max(this.#restedMs, nowMs) + cost * this.#everyMs;
    this.#restedMs = restedMs;
    return Math.max(nowMs, restedMs - this.#burst * this.#everyMs);
  }
}
