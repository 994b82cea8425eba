import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { wrongsIn } from "../support/invariants.ts";
import { scripted, until, type World } from "../support/world.ts";

async function verdictCheck(world: World, experiment: number) {
  const pull = (await world.pulls()).find((each) => each.title.startsWith(`exp ${experiment}:`));
  if (pull === undefined) return null;
  const check = (await world.checks(pull.head.sha)).find((each) => each.name === "autoresearch");
  return check === undefined ? null : { pull, check };
}

test("a gain beyond belief is put to a person, and withdrawn at the end where nobody answers", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "too good", set: { VALUE: 1 } },
      { title: "slow", set: { SLEEP: 8 } },
    ]),
  });
  world.github.world.createUser("eve");
  const issue = await world.openSession();
  const { pull, check } = await until("the check asks", async () => {
    const found = await verdictCheck(world, 1);
    return found?.check.conclusion === "action_required" ? found : null;
  });
  expect(check.output.title).toBe("unknown: a gain of 50 % in one step is beyond belief (metric.max_gain is 20 %)");
  expect((await world.comments(pull.number)).map((each) => each.body)).toEqual([
    expect.stringContaining("**A person is asked.**"),
  ]);
  await world.settled(issue, "done");
  const row = (await world.rows(issue)).find((each) => each.experiment === 1);
  expect(row).toMatchObject({ outcome: "withdrawn", value: null });
  expect(row!.because).toMatch(/beyond belief.*nobody answered before the end/);
});

test("with three questions open nothing new is opened; they are no preparation", async () => {
  const tooGood = [1, 0.9, 0.8, 0.7, 0.6, 0.5].map((value) => ({ title: `too good, ${value}`, set: { VALUE: value } }));
  const world = await startWorld({ researcher: scripted(tooGood) });
  await world.openSession();
  // What was prepared when the third one was asked is measured, and asked about too.
  const pulls = await until("a person is asked about all that is open", async () => {
    const open = await world.pulls();
    const checks = await Promise.all(open.map((pull) => world.checks(pull.head.sha)));
    const isAsked = checks.every((own) => own.some((check) => check.conclusion === "action_required"));
    return open.length >= 3 && isAsked ? open : null;
  });
  await world.stopBot();
  expect([3, 4]).toContain(pulls.length);
  expect(await wrongsIn(world.site)).toEqual([]);
});

test("buttons: keep believes a jump, re-run measures a settled one again, strangers have no voice", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "worse", set: { OTHER: 0.1 } },
      { title: "too good", set: { VALUE: 1 } },
      { title: "endless", set: { SLEEP: 600 } },
    ]),
  });
  world.github.world.createUser("eve");
  const issue = await world.openSession();
  const asked = await until("the check asks", async () => {
    const found = await verdictCheck(world, 2);
    return found?.check.conclusion === "action_required" ? found : null;
  });

  world.github.world.requestedAction(asked.check.id, "keep", "eve");
  await until("eve is told", async () =>
    (await world.comments(asked.pull.number)).find((each) => each.body?.startsWith("@eve, only people with write")),
  );
  expect((await world.record(issue))!.appeals).toEqual([]);

  world.github.world.requestedAction(asked.check.id, "keep", "ada");
  await until("it is merged", async () => (await verdictCheck(world, 2))?.pull.merged_at);
  const row = await until("it is recorded", async () =>
    (await world.rows(issue)).find((each) => each.experiment === 2),
  );
  expect(row).toMatchObject({ outcome: "keep", value: 1 });
  expect(row.because).toContain("kept by @ada");

  // The first lost; its check has the button, too. GitHub's own re-run button does the same.
  const lost = (await verdictCheck(world, 1))!;
  expect(lost.check.conclusion).toBe("neutral");
  await until("a second of GitHub's clock is over", async () =>
    Math.floor(Date.now() / 1000) > Date.parse(lost.check.completed_at!) / 1000 ? true : null,
  );
  world.github.world.rerequested(lost.check.id, "ada");
  await until("it is open again", async () => (await verdictCheck(world, 1))?.pull.state === "open");
  // The pull request is opened first: GitHub may refuse it.
  await until("its row is gone", async () => !(await world.rows(issue)).some((each) => each.experiment === 1));
  const again = (await verdictCheck(world, 1))!.pull;
  expect(again.labels.map((label) => label.name)).not.toContain("discard");

  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  const outcomes = (await world.rows(issue)).map((each) => [each.experiment, each.outcome]);
  expect(outcomes).toContainEqual([1, "withdrawn"]);
  expect(outcomes.filter(([experiment]) => experiment === 1)).toHaveLength(1);
});

