/** Rounds: something that is done at the start and then every so often, sooner again where it failed. */

export type Rounds = {
  /** One round; ends early where the signal says so. "not ours": another process makes these rounds, as long as it lives. */
  readonly run: (signal: AbortSignal) => Promise<"not ours" | void>;
  /** Pause after the end of a round. */
  readonly everyMs: number;
  readonly failed: (error: unknown) => void;
};

/** A round that failed as a whole is done again after this long, and so long after another process's end its rounds are ours. */
const retryMs = 60_000;

/** Begins the first round at once, and the others in their time, until the signal is aborted. */
export function startRounds({ run, everyMs, failed }: Rounds, signal: AbortSignal): void {
  let timer: NodeJS.Timeout | null = null;
  const round = async () => {
    let pauseMs = everyMs;
    try {
      if ((await run(signal)) === "not ours") pauseMs = Math.min(everyMs, retryMs);
    } catch (error) {
      if (signal.aborted) return;
      failed(error);
      pauseMs = Math.min(everyMs, retryMs);
    }
    if (!signal.aborted) timer = setTimeout(() => void round(), pauseMs);
  };
  signal.addEventListener("abort", () => clearTimeout(timer ?? undefined), { once: true });
  void round();
}
