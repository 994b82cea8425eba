/** What a change amounts to: something, or only looks, or only a seed. */
import type { FileText } from "../domain/proposal.ts";
import { type Statement, isPython, statementsOf } from "../domain/python.ts";

/** A text by all that a program sees of it. Beside Python's files, only blank lines and blanks at line ends are looks. */
function codeOf({ path, text }: FileText): string {
  if (isPython(path)) return shown(statementsOf(text));
  return text
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

/** `SEED`, `seed`, `rng_seed`, `dataSeed`, `random_state` */
const seedName = /^(?:.*_)?(?:seed|SEED)\d*(?:_.*)?$|Seed$|^random_state$/;
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
      if (call === -1 && token === "(" && seedCall.test(tokens[index - 1] ?? "")) call = depth;
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

/** `seed = 42`, `seed: int = 42`, `seed=-1` in a call */
function isAssignedToSeed(tokens: readonly string[], index: number): boolean {
  let at = index - 1;
  while (tokens[at] === "-" || tokens[at] === "+") at -= 1;
  if (tokens[at] !== "=") return false;
  const names = tokens.slice(0, at);
  return seedName.test(names.at(-1) ?? "") || (names.at(-2) === ":" && seedName.test(names.at(-3) ?? ""));
}

/** A call or an assignment of a seed that stands alone: `torch.manual_seed(42)`, `SEED = 42`. */
function isOnlySeed(tokens: readonly string[]): boolean {
  if (/^[-+]*$/.test(tokens.slice(tokens.indexOf("=") + 1, -1).join("")) && tokens.includes("=")) return true;
  const call = tokens.indexOf("(");
  return seedCall.test(tokens[call - 1] ?? "") && tokens.slice(0, call).every((token) => /^[\w.]+$/.test(token));
}

/** Whether two Python texts differ in nothing but the seeds of chance (and in looks). */
export function differInSeedOnly(before: FileText, after: FileText): boolean {
  if (!isPython(before.path)) return false;
  const bare = (file: FileText) => shown(statementsOf(file.text).flatMap((each) => withoutSeed(each) ?? []));
  return bare(before) === bare(after);
}