test("a press that several are told of at once is written down once, and obeyed once", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "too good", set: { VALUE: 1 } },
      { title: "endless", set: { SLEEP: 600 } },
    ]),
  });
  const { webhooks } = world.github;
  const issue = await world.openSession();
  const { pull, check } = await until("the check asks", async () => {
    const found = await verdictCheck(world, 1);
    return found?.check.conclusion === "action_required" ? found : null;
  });
  webhooks.mode = { kind: "drop" };
  world.github.world.requestedAction(check.id, "keep", "ada");
  const press = await until("GitHub tells of it", async () =>
    webhooks.deliveries(world.app.appId).find((each) => each.action === "requested_action"),
  );
  webhooks.mode = { kind: "deliver" };
  // Nobody's comment is there when the others look for it.
  const comments = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
  world.github.faults.add({ method: "POST", route: comments, times: 3 }, { kind: "latency", ms: 500 });
  const deliver = async () => (await fetch(press.url, { method: "POST", ...webhooks.requestOf(press)! })).status;
  expect(await Promise.all([deliver(), deliver(), deliver()])).toEqual([200, 200, 200]);
  await until("it is merged", async () => (await verdictCheck(world, 1))?.pull.merged_at);
  await until("it is recorded", async () => (await world.rows(issue)).find((each) => each.experiment === 1));
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  const said = (await world.comments(pull.number)).map((each) => each.body!);
  expect(said.filter((body) => body.includes("pressed **Keep**"))).toHaveLength(1);
  expect(said.filter((body) => body.includes("autoresearch:reply"))).toEqual([
    expect.stringContaining("Experiment 1 is kept unless it is worse than the frontier."),
  ]);
});

test("a press that takes too long to be written down is a failed delivery, and with the repeated one it counts once", async () => {
  const world = await startWorld({
    app: { pressWithinMs: 500 },
    researcher: scripted([
      { title: "too good", set: { VALUE: 1 } },
      { title: "endless", set: { SLEEP: 600 } },
    ]),
  });
  const { webhooks } = world.github;
  const issue = await world.openSession();
  const { pull, check } = await until("the check asks", async () => {
    const found = await verdictCheck(world, 1);
    return found?.check.conclusion === "action_required" ? found : null;
  });
  await until("the dashboard is there", () => world.dashboard(issue));
  const comments = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
  world.github.faults.add({ method: "POST", route: comments }, { kind: "latency", ms: 6_000 });
  let removed = 0;
  world.onExchange(({ method, template }) => {
    if (method === "DELETE" && template === "/repos/{owner}/{repo}/issues/comments/{comment_id}") removed += 1;
  });
  world.github.world.requestedAction(check.id, "keep", "ada");
  const press = await until("GitHub counts it as failed", async () =>
    webhooks.deliveries(world.app.appId).find((each) => each.action === "requested_action" && each.statusCode === 500),
  );
  // The comment of the first attempt is still on its way when the second one looks for it, and comes after the second's.
  webhooks.redeliver(press);
  await until("the late comment is taken away", async () => removed === 1);
  await until("it is recorded", async () => (await world.rows(issue)).find((each) => each.experiment === 1));
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
  const attempts = webhooks.deliveries(world.app.appId).filter((each) => each.guid === press.guid);
  expect(attempts.map((each) => each.statusCode)).toEqual([200, 500]);
  const said = (await world.comments(pull.number)).map((each) => each.body!);
  expect(said.filter((body) => body.includes("pressed **Keep**"))).toHaveLength(1);
  expect(said.filter((body) => body.includes("autoresearch:reply"))).toHaveLength(1);
});

test("a press that was written down late is obeyed before GitHub repeats its delivery", async () => {
  const world = await startWorld({
    app: { pressWithinMs: 500, sweepEveryMs: 3_600_000 },
    researcher: scripted([{ title: "endless", set: { SLEEP: 600 } }]),
  });
  const issue = await world.openSession();
  const check = await until("experiment 1 trains", async () => (await verdictCheck(world, 1))?.check);
  await until("the dashboard is there", () => world.dashboard(issue));
  const comments = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
  world.github.faults.add({ method: "POST", route: comments }, { kind: "latency", ms: 1_500 });
  world.github.world.requestedAction(check.id, "stop", "ada");
  await world.settled(issue, "stopped");
  const { webhooks } = world.github;
  const press = webhooks.deliveries(world.app.appId).filter((each) => each.action === "requested_action");
  expect(press.map((each) => each.statusCode)).toEqual([500]);
});

test("a settled experiment that is measured again has one row, the mean of its trials", async () => {
  const world = await startWorld({
    researcher: scripted([
      { title: "worse", set: { OTHER: 0.1 } },
      { title: "slow", set: { SLEEP: 6 } },
    ]),
  });
  const issue = await world.openSession();
  const lost = await until("the first is settled", async () => {
    const found = await verdictCheck(world, 1);
    return found?.pull.labels.some((label) => label.name === "discard") ? found : null;
  });
  await until("a second of GitHub's clock is over", async () =>
    Math.floor(Date.now() / 1000) > Date.parse(lost.check.completed_at!) / 1000 ? true : null,
  );
  await world.comment(lost.pull.number, "/autoresearch rerun");
  await world.settled(issue, "done");
  const rows = (await world.rows(issue)).filter((each) => each.experiment === 1);
  expect(rows).toMatchObject([{ outcome: "discard", value: 2.1 }]);
  const runs = (await world.runs()).filter((run) => run.display_title.startsWith(`autoresearch ${issue}:1:`));
  expect(runs.map((run) => run.display_title).sort()).toEqual([
    `autoresearch ${issue}:1:1`,
    `autoresearch ${issue}:1:2`,
  ]);
  expect((await verdictCheck(world, 1))!.pull.body).toContain("| trials | | 2.1000, 2.1000 | |");
});
