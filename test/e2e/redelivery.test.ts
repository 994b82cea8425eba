/** What GitHub could not deliver while nobody listened is asked for at the next start. */
import { expect, test } from "vitest";
import { startWorld } from "../support/e2e.ts";
import { scripted } from "../support/world.ts";

test("deliveries that failed while the bot was down are repeated at its start, and wake the session", async () => {
  const world = await startWorld({
    researcher: scripted([{ title: "better", set: { VALUE: 1.9 } }]),
    config: "limits: {experiments: 1}\n",
  });
  const { github } = world;
  await world.stopBot();
  const issue = await world.openSession();
  // An arrival is an event of which every app is told, and in which no session is named.
  await github.world.createRepo({ owner: "ada", name: "other", files: { "a.txt": "a\n" } });
  github.world.install(world.app.appId, "ada/other");
  await github.webhooks.settled();
  const missed = github.webhooks.deliveries(world.app.appId).filter((one) => one.statusCode === 502);
  expect(missed.map((one) => [one.event, one.action])).toEqual([
    ["installation_repositories", "added"],
    ["issues", "labeled"],
    ["issues", "opened"],
  ]);

  // No sweep finds the session, so that what wakes it is what was repeated.
  const blind = { kind: "fail", when: "before", status: 500 } as const;
  github.faults.add({ route: "/app/installations", times: 1_000 }, blind);
  await world.startBot();
  await world.settled(issue, "done");
  const attemptsAt = (guid: string) =>
    github.webhooks
      .deliveries(world.app.appId)
      .filter((one) => one.guid === guid)
      .map((one) => [one.redelivery, one.statusCode]);
  for (const one of missed) {
    expect(attemptsAt(one.guid)).toEqual([
      [true, 200],
      [false, 502],
    ]);
  }
  expect(await world.metrics()).toContain("autoresearch_redeliveries_total 3\n");
});
