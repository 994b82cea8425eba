/**
 * 200 sessions in 50 installations, in one process of the bot: passes, processor time and memory, and how long a webhook waits
 * for its answer while 200 of them come in a second. Runners, GitHub and deliveries are simulated in processes of their own, so
 * that on two cores the bot has less than one to itself.
 *
 *     npm run bench:sessions [-- SECONDS_OF_A_TRIAL [SESSIONS [INSTALLATIONS]]]
 */
import { fork } from "node:child_process";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Latencies, Order } from "./simulation/deliveries.ts";
import { simulate } from "./simulation/world.ts";

const trialSeconds = Number(process.argv[2] ?? 60);
const count = Number(process.argv[3] ?? 200);
const installations = Number(process.argv[4] ?? 50);
/** As long as a trial, so that each session comes by once. */
const seconds = trialSeconds;
const perSecond = 200;

const settled = new Map<string, number>();
const repositories = Array.from({ length: installations }, (_, index) => `owner${index}/model`);
const simulation = await simulate({
  repositories,
  experiments: 100_000,
  trialMs: trialSeconds * 1_000,
  onBrief: ({ session, rows }) => void settled.set(session, rows.length),
});
const memoryMb = () => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20 };
};
const sum = () => [...settled.values()].reduce((all, rows) => all + rows, 0);

const before = memoryMb();
const opened: { owner: string; repo: string; issue: number }[] = [];
for (let index = 0; index < count; index += 1) {
  const repository = repositories[index % installations]!;
  const [owner = "", repo = ""] = repository.split("/");
  opened.push({ owner, repo, issue: await simulation.open(repository) });
}
console.error(`${count} sessions are opened`);
// Until each has its baseline: what follows is every day's work.
while (settled.size < count || Math.min(...settled.values()) < 1) {
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  console.error(`${settled.size} sessions under way, ${sum()} rows`);
}

function deliveries(order: Order): Promise<Latencies> {
  const child = fork(path.join(import.meta.dirname, "simulation/deliveries.ts"), { execArgv: [] });
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.send(order);
  });
}

async function watched<T>(work: () => Promise<T>) {
  const start = {
    passes: await simulation.passes(),
    rows: sum(),
    cpu: process.cpuUsage(),
    ms: performance.now(),
    totals: await simulation.totals(),
  };
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const value = await work();
  delay.disable();
  const elapsed = (performance.now() - start.ms) / 1_000;
  const { user, system } = process.cpuUsage(start.cpu);
  const passes = await simulation.passes();
  const { total, byKind } = await simulation.totals();
  const counted = total - byKind.notModified - (start.totals.total - start.totals.byKind.notModified);
  return {
    value,
    passes: (passes - start.passes) / elapsed,
    experiments: (sum() - start.rows) / elapsed,
    busy: (user + system) / 1e6 / elapsed,
    cpuMsPerPass: (user + system) / 1_000 / (passes - start.passes),
    counted: counted / elapsed,
    delayP99: delay.percentile(99) / 1e6,
    delayMax: delay.max / 1e6,
  };
}

const alone = await watched(() => new Promise((resolve) => setTimeout(resolve, seconds * 1_000)));
const secret = simulation.app.webhookSecret;
const { port } = simulation;
const under = await watched(() => deliveries({ port, secret, perSecond, seconds, sessions: opened }));
const after = memoryMb();
await simulation.close();

const latencies = under.value;
console.log(`${count} sessions in ${installations} installations, trials of ${trialSeconds} s\n`);
console.log(`| | at rest | with ${perSecond} deliveries a second |`);
console.log("| --- | --- | --- |");
const line = (what: string, a: number, b: number, digits = 1) =>
  console.log(`| ${what} | ${a.toFixed(digits)} | ${b.toFixed(digits)} |`);
line("passes a second", alone.passes, under.passes);
line("experiments a second", alone.experiments, under.experiments);
line("cores that the bot used", alone.busy, under.busy, 2);
line("processor time a pass, ms", alone.cpuMsPerPass, under.cpuMsPerPass);
line("requests that count, a second", alone.counted, under.counted);
line("event loop late at p99, ms", alone.delayP99, under.delayP99);
line("event loop late at most, ms", alone.delayMax, under.delayMax);
console.log("");
console.log(
  `webhooks: ${latencies.sent} answered, ${latencies.refused} refused; p50 ${latencies.p50.toFixed(1)} ms, p99 ${latencies.p99.toFixed(1)} ms (bound: 50), longest ${latencies.max.toFixed(1)} ms`,
);
if (latencies.refused > 0 || latencies.p99 > 50) process.exitCode = 1;
console.log(
  `memory: ${before.rss.toFixed(0)} MiB before, ${after.rss.toFixed(0)} MiB after (${((after.rss - before.rss) / count).toFixed(2)} MiB a session); heap ${before.heap.toFixed(0)} → ${after.heap.toFixed(0)} MiB`,
);
