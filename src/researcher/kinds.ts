/** Which researcher a configuration names, with the means that the bot's admin gave it. */
import type { Config } from "../domain/config.ts";
import type { Researcher } from "../domain/proposal.ts";
import { type ClaudeMeans, claude } from "./claude/claude.ts";
import { type CommandMeans, command } from "./command/command.ts";
import { mutate } from "./mutate.ts";

/** What only the process that serves can give: keys, and the commands that it allows. */
export type Means = { readonly claude: ClaudeMeans; readonly command: CommandMeans };

const noMeans: Means = {
  claude: { apiKey: null, baseUrl: null, path: "" },
  command: { commands: {}, environment: {} },
};

export function researcherFor(config: Config, means: Means = noMeans): Researcher {
  switch (config.researcher.kind) {
    case "mutate":
      return mutate;
    case "claude":
      return claude(means.claude);
    case "command":
      return command(config.researcher.command ?? "", means.command);
  }
}
