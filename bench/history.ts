/**
 * What an experiment costs the bot when 10 are settled, and when 1,000 are: requests that count, processor time of the bot's
 * own process, memory. The runners are simulated; the local GitHub is a process of its own and is not measured.
 *
 *     npm run bench:history [-- EXPERIMENTS]
 */
import { simulate } from "./simulation/world.ts";

const late = Number(process.argv[2] ?? 1_000);
const early = 10;
const window = 60;

type Mark = { readonly cpuMs: number; readonly wallMs: number; readonly counted: number; readonly heapMb: number };
type Listener = (rows: number) => void | Promise<void>;
const listeners = new Map<string, Listener>();

const simulation = await simulate({
  repositories: ["ada/warm", "ada/old", "ada/young"],
  experiments: late + 10 * window,
  trialMs: 0,
  onBrief: async ({ session, rows }) => listeners.get(session)?.(rows.length - 1),
});

async function mark(): Promise<Mark> {
  const { user, system } = process.cpuUsage();
  const wallMs = performance.now();
  const { total, byKind } = await simulation.totals();
  globalThis.gc?.();
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  return { cpuMs: (user + system) / 1_000, wallMs, counted: total - byKind.notModified, heapMb };
}

/** Figures per experiment, of the experiments after the first ones; `to`: made so old before it is looked at. */
async function measured(repository: string, to: number | null) {
  const marks: Mark[] = [];
  let [from, aging] = [0, false];
  await new Promise<void>((resolve, reject) => {
    const listener: Listener = async (rows) => {
      // The proposal that is asked for now waits; so does the session when what is in flight is settled.
      if (!aging && rows >= early) {
        aging = true;
        if (to !== null) await simulation.age(repository, 1, to);
        from = Math.max(rows, to ?? 0) + 4;
      } else if (aging && rows >= from && marks.length === 0) {
        marks.push(await mark());
        from = rows;
      } else if (marks.length === 1 && rows >= from + window) {
        marks.push(await mark());
        const [a, b] = [marks[0]!, marks[1]!];
        const per = (key: keyof Mark) => (b[key] - a[key]) / (rows - from);
        figures = { cpuMs: per("cpuMs"), wallMs: per("wallMs"), counted: per("counted"), heapMb: b.heapMb };
        listeners.delete(`${repository}#1`);
        resolve();
        await new Promise(() => {});
      }
    };
    listeners.set(`${repository}#1`, listener);
    simulation.open(repository).catch(reject);
  });
  return figures!;
}
let figures: Mark | null = null;

// A process that has just begun is slower: one session warms it up.
await measured("ada/warm", null);
const old = await measured("ada/old", late);
const young = await measured("ada/young", null);
await simulation.close();

const line = (what: string, before: number, after: number, bound: string) =>
  console.log(`| ${what} | ${before.toFixed(2)} | ${after.toFixed(2)} | ${(after / before).toFixed(2)} | ${bound} |`);
console.log(`| per experiment | after ${early} | after ${late} | ratio | bound |`);
console.log("| --- | --- | --- | --- | --- |");
line("requests that count", young.counted, old.counted, "1.20");
line("processor time of the bot, ms", young.cpuMs, old.cpuMs, "1.20");
line("wall clock with simulated runners, ms", young.wallMs, old.wallMs, "");
line("heap after collection, MiB", young.heapMb, old.heapMb, "");
if (old.counted > 1.2 * young.counted || old.cpuMs > 1.2 * young.cpuMs) process.exitCode = 1;
