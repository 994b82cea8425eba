/** What a seed of chance is called, in code and in settings. */

/** What may follow: `SEED_VALUE` is a seed, `seed_tokens` is a number of tokens. */
const tails = new Set(["base", "data", "default", "eval", "init", "number", "offset", "train", "val", "value"]);
const counts = new Set(["n", "num", "max", "min"]);

/** `SEED`, `seed`, `rng_seed`, `dataSeed`, `random-seed`, `seed_value`, `random_state`; not `num_seeds`, not `seed_length` */
export function isSeedName(name: string): boolean {
  const words = name
    .split(/[_-]|(?<=[a-z])(?=[A-Z])/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
  if (words.join(" ") === "random state") return true;
  const at = words.findLastIndex((word) => /^seed\d*$/.test(word));
  if (at === -1 || counts.has(words[0]!)) return false;
  return words.slice(at + 1).every((word) => tails.has(word) || /^\d+$/.test(word));
}
