/**
 * The check that a trial becomes on GitHub: the form of `POST /repos/{owner}/{repo}/check-runs`. Pure.
 *
 * Always: within the Checks API's limits for every measurement (65 535 for summary and for text, 255 for a title, counted
 * in bytes since the documentation does not say what a character is: no other count is larger); the measurement is the
 * last thing of the text, whole and exact; what comes from the candidate is shown as code, so it can neither mention
 * anyone nor draw a link. The summary names its run: GitHub takes no `details_url` from a job's token.
 */
import { formatMeasurement, type Measurement } from "../../src/domain/measurement.ts";
import { formatAmount, formatClock, formatDelta } from "../../src/domain/numbers.ts";
import { sparkline } from "./sparkline.ts";

export type CheckRun = {
  name: string;
  head_sha: string;
  external_id: string;
  details_url: string;
  status: "completed";
  conclusion: "success" | "failure" | "neutral" | "timed_out" | "cancelled";
  output: {
    title: string;
    summary: string;
    text: string;
    annotations: {
      path: string;
      start_line: number;
      end_line: number;
      annotation_level: "failure";
      message: string;
      title: string;
    }[];
  };
};

const limitBytes = 65_535;
const titleBytes = 255;
/** GitHub's columns for a place in a file; what is beyond them is refused, and the whole check with it. */
const maxPath = 500;
const maxLine = 2 ** 31 - 1;
/** Names the artifact that the shipped workflow keeps the whole log in. */
const artifact = "log";
const conclusions = {
  measured: "success",
  crash: "failure",
  rejected: "failure",
  unknown: "neutral",
  timeout: "timed_out",
  cancelled: "cancelled",
} as const satisfies Record<Measurement["status"], CheckRun["conclusion"]>;

export type Told = {
  /** The name of the metric, and of the check. */
  readonly metric: string;
  readonly frontier: number | null;
  readonly runUrl: string;
};

/** @param json the exact text whose digest the run vouches for; @param measurement what it parses to */
export function checkOf(json: string, measurement: Measurement, told: Told): CheckRun {
  const { at } = measurement;
  return {
    name: told.metric,
    head_sha: measurement.commit,
    external_id: measurement.trial,
    details_url: told.runUrl,
    status: "completed",
    conclusion: conclusions[measurement.status],
    output: {
      title: titleOf(measurement, told.frontier),
      summary: summaryOf(measurement, told),
      text: textOf(json, measurement.logTail),
      annotations: at === null || at.path.length > maxPath || at.line > maxLine ? [] : [annotationOf(at)],
    },
  };
}

/** `0.9793 (−0.0012 against the frontier)`, `crash: …`, `timeout after 10:00`. */
export function titleOf(measurement: Measurement, frontier: number | null): string {
  if (measurement.status === "measured") {
    const value = formatAmount(measurement.value);
    return frontier === null ? value : `${value} (${differencePhrase(measurement.value, frontier)})`;
  }
  const because = plain(measurement.because, 200);
  const title =
    measurement.status === "timeout" || measurement.status === "cancelled"
      ? because || measurement.status
      : `${measurement.status}: ${because}`;
  return cut(title, titleBytes);
}

function differencePhrase(value: number, frontier: number): string {
  return value === frontier ? "equal to the frontier" : `${formatDelta(value - frontier)} against the frontier`;
}

/** The markdown that stands above the log, in the check and on the run's page. */
export function summaryOf(measurement: Measurement, told: Told): string {
  const { count, changed } = measurement.protectedFiles;
  const files =
    changed.length === 0
      ? `protected files unchanged (${count} files)`
      : `**protected files changed**: ${changed
          .slice(0, 10)
          .map((path) => code(path, 200))
          .join(", ")}${changed.length > 10 ? ` and ${changed.length - 10} more` : ""}`;
  const facts = [
    `sandbox: ${code(measurement.sandbox, 100)}`,
    files,
    `runner ${code(measurement.runner, 100)}`,
    `trained for ${formatClock(measurement.seconds)}`,
    `[the run](${told.runUrl})`,
    // Nothing was printed: nothing was kept.
    ...(measurement.logTail === "" ? [] : [`the whole log is the run's artifact \`${artifact}\``]),
  ];
  const because =
    measurement.status === "measured" ? [] : [`**${measurement.status}** ${code(measurement.because, 1_000)}`, ""];
  return [...because, ...tableOf(measurement, told), ...curveLines(measurement.curve), facts.join(" · ")].join("\n");
}

