/**
 * Expressions of workflows (`${{ … }}`), evaluated by GitHub's own parser and evaluator. Pure.
 *
 * An expression sees the contexts it is given and nothing else; a name that is not there is null, as on GitHub.
 */
import { data, Evaluator, type ExpressionError, Lexer, Parser } from "@actions/expressions";
import { truthy } from "@actions/expressions/result";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Contexts = { readonly [name: string]: Json };

/** What `success()`, `failure()`, `cancelled()` and `always()` say where an `if:` stands. */
export type StatusView = { readonly success: boolean; readonly failure: boolean; readonly cancelled: boolean };

const statusNames = ["success", "failure", "cancelled", "always"] as const;
const noStatus: StatusView = { success: true, failure: false, cancelled: false };

/** The value of a text that may hold expressions: of one expression alone its value, else text. Throws where it can't be read. */
export function evaluate(text: string, contexts: Contexts): Json {
  const parts = partsOf(text);
  const [only] = parts;
  if (parts.length === 1 && only?.kind === "expression") return valueOf(run(only.text, contexts, noStatus));
  return parts
    .map((part) => (part.kind === "text" ? part.text : run(part.text, contexts, noStatus).coerceString()))
    .join("");
}

/** As `evaluate`, and whatever it is, as text. */
export function evaluateText(text: string, contexts: Contexts): string {
  return partsOf(text)
    .map((part) => (part.kind === "text" ? part.text : run(part.text, contexts, noStatus).coerceString()))
    .join("");
}

/** What an `if:` says; where it asks for no status itself, `success()` is asked as well. */
export function evaluateCondition(condition: string | undefined, contexts: Contexts, status: StatusView): boolean {
  if (condition === undefined || condition.trim() === "") return status.success;
  const parts = partsOf(condition);
  const bare = parts.length === 1 && parts[0] !== undefined ? parts[0].text : null;
  // Text around an expression makes it text, and text that is not empty is true: GitHub does the same.
  if (bare === null) return status.success && evaluateText(condition, contexts) !== "";
  if (!asksForStatus(bare) && !status.success) return false;
  return truthy(run(bare, contexts, status));
}

type Part = { readonly kind: "text" | "expression"; readonly text: string };

/** Cuts a text at its `${{ … }}`; a `}}` inside quotes ends nothing. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  for (;;) {
    const start = rest.indexOf("${{");
    if (start < 0) break;
    if (start > 0) parts.push({ kind: "text", text: rest.slice(0, start) });
    const match = /^((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}/.exec(rest.slice(start + 3));
    if (match === null) throw new Error(`the expression is not closed: ${rest.slice(start, start + 80)}`);
    parts.push({ kind: "expression", text: match[1]! });
    rest = rest.slice(start + 3 + match[0].length);
  }
  if (rest !== "" || parts.length === 0) parts.push({ kind: "text", text: rest });
  return parts;
}

function run(expression: string, contexts: Contexts, status: StatusView): data.ExpressionData {
  try {
    const { tokens } = new Lexer(expression).lex();
    const functions = statusFunctions(status);
    const parsed = new Parser(tokens, Object.keys(contexts), [...functions.values()]).parse();
    return new Evaluator(parsed, dataOf(contexts) as data.Dictionary, functions).evaluate();
  } catch (error) {
    const said = error instanceof Error ? error.message : (error as ExpressionError).message;
    throw new Error(`the expression \`${expression.trim()}\` can't be evaluated: ${said}`, { cause: error });
  }
}

function statusFunctions(status: StatusView) {
  const make = (name: (typeof statusNames)[number], value: boolean) =>
    [name, { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) }] as const;
  return new Map([
    make("success", status.success),
    make("failure", status.failure),
    make("cancelled", status.cancelled),
    make("always", true),
  ]);
}

function asksForStatus(expression: string): boolean {
  const withoutText = expression.replaceAll(/'(?:[^']|'')*'/g, "''");
  return statusNames.some((name) => new RegExp(`\\b${name}\\s*\\(`, "i").test(withoutText));
}

function dataOf(value: Json): data.ExpressionData {
  return JSON.parse(JSON.stringify(value), data.reviver) as data.ExpressionData;
}

function valueOf(value: data.ExpressionData): Json {
  return JSON.parse(JSON.stringify(value, data.replacer)) as Json;
}
