import { expect, test } from "vitest";
import type { Researcher } from "../../src/domain/proposal.ts";
import { startWorld } from "../support/e2e.ts";
import { makeOlder } from "../support/history.ts";
import { scripted, until } from "../support/world.ts";

test("an experiment costs the same requests after 1,000 experiments as after the first, and the dashboard stays small", async () => {
  const first = 4;
  const window = 8;
  // The researcher waits when it is told to, and with it the session.
  let gate: Promise<void> = Promise.resolve();
  const ideas = scripted(
    Array.from({ length: 60 }, (_, index) => ({
      title: `idea ${index}`,
      set: index % 4 === 0 ? { VALUE: 1.9 - index / 1_000 } : { OTHER: index / 100 + 0.001 },
    })),
  );
  const researcher: Researcher = {
    propose: async (brief, signal) => {
      await gate;
      return ideas.propose(brief, signal);
    },
  };
  const world = await startWorld({
    researcher,
    config: "limits: {experiments: 2000}\n",
    exempt: Object.fromEntries(
      ["frontier", "rows", "pulls", "prepared", "furtherPass"].map((rule) => [
        rule,
        "a past that nobody lived through",
      ]),
    ),
  });
  const issue = await world.openSession();
  const settled = (count: number) =>
    until(`${count} experiments are settled`, async () => {
      const rows = await world.rows(issue);
      return rows.length > count ? rows.length - 1 : null;
    });
  const asked = () => {
    const { total, byKind } = world.github.requests();
    return { counted: total - byKind.notModified, notifying: byKind.content };
  };
  const measured = async (from: number) => {
    await settled(from);
    const before = { ...asked(), rows: (await world.rows(issue)).length };
    await settled(from + window);
    const experiments = (await world.rows(issue)).length - before.rows;
    const { counted, notifying } = asked();
    return {
      counted: (counted - before.counted) / experiments,
      notifying: (notifying - before.notifying) / experiments,
    };
  };
  const young = await measured(first);

  let open = () => {};
  gate = new Promise((resolve) => (open = resolve));
  await until("nothing is in flight", async () => {
    const pulls = await world.pulls();
    return (
      pulls.every((pull) => pull.state === "closed") &&
      world.github.core.store.all("workflowRun").every((run) => run.status === "completed")
    );
  });
  const before = await world.rows(issue);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await world.rows(issue)).toEqual(before);
  await makeOlder(world.github, { repository: "ada/model", issue, to: 1_000 });
  open();
  await settled(1_002);
  const old = await measured(1_003);
  // The bounds of docs/design.md, section 11.
  expect(young.counted).toBeLessThanOrEqual(20);
  expect(young.notifying).toBeLessThanOrEqual(2);
  expect(old.counted).toBeLessThanOrEqual(1.2 * young.counted);
  expect(old.notifying).toBeLessThanOrEqual(2);
  expect((await world.dashboard(issue))!.length).toBeLessThan(30_000);
  expect(await world.dashboard(issue)).toContain("The last 100 of");
});
