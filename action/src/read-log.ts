/**
 * Reads a training log as it comes: the summary block (karpathy/autoresearch's form), the loss curve, the last Python
 * traceback, signs of memory running out, and the end of the log. Pure but for its own memory.
 *
 * Always: memory is bounded however long the log or one of its lines is, and how the log is cut into chunks changes
 * nothing (`push("a"); push("b")` reads what `push("ab")` reads).
 */

/** One frame of a Python traceback, as printed. */
export type Frame = { readonly path: string; readonly line: number };

export type LogReading = {
  /** A line `---` was seen: what follows it is the summary block. */
  readonly hasRule: boolean;
  /** The values of all `<metric>:` lines after the first `---`, as printed; at most three are kept. */
  readonly metricTexts: readonly string[];
  /** Every other `key: number` line of the block with the metric; finite numbers only, the last of equal keys, at most 50. */
  readonly numbers: ReadonlyMap<string, number>;
  /** `[step, loss]` from progress lines, steps rising, at most 200. */
  readonly curve: readonly (readonly [number, number])[];
  /** The last traceback: its exception line, and its frames from the outermost in; null when there was none. */
  readonly failure: { readonly exception: string; readonly frames: readonly Frame[] } | null;
  readonly outOfMemory: "CUDA out of memory" | "out of memory" | null;
  /** The last line with any text. */
  readonly lastLine: string;
  /** The end of the log without terminal codes, of each line only what stayed on the screen; not yet redacted. */
  readonly tail: string;
};

const maxLine = 4_000;
const maxTail = 65_536;
const maxNumbers = 50;
const maxFrames = 100;
const maxCurve = 200;

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const pairPattern = /^([A-Za-z][\w.-]{0,63}):\s+(\S+)\s*$/;
const progressPattern = /\bstep[\s:=]+(\d+)\b.{0,200}?\bloss[:=]\s*(\S{1,40}?)(?:\s|$|[|,])/;
const framePattern = /^\s+File "([^"]+)", line (\d+)/;
const exceptionPattern = /^[A-Za-z_][\w.]*(?::\s.*|:)?$/;
// oxlint-disable-next-line no-control-regex -- terminal codes are control characters
const terminalCodes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g;
// oxlint-disable-next-line no-control-regex -- as above: what is no text is removed
const controls = /[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f]/g;

