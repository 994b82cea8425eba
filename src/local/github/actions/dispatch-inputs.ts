/** The inputs of a dispatch, checked against the workflow as GitHub checks them. Pure. */
import type { Json } from "./expression.ts";
import type { DispatchInput } from "./workflow.ts";

export type CheckedInputs =
  /** Typed, as the `inputs` context has them. */
  | { readonly kind: "good"; readonly inputs: Readonly<Record<string, Json>> }
  | { readonly kind: "bad"; readonly message: string };

/** GitHub's limit on all inputs together. */
const maxCharacters = 65_535;

export function checkInputs(
  wanted: Readonly<Record<string, DispatchInput>>,
  given: Readonly<Record<string, unknown>>,
): CheckedInputs {
  const unexpected = Object.keys(given).filter((name) => !(name in wanted));
  if (unexpected.length > 0) return bad(`Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  if (JSON.stringify(given).length > maxCharacters) return bad("inputs are too large.");
  const inputs: Record<string, Json> = {};
  for (const [name, input] of Object.entries(wanted)) {
    const value = textOf(given[name] ?? input.default);
    if (value === null) return bad(`Provided value for input '${name}' is not a text, a number or a boolean`);
    if (value === "" && input.required) return bad(`Required input '${name}' not provided`);
    const typed = typedValue(input, value);
    if (typed === null) return bad(wrongValue(name, input, value));
    inputs[name] = typed;
  }
  return { kind: "good", inputs };
}

function bad(message: string): CheckedInputs {
  return { kind: "bad", message };
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** null: not a value of this type. */
function typedValue(input: DispatchInput, value: string): Json {
  switch (input.type) {
    case "boolean":
      return value === "true" ? true : value === "false" || value === "" ? false : null;
    case "number": {
      const number = Number(value);
      return Number.isFinite(number) ? number : null;
    }
    case "choice":
      return value === "" || input.options.includes(value) ? value : null;
    case "string":
    case "environment":
      return value;
  }
}

function wrongValue(name: string, input: DispatchInput, value: string): string {
  return input.type === "choice"
    ? `Provided value '${value}' for input '${name}' not in the list of allowed values`
    : `Provided value '${value}' for input '${name}' is not a ${input.type}`;
}
