/**
 * The queue: session keys that want a pass. At most one pass of a key is in flight; hints for the same key are merged;
 * a pass that failed is tried again with growing pauses; a pass says itself when it wants the next one.
 *
 * Always: a hint that arrives during a pass causes another pass after it (what it told of may have been read before), and
 * the hint of a pass that failed is given to the next one.
 */
export type QueueOptions<Hint> = {
  /** One pass; answers the time (ms since the epoch) of the next one, or null: only when woken. */
  readonly pass: (key: string, hint: Hint) => Promise<number | null>;
  readonly merge: (a: Hint, b: Hint) => Hint;
  /** The hint of a pass that nobody asked for but the clock. */
  readonly timerHint: Hint;
  readonly now: () => number;
  readonly failed: (key: string, error: unknown, retryMs: number) => void;
  /** Passes at a time, of different keys. */
  readonly concurrency: number;
};

type Entry<Hint> = {
  waiting: Hint | null;
  /** The hint of the pass that failed last. */
  owed: Hint | null;
  running: boolean;
  timer: NodeJS.Timeout | null;
  failures: number;
};

const firstRetryMs = 1_000;
const longestRetryMs = 300_000;
/** Node's timers hold no more than 2^31 - 1 ms. */
const longestTimerMs = 2_147_483_647;

export class Queue<Hint> {
  readonly #options: QueueOptions<Hint>;
  readonly #entries = new Map<string, Entry<Hint>>();
  readonly #ready: string[] = [];
  #running = 0;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions<Hint>) {
    this.#options = options;
  }

  /** Asks for a pass as soon as there is room. */
  wake(key: string, hint: Hint): void {
    if (this.#closed) return;
    const entry = this.#entry(key);
    if (entry.waiting === null && !entry.running) this.#ready.push(key);
    entry.waiting = entry.waiting === null ? hint : this.#options.merge(entry.waiting, hint);
    this.#clear(entry);
    this.#pump();
  }

  /** No pass begins any more; resolves when those in flight are over. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#clear(entry);
    this.#ready.length = 0;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Keys that are known: waiting, running, or with a timer. */
  get size(): number {
    return this.#entries.size;
  }

  #entry(key: string): Entry<Hint> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry<Hint> = { waiting: null, owed: null, running: false, timer: null, failures: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#options.concurrency && this.#ready.length > 0) {
      void this.#run(this.#ready.shift()!);
    }
  }

  async #run(key: string): Promise<void> {
    const entry = this.#entry(key);
    const hint = entry.owed === null ? entry.waiting! : this.#options.merge(entry.owed, entry.waiting!);
    entry.waiting = null;
    entry.owed = null;
    entry.running = true;
    this.#running += 1;
    let wakeAtMs: number | null;
    try {
      wakeAtMs = await this.#options.pass(key, hint);
      entry.failures = 0;
    } catch (error) {
      const retryMs = Math.min(firstRetryMs * 2 ** entry.failures, longestRetryMs);
      entry.failures += 1;
      entry.owed = hint;
      this.#options.failed(key, error, retryMs);
      wakeAtMs = this.#options.now() + retryMs;
    }
    entry.running = false;
    this.#running -= 1;
    if (this.#closed) {
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    if (entry.waiting !== null) this.#ready.push(key);
    else if (wakeAtMs === null) this.#entries.delete(key);
    else this.#sleep(key, entry, wakeAtMs);
    this.#pump();
  }

  #sleep(key: string, entry: Entry<Hint>, wakeAtMs: number): void {
    const delayMs = Math.min(Math.max(0, wakeAtMs - this.#options.now()), longestTimerMs);
    entry.timer = setTimeout(() => this.wake(key, this.#options.timerHint), delayMs);
  }

  #clear(entry: Entry<Hint>): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = null;
  }
}
