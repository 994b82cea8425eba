/** What a change amounts to: something, or only looks, or only a seed. */
import type { FileText } from "../domain/proposal.ts";
import { type Statement, isPython, statementsOf } from "../domain/python.ts";
import { isSeedName } from "./seed-name.ts";
import { isSettings, settingsOf, withoutSeeds } from "./settings.ts";

/** A text by all that a program sees of it. In a file of another kind only blank lines and blanks at line ends are looks. */
function codeOf(file: FileText): string {
  if (isPython(file.path)) return shown(statementsOf(file.text));
  if (isSettings(file.path)) return settingsOf(file).join("\n");
  return file.text
    .split(/\r\n?|\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .join("\n");
}

function shown(statements: readonly Statement[]): string {
  return statements.map(({ level, tokens }) => `${level} ${tokens.join(" ")}`).join("\n");
}

/** Whether two texts differ in nothing but white space and comments (and docstrings). */
export function differInLooksOnly(before: FileText, after: FileText): boolean {
  return codeOf(before) === codeOf(after);
}

/** Functions whose argument is a seed. */
const seedCall =
  /^(?:manual_seed(?:_all)?|seed|seed_everything|seed_all|set_seed|set_random_seed|default_rng|RandomState|PRNGKey|SeedSequence)$/;
const number = /^\.?\d/;

/** The statement with each number that is a seed replaced; null: all that it does is to set one. */
function withoutSeed({ tokens, ...rest }: Statement): Statement | null {
  const masked = [...tokens];
  let call = -1;
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token === "(" || token === "[" || token === "{") {
      depth += 1;
      if (call === -1 && token === "(" && isSeedCall(tokens, index)) call = depth;
    } else if (token === ")" || token === "]" || token === "}") {
      if (call === depth) call = -1;
      depth -= 1;
    } else if (number.test(token) && (call !== -1 || isAssignedToSeed(tokens, index))) {
      masked[index] = "<seed>";
      if (call === -1 && /^[-+]$/.test(tokens[index - 1]!)) masked[index - 1] = "";
    }
  }
  const changed = masked.includes("<seed>");
  return changed && isOnlySeed(tokens) ? null : { ...rest, tokens: masked.filter((token) => token !== "") };
}

/** Whether what is called by the bracket at `open` takes a seed; `key` does so as one of `jax.random` alone. */
function isSeedCall(tokens: readonly string[], open: number): boolean {
  const [random, dot, name] = [tokens[open - 3] ?? "", tokens[open - 2], tokens[open - 1] ?? ""];
  return seedCall.test(name) || (name === "key" && dot === "." && /^(?:random|jrandom|jr)$/.test(random));
}

/** `seed = 42`, `seed: int = 42`, `seed=-1` in a call, `{"seed": 42}`, `config["seed"] = 42` */
function isAssignedToSeed(tokens: readonly string[], index: number): boolean {
  let at = index - 1;
  while (tokens[at] === "-" || tokens[at] === "+") at -= 1;
  const before = (count: number) => tokens[at - count] ?? "";
  if (tokens[at] === ":") return isSeedString(before(1));
  if (tokens[at] !== "=") return false;
  if (before(1) === "]") return isSeedString(before(2));
  return isSeedName(before(1)) || (before(2) === ":" && isSeedName(before(3)));
}

function isSeedString(token: string): boolean {
  const text = /^[a-z]{0,2}(["'])(.*)\1$/i.exec(token)?.[2];
  return text !== undefined && isSeedName(text);
}

/** A call or an assignment of a seed that stands alone: `torch.manual_seed(42)`, `SEED = 42`. */
function isOnlySeed(tokens: readonly string[]): boolean {
  if (/^[-+]*$/.test(tokens.slice(tokens.indexOf("=") + 1, -1).join("")) && tokens.includes("=")) return true;
  const call = tokens.indexOf("(");
  return call > 0 && isSeedCall(tokens, call) && tokens.slice(0, call).every((token) => /^[\w.]+$/.test(token));
}

/** Whether two texts differ in nothing but the seeds of chance (and in looks). */
export function differInSeedOnly(before: FileText, after: FileText): boolean {
  return seedlessOf(before) === seedlessOf(after);
}

function seedlessOf(file: FileText): string {
  if (isPython(file.path)) return shown(statementsOf(file.text).flatMap((each) => withoutSeed(each) ?? []));
  return isSettings(file.path) ? withoutSeeds(settingsOf(file)).join("\n") : codeOf(file);
}
