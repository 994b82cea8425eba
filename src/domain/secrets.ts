/**
 * What a secret looks like. Secrets have no place in what a log becomes on GitHub, in the bot's own log, nor in a proposal. Every text that comes
 * from a log goes through `redact` before it is cut (half a token would not be recognised). Patterns match what a secret
 * looks like, so they err on the side of too much.
 *
 * Always: linear in the length of the text, whoever wrote it (a candidate's log is 16 MB at most, and is read here). So no pattern reads far in
 * vain from more than a few places of a run; and every repetition is bounded, since the engine keeps each step of one,
 * and throws when they are too many.
 */

const hidden = "***";

const patterns: readonly RegExp[] = [
  // GitHub: ghp_, gho_, ghu_, ghs_, ghr_; the newer installation tokens hold a JWT, hence the dots and dashes.
  /gh[pousr]_[A-Za-z0-9._-]{16,32768}/g,
  /github_pat_\w{20,32768}/g,
  // Anthropic; then OpenAI and others of the same form
  /sk-ant-[A-Za-z0-9_-]{6,32768}/g,
  /\bsk-[A-Za-z0-9_-]{16,32768}/g,
  // Amazon: long-lived and temporary key ids
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  // Slack
  /xox[a-z]-[A-Za-z0-9-]{10,32768}/g,
  // Hugging Face
  /\bhf_[A-Za-z0-9]{20,32768}/g,
  // Google API keys
  /\bAIza[A-Za-z0-9_-]{30,32768}/g,
  // JSON web tokens, signed or encrypted. Few of the eyJ of a run count: those behind a dash near its beginning.
  /(?<=(?<![\w-])(?:[\w-]{0,32}-)?)eyJ[\w-]{8,32768}\.[\w-]{4,32768}(?:\.[\w-]{0,32768}){1,3}/g,
];

const privateKey = /-----BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY-----/g;

/** Everything in the text that looks like a secret; of a private key its first line. */
export function secretsIn(text: string): string[] {
  return [...patterns, privateKey].flatMap((pattern) => text.match(pattern) ?? []);
}

const pemBegin = "-----BEGIN ";
const pemEnd = /-----END [A-Z0-9 ]{1,64}-----/g;

/** The text without PEM blocks. A block whose head is missing is hidden from the start, one without an end to the end. */
function hidePem(text: string): string {
  const kept: string[] = [];
  let start = 0;
  let begin = text.indexOf(pemBegin);
  for (const end of text.matchAll(pemEnd)) {
    if (begin >= 0 && begin < end.index) kept.push(text.slice(start, begin));
    kept.push(hidden);
    start = end.index + end[0].length;
    // Only what was passed is looked for again: a text with many ends is read once.
    if (begin >= 0 && begin < start) begin = text.indexOf(pemBegin, start);
  }
  kept.push(...(begin < 0 ? [text.slice(start)] : [text.slice(start, begin), hidden]));
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
