/** The measurement of a trial: what is judged and seen, redacted and bounded. */
import type { Measurement } from "../../src/domain/measurement.ts";
import type { Bench } from "./commands.ts";
import type { Ending, Evidence } from "./conclude.ts";
import { logTail } from "./log-tail.ts";
import { redact } from "../../src/domain/secrets.ts";

export type Trial = { readonly ending: Ending; readonly evidence: Evidence | null; readonly protectedCount: number };

/** What is handed over of a trial. Nothing in it holds one of the bench's secrets. */
export function measurementOf(trial: Trial, { inputs, sandbox, secrets }: Bench): Measurement {
  const { ending, evidence, protectedCount } = trial;
  const training = evidence?.training ?? null;
  const { spec } = inputs;
  const hide = (text: string, limit: number) => redact(text, secrets).slice(0, limit);
  const common = {
    version: 1 as const,
    trial: inputs.trial,
    commit: inputs.commit,
    base: inputs.base,
    because: hide(ending.because, 1_000),
    seconds: Number(((training?.seconds ?? 0) + (evidence?.evaluation?.served?.seconds ?? 0)).toFixed(3)),
    metrics: metricsOf(evidence, spec.metric, ending.value),
    exitCode: training?.exitCode ?? null,
    signal: training?.signal ?? null,
    sandbox: sandbox.name,
    protectedFiles: {
      count: protectedCount,
      changed: (evidence?.changed ?? []).slice(0, 50).map((path) => hide(path, 200)),
    },
    runner: inputs.RUNNER_NAME.slice(0, 200),
    curve: (training?.log.curve ?? []).map(([step, loss]): [number, number] => [step, loss]),
    logTail: logTail(shownLog(evidence), secrets),
    at: ending.at === null ? null : { ...ending.at, message: hide(ending.at.message, 500) },
  };
  const { status, value } = ending;
  if (status !== "measured") return { ...common, status };
  if (value === null) throw new Error("a measured trial without a value");
  return { ...common, status, value };
}

/** The numbers of the summary block; of the metric itself only the value that counts. */
function metricsOf(evidence: Evidence | null, metric: string, value: number | null): Record<string, number> {
  const numbers = [...(evidence?.training.log.numbers ?? []), ...(evidence?.evaluation?.judge.log.numbers ?? [])];
  return Object.fromEntries([...(value === null ? [] : [[metric, value] as const]), ...numbers]);
}

function shownLog(evidence: Evidence | null): string {
  if (evidence === null) return "";
  const { training, evaluation } = evidence;
  const served = evaluation?.served?.log.tail ?? "";
  return [
    training.log.tail,
    ...(served === "" ? [] : [`\n=== serve ===\n${served}`]),
    ...(evaluation === null ? [] : [`\n=== evaluate ===\n${evaluation.judge.log.tail}`]),
  ].join("");
}
