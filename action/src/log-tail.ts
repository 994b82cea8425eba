/** The end of a log as people read it: whole lines, no secrets, bounded. */
import { redact } from "../../src/domain/secrets.ts";

const maxTail = 12_000;

/** The last lines of the text, redacted, at most 12 000 characters. A first line that was cut is dropped. */
export function logTail(text: string, secrets: readonly string[]): string {
  const clean = redact(text.toWellFormed(), secrets).trimEnd();
  if (clean.length <= maxTail) return clean;
  const end = clean.slice(-maxTail);
  const lineEnd = end.indexOf("\n");
  return (lineEnd < 0 || lineEnd > maxTail / 2 ? end : end.slice(lineEnd + 1)).toWellFormed();
}
