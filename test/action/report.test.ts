import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { CheckRun } from "../../action/src/check.ts";
import { encodeMeasurement } from "../../action/src/measurement-json.ts";
import { type Measurement, measurementJsonOf } from "../../src/domain/measurement.ts";
import { bundledEntry, makeWorld, plainSpec, type Result, sourceEntry, startAction, type World } from "./world.ts";

type Failure = "before" | "after" | "503 after" | "refuse" | "limit";

/** The two routes of the Checks API that the report uses, with faults on demand. */
class ChecksApi {
  checks: (CheckRun & { id: number })[] = [];
  requests: { method: string; url: string; authorization: string | undefined }[] = [];
  failures: Failure[] = [];
  readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => void this.#answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api/v3`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    this.requests.push({ method: request.method!, url: request.url!, authorization: request.headers.authorization });
    if (request.method === "GET") {
      return answer(response, 200, {
        check_runs: this.checks.map((check) => ({ ...check, html_url: `https://x/${check.id}` })),
      });
    }
    const failure = this.failures.shift();
    if (failure === "before") return void request.socket.destroy();
    if (failure === "refuse") return answer(response, 403, { message: "Resource not accessible by integration" });
    if (failure === "limit") return answer(response, 429, { message: "slow down" }, { "retry-after": "1" });
    this.checks.push({ ...(JSON.parse(body) as CheckRun), id: this.checks.length + 1 });
    if (failure === "after") return void request.socket.destroy();
    if (failure === "503 after") return answer(response, 503, {});
    answer(response, 201, { html_url: `https://x/${this.checks.length}` });
  }
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

