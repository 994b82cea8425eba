/**
 * Secrets have no place in what the candidate's log becomes on GitHub. Every text that comes from the log goes through
 * `redact` before it is cut (half a token would not be recognised): what is read of a log by `redactReading`, at once. Patterns match what a secret looks like, so they err
 * on the side of hiding too much; each is linear in the length of the text.
 */
import type { LogReading } from "./read-log.ts";

const hidden = "***";

const patterns: readonly RegExp[] = [
  // GitHub: ghp_, gho_, ghu_, ghs_, ghr_; the newer installation tokens hold a JWT, hence the dots and dashes.
  /gh[pousr]_[A-Za-z0-9._-]{16,}/g,
  /github_pat_\w{20,}/g,
  // Anthropic; then OpenAI and others of the same form
  /sk-ant-[A-Za-z0-9_-]{6,}/g,
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  // Amazon: long-lived and temporary key ids
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  // Slack
  /xox[a-z]-[A-Za-z0-9-]{10,}/g,
  // Hugging Face
  /\bhf_[A-Za-z0-9]{20,}/g,
  // Google API keys
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  // JSON web tokens, signed or encrypted
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,3}/g,
];

const pemBegin = "-----BEGIN ";
const pemEnd = /-----END [A-Z0-9 ]{1,64}-----/;

/** The text without PEM blocks. A block whose head is missing is hidden from the start, one without an end to the end. */
function hidePem(text: string): string {
  const kept: string[] = [];
  let rest = text;
  for (;;) {
    const end = pemEnd.exec(rest);
    const begin = rest.indexOf(pemBegin);
    if (begin < 0 && end === null) break;
    if (begin >= 0 && (end === null || begin < end.index)) kept.push(rest.slice(0, begin));
    kept.push(hidden);
    if (end === null) return kept.join("");
    rest = rest.slice(end.index + end[0].length);
  }
  kept.push(rest);
  return kept.join("");
}

/**
 * The text with everything that looks like a secret replaced by `***`.
 * @param secrets values known to be secret (the action's own token); shorter than 8 characters they are ignored, or they
 * would blot out ordinary words.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= 8) clean = clean.replaceAll(secret, hidden);
  for (const pattern of patterns) clean = clean.replace(pattern, hidden);
  return hidePem(clean);
}

/** What was read of a log, without secrets, but for its tail, which `logTail` redacts. A number whose name is one is dropped. */
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
