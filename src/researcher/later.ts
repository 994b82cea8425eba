/**
 * "Not now": a researcher throws it when waiting is the answer (an overload, a rate limit, a time-out), and says how long.
 * Whoever asked waits at least so long and asks again; nothing is wrong with the brief, and no person is needed.
 */
export class Later extends Error {
  override readonly name = "Later";
  /** Pause before the next attempt, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(because: string, retryAfterMs: number) {
    super(because);
    this.retryAfterMs = retryAfterMs;
  }
}
