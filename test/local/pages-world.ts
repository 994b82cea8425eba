/** A local GitHub with pages on it and a made-up session in it: an issue, two experiments, checks, a run, a results branch. */
import { request as httpRequest } from "node:http";
import { appendLine } from "../../src/local/github/actions/job-log.ts";
import { jobsOf } from "../../src/local/github/actions/rows.ts";
import { pagesOf } from "../../src/local/pages/pages.ts";
import { at, commitOn, startTestWorld, type TestWorld, tipOf } from "./github-world.ts";

const workflow = `name: autoresearch
run-name: autoresearch \${{ inputs.trial }}
on:
  workflow_dispatch:
    inputs:
      trial: { type: string, required: true }
jobs:
  train:
    runs-on: [self-hosted, gpu]
    steps:
      - run: echo hello
`;
export const workflowPath = ".github/workflows/autoresearch.yml";
export const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><style>rect{fill:red}</style><rect/></svg>\n`;
const results = "commit\tval_bpb\tstatus\tdescription\tpull_request\n";

/** Far enough apart that two changes do not conflict. */
function code(rate: number, depth: number): string {
  return `LR = ${rate}\n\n\n\n\n\nDEPTH = ${depth}\n`;
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

/** One HTTP request with exactly these headers (fetch would not let a test choose `Host`). */
export function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method: options.method ?? "GET", headers: options.headers ?? {} },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (bytes: Buffer) => parts.push(bytes));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(parts).toString("utf8"),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(options.body);
  });
}

export type PagesWorld = Awaited<ReturnType<typeof startPagesWorld>>;

/** `actAs` null: the pages only show. */
export async function startPagesWorld(actAs: string | null = "ada") {
  const world = await startTestWorld({ files: { "train.py": code(0.1, 4), [workflowPath]: workflow } });
  const { github } = world;
  github.serve(pagesOf(github, actAs === null ? {} : { actAs }));
  const page = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(new URL(path, github.url).href, { headers });
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> =>
    ask(`${github.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: github.url, ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  return {
    ...world,
    page,
    post,
    /** Loads the page and sends its form, as a browser does. */
    submit: async (path: string, fields: Record<string, string>): Promise<Answer> => {
      const token = /name="token" value="([\w-]+)"/.exec((await page(path)).text)?.[1] ?? "";
      return post(path, { token, ...fields });
    },
  };
}

/** Fills the world; gives what the tests name. */
export async function makeSession(world: TestWorld) {
  const { bot, as, github } = world;
  const ada = as("ada");
  const issue = (
    await ada.rest.issues.create({
      ...at,
      title: "Lower it",
      body: "# The program\n\nTry *things*.",
      labels: ["autoresearch"],
    })
  ).data;
  const main = await tipOf(bot, "main");
  await bot.rest.git.createRef({ ...at, ref: "refs/heads/autoresearch/1/frontier", sha: main });
  const won = await experiment(world, 1, code(0.2, 4));
  const lost = await experiment(world, 2, code(0.1, 5));
  const check = await post(world, won, "val_bpb", "success");
  await post(world, lost, "val_bpb", "failure");
  await bot.rest.issues.addLabels({ ...at, issue_number: won.number, labels: ["keep"] });
  const merged = (await bot.rest.pulls.merge({ ...at, pull_number: won.number })).data.sha;
  await bot.rest.pulls.update({ ...at, pull_number: lost.number, state: "closed" });
  const resultsTip = await orphan(world, {
    "results.tsv": `${results}${won.head.slice(0, 7)}\t2.100000\tkeep\tLR <b>up</b>\t${won.number}\n`,
    "progress.svg": picture,
    "page.html": "<script>alert(1)</script>",
  });
  const said = (await ada.rest.issues.createComment({ ...at, issue_number: 1, body: "/autoresearch status" })).data;
  await bot.rest.reactions.createForIssueComment({ ...at, comment_id: said.id, content: "+1" });
  const dashboard = (
    await bot.rest.issues.createComment({
      ...at,
      issue_number: 1,
      body: `**autoresearch** · running\n\n![progress](${github.url}/octo/lab/blob/${resultsTip}/progress.svg?raw=true)\n\n| exp | |\n| --- | --- |\n| #${won.number} exp 1 | keep |\n\n<!-- autoresearch:dashboard -->`,
    })
  ).data;
  const runId = await dispatch(world);
  return { issue, won, lost, check, merged, resultsTip, said, dashboard, runId, main };
}

type Experiment = { readonly number: number; readonly head: string };

async function experiment({ bot }: TestWorld, number: number, text: string): Promise<Experiment> {
  const branch = `autoresearch/1/exp-000${number}`;
  const message = `exp ${number}: change\n\nBecause it may.\n\nResearcher: mutate\nSession: #1`;
  const head = await commitOn(bot, await tipOf(bot, "main"), { "train.py": text }, message);
  await bot.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: head });
  const base = "autoresearch/1/frontier";
  const { data } = await bot.rest.pulls.create({
    ...at,
    title: `exp ${number}: change`,
    head: branch,
    base,
    body: "Why",
  });
  return { number: data.number, head };
}

async function post({ bot, github }: TestWorld, of: Experiment, name: string, conclusion: "success" | "failure") {
  const { data } = await bot.rest.checks.create({
    ...at,
    name,
    head_sha: of.head,
    external_id: `1:${of.number}:1`,
    details_url: `${github.url}/octo/lab/actions`,
    status: "completed",
    conclusion,
    output: {
      title: "2.1000 (−0.0200 against the frontier)",
      summary: "| metric | value |\n| --- | --- |\n| val_bpb | 2.1 |",
      text: "### The end of the log\n\n```text\nstep 1\n```",
      annotations: [
        { path: "train.py", start_line: 2, end_line: 2, annotation_level: "failure", message: "it broke here" },
      ],
    },
    actions: [{ label: "Keep it", description: "Merge it whatever it measured", identifier: "keep" }],
  });
  return data;
}

async function orphan({ bot }: TestWorld, files: Readonly<Record<string, string>>): Promise<string> {
  const tree = Object.entries(files).map(([path, content]) => ({
    path,
    content,
    mode: "100644" as const,
    type: "blob" as const,
  }));
  const laid = (await bot.rest.git.createTree({ ...at, tree })).data.sha;
  const { sha } = (await bot.rest.git.createCommit({ ...at, message: "Results", tree: laid, parents: [] })).data;
  await bot.rest.git.createRef({ ...at, ref: "refs/heads/autoresearch/1/results", sha });
  return sha;
}

/** A run whose job waits, with a line in its log. */
async function dispatch({ bot, github }: TestWorld): Promise<number> {
  const { data } = await bot.request("POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", {
    ...at,
    workflow_id: "autoresearch.yml",
    ref: "main",
    inputs: { trial: "1:1:1" },
    return_run_details: true,
  });
  const runId = (data as unknown as { workflow_run_id: number }).workflow_run_id;
  const [job] = jobsOf(github.core.store, github.core.store.get("workflowRun", runId)!);
  appendLine(github.core, job!.id, "##[error]<img src=x onerror=alert(1)>");
  return runId;
}
