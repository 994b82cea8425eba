/** The tools of the model: what each is for, and the form of its input. Always the same, so that they can be cached. */
import type { Anthropic } from "@anthropic-ai/sdk";
import { z } from "zod";
import { submissionSchema } from "../submission.ts";

const forms = {
  list_files: {
    about:
      "Lists the files of the repository at the frontier, with the mutable ones marked. Use it when the list in the brief was cut.",
    input: z.strictObject({ folder: z.string().describe("Only files under this folder; empty for all.") }),
  },
  read_file: {
    about:
      "Shows lines of a file: a mutable file with your changes so far, any other as it is at the frontier. At most 600 lines at a time. The mutable files are in the brief already.",
    input: z.strictObject({
      path: z.string(),
      first_line: z.int().describe("From this line, counted from 1."),
      last_line: z.int().describe("To this line; 0 for as far as one call shows."),
    }),
  },
  look_at_experiment: {
    about: "Shows a past experiment: its diff, metrics, loss curve and the end of its log.",
    input: z.strictObject({ number: z.int() }),
  },
  edit_file: {
    about:
      "Changes a mutable file: replaces `old_text`, which must stand in the file exactly once, letter by letter, by `new_text`. With an empty `old_text` it makes a new file, where the mutable surface allows one.",
    input: z.strictObject({ path: z.string(), old_text: z.string(), new_text: z.string() }),
  },
  check_syntax: {
    about: "Compiles the Python files that you changed, without running them, and says where they are wrong.",
    input: z.strictObject({}),
  },
  submit: {
    about:
      "Submits your changes as the experiment, with the reason for them. What the rules refuse comes back with the reason; mend it and submit again.",
    input: submissionSchema,
  },
  give_up: {
    about:
      "Only for a repair, or for an idea that a person asked for: says that it can't be done, and why. Then nothing is submitted.",
    input: z.strictObject({ because: z.string().describe("The reason, in a sentence for people.") }),
  },
} as const;

export type ToolName = keyof typeof forms;
export type ToolInput<Name extends ToolName> = z.output<(typeof forms)[Name]["input"]>;

export const toolNames = Object.keys(forms) as ToolName[];

/** The tools as the API is told them. Strict: the API holds the model to the schema; we parse all the same. */
export const tools: Anthropic.Tool[] = toolNames.map((name) => {
  const { $schema: _, ...schema } = z.toJSONSchema(forms[name].input);
  return {
    name,
    description: forms[name].about,
    strict: true,
    input_schema: plain(schema) as Anthropic.Tool.InputSchema,
  };
});

/** Without the bounds of numbers, which a strict schema may not have. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => key !== "minimum" && key !== "maximum");
  return Object.fromEntries(kept.map(([key, value]) => [key, plain(value)]));
}

/** What the model asked a tool for, or what is wrong with it, in a sentence for the model. */
export function parseInput<Name extends ToolName>(
  name: Name,
  input: unknown,
): { ok: true; input: ToolInput<Name> } | { ok: false; problem: string } {
  const parsed = forms[name].input.safeParse(input);
  if (parsed.success) return { ok: true, input: parsed.data as ToolInput<Name> };
  const issue = parsed.error.issues[0]!;
  return {
    ok: false,
    problem: `the input of \`${name}\` is not valid at \`${issue.path.join(".")}\`: ${issue.message}`,
  };
}
