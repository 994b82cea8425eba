/** The researcher `command` without a session: a script, a brief, and what came of it. */
import type { Answer, Brief } from "../../src/domain/proposal.ts";
import { command } from "../../src/researcher/command/command.ts";
import { briefWith } from "../support/brief.ts";
import { configWith } from "../support/session.ts";

const said = { title: "Twice the rate", hypothesis: "It is too small." };
export const sayIt = `printf '%s' '${JSON.stringify(said)}' > "$AUTORESEARCH_ANSWER"`;
export const raise = "sed -i 's/LR = 0.02/LR = 0.04/' train.py";

/** Runs a script as the command `agent`. */
export function ask(
  script: string,
  given: Partial<Brief> & {
    env?: string[];
    environment?: Record<string, string>;
    timeout?: string;
    signal?: AbortSignal;
  } = {},
): Promise<Answer> {
  const { env = [], environment = {}, timeout = "20s", signal = new AbortController().signal, ...rest } = given;
  const config = configWith({
    mutable: ["train.py", "model/*.py"],
    researcher: { kind: "command", command: "agent", timeout },
  });
  const bot = {
    PATH: process.env["PATH"],
    LANG: "C.UTF-8",
    PRIVATE_KEY: "bot-private-key",
    APP_ID: "7",
    ...environment,
  };
  const means = { commands: { agent: { run: script, env } }, environment: bot };
  const library: Brief["library"] = {
    paths: () => Promise.resolve([".github/workflows/x.yml", "prepare.py", "train.py"]),
    read: (name) => Promise.resolve(name === "prepare.py" ? "DATA = 1\n" : null),
    experiment: () => Promise.resolve(null),
  };
  return command("agent", means).propose(briefWith({ config, library, ...rest }), signal);
}
