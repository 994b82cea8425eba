/** What people ask for after the researcher has said that nothing is left, or that it can't answer now. */
import { expect, test } from "vitest";
import type { Answer, Brief } from "../../src/domain/proposal.ts";
import { Later } from "../../src/researcher/later.ts";
import { startWorld } from "../support/e2e.ts";
import { answerOf, watched } from "../support/researchers.ts";
import { type World, until } from "../support/world.ts";

const over: Answer = { kind: "nothing", because: "all was tried" };

/** One idea of its own, one for each that somebody asks for, and one that only another program calls for. */
function obliging(brief: Brief, asked: number): Answer {
  const wanted = brief.steering.find(({ kind }) => kind === "try");
  const set = { OTHER: asked / 100 };
  if (wanted !== undefined) return answerOf(brief, { title: `as asked: ${wanted.text}`, askedBy: wanted.by, set });
  if (asked === 1) return answerOf(brief, { title: "the only idea", set });
  const tried = [...brief.inFlight, ...brief.rows.map(({ description }) => description)];
  const isNew = brief.program.includes("widths") && !tried.includes("a width");
  return isNew ? answerOf(brief, { title: "a width", set }) : over;
}

const tried = async (world: World, issue: number) =>
  (await world.rows(issue)).map(({ description }) => description).slice(1);

test.each<[string, string, (world: World, issue: number) => Promise<unknown>]>([
  [
    "an idea to try",
    "as asked: weight tying",
    (world, issue) => world.comment(issue, "/autoresearch try weight tying"),
  ],
  [
    "an edit of the program",
    "a width",
    (world, issue) => world.as("ada").rest.issues.update({ ...world.at, issue_number: issue, body: "Try widths." }),
  ],
])("%s is taken up though no idea was left while the last experiment trained", async (_name, description, ask) => {
  let isAsked = false;
  const researcher = watched(obliging);
  const world = await startWorld({ researcher, training: ({ trial }) => trial.experiment !== 1 || isAsked });
  const issue = await world.openSession();
  await until("nothing is left", async () => researcher.briefs.length === 2 && (await world.pulls()).length === 1);
  await ask(world, issue);
  isAsked = true;
  await world.settled(issue, "done");
  expect(await tried(world, issue)).toEqual(["the only idea", description]);
});

test("an idea that somebody asks for while the researcher finds that nothing is left is taken up", async () => {
  const found = Promise.withResolvers<void>();
  const researcher = watched((brief, asked) => (asked === 2 ? found.promise.then(() => over) : obliging(brief, asked)));
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await until("it thinks", async () => researcher.briefs.length === 2);
  await world.comment(issue, "/autoresearch try weight tying");
  await until("the order is taken", async () => (await world.record(issue))?.steering.length === 1);
  found.resolve();
  await world.settled(issue, "done");
  expect(await tried(world, issue)).toEqual(["the only idea", "as asked: weight tying"]);
});

test("another model is asked at once, and not when the pause of the one before it is over", async () => {
  const researcher = watched((brief, asked) => {
    if (brief.model === null) throw new Later("claude-opus-5-5 is overloaded", 3_600_000);
    return asked === 2 ? answerOf(brief, { title: "another model's", set: { OTHER: 0.5 } }) : over;
  });
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await until("it waits", async () => (await world.dashboard(issue))?.includes("is overloaded") === true);
  await world.comment(issue, "/autoresearch model claude-x");
  await world.settled(issue, "done");
  expect(await tried(world, issue)).toEqual(["another model's"]);
  expect(researcher.briefs.map(({ model }) => model)).toEqual([null, "claude-x", "claude-x"]);
});
