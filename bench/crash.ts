/**
 * Crash everywhere: one session, and at each of its requests to GitHub each kind of fault, the killing of the process included.
 * Each time the session must come to the same end as undisturbed. Prints a table, and what is lost (nothing).
 *
 *     npm run bench:crash                    all of it
 *     npm run bench:crash -- --every 10      each tenth request
 *     npm run bench:crash -- --lanes 4       four cases at a time (2)
 *     npm run bench:crash -- --kind "500 after" --at 17
 *     npm run bench:crash -- --seed 42       what the test of this seed tried
 */
import { parseArgs } from "node:util";
import { faultKinds, runCase } from "../test/support/crash-case.ts";
import { allCases, openLab, runSeries, sampleOf, sampleSize, type Tried } from "../test/support/crash-series.ts";

const { values } = parseArgs({
  options: {
    every: { type: "string", default: "1" },
    lanes: { type: "string", default: "2" },
    kind: { type: "string" },
    at: { type: "string" },
    seed: { type: "string" },
  },
});
const lanes = Number(values.lanes);
const lab = openLab(lanes);

function tableOf(tried: readonly Tried[]): string {
  const kinds = [...faultKinds];
  const routes = [...new Set(tried.map(({ hit }) => hit ?? "(not reached: fewer requests this time)"))].sort();
  const cell = (some: readonly Tried[]) => {
    const lost = some.filter(({ wrongs }) => wrongs.length > 0).length;
    return some.length === 0 ? "" : lost === 0 ? String(some.length) : `${some.length} (${lost} lost)`;
  };
  const row = (name: string, of: (each: Tried) => boolean) => {
    const own = tried.filter(of);
    const cells = kinds.map((kind) => cell(own.filter((each) => each.kind === kind)));
    return `| ${name} | ${cells.join(" | ")} |`;
  };
  return [
    `| request | ${kinds.join(" | ")} |`,
    `| --- | ${kinds.map(() => "---:").join(" | ")} |`,
    ...routes.map((route) =>
      row(`\`${route}\``, ({ hit }) => (hit ?? routes.find((each) => each.startsWith("("))) === route),
    ),
    row("**all**", () => true),
  ].join("\n");
}

/** The table and one line below it. */
function tell(tried: readonly Tried[], trials: number, startedMs: number): void {
  const lost = tried.filter(({ wrongs }) => wrongs.length > 0).length;
  const again = tried.reduce((sum, { runs }) => sum + Math.max(0, runs - trials), 0);
  const restarts = tried.reduce((sum, each) => sum + each.restarts, 0);
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
  console.log(`\n\n${tableOf(tried)}\n`);
  console.log(
    `${tried.length} cases in ${minutes} minutes: ${lost} lost something; ${restarts} restarts, ${again} trials done again`,
  );
}

try {
  const undisturbed = await runCase(null, lab);
  if (undisturbed.wrongs.length > 0) throw new Error(`undisturbed: ${undisturbed.wrongs.join("; ")}`);
  console.log(`${undisturbed.requests} requests undisturbed, ${undisturbed.runs} trials`);
  const chosen =
    values.seed === undefined
      ? allCases(undisturbed.requests)
      : sampleOf(undisturbed.requests, sampleSize, Number(values.seed));
  const cases = chosen.filter(
    ({ kind, at }) =>
      (values.kind === undefined || kind === values.kind) &&
      (values.at === undefined ? at % Number(values.every) === 0 : at === Number(values.at)),
  );
  const startedMs = performance.now();
  const tried: Tried[] = [];
  // Whoever has no time for all of it gets what there is.
  process.once("SIGINT", () => {
    tell(tried, undisturbed.runs, startedMs);
    process.exit(130);
  });
  await runSeries(cases, undisturbed, lab, lanes, (each) => {
    tried.push(each);
    const done = tried.length;
    const seconds = (performance.now() - startedMs) / 1000;
    const left = ((seconds / done) * (cases.length - done)).toFixed(0);
    process.stderr.write(`\r${done} of ${cases.length}, ${left} s to go   `);
    if (each.wrongs.length > 0)
      console.log(`\n${each.kind} at ${each.at} (${each.hit}):\n  ${each.wrongs.join("\n  ")}`);
  });
  tell(tried, undisturbed.runs, startedMs);
  process.exitCode = tried.every(({ wrongs }) => wrongs.length === 0) ? 0 : 1;
} finally {
  lab.end();
}