/** The run's page. A title that is no number is in the candidate's words, which are no Markdown. */
export function pageOf(title: string, status: Measurement["status"], summary: string): string {
  return `### ${status === "measured" ? title : code(title, titleBytes)}\n\n${summary}`;
}

/** The numbers that were printed; the metric itself comes first, with the frontier's value where there is one. */
function tableOf(measurement: Measurement, { metric, frontier }: Told): string[] {
  const entries = Object.entries(measurement.metrics);
  if (entries.length === 0) return [];
  const isMeasured = measurement.status === "measured" && frontier !== null;
  const rows = entries.slice(0, 40).map(([name, value]) => {
    const compared =
      isMeasured && name === metric ? `${frontier} | ${value} | ${formatDelta(value - frontier)}` : ` | ${value} | `;
    return isMeasured ? `| ${code(name, 64)} | ${compared} |` : `| ${code(name, 64)} | ${value} |`;
  });
  const head = isMeasured
    ? ["| metric | frontier | this | Δ |", "| --- | --- | --- | --- |"]
    : ["| metric | value |", "| --- | --- |"];
  const more = entries.length > 40 ? [`and ${entries.length - 40} more`, ""] : [];
  return [...head, ...rows, "", ...more];
}

function curveLines(curve: Measurement["curve"]): string[] {
  const [first, last] = [curve[0], curve.at(-1)];
  if (first === undefined || last === undefined || curve.length < 2) return [];
  const picture = sparkline(
    curve.map(([, loss]) => loss),
    60,
  );
  return [`loss \`${picture}\` ${first[1]} at step ${first[0]} → ${last[1]} at step ${last[0]}`, ""];
}

/**
 * The end of the log in a fence, then the measurement. The log is shortened from its start until both fit.
 * @throws Error when the measurement alone does not fit: it is never shortened, since its digest is what counts.
 */
export function textOf(json: string, logTail: string): string {
  const measured = formatMeasurement(json);
  const room = limitBytes - Buffer.byteLength(measured);
  if (room < 0) throw new Error(`the measurement is too large for a check: ${Buffer.byteLength(json)} bytes`);
  const log = withoutControls(logTail).trimEnd();
  for (let shown = log; shown !== "";) {
    const block = `### The end of the log\n\n${fenced(shown)}\n\n`;
    const excess = Buffer.byteLength(block) - room;
    if (excess <= 0) return block + measured;
    // A UTF-16 unit is at most three bytes.
    shown = shown.slice(Math.max(Math.ceil(excess / 3), 1)).toWellFormed();
  }
  return measured;
}

/** A fence that is longer than any run of backticks in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

function annotationOf(at: NonNullable<Measurement["at"]>): CheckRun["output"]["annotations"][number] {
  const message = plain(at.message, 4_000) || "it broke here";
  return {
    path: at.path,
    start_line: at.line,
    end_line: at.line,
    annotation_level: "failure",
    message,
    title: cut(plain(message, 100), titleBytes),
  };
}

/** A code span in a table cell; it holds what it is given as text, whatever that is. */
function code(text: string, limit: number): string {
  const shown = plain(text, limit).replaceAll("`", "'").replaceAll("|", "¦");
  return shown === "" ? "" : `\`${shown}\``;
}

function plain(text: string, limit: number): string {
  const line = withoutControls(text).replace(/\s+/g, " ").trim();
  return (line.length > limit ? `${line.slice(0, limit - 1)}…` : line).toWellFormed();
}

/** At most so many bytes of a text, whole characters of it. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  if (encoded.length <= bytes) return text;
  let end = bytes - Buffer.byteLength("…");
  // 10xxxxxx is the inside of a character.
  while ((encoded[end]! & 0xc0) === 0x80) end -= 1;
  return `${encoded.toString("utf8", 0, end)}…`;
}

function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}
