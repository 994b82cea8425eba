/**
 * The commands that the bot's admin allows as researchers, from RESEARCHER_COMMANDS:
 *
 *     {"codex": {"run": "codex exec - < \"$AUTORESEARCH_BRIEF\"", "env": ["OPENAI_API_KEY"]}}
 *
 * Always: a command line comes from the environment of the process alone. A repository's configuration, which whoever
 * writes to the repository can change, says one of these names and nothing else.
 */
import { z } from "zod";

/**
 * Variables that are no command's business, even where the admin names them by mistake: all of the bot's own that are secret
 * or open something, and what changes how programs start. A key of the model's is another matter: agents need one.
 */
const neverHandedOn =
  /^(?:APP_ID|PRIVATE_KEY(?:_PATH)?|WEBHOOK_(?:SECRET|PROXY_URL)|(?:METRICS|SWEEP|GITHUB|GH)_TOKEN|REDIS_URL|NODE_OPTIONS|LD_.*|RESEARCHER_COMMANDS)$/i;

const allowed = z.strictObject({
  /** A line for `/bin/sh -c`. */
  run: z.string().min(1),
  /** Names of the bot's environment variables that the command gets. */
  env: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_]\w*$/, "must be a name of an environment variable")
        .refine((name) => !neverHandedOn.test(name), "is the bot's own and is never handed on"),
    )
    .default([]),
});

export type AllowedCommand = z.output<typeof allowed>;

const commands = z.record(z.string().regex(/^[\w.-]{1,64}$/, "must be a plain name"), allowed);

/** The commands by name, or one sentence about what is wrong with the text. */
export function parseAllowedCommands(
  text: string | undefined,
): { readonly commands: Readonly<Record<string, AllowedCommand>> } | { readonly problem: string } {
  if (text === undefined || text.trim() === "") return { commands: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'RESEARCHER_COMMANDS must be JSON such as {"codex": {"run": "codex exec …", "env": []}}' };
  }
  const parsed = commands.safeParse(value);
  if (parsed.success) return { commands: parsed.data };
  const issue = parsed.error.issues[0]!;
  return { problem: `RESEARCHER_COMMANDS is not valid at ${issue.path.join(".") || "its top"}: ${issue.message}` };
}
