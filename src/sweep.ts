/** The sweep: wakes every session now and then, whatever was or was not heard of it. A lost webhook costs a sweep, no more. */
import type { SessionKey } from "./domain/names.ts";
import { PartlyRead } from "./github/app.ts";

export type Sweep = {
  readonly sessions: () => AsyncIterable<SessionKey>;
  readonly wake: (key: SessionKey) => void;
  /** The installations were read: from here on the sweep finds what there is. */
  readonly begun: () => void;
};

/** One sweep over all sessions; ends early where the signal says so. Throws, after all others, where some could not be read. */
export async function sweepOnce({ sessions, wake, begun }: Sweep, signal: AbortSignal): Promise<void> {
  try {
    for await (const key of sessions()) {
      begun();
      if (signal.aborted) return;
      wake(key);
    }
  } catch (error) {
    if (error instanceof PartlyRead) begun();
    throw error;
  }
  begun();
}