/** The finite number that a text is, or null: `nan`, `inf`, `1e999` and words are none. */
export function parseFinite(text: string): number | null {
  if (!numberPattern.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function memorySign(line: string): LogReading["outOfMemory"] {
  if (
    /CUDA out of memory|CUDA error: out of memory|torch(?:\.cuda)?\.OutOfMemoryError|hipErrorOutOfMemory|CUBLAS_STATUS_ALLOC_FAILED/.test(
      line,
    )
  ) {
    return "CUDA out of memory";
  }
  return /^MemoryError\b|std::bad_alloc|not enough memory: you tried to allocate|Cannot allocate memory|RESOURCE_EXHAUSTED: Out of memory/.test(
    line,
  )
    ? "out of memory"
    : null;
}

/** What a terminal would still show of a line with carriage returns in it: the last part that has text. */
function visiblePart(line: string): string {
  const parts = line.split("\r").map((part) => part.replace(terminalCodes, "").replace(controls, ""));
  return parts.findLast((part) => part.trim() !== "") ?? "";
}

export class LogReader {
  readonly #metric: string;
  #line = "";
  #lineOverflow = false;
  #hasRule = false;
  #metricTexts: string[] = [];
  #numbers = new Map<string, number>();
  #curve: [number, number][] = [];
  #stride = 1;
  #points = 0;
  #lastStep = -1;
  #lastPoint: [number, number] | null = null;
  #frames: Frame[] = [];
  #failure: LogReading["failure"] = null;
  #outOfMemory: LogReading["outOfMemory"] = null;
  #lastLine = "";
  #tail = "";

  /** @param metric name of the line that carries the result, `val_bpb` */
  constructor(metric: string) {
    this.#metric = metric;
  }

  /** The next piece of the log. */
  push(chunk: string): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf("\n", start);
      this.#append(chunk.slice(start, end < 0 ? undefined : end));
      if (end < 0) return;
      this.#endLine("\n");
      start = end + 1;
    }
  }

  /** What was read, the unfinished last line included. Call it once, at the end. */
  end(): LogReading {
    if (this.#line !== "") this.#endLine("");
    const last = this.#lastPoint;
    const curve = [...this.#curve];
    if (last !== null && curve.at(-1)?.[0] !== last[0]) curve.push(last);
    return {
      hasRule: this.#hasRule,
      metricTexts: this.#metricTexts,
      numbers: this.#numbers,
      curve,
      failure: this.#failure,
      outOfMemory: this.#outOfMemory,
      lastLine: this.#lastLine,
      tail: this.#tail.slice(-maxTail),
    };
  }

  /** Adds to the line in hand. Of an endless progress line (`\r` and no line end) each part is read as it is complete. */
  #append(piece: string): void {
    let start = 0;
    for (;;) {
      const end = piece.indexOf("\r", start);
      const part = piece.slice(start, end < 0 ? undefined : end);
      this.#grow(part);
      if (end < 0) return;
      this.#readProgress(this.#segment());
      this.#grow("\r");
      start = end + 1;
    }
  }

  /** Keeps the first characters of a segment, and of the line its last two segments: what is shown is the last with text. */
  #grow(part: string): void {
    if (part === "\r") {
      const shown = visiblePart(this.#line);
      this.#line = `${shown}\r`;
      this.#lineOverflow = false;
      return;
    }
    if (this.#lineOverflow) return;
    const room = maxLine - this.#segment().length;
    this.#line += part.slice(0, room);
    this.#lineOverflow = part.length > room;
  }

  #segment(): string {
    return this.#line.slice(this.#line.lastIndexOf("\r") + 1);
  }

  #endLine(terminator: string): void {
    this.#readProgress(this.#segment());
    const cut = this.#lineOverflow ? " …" : "";
    const line = visiblePart(this.#line);
    this.#line = "";
    this.#lineOverflow = false;
    this.#readLine(line.trimEnd());
    this.#tail += line + cut + terminator;
    if (this.#tail.length > 2 * maxTail) this.#tail = this.#tail.slice(-maxTail);
  }

  #readLine(line: string): void {
    if (line.trim() !== "") this.#lastLine = line;
    if (line === "---") {
      // What stands before the first rule is no result; after it no second rule may take a result back.
      if (!this.#hasRule) this.#metricTexts = [];
      if (this.#metricTexts.length === 0) this.#numbers = new Map();
      this.#hasRule = true;
      return;
    }
    this.#readPair(line);
    this.#readTraceback(line.replace(/^\[rank\d+\]:\s?/, ""));
    this.#outOfMemory = memorySign(line) ?? this.#outOfMemory;
  }

  #readPair(line: string): void {
    const match = pairPattern.exec(line);
    if (match === null) {
      // A metric line whose value is not one word is still a metric line: it must not go unseen.
      if (line.startsWith(`${this.#metric}:`)) this.#keepMetric(line.slice(this.#metric.length + 1).trim());
      return;
    }
    const [, key, text] = match as unknown as [string, string, string];
    if (key === this.#metric) return this.#keepMetric(text);
    const value = parseFinite(text);
    if (value !== null && (this.#numbers.size < maxNumbers || this.#numbers.has(key))) this.#numbers.set(key, value);
  }

  #keepMetric(text: string): void {
    if (this.#metricTexts.length < 3) this.#metricTexts.push(text);
  }

  #readTraceback(line: string): void {
    if (line.startsWith("Traceback (most recent call last)")) {
      this.#frames = [];
      return;
    }
    const frame = framePattern.exec(line);
    if (frame !== null) {
      this.#frames.push({ path: frame[1]!, line: Number(frame[2]) });
      if (this.#frames.length > maxFrames) this.#frames.shift();
      return;
    }
    if (this.#frames.length === 0 || line === "" || /^\s/.test(line)) return;
    if (exceptionPattern.test(line)) this.#failure = { exception: line, frames: this.#frames };
    this.#frames = [];
  }

  /** Keeps every 2ⁿ-th point, so that the points kept are spread over the whole run and stay below 200. */
  #readProgress(segment: string): void {
    if (segment.length > 1_000) return;
    const match = progressPattern.exec(segment);
    if (match === null) return;
    const step = Number(match[1]);
    const loss = parseFinite(match[2]!);
    if (loss === null || !Number.isSafeInteger(step) || step <= this.#lastStep) return;
    this.#lastStep = step;
    this.#lastPoint = [step, loss];
    if (this.#points++ % this.#stride !== 0) return;
    this.#curve.push([step, loss]);
    if (this.#curve.length < maxCurve) return;
    this.#curve = this.#curve.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }
}

/** Reads a whole log at once. */
export function readLog(text: string, metric: string): LogReading {
  const reader = new LogReader(metric);
  reader.push(text);
  return reader.end();
}
