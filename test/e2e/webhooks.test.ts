/** Webhooks are hints: lost, doubled, out of order, late or forged, the session ends in the same world. */
import { beforeAll, describe, expect, test } from "vitest";
import type { AppOptions } from "../../src/app.ts";
import type { Row } from "../../src/domain/results.ts";
import type { DeliveryMode } from "../../src/local/github/webhooks.ts";
import { startWorld } from "../support/e2e.ts";
import { type WorldOptions, scripted, startWorld as startUnwatched, until } from "../support/world.ts";
import { type WorldSnapshot, worldSnapshot } from "../support/world-snapshot.ts";

const rarely = 3_600_000;
const config = "limits: {experiments: 4}\n";
/** The last one may be built on the base or on what won before it, and becomes the same in the end. */
const ideas = [
  { title: "worse", set: { OTHER: 0.5 } },
  { title: "broken", set: { CRASH: 1 } },
  { title: "better", set: { VALUE: 1.9 } },
  { title: "better still", set: { OTHER: -0.1 } },
];

const options = (app: Partial<AppOptions> = {}): WorldOptions => ({ researcher: scripted(ideas), config, app });

let undisturbed: WorldSnapshot;
let rows: Row[];

beforeAll(async () => {
  const world = await startUnwatched(options());
  const issue = await world.openSession();
  await world.settled(issue, "done");
  await world.stopBot();
  undisturbed = await worldSnapshot(world.site);
  rows = await world.rows(issue);
  await world.close();
});

test("undisturbed, there is something to be lost", () => {
  expect(rows.map((row) => row.outcome)).toEqual(["keep", "discard", "crash", "keep", "keep"]);
});

describe("the world is the same when deliveries are", () => {
  test.each<[string, DeliveryMode, Partial<AppOptions>]>([
    ["all lost, and only the sweep comes by", { kind: "drop" }, { sweepEveryMs: 300 }],
    ["all doubled", { kind: "double" }, { sweepEveryMs: rarely }],
    ["shuffled", { kind: "shuffle", windowMs: 800 }, { sweepEveryMs: rarely }],
    ["delayed past the next pass", { kind: "delay", ms: 1_200 }, { sweepEveryMs: rarely }],
  ])("%s", async (_name, mode, app) => {
    const world = await startWorld(options(app));
    world.github.webhooks.mode = mode;
    const issue = await world.openSession();
    await world.settled(issue, "done");
    await world.stopBot();
    expect(await worldSnapshot(world.site)).toEqual(undisturbed);
  });
});

test("a stop that nobody heard is found before its cancelled trial is measured again", async () => {
  const training: WorldOptions["training"] = ({ trial }) => trial.experiment === 0;
  const world = await startWorld({ ...options({ sweepEveryMs: rarely }), training });
  const issue = await world.openSession();
  const run = await until("experiment 1 is in training", async () =>
    (await world.runs()).find((each) => each.display_title.includes(":1:") && each.status === "in_progress"),
  );
  world.github.webhooks.mode = { kind: "drop" };
  await world.comment(issue, "/autoresearch stop");
  world.github.webhooks.mode = { kind: "deliver" };
  await world.as("ada").rest.actions.cancelWorkflowRun({ ...world.at, run_id: run.id });
  await world.settled(issue, "stopped");
  expect((await world.runs()).map((each) => each.display_title).sort()).toEqual(
    [0, 1].map((experiment) => `autoresearch ${issue}:${experiment}:1`),
  );
});

test("a stop that nobody heard is found before the report is opened", async () => {
  let mayEnd = false;
  const world = await startWorld({
    ...options({ sweepEveryMs: rarely }),
    researcher: scripted([
      { title: "better", set: { VALUE: 1.9 } },
      { title: "worse", set: { OTHER: 0.5 } },
    ]),
    config: "limits: {experiments: 2}\n",
    training: ({ trial }) => trial.experiment !== 2 || mayEnd,
  });
  const issue = await world.openSession();
  await until("the winner is settled and the last experiment in training", async () => {
    const settled = (await world.pulls()).some((pull) => pull.labels.some((label) => label.name === "keep"));
    const last = (await world.runs()).find((each) => each.display_title.includes(":2:"));
    return settled && last?.status === "in_progress";
  });
  world.github.webhooks.mode = { kind: "drop" };
  await world.comment(issue, "/autoresearch stop");
  world.github.webhooks.mode = { kind: "deliver" };
  mayEnd = true;
  // Whatever changes has the runners ask whether their trainings may end.
  await world.comment(issue, "good night");
  await world.settled(issue, "stopped");
  expect((await world.rows(issue)).map((row) => row.outcome)).toEqual(["keep", "keep", "discard"]);
  const heads = (await world.pulls()).map((pull) => pull.head.ref);
  expect(heads.filter((head) => head.endsWith("/frontier"))).toEqual([]);
});

test("a forged delivery is answered 400 and wakes nothing", async () => {
  const world = await startWorld(options({ sweepEveryMs: rarely }));
  const { webhooks } = world.github;
  await until("the first sweep is over", async () => (await world.metrics()).includes('sweeps_total{end="done"} 1'));
  const labelled = (issue: number) =>
    webhooks.deliveries(world.app.appId).find((one) => {
      const { body } = webhooks.requestOf(one)!;
      return one.action === "labeled" && (JSON.parse(body) as { issue: { number: number } }).issue.number === issue;
    })!;
  // Nothing is heard of the first issue but what strangers say.
  webhooks.mode = { kind: "drop" };
  const issue = await world.openSession();
  const { headers, body } = webhooks.requestOf(labelled(issue))!;
  const { url } = labelled(issue);
  const signature = headers["x-hub-signature-256"]!;
  const before = await world.metrics();
  for (const forged of [
    { body, headers: { ...headers, "x-hub-signature-256": `sha256=${"0".repeat(64)}` } },
    { body: body.replace("model", "other"), headers },
    { body, headers: { ...headers, "x-hub-signature-256": signature.slice(0, -1) } },
    { body, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !name.includes("signature"))) },
  ]) {
    expect((await fetch(url, { method: "POST", ...forged })).status).toBe(400);
  }
  // Had one of them woken the session, its pass would have begun before this one's.
  webhooks.mode = { kind: "deliver" };
  const other = await world.openSession();
  await until("the other session runs", () => world.record(other));
  expect(await world.record(issue)).toBeNull();
  const hints = (metrics: string) => /^autoresearch_hints_total\{source="issues"\} (\d+)$/m.exec(metrics)?.[1] ?? "0";
  expect(hints(before)).toBe("0");
  // Signed as it should be, the same delivery is heard.
  expect((await fetch(url, { method: "POST", headers, body })).status).toBe(200);
  await until("the session runs", () => world.record(issue));
});
