/** A session whose agent can't do what it is asked for: nothing holds up the next idea for ever. */
import { expect, test } from "vitest";
import { command } from "../../src/researcher/command/command.ts";
import { startWorld } from "../support/e2e.ts";
import { until } from "../support/world.ts";

/**
 * Breaks the code first. Then it answers without a change where it is asked for a repair or for somebody's idea; else it
 * makes the value better, once.
 */
const agent = `
say() { printf '{"title": "%s", "hypothesis": "It helps."}' "$1" > "$AUTORESEARCH_ANSWER"; }
if grep -q '^  "repair": {' "$AUTORESEARCH_BRIEF_JSON"; then say 'mended'
elif grep -q 'turn lead into gold' "$AUTORESEARCH_BRIEF"; then say 'gold'
elif grep -q '^  "experiment": 1,' "$AUTORESEARCH_BRIEF_JSON"; then sed -i 's/^CRASH = .*/CRASH = 1/' train.py; say 'broken'
elif ! grep -q 'better' "$AUTORESEARCH_BRIEF_JSON"; then sed -i 's/^VALUE = .*/VALUE = 1.8/' train.py; say 'better'
else echo '{"nothing": "all was tried"}' > "$AUTORESEARCH_ANSWER"; fi
`;

const means = {
  commands: { agent: { run: agent, env: [] } },
  environment: { PATH: process.env["PATH"] },
};

test("a crash that the agent can't mend and a `try` that it can't take up leave room for the next idea", async () => {
  const world = await startWorld({ researcher: command("agent", means) });
  const issue = await world.openSession();
  await until("the crash is seen", async () => (await world.dashboard(issue))?.includes("broken") === true);
  await world.comment(issue, "/autoresearch try to turn lead into gold");
  await world.settled(issue, "done");
  const rows = await world.rows(issue);
  const outcomes = Object.fromEntries(rows.map(({ description, outcome }) => [description, outcome]));
  expect(outcomes).toEqual({ baseline: "keep", broken: "crash", better: "keep" });
  expect(rows.find(({ outcome }) => outcome === "crash")!.because).toMatch(
    /; not mended: no change of agent passed the guard in 3 runs; the last: it changes nothing$/,
  );
  const record = (await world.record(issue))!;
  expect(record.because).toBe("all was tried");
  expect(record.steering).toMatchObject([
    {
      text: "to turn lead into gold",
      takenUpIn: null,
      dropped: expect.stringContaining("it changes nothing") as string,
    },
  ]);
  const said = (await world.comments(issue)).map(({ body }) => body);
  expect(said.filter((body) => body?.includes("“to turn lead into gold” came to nothing"))).toHaveLength(1);
});
