/** The action of this checkout: its metadata, and the inputs of a step as it sees them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type Contexts, evaluateText } from "../github/actions/expression.ts";

const folder = path.join(import.meta.dirname, "..", "..", "..", "action");

const metadataSchema = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  runs: z.object({ using: z.literal("node24"), main: z.string() }),
});

export type OwnAction = {
  /** The module that it runs. */
  readonly main: string;
  /** INPUT_… of a step, defaults included. */
  readonly inputVariables: (given: Readonly<Record<string, string>>, contexts: Contexts) => Record<string, string>;
};

export function readOwnAction(): OwnAction {
  const metadata = metadataSchema.parse(parse(readFileSync(path.join(folder, "action.yml"), "utf8")));
  return {
    main: path.join(folder, metadata.runs.main),
    inputVariables: (given, contexts) => {
      const variables: Record<string, string> = {};
      for (const [name, { default: text }] of Object.entries(metadata.inputs)) {
        if (text !== undefined) variables[inputVariable(name)] = evaluateText(text, contexts);
      }
      for (const [name, text] of Object.entries(given)) variables[inputVariable(name)] = evaluateText(text, contexts);
      return variables;
    },
  };
}

/** Upper case, blanks as underscores; a hyphen stays. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}