let world: World;
let api: ChecksApi;
beforeAll(() => {
  world = makeWorld({ "train.sh": "true\n" });
});
afterAll(() => world.remove());
beforeEach(async () => {
  api = new ChecksApi();
  await new Promise<void>((resolve) => api.server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => api.server.close());

const measured = (): Measurement => ({
  version: 1,
  status: "measured",
  value: 0.9793,
  trial: "12:7:1",
  commit: "c".repeat(40),
  base: world.base,
  because: "val_bpb 0.979300",
  seconds: 325.9,
  metrics: { val_bpb: 0.9793, num_steps: 953 },
  exitCode: 0,
  signal: null,
  sandbox: "none",
  protectedFiles: { count: 12, changed: [] },
  runner: "gpu-2",
  curve: [
    [1, 9],
    [2, 5],
  ],
  logTail: "---\nval_bpb: 0.9793",
  at: null,
});

async function reportOf(measurement: unknown, env: Record<string, string> = {}, entry = sourceEntry): Promise<Result> {
  return startAction(
    world,
    {
      INPUT_MODE: "report",
      INPUT_COMMIT: "c".repeat(40),
      INPUT_SPEC: JSON.stringify({ ...plainSpec, frontier: 0.9805 }),
      INPUT_MEASUREMENT: typeof measurement === "string" ? measurement : encodeMeasurement(measurement as Measurement),
      GITHUB_API_URL: api.url,
      GITHUB_SERVER_URL: "https://github.example",
      ...env,
    },
    entry,
  ).done;
}

describe.each([
  ["the source", sourceEntry],
  ["the committed bundle", bundledEntry],
])("the check posted by %s", (_, entry) => {
  it("says what was measured, against the frontier, on the candidate's commit", async () => {
    const result = await reportOf(measured(), {}, entry);
    expect(result.status).toBe(0);
    expect(api.checks).toHaveLength(1);
    const [check] = api.checks;
    expect(check).toMatchObject({
      name: "val_bpb",
      head_sha: "c".repeat(40),
      external_id: "12:7:1",
      status: "completed",
      conclusion: "success",
      details_url: "https://github.example/o/r/actions/runs/99",
      output: { title: "0.9793 (−0.0012 against the frontier)", annotations: [] },
    });
    expect(check!.output.summary).toMatchInlineSnapshot(`
      "| metric | frontier | this | Δ |
      | --- | --- | --- | --- |
      | \`val_bpb\` | 0.9805 | 0.9793 | −0.0012 |
      | \`num_steps\` |  | 953 |  |

      loss \`█▁\` 9 at step 1 → 5 at step 2

      sandbox: \`none\` · protected files unchanged (12 files) · runner \`gpu-2\` · trained for 5:26 · [the run](https://github.example/o/r/actions/runs/99) · the whole log is the run's artifact \`log\`"
    `);
    expect(measurementJsonOf(check!.output.text)).toBe(encodeMeasurement(measured()));
    expect(api.requests.map(({ method, url, authorization }) => [method, url, authorization])).toEqual([
      ["POST", "/api/v3/repos/o/r/check-runs", "Bearer ghs_theTokenOfThisVeryJob0123456789"],
    ]);
    expect(result.summary).toContain("### 0.9793 (−0.0012 against the frontier)");
  });
});

describe("the conclusion", () => {
  it.each([
    ["crash", "CUDA out of memory at train.py:412", "failure", "crash: CUDA out of memory at train.py:412"],
    [
      "rejected",
      "changes prepare.py, outside the mutable surface",
      "failure",
      "rejected: changes prepare.py, outside the mutable surface",
    ],
    ["unknown", "val_bpb is nan", "neutral", "unknown: val_bpb is nan"],
    ["timeout", "timeout after 10:00", "timed_out", "timeout after 10:00"],
    ["cancelled", "cancelled while running", "cancelled", "cancelled while running"],
  ] as const)("of %s (%s) is %s", async (status, because, conclusion, title) => {
    const { value: _, ...rest } = measured() as Measurement & { status: "measured" };
    const at = { path: "train.py", line: 412, message: "torch.OutOfMemoryError: CUDA out of memory" };
    await reportOf({ ...rest, status, because, at });
    expect(api.checks[0]).toMatchObject({
      conclusion,
      output: {
        title,
        annotations: [
          { path: "train.py", start_line: 412, end_line: 412, annotation_level: "failure", message: at.message },
        ],
      },
    });
  });

  it("is code on the run's page where it is no number: what a candidate says is no Markdown", async () => {
    const because = "ValueError: [x](https://e) @ada `b` at train.py:4";
    const { value: _, ...rest } = measured() as Measurement & { status: "measured" };
    const result = await reportOf({ ...rest, status: "crash", because });
    expect(result.summary.split("\n")[0]).toBe("### `crash: ValueError: [x](https://e) @ada 'b' at train.py:4`");
  });
});

describe("an outcome that is not known", () => {
  it.each([
    ["the request did not arrive", ["before"], ["POST", "GET", "POST"]],
    ["the answer did not arrive", ["after"], ["POST", "GET"]],
    ["503, and yet it was done", ["503 after"], ["POST", "GET"]],
    ["twice nothing", ["before", "before"], ["POST", "GET", "POST", "GET", "POST"]],
    ["a limit, with the time to wait", ["limit"], ["POST", "GET", "POST"]],
  ] as const)("%s: one check in the end", async (_, failures, methods) => {
    api.failures = [...failures];
    const result = await reportOf(measured());
    expect(result.status).toBe(0);
    expect(api.checks).toHaveLength(1);
    expect(api.requests.map((request) => request.method)).toEqual(methods);
  });

  it("is looked for by what it says: an older check of the same trial is not taken for it", async () => {
    await reportOf({ ...measured(), seconds: 1 });
    api.failures = ["before"];
    await reportOf(measured());
    expect(api.checks.map((check) => check.output.text.includes('"seconds":325.9'))).toEqual([false, true]);
  });

  it("ends with exit status 1 after three more tries", async () => {
    api.failures = ["before", "before", "before", "before"];
    const result = await reportOf(measured());
    expect(result.status).toBe(1);
    expect(result.printed).toContain("::error::no answer to POST /repos/o/r/check-runs");
    expect(api.checks).toEqual([]);
  });
});

describe("what is not reported", () => {
  it.each([
    ["text that is no measurement", "{}", {}, "is not a measurement"],
    ["a value that is not finite", JSON.stringify({ status: "measured", value: null }), {}, "is not a measurement"],
    [
      "a measurement of another trial",
      null,
      { INPUT_TRIAL: "12:8:1" },
      "is of trial 12:7:1, and this run is for 12:8:1",
    ],
    ["a measurement of another commit", null, { INPUT_COMMIT: "d".repeat(40) }, `is of commit ${"c".repeat(40)}`],
    ["nothing", "", {}, "input `measurement` is empty"],
    ["a report without a token", null, { INPUT_TOKEN: "" }, "input `token` is empty"],
  ])("%s", async (_, text, env, sentence) => {
    const result = await reportOf(text ?? measured(), env);
    expect(result.status).toBe(1);
    expect(result.printed).toContain(sentence);
    expect(api.requests).toEqual([]);
  });

  it("what GitHub refuses is not tried again", async () => {
    api.failures = ["refuse"];
    const result = await reportOf(measured());
    expect(result.status).toBe(1);
    expect(result.printed).toContain("::error::GitHub answered 403 to POST /repos/o/r/check-runs");
    expect(api.requests).toHaveLength(1);
  });
});
