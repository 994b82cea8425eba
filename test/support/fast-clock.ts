/**
 * A clock that runs fast, for a whole process: `--import` it and give `--clock=EPOCH_MS:TIMES`. What waits a minute waits a
 * minute by this clock, so that pauses and time-outs can be met in a test by a process that knows nothing of it. Processes with
 * the same argument have the same time.
 */
export type FastClock = { readonly epochMs: number; readonly times: number };

/** The present moment by a clock, in milliseconds, given the machine's. */
export function fastNow({ epochMs, times }: FastClock, realMs: number): number {
  return Math.round(epochMs + (realMs - epochMs) * times);
}

export function formatClockArgument({ epochMs, times }: FastClock): string {
  return `--clock=${epochMs}:${times}`;
}

function install(clock: FastClock): void {
  const RealDate = Date;
  const now = () => fastNow(clock, RealDate.now());
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[]) => Reflect.construct(target, args.length === 0 ? [now()] : args) as object,
    get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
  });
  const { setTimeout: realTimeout, setInterval: realInterval } = globalThis;
  const shorter = (ms: number | undefined) => (ms ?? 0) / clock.times;
  globalThis.setTimeout = Object.assign(
    (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
      realTimeout(callback, shorter(ms), ...args),
    realTimeout,
  );
  globalThis.setInterval = Object.assign(
    (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
      realInterval(callback, shorter(ms), ...args),
    realInterval,
  );
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(Math.ceil(shorter(ms)));
}

const given = process.argv.find((argument) => argument.startsWith("--clock="));
if (given !== undefined) {
  const [epochMs = 0, times = 1] = given.slice("--clock=".length).split(":").map(Number);
  install({ epochMs, times });
}
