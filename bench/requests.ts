/**
 * What an experiment costs in GitHub requests: a session of 40 experiments, of which a third gain, on the local GitHub with
 * real webhooks and the real action; the first ten are left out, so that start and end do not count.
 *
 *     npm run bench
 *
 * Ends with status 1 where a bound (docs/design.md, section 11) is passed. The runner's own jobs have a token and a limit of
 * their own: theirs are shown, and are not held against the bound of the bot's.
 */
import { scripted, startWorld, until } from "../test/support/world.ts";

const experiments = 40;
const first = 10;

const ideas = Array.from({ length: experiments }, (_, index) => ({
  title: `idea ${index + 1}`,
  set: index % 3 === 0 ? { VALUE: 2 - (index + 1) / 100 } : { OTHER: (index + 1) / 100 },
}));
const config = `limits: {experiments: ${experiments}}\n`;
const world = await startWorld({ training: "real", researcher: scripted(ideas), config });
const issue = await world.openSession();
const rowsReach = (count: number) =>
  until(`${count} experiments are settled`, async () => (await world.rows(issue)).length > count, 600_000);

await rowsReach(first);
let ofJobs = 0;
world.onExchange(({ actor, kind }) => {
  if (actor === "job" && kind !== "notModified") ofJobs += 1;
});
const before = world.github.requests();
await rowsReach(experiments - 1);
const after = world.github.requests();
const ofBot = after.total - after.byKind.notModified - (before.total - before.byKind.notModified) - ofJobs;
await world.close();

const settled = experiments - 1 - first;
const per = (count: number) => (count / settled).toFixed(2).padStart(6);
const counted = (route: Record<string, number> | undefined) =>
  Object.entries(route ?? {}).reduce((sum, [kind, count]) => sum + (kind === "notModified" ? 0 : count), 0);
const routes = Object.keys(after.byRoute)
  .map((name) => ({ name, count: counted(after.byRoute[name]) - counted(before.byRoute[name]) }))
  .filter(({ count }) => count > 0)
  .sort((a, b) => b.count - a.count);
for (const { name, count } of routes) console.log(`${per(count)}  ${name}`);
console.log(`${per(ofBot)}  requests of the bot an experiment that count (bound: 20)`);
console.log(`${per(ofJobs)}  of the runner's own jobs`);
console.log(`${per(after.byKind.content - before.byKind.content)}  of them notify (bound: 2)`);
if (ofBot > 20 * settled || after.byKind.content - before.byKind.content > 2 * settled) process.exitCode = 1;
console.log(`${per(after.byKind.notModified - before.byKind.notModified)}  answered 304, which are free`);
