/**
 * The queue: session keys that want a pass. At most one pass of a key is in flight; hints for the same key are merged;
 * a pass that failed is tried again with growing pauses; a pass says itself when it wants the next one.
 *
 * Always: a hint that arrives during a pass causes another pass after it (what it told of may have been read before), and
 * the hint of a pass that failed is given to the next one. After a failure, or when a pass says so, no hint shortens the
 * pause: whoever asked for it (a rate limit, say) would be asked again too early.
 */
/** When the next pass is due (ms since the epoch); null: when woken; `notBeforeMs`: not even then any earlier. */
export type Next = number | null | { readonly notBeforeMs: number };

export type QueueOptions<Hint> = {
  readonly pass: (key: string, hint: Hint) => Promise<Next>;
  readonly merge: (a: Hint, b: Hint) => Hint;
  /** The hint of a pass that nobody asked for but the clock. */
  readonly timerHint: Hint;
  readonly now: () => number;
  readonly failed: (key: string, error: unknown, retryMs: number) => void;
  /** Passes at a time, of different keys. */
  readonly concurrency: number;
  /** Keys of one lane wait for each other beyond `perLane`, so that a slow one leaves room to the rest. */
  readonly lanes?: { readonly of: (key: string) => string; readonly perLane: number };
};

type Entry<Hint> = {
  waiting: Hint | null;
  /** The hint of the pass that failed last. */
  owed: Hint | null;
  running: boolean;
  /** Stands in the line of keys that are ready. */
  ready: boolean;
  notBeforeMs: number;
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
  readonly #inLane = new Map<string, number>();
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
    entry.waiting = entry.waiting === null ? hint : this.#options.merge(entry.waiting, hint);
    if (entry.running || entry.ready) return;
    if (this.#options.now() < entry.notBeforeMs) this.#sleep(key, entry, entry.notBeforeMs);
    else this.#line(key, entry);
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

  /** Keys that wait for room. */
  get length(): number {
    return this.#ready.length;
  }

  #entry(key: string): Entry<Hint> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry<Hint> = {
      waiting: null,
      owed: null,
      running: false,
      ready: false,
      notBeforeMs: 0,
      timer: null,
      failures: 0,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #line(key: string, entry: Entry<Hint>): void {
    this.#clear(entry);
    entry.ready = true;
    this.#ready.push(key);
  }

  #pump(): void {
    while (!this.#closed && this.#running < this.#options.concurrency) {
      const index = this.#ready.findIndex((key) => this.#hasRoom(key));
      if (index < 0) return;
      void this.#run(this.#ready.splice(index, 1)[0]!);
    }
  }

  #hasRoom(key: string): boolean {
    const { lanes } = this.#options;
    return lanes === undefined || (this.#inLane.get(lanes.of(key)) ?? 0) < lanes.perLane;
  }

  #countLane(key: string, change: 1 | -1): void {
    const lane = this.#options.lanes?.of(key);
    if (lane === undefined) return;
    const count = (this.#inLane.get(lane) ?? 0) + change;
    if (count === 0) this.#inLane.delete(lane);
    else this.#inLane.set(lane, count);
  }

  async #run(key: string): Promise<void> {
    const entry = this.#entry(key);
    const hint = entry.owed === null ? entry.waiting! : this.#options.merge(entry.owed, entry.waiting!);
    entry.waiting = null;
    entry.owed = null;
    entry.ready = false;
    entry.running = true;
    this.#running += 1;
    this.#countLane(key, 1);
    let next: Next;
    try {
      next = await this.#options.pass(key, hint);
      entry.failures = 0;
    } catch (error) {
      const retryMs = Math.min(firstRetryMs * 2 ** entry.failures, longestRetryMs);
      entry.failures += 1;
      entry.owed = hint;
      this.#options.failed(key, error, retryMs);
      next = { notBeforeMs: this.#options.now() + retryMs };
    }
    entry.running = false;
    this.#running -= 1;
    this.#countLane(key, -1);
    if (this.#closed) {
      if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#rest(key, entry, next);
    this.#pump();
  }

  #rest(key: string, entry: Entry<Hint>, next: Next): void {
    const held = typeof next === "object" && next !== null;
    entry.notBeforeMs = held ? next.notBeforeMs : 0;
    if (held) this.#sleep(key, entry, next.notBeforeMs);
    else if (entry.waiting !== null) this.#line(key, entry);
    else if (next === null) this.#entries.delete(key);
    else this.#sleep(key, entry, next);
  }

  #sleep(key: string, entry: Entry<Hint>, wakeAtMs: number): void {
    this.#clear(entry);
    const delayMs = Math.min(Math.max(0, wakeAtMs - this.#options.now()), longestTimerMs);
    entry.timer = setTimeout(() => this.wake(key, this.#options.timerHint), delayMs);
  }

  #clear(entry: Entry<Hint>): void {
    if (entry.timer !== null) clearTimeout(entry.timer);
    entry.timer = null;
  }
}
