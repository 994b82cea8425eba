/**
 * How the process stands, for whoever runs it: alive (or its event loop is stuck), and ready to take deliveries.
 *
 * Ready: GitHub has said who the app is, the first sweep over the sessions has begun, and the process is not about to end.
 * Once ready it stays so while GitHub is away: what it hears then is not lost, and nobody else would do better.
 */
export type Standing = { readonly ok: true } | { readonly ok: false; readonly because: string };

const beatEveryMs = 1_000;
/** A loop that was held up for so long is stuck: GitHub gives up on a delivery after ten seconds. */
const stuckMs = 10_000;
/** So long it is remembered: for two probes at the usual pace, not for three, so that one long stall restarts nothing. */
const rememberedMs = 60_000;

export class Health {
  readonly #now: () => number;
  #beatAtMs: number;
  #stall = { forMs: 0, atMs: 0 };
  #unknownBecause: string | null = "GitHub has not said yet who the app is";
  #sweepBegan = false;
  #closing = false;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#beatAtMs = now();
  }

  /** Beats until the answered function is called. */
  start(): () => void {
    const timer = setInterval(() => this.beat(), beatEveryMs);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** The event loop turned; expected once a second. */
  beat(): void {
    const atMs = this.#now();
    const forMs = atMs - this.#beatAtMs - beatEveryMs;
    this.#beatAtMs = atMs;
    if (forMs >= stuckMs) this.#stall = { forMs, atMs };
  }

  identified(): void {
    this.#unknownBecause = null;
  }

  /** GitHub did not say who the app is. */
  unidentified(because: string): void {
    this.#unknownBecause = `GitHub does not say who the app is: ${because}`;
  }

  sweepBegan(): void {
    this.#sweepBegan = true;
  }

  closing(): void {
    this.#closing = true;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  liveness(): Standing {
    this.beat();
    const { forMs, atMs } = this.#stall;
    if (forMs === 0 || this.#now() - atMs > rememberedMs) return { ok: true };
    return { ok: false, because: `the event loop stood still for ${Math.round(forMs / 1000)} s` };
  }

  readiness(): Standing {
    if (this.#closing) return { ok: false, because: "the process is about to end" };
    if (this.#unknownBecause !== null) return { ok: false, because: this.#unknownBecause };
    if (!this.#sweepBegan) return { ok: false, because: "the first sweep over the sessions has not begun" };
    return { ok: true };
  }
}
