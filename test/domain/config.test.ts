import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configSchema, defaultConfig, formatDuration, parseDuration, timeoutSeconds } from "../../src/domain/config.ts";
import { recordSchema } from "../../src/domain/session.ts";
import { configWith, recordWith } from "../support/session.ts";
import { config } from "./arbitrary-session.ts";

describe("a duration", () => {
  it.each([
    ["5m", 300],
    ["90s", 90],
    ["1h30m", 5400],
    ["1h", 3600],
    ["0.5h", 1800],
    ["2m30s", 150],
    [" 3s ", 3],
    [300, 300],
    [0.5, 0.5],
  ])("of %j is %d seconds", (given, seconds) => {
    expect(parseDuration(given)).toBe(seconds);
  });

  it.each([
    "",
    "5",
    "5 m",
    "m",
    "-5m",
    "30m1h",
    "5min",
    "0s",
    "1e3s",
    "5m\nx",
    0,
    -1,
    Number.NaN,
    Infinity,
    null,
    [5],
    {},
  ])("is not %j", (given) => {
    expect(parseDuration(given)).toBeNull();
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds))).toBe(seconds);
      }),
    );
    expect([0, 3, 300, 5400, 3661, 59.6].map(formatDuration)).toEqual(["0s", "3s", "5m", "1h30m", "1h1m1s", "1m"]);
  });
});

describe("the configuration", () => {
  it("has a default for every key", () => {
    expect(defaultConfig).toMatchInlineSnapshot(`
      {
        "keep": {
          "baseline_trials": 3,
          "min_gain": 0,
          "noise": null,
          "sigmas": 2,
          "simpler": true,
          "trials": 2,
        },
        "limits": {
          "cost_usd": 20,
          "experiments": 100,
          "failures": 10,
          "hours": 24,
        },
        "metric": {
          "direction": "lower",
          "max_gain": 0.2,
          "name": "val_bpb",
          "target": null,
        },
        "mutable": [
          "train.py",
        ],
        "program": null,
        "researcher": {
          "command": null,
          "effort": null,
          "fallbacks": [
            "claude-sonnet-5",
          ],
          "kind": "claude",
          "model": "claude-opus-5-5",
          "prices": {},
          "timeout": 1200,
          "turns": 24,
        },
        "runner": {
          "allow_public": null,
          "concurrency": 1,
          "labels": [
            "self-hosted",
            "gpu",
          ],
        },
        "trial": {
          "budget": 300,
          "command": "uv run train.py",
          "evaluate": null,
          "private": [],
          "protect": [],
          "sandbox": "auto",
          "serve": null,
          "setup": null,
          "timeout": null,
        },
      }
    `);
  });

  it("comes out of session.json as it went in", () => {
    fc.assert(
      fc.property(config, (given) => {
        const record = recordWith({ config: given });
        expect(recordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record);
      }),
    );
  });

  it("ends a trial at twice its budget, unless it says when", () => {
    expect(timeoutSeconds(configWith({ trial: { budget: "5m" } }))).toBe(600);
    expect(timeoutSeconds(configWith({ trial: { budget: "5m", timeout: "6m" } }))).toBe(360);
  });

  it.each([
    ["an absolute path", { mutable: ["/etc/passwd"] }],
    ["a path above the top", { mutable: ["src/../../x"] }],
    ["the workflows", { mutable: [".github/workflows/train.yml"] }],
    ["git's own folder", { mutable: [".git/config"] }],
    ["no path at all", { mutable: [] }],
    ["the name of the bot's own check", { metric: { name: "autoresearch" } }],
    ["the name of another trailer", { metric: { name: "pull_request" } }],
    ["a metric that is no name", { metric: { name: "val bpb" } }],
    ["a command of two lines", { trial: { command: "a\nb" } }],
    ["a protected file that is in the repository", { trial: { protect: ["cache/tokenizer.bin"] } }],
    ["an answer without a question", { trial: { serve: "python3 train.py --serve" } }],
    ["private files that nothing may read", { trial: { private: ["held-out.txt"] } }],
    ["a researcher that is not there", { researcher: { kind: "gpt" } }],
    ["a model that is no name", { researcher: { model: "the best one" } }],
    [
      "a price that is negative",
      { researcher: { prices: { m: { input: -1, output: 1, cache_read: 1, cache_write: 1 } } } },
    ],
    ["a price without its output", { researcher: { prices: { m: { input: 1, cache_read: 1, cache_write: 1 } } } }],
    ["a command line where a name belongs", { researcher: { kind: "command", command: "codex exec" } }],
    ["a command without its name", { researcher: { kind: "command" } }],
    ["a single turn", { researcher: { turns: 1 } }],
    ["a private file above the top", { trial: { evaluate: "x", private: ["../held-out.txt"] } }],
    ["no runner", { runner: { concurrency: 0 } }],
    ["half an experiment", { limits: { experiments: 0.5 } }],
    ["an unknown key", { limits: { experiment: 5 } }],
    ["endless hours", { limits: { hours: Infinity } }],
  ])("takes no %s", (_name, given) => {
    expect(configSchema.safeParse(given).success).toBe(false);
  });
});

describe("the configuration that a session keeps", () => {
  const stored = (config: unknown) => recordSchema.safeParse({ ...recordWith(), config });

  it("leaves out what a newer version wrote and this one doesn't know", () => {
    const config = { ...defaultConfig, colour: "red", limits: { ...defaultConfig.limits, moons: 3 } };
    expect(stored(config).data?.config).toEqual(defaultConfig);
  });

  it.each([
    ["how trials are run", { ...defaultConfig, trial: { ...defaultConfig.trial, warmup: 3 } }],
    ["what is measured", { ...defaultConfig, metric: { ...defaultConfig.metric, smoothing: 0.9 } }],
    ["a value that is none", { ...defaultConfig, limits: { ...defaultConfig.limits, experiments: "many" } }],
  ])("is not guessed at in %s", (_name, config) => {
    expect(stored(config).success).toBe(false);
  });

  it("of a form that is newer as a whole is told so", () => {
    const message = recordSchema.safeParse({ ...recordWith(), version: 2 }).error?.issues[0]?.message;
    expect(message).toBe("session.json was written by a newer version of the bot: run that one");
  });
});
