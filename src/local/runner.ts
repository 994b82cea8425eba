/**
 * A runner: takes jobs from the local GitHub one at a time and carries them out, as a self-hosted runner of GitHub's does.
 *
 *     node src/local/runner.ts --url URL --secret-file FILE --name gpu-1 --labels self-hosted,gpu --work DIR
 *
 * With the label `ubuntu-latest` it is one of GitHub's own machines. SIGINT or SIGTERM: the job in hand is ended and given
 * back as failed (nothing was measured, so the bot measures again), then the runner leaves.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { messageOf } from "../domain/thrown.ts";
import type { JobMessage } from "./github/actions/messages.ts";
import { carryOut } from "./runner/carry-out.ts";
import { type Identity, Refused, type RunnerClient, runnerClient } from "./runner/client.ts";
import { LogSender } from "./runner/log-sender.ts";
import { cleanWork } from "./runner/workspace.ts";

type Runner = {
  readonly client: RunnerClient;
  readonly identity: Identity;
  readonly work: string;
  /** Aborted when the runner is to end. */
  readonly ending: AbortSignal;
};

/** Takes jobs until the runner is to end. */
async function takeJobs(runner: Runner): Promise<void> {
  const { client, identity, ending } = runner;
  let id = await client.register(identity, ending);
  try {
    while (!ending.aborted) {
      const job = await client.acquire(id, ending);
      if (job === "unknown") id = await client.register(identity, ending);
      else if (job !== null) await takeJob(runner, id, job);
    }
  } finally {
    await client.leave(id);
  }
}

async function takeJob(runner: Runner, id: number, job: JobMessage): Promise<void> {
  const { client, identity, work, ending } = runner;
  const cancelled = new AbortController();
  const over = new AbortController();
  let ours = true;
  const onEnding = (): void => cancelled.abort("The runner has received a shutdown signal.");
  ending.addEventListener("abort", onEnding, { once: true });
  const minutes = job.timeoutMinutes;
  const timeout = setTimeout(
    () => cancelled.abort(`The job has exceeded the maximum execution time of ${minutes} minutes.`),
    Math.min(minutes * 60_000, 2 ** 31 - 1),
  );
  const hearing = hearOf(client, id, job.jobId, over.signal, (word) => {
    ours = word === "cancel";
    cancelled.abort(ours ? "The operation was canceled." : "The job was given up by the server.");
  });
  const log = new LogSender(
    (offset, text) => client.log(id, job.jobId, offset, text),
    () => new Date(),
  );
  let told: Promise<void> = Promise.resolve();
  const completion = await carryOut({
    job,
    identity,
    work,
    say: (line) => log.line(line),
    onArtifact: async (name, file) => client.artifact(id, job.jobId, name, file),
    onSteps: (steps) => {
      told = told.then(() => client.steps(id, job.jobId, steps)).catch(() => {});
    },
    cancel: cancelled.signal,
    now: () => new Date(),
  });
  clearTimeout(timeout);
  ending.removeEventListener("abort", onEnding);
  await Promise.all([log.flush(), told]);
  over.abort();
  await hearing;
  // A runner that is shut down says nothing of the job's code: that is a failure of ours, not a cancellation.
  const shutDown = ending.aborted && completion.conclusion === "cancelled";
  const result = shutDown ? { ...completion, conclusion: "failure" as const, outputs: {} } : completion;
  if (ours) await client.complete(id, job.jobId, result).catch(() => {});
}

/** Listens for a cancellation while the job runs; `onWord` is called at most once. */
async function hearOf(
  client: RunnerClient,
  runnerId: number,
  jobId: number,
  over: AbortSignal,
  onWord: (word: "cancel" | "gone") => void,
): Promise<void> {
  while (!over.aborted) {
    const word = await client.heartbeat(runnerId, jobId, over).catch(() => "on" as const);
    if (over.aborted) return;
    if (word === "on") continue;
    onWord(word);
    if (word === "gone") return;
    break;
  }
  // Cancelled, and still at work: the server is to know that we are there.
  while (!over.aborted) {
    const word = await client.heartbeat(runnerId, jobId, over).catch(() => "on" as const);
    if (word === "gone") return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const hostedLabel = /^ubuntu-/;

function readArguments(): { url: string; secretFile: string; identity: Identity; work: string } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { url: text, "secret-file": text, name: text, labels: text, work: text } });
  const { url, name, work, labels, "secret-file": secretFile } = values;
  if (
    url === undefined ||
    name === undefined ||
    work === undefined ||
    labels === undefined ||
    secretFile === undefined
  ) {
    throw new Error("needed: --url URL --secret-file FILE --name NAME --labels LABEL,LABEL --work DIR");
  }
  const list = labels.split(",").filter((label) => label !== "");
  const identity = { name, labels: list, hosted: list.some((label) => hostedLabel.test(label)), os: "linux" };
  return { url: url.replace(/\/+$/, ""), secretFile, identity, work: path.resolve(work) };
}

const ending = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());
try {
  const { url, secretFile, identity, work } = readArguments();
  cleanWork(work);
  const client = runnerClient(url, readFileSync(secretFile, "utf8").trim());
  await takeJobs({ client, identity, work, ending: ending.signal });
} catch (error) {
  if (!ending.signal.aborted) {
    process.stderr.write(`runner: ${messageOf(error)}\n`);
    process.exitCode = error instanceof Refused ? 2 : 1;
  }
}
// The channel of a leash and sleeping sockets keep nothing that is worth waiting for.
process.exit();
