/** What was read of a log, without secrets: before anything of it is shortened, since half a token would not be recognised. */
import { redact } from "../../src/domain/secrets.ts";
import type { LogReading } from "./read-log.ts";

/** All but the tail, which `logTail` redacts. A number whose name holds a secret is dropped. */
export function redactReading(log: LogReading, secrets: readonly string[]): LogReading {
  const clean = (text: string) => redact(text, secrets);
  const { failure } = log;
  return {
    ...log,
    metricTexts: log.metricTexts.map(clean),
    numbers: new Map([...log.numbers].filter(([name]) => clean(name) === name)),
    lastLine: clean(log.lastLine),
    failure: failure && {
      exception: clean(failure.exception),
      frames: failure.frames.map(({ path, line }) => ({ path: clean(path), line })),
    },
  };
}
