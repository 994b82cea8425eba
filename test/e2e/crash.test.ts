/**
 * Crash everywhere, by sample: at some requests of the bot, chosen by chance, each kind of fault. `npm run bench:crash` tries
 * all of them; with `-- --seed SEED` it tries what a seed of here chose.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CaseResult, faultKinds, runCase } from "../support/crash-case.ts";
import { differences, openLab, runSeries, sampleOf, sampleSize } from "../support/crash-series.ts";

const seed = Math.floor(Math.random() * 1e9);
const lanes = 2;
let lab: ReturnType<typeof openLab>;
let undisturbed: CaseResult;

beforeAll(async () => {
  lab = openLab(lanes);
  undisturbed = await runCase(null, lab);
});
afterAll(() => lab.end());

test("undisturbed, the scenario has all that may go wrong in it", () => {
  expect(undisturbed.wrongs).toEqual([]);
  const [session] = undisturbed.snapshot;
  expect(session!.state).toBe("stopped");
  expect(session!.rows.map((row) => row.split(" | ").slice(0, 2).join(" "))).toEqual([
    "0 keep",
    "1 keep",
    "3 discard",
    "4 crash",
    "2 keep",
    "5 withdrawn",
  ]);
  // The second winner was stale: of its two trials, one was of the commit that was carried.
  expect(undisturbed.runs).toBe(7);
});

test(
  "killed, refused or left without an answer at any request, the session comes to the same end",
  { timeout: 300_000 },
  async () => {
    console.log(`crash: seed ${seed}, ${sampleSize} of ${undisturbed.requests} × ${faultKinds.length} cases`);
    const sample = sampleOf(undisturbed.requests, sampleSize, seed);
    const tried = await runSeries(sample, undisturbed, lab, lanes, () => {});
    const lost = tried.filter(({ wrongs }) => wrongs.length > 0);
    expect(lost.map(({ kind, at, hit, wrongs }) => [`${kind} at ${at}, ${hit}`, ...wrongs])).toEqual([]);
    // A bot that is killed is really gone, and another one finishes.
    const killed = tried.filter(({ kind, hit }) => hit !== null && kind.startsWith("killed"));
    expect(killed.filter(({ restarts }) => restarts === 0)).toEqual([]);
  },
);

test("a time-out that comes when the world looks finished already is waited for, and so is what the bot does about it", async () => {
  // The first label says that the session runs, the second that it is stopped: nothing is written after it.
  const among = { method: "POST", route: "/repos/{owner}/{repo}/issues/{issue_number}/labels" };
  const late = await runCase({ kind: "time-out", at: 2, among }, lab);
  expect(late.hit).toBe(`${among.method} ${among.route}`);
  // Whoever met it looked again.
  expect(late.requestsAfter).toBeGreaterThan(0);
  expect([...late.wrongs, ...differences(undisturbed.snapshot, late.snapshot)]).toEqual([]);
});

test.each(["killed before", "killed after"] as const)(
  "%s a carried change is on its branch, the bot leaves no check open on what it was before",
  async (kind) => {
    const among = { method: "PATCH", route: /\/git\/refs\/.*exp-/ };
    const carried = await runCase({ kind, at: 1, among }, lab);
    expect(carried.restarts).toBe(1);
    expect([...carried.wrongs, ...differences(undisturbed.snapshot, carried.snapshot)]).toEqual([]);
  },
);
