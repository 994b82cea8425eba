/** The sweep: wakes every session now and then, whatever was or was not heard of it. A lost webhook costs a sweep, no more. */
import type { SessionKey } from "./domain/names.ts";

export type Sweep = {
  readonly sessions: () => AsyncIterable<SessionKey>;
  readonly wake: (key: SessionKey) => void;
  readonly everyMs: number;
  readonly failed: (error: unknown) => void;
};

/** A sweep that failed as a whole is done again after this long. */
const retryMs = 60_000;

/** Sweeps now and every `everyMs` after the end of the last sweep; answers how to stop it. */
export function startSweep(sweep: Sweep): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  const run = async () => {
    let everyMs = sweep.everyMs;
    try {
      for await (const key of sweep.sessions()) {
        if (stopped) return;
        sweep.wake(key);
      }
    } catch (error) {
      sweep.failed(error);
      everyMs = Math.min(everyMs, retryMs);
    }
    if (!stopped) timer = setTimeout(() => void run(), everyMs);
  };
  void run();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
  };
}
