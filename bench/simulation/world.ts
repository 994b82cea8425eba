/** A simulated world for benchmarks: the bot in this process, everything else in others. */
import { fork } from "node:child_process";
import path from "node:path";
import { defaultAppOptions } from "../../src/app.ts";
import { type Answer, type Brief, type Researcher, noInsights } from "../../src/domain/proposal.ts";
import type { RequestTotals } from "../../src/local/github/exchange.ts";
import { freePort } from "../../src/local/port.ts";
import type { AppCredentials } from "../../src/local/github/world.ts";
import { serve } from "../../src/serve.ts";
import { withConstants } from "../../test/support/train-py.ts";
import type { Ask } from "./github.ts";

export type SimulationOptions = {
  /** `owner/name` of each; every owner has an installation of its own. */
  readonly repositories: readonly string[];
  /** Experiments of a session at most. */
  readonly experiments: number;
  /** How long a trial takes. */
  readonly trialMs: number;
  /** Told before each proposal: the session, and how many rows it has. */
  readonly onBrief: (brief: Brief) => void | Promise<void>;
};

export type Simulation = {
  readonly port: number;
  readonly app: AppCredentials;
  readonly open: (repository: string) => Promise<number>;
  /** Makes a session as old as if experiment `to` had been settled. */
  readonly age: (repository: string, issue: number, to: number) => Promise<void>;
  readonly totals: () => Promise<RequestTotals>;
  /** Passes of the bot so far, by its own metrics. */
  readonly passes: () => Promise<number>;
  readonly close: () => Promise<void>;
};

const metricsToken = "simulated";

/** Of three experiments one gains, each by a little; all contents differ. */
function researcher(onBrief: SimulationOptions["onBrief"]): Researcher {
  return {
    propose: async (brief: Brief): Promise<Answer> => {
      await onBrief(brief);
      const number = brief.experiment;
      const set = number % 3 === 0 ? { VALUE: 2 - number / 10_000 } : { OTHER: number / 1_000 };
      const files = brief.files.map((file) => ({ path: file.path, text: withConstants(file.text, set) }));
      const thought = {
        description: `idea ${number}: another learning rate for the embedding`,
        hypothesis: "the embedding learns too slowly",
        expected: null,
        refutedBy: null,
        researcher: "script",
        kind: "hyperparameter" as const,
        askedBy: null,
      };
      return { kind: "proposal", proposal: { ...thought, insights: noInsights, files } };
    },
  };
}

export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const child = fork(path.join(import.meta.dirname, "github.ts"), { execArgv: [] });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on("message", ({ id, value, error }: { id: number; value?: never; error?: string }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(value!);
    else asked?.reject(new Error(error));
  });
  let next = 0;
  const ask = <T>(what: Ask) =>
    new Promise<T>((resolve, reject) => {
      next += 1;
      waiting.set(next, { resolve, reject });
      child.send({ id: next, ask: what });
    });
  const port = await freePort();
  const { repositories, trialMs } = options;
  const config = `mutable: [train.py]
trial: {command: python3 train.py, budget: 5m}
keep: {baseline_trials: 1, trials: 1, sigmas: 0}
metric: {max_gain: 1}
limits: {experiments: ${options.experiments}, hours: 1000}
`;
  const { apiUrl, app } = await ask<{ apiUrl: string; app: AppCredentials }>({
    kind: "start",
    botPort: port,
    repositories,
    config,
    trialMs,
  });
  const bot = await serve({
    ...defaultAppOptions,
    researcherFor: () => researcher(options.onBrief),
    appId: app.appId,
    privateKey: app.privateKey,
    webhookSecret: app.webhookSecret,
    host: "127.0.0.1",
    port,
    webhookPath: "/api/github/webhooks",
    webhookProxy: null,
    logFormat: "json",
    apiUrl,
    metricsToken,
    secrets: [],
    logLevel: process.env["BENCH_LOG"] === undefined ? "error" : "info",
  });
  return {
    port,
    app,
    open: (repository) => ask<number>({ kind: "open", repository }),
    age: (repository, issue, to) => ask<void>({ kind: "age", repository, issue, to }),
    totals: () => ask<RequestTotals>({ kind: "totals" }),
    passes: async () => {
      const headers = { authorization: `Bearer ${metricsToken}` };
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
      const counts = text.matchAll(/^autoresearch_passes_total\{[^}]*\} (\d+)/gm);
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
    },
    close: async () => {
      await bot.close();
      await ask({ kind: "stop" });
    },
  };
}
