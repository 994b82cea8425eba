/**
 * The process's log: one JSON object a line (or text for a person at a terminal), on standard output.
 *
 * Always: no secret leaves in a line, whoever logged it. What looks like one, and the values that are known to be secret, are
 * replaced by `***` in every string of the line.
 */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";
import { redact } from "./domain/secrets.ts";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogOptions = {
  readonly level: (typeof logLevels)[number];
  readonly format: "json" | "pretty";
  /** Values that must never be seen: the webhook secret, tokens, keys. */
  readonly secrets: readonly string[];
};

type Sink = { write(line: string): unknown };

/** A logger that writes to standard output, or to `sink`. */
export function logTo(options: LogOptions, sink?: Sink): Logger {
  const last = sink ?? (options.format === "pretty" ? pretty({ ignore: "pid,hostname" }) : pino.destination(1));
  const stream = new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      last.write(withoutSecrets(line, options.secrets));
      done();
    },
  });
  return pino({ level: options.level }, stream);
}

/** The line of JSON with its secrets hidden; it stays JSON. */
export function withoutSecrets(line: string, secrets: readonly string[]): string {
  const escaped = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  if (redact(line, escaped) === line) return line;
  const hide = (_key: string, value: unknown) => (typeof value === "string" ? redact(value, secrets) : value);
  try {
    return `${JSON.stringify(JSON.parse(line, hide))}\n`;
  } catch {
    return `${redact(line, escaped)}\n`;
  }
}
