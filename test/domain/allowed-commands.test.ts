import { describe, expect, it } from "vitest";
import { parseAllowedCommands } from "../../src/domain/allowed-commands.ts";

describe("the commands that the bot's admin allows", () => {
  it("are none where nothing is said", () => {
    expect(parseAllowedCommands(undefined)).toEqual({ commands: {} });
    expect(parseAllowedCommands("  ")).toEqual({ commands: {} });
  });

  it("have a line, and the names of the variables that they get", () => {
    const text = '{"codex": {"run": "codex exec -", "env": ["OPENAI_API_KEY"]}, "own": {"run": "./agent"}}';
    expect(parseAllowedCommands(text)).toEqual({
      commands: { codex: { run: "codex exec -", env: ["OPENAI_API_KEY"] }, own: { run: "./agent", env: [] } },
    });
  });

  it.each([
    ["codex exec", 'RESEARCHER_COMMANDS must be JSON such as {"codex": {"run": "codex exec …", "env": []}}'],
    ['{"a b": {"run": "x"}}', "RESEARCHER_COMMANDS is not valid at a b: Invalid key in record"],
    [
      '{"codex": "codex exec"}',
      "RESEARCHER_COMMANDS is not valid at codex: Invalid input: expected object, received string",
    ],
    [
      '{"codex": {"run": ""}}',
      "RESEARCHER_COMMANDS is not valid at codex.run: Too small: expected string to have >=1 characters",
    ],
    [
      '{"codex": {"run": "x", "env": ["A-B"]}}',
      "RESEARCHER_COMMANDS is not valid at codex.env.0: must be a name of an environment variable",
    ],
  ])("are not %s", (text, problem) => {
    expect(parseAllowedCommands(text)).toEqual({ problem });
  });

  it.each([
    "PRIVATE_KEY",
    "APP_ID",
    "WEBHOOK_SECRET",
    "GITHUB_TOKEN",
    "LD_PRELOAD",
    "NODE_OPTIONS",
    "PRIVATE_KEY_PATH",
    "METRICS_TOKEN",
    "SWEEP_TOKEN",
    "REDIS_URL",
    "WEBHOOK_PROXY_URL",
    "redis_url",
  ])("never get %s, even where it is named", (name) => {
    expect(parseAllowedCommands(`{"codex": {"run": "x", "env": ["${name}"]}}`)).toEqual({
      problem: "RESEARCHER_COMMANDS is not valid at codex.env.0: is the bot's own and is never handed on",
    });
  });
});
