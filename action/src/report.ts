/**
 * Mode `report`: posts the check for a measurement that another job made.
 *
 * Always: the measurement is untrusted text; it must be of the trial and the commit that this run was dispatched for.
 * An unknown outcome (no answer, or a 5xx) is never repeated blindly: first it is looked for by its `external_id`.
 */
import { z } from "zod";
import { type Measurement, measurementJsonOf, parseMeasurement } from "../../src/domain/measurement.ts";
import { type CheckRun, checkOf } from "./check.ts";
import { type ReportInputs, runUrlOf } from "./inputs.ts";
import { digestOf } from "./measurement-json.ts";

export type Reported = {
  readonly check: CheckRun;
  readonly status: Measurement["status"];
  readonly url: string;
};

/** Waits between attempts, in milliseconds; the last may be replaced by what GitHub asks for. */
const pausesMs = [500, 1_000, 2_000];
const maxPauseMs = 60_000;
const requestTimeoutMs = 30_000;

/** Posts the check. @throws Error with a sentence when the measurement is not one, or GitHub refuses. */
export async function report(inputs: ReportInputs, say: (line: string) => void): Promise<Reported> {
  const measurement = requestedMeasurement(inputs);
  const { status } = measurement;
  const check = requestedCheck(inputs, measurement);
  for (let attempt = 0; ; attempt++) {
    const outcome = attempt === 0 ? null : await findCheck(inputs, check);
    if (outcome?.kind === "done") return { check, status, url: outcome.url };
    const answer = outcome ?? (await post(inputs, check));
    if (answer.kind === "done") return { check, status, url: answer.url };
    if (answer.kind === "refused" || attempt >= pausesMs.length) throw new Error(answer.because);
    say(`${answer.because}; looking again`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(answer.afterMs ?? pausesMs[attempt]!, maxPauseMs)));
  }
}

function requestedMeasurement(inputs: ReportInputs): Measurement {
  const measurement = parseMeasurement(inputs.measurement);
  if (measurement === null) throw new Error("input `measurement` is not a measurement: nothing is reported");
  for (const name of ["trial", "commit", "base"] as const) {
    if (measurement[name] !== inputs[name]) {
      throw new Error(
        `the measurement is of ${name} ${measurement[name]}, and this run is for ${inputs[name]}: nothing is reported`,
      );
    }
  }
  return measurement;
}

function requestedCheck(inputs: ReportInputs, measurement: Measurement): CheckRun {
  return checkOf(inputs.measurement, measurement, {
    metric: inputs.spec.metric,
    frontier: inputs.spec.frontier,
    runUrl: runUrlOf(inputs),
  });
}

type Answer =
  | { readonly kind: "done"; readonly url: string }
  | { readonly kind: "unknown"; readonly because: string; readonly afterMs: number | null }
  | { readonly kind: "refused"; readonly because: string };

async function post(inputs: ReportInputs, check: CheckRun): Promise<Answer> {
  const answer = await request(inputs, "POST", `/repos/${inputs.GITHUB_REPOSITORY}/check-runs`, check);
  if (answer.kind !== "answered") return answer;
  return { kind: "done", url: createdSchema.safeParse(answer.body).data?.html_url ?? "" };
}

/** Done: it is there. Null: it is surely not there, so posting it is safe. */
async function findCheck(inputs: ReportInputs, check: CheckRun): Promise<Answer | null> {
  const query = new URLSearchParams({ check_name: check.name, filter: "all", per_page: "100" });
  const path = `/repos/${inputs.GITHUB_REPOSITORY}/commits/${check.head_sha}/check-runs?${query.toString()}`;
  const answer = await request(inputs, "GET", path);
  if (answer.kind !== "answered") return answer;
  const parsed = listSchema.safeParse(answer.body);
  if (!parsed.success) return { kind: "unknown", because: "GitHub's list of checks could not be read", afterMs: null };
  const digest = digestOf(inputs.measurement);
  const found = parsed.data.check_runs.find(
    (run) =>
      run.external_id === check.external_id && digestOf(measurementJsonOf(run.output.text ?? "") ?? "") === digest,
  );
  return found === undefined ? null : { kind: "done", url: found.html_url ?? "" };
}

const createdSchema = z.object({ html_url: z.string().nullish() });
const listSchema = z.object({
  check_runs: z.array(
    z.object({
      external_id: z.string().nullish(),
      html_url: z.string().nullish(),
      output: z.object({ text: z.string().nullish() }),
    }),
  ),
});

type Exchange = { readonly kind: "answered"; readonly body: unknown } | Exclude<Answer, { kind: "done" }>;

async function request(inputs: ReportInputs, method: "GET" | "POST", path: string, body?: CheckRun): Promise<Exchange> {
  const what = `${method} ${path.split("?")[0]}`;
  try {
    const response = await fetch(`${inputs.GITHUB_API_URL}${path}`, {
      method,
      headers: {
        accept: "application/vnd.github+json",
        "content-type": "application/json",
        "x-github-api-version": "2022-11-28",
        "user-agent": "autoresearch-app-action",
        authorization: `Bearer ${inputs.token}`,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await response.text();
    if (response.ok) return { kind: "answered", body: jsonOf(text) };
    const because = `GitHub answered ${response.status} to ${what}: ${text.slice(0, 500)}`;
    const afterMs = pauseAsked(response);
    const again = response.status >= 500 || response.status === 429 || afterMs !== null;
    return again ? { kind: "unknown", because, afterMs } : { kind: "refused", because };
  } catch (error) {
    return { kind: "unknown", because: `no answer to ${what}: ${reasonOf(error)}`, afterMs: null };
  }
}

/** Milliseconds that GitHub asks us to wait, or null. */
function pauseAsked(response: Response): number | null {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : null;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
