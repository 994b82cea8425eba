/**
 * Entry of the action. Exit status 0 whenever there is a measurement to hand over (a crash is one) or a check was posted;
 * 1, with a sentence, when there is not.
 */
import { parseMeasurement } from "../../src/domain/measurement.ts";
import { digestOf, encodeInAnyCase } from "./measurement-json.ts";
import { appendStepSummary, writeOutputs } from "./file-commands.ts";
import { parseInputs, runUrlOf, type TrainInputs } from "./inputs.ts";
import { pageOf, summaryOf, titleOf } from "./check.ts";
import { type JobLog, openJobLog } from "./job-log.ts";
import { report } from "./report.ts";
import { train } from "./train.ts";

const log = openJobLog(1);
const cancelled = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => cancelled.abort());
// A reader that is gone is no reason to leave a training behind.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

async function runMode(log: JobLog): Promise<void> {
  const inputs = parseInputs(process.env);
  if (inputs.mode === "train") return runTrain(inputs, log);
  const { check, status, url } = await report(inputs, log.say);
  log.say(`posted ${check.name} on ${check.head_sha.slice(0, 7)}: ${check.output.title} ${url}`);
  const { title, summary } = check.output;
  appendStepSummary(process.env["GITHUB_STEP_SUMMARY"], pageOf(title, status, summary));
}

async function runTrain(inputs: TrainInputs, log: JobLog): Promise<void> {
  const trained = await train(inputs, { environment: process.env, log, signal: cancelled.signal });
  const json = encodeInAnyCase(trained.measurement);
  const measurement = parseMeasurement(json)!;
  writeOutputs(process.env["GITHUB_OUTPUT"], { measurement: json, digest: digestOf(json), log: trained.logFile ?? "" });
  const title = titleOf(measurement, inputs.spec.frontier);
  log.say(`${inputs.spec.metric}: ${title}`);
  if (measurement.status !== "measured") log.notice(title);
  const { metric, frontier } = inputs.spec;
  const summary = summaryOf(measurement, { metric, frontier, runUrl: runUrlOf(inputs) });
  appendStepSummary(process.env["GITHUB_STEP_SUMMARY"], pageOf(title, measurement.status, summary));
}

try {
  await runMode(log);
} catch (error) {
  log.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
await log.flush();
process.exit();
