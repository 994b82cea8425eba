/**
 * What looks like a secret in the words of a person. Words that are asked of the researcher go to a model's vendor and into
 * the repository, where a token has no place; the patterns err on the side of hiding too much.
 */
const patterns: readonly RegExp[] = [
  // GitHub
  /gh[pousr]_[A-Za-z0-9._-]{16,}|github_pat_\w{20,}/g,
  // Anthropic, OpenAI and others of that form
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  // Amazon, Google, Slack, Hugging Face
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|xox[a-z]-[A-Za-z0-9-]{10,}|\bhf_[A-Za-z0-9]{20,}/g,
  // JSON web tokens
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){1,3}/g,
  // Keys in their armour
  /-----BEGIN [\s\S]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g,
];

/** The text with `***` in the place of whatever looks like a secret. */
export function hideSecrets(text: string): string {
  return patterns.reduce((clean, pattern) => clean.replace(pattern, "***"), text);
}
