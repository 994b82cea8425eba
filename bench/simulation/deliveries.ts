/**
 * Sends signed webhooks at a steady pace, from a process of its own, and says how long their answers took: GitHub's own examples,
 * about sessions that there are and about nothing that concerns the bot.
 */
import { createHmac, randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { createRequire } from "node:module";

export type Order = {
  readonly port: number;
  readonly secret: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly sessions: readonly { readonly owner: string; readonly repo: string; readonly issue: number }[];
};
export type Latencies = {
  readonly sent: number;
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
};

type Example = { name: string; examples: Record<string, unknown>[] };
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json") as Example[];
const pick = (name: string, action: string | null) =>
  examples.find((each) => each.name === name)!.examples.find((each) => action === null || each["action"] === action)!;
const templates = [
  { name: "check_run", payload: pick("check_run", "completed") },
  { name: "workflow_run", payload: pick("workflow_run", "completed") },
  { name: "workflow_job", payload: pick("workflow_job", "completed") },
  { name: "issue_comment", payload: pick("issue_comment", "created") },
  { name: "push", payload: pick("push", null) },
  { name: "check_suite", payload: pick("check_suite", "completed") },
];

/** The `index`-th delivery: each kind in turn, each session in turn. */
function deliveryOf({ sessions }: Order, index: number): { name: string; body: string } {
  const { name, payload } = templates[index % templates.length]!;
  const { owner, repo, issue } = sessions[index % sessions.length]!;
  const repository = {
    ...(payload["repository"] as object),
    name: repo,
    full_name: `${owner}/${repo}`,
    owner: { login: owner },
  };
  const about =
    name === "check_run"
      ? { check_run: { ...(payload["check_run"] as object), external_id: `${issue}:1:1` } }
      : name === "workflow_run"
        ? {
            workflow_run: {
              ...(payload["workflow_run"] as object),
              display_title: `autoresearch ${issue}:1:1`,
              conclusion: "failure",
            },
          }
        : {};
  return { name, body: JSON.stringify({ ...payload, ...about, repository }) };
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send({ port, secret }: Order, { name, body }: { name: string; body: string }): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "GitHub-Hookshot/bench",
      "x-github-event": name,
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    };
    const sent = request(
      { port, host: "127.0.0.1", path: "/api/github/webhooks", method: "POST", agent, headers },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on("error", () => resolve(0));
    sent.end(body);
  });
}

async function deliver(order: Order): Promise<Latencies> {
  const total = order.perSecond * order.seconds;
  const times: number[] = [];
  let refused = 0;
  const answers: Promise<void>[] = [];
  const startMs = performance.now();
  while (answers.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * order.perSecond));
    while (answers.length < due) {
      const delivery = deliveryOf(order, answers.length);
      const atMs = performance.now();
      const answered = async () => {
        const status = await send(order, delivery);
        times.push(performance.now() - atMs);
        if (status !== 200 && status !== 202) refused += 1;
      };
      answers.push(answered());
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(answers);
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))]!;
  return { sent: times.length, refused, p50: at(0.5), p99: at(0.99), max: times.at(-1)! };
}

async function answer(order: Order): Promise<void> {
  const latencies = await deliver(order);
  process.send?.(latencies, () => process.exit(0));
}

process.once("message", (order: Order) => void answer(order));
