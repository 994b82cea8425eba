/** Orders that could not be obeyed at once: what counts is the comment as it is when they can be. */
import { expect, test } from "vitest";
import { type HeldWorld, startHeldWorld } from "../support/held.ts";
import { scripted, until } from "../support/world.ts";

type Meanwhile = (world: HeldWorld, comment: number) => Promise<void> | void;

async function deleteIt(world: HeldWorld, comment: number): Promise<void> {
  // What a hook told of would be looked at in any case.
  world.github.webhooks.mode = { kind: "drop" };
  await world.as("ada").rest.issues.deleteComment({ ...world.at, comment_id: comment });
  world.github.webhooks.mode = { kind: "deliver" };
}

function takeAccess({ github }: HeldWorld): void {
  github.world.setPermission("ada/model", "bob", "read");
}

/** As another process that obeyed it, and a `resume` after it. */
function answerIt({ github, bot }: HeldWorld, comment: number): void {
  const { store } = github.core;
  const { id: userId } = store.all("user").find((user) => user.login === bot)!;
  const { id: repoId } = github.world.repo("ada/model");
  const createdAt = github.core.now().toISOString();
  store.put("reaction", {
    id: store.nextId(),
    repoId,
    subject: `comment:${comment}`,
    content: "+1",
    userId,
    createdAt,
  });
}

/** A session whose bot read `pause` of bob's, and can't write that it is paused: the first tree that it makes is hit. */
async function withUnwritten() {
  const world = await startHeldWorld([1], {
    researcher: scripted([{ title: "first", set: { VALUE: 1.9 } }]),
    config: "limits: {experiments: 1}\n",
  });
  world.github.world.createUser("bob");
  world.github.world.setPermission("ada/model", "bob", "write");
  const issue = await world.openSession();
  await world.inTraining(issue, 1);
  const trees = { method: "POST", route: "/repos/{owner}/{repo}/git/trees", by: "bot" } as const;
  return { world, issue, trees };
}

/** What the session wrote down, from its beginning to its end. */
async function storyOf(world: HeldWorld, issue: number): Promise<string> {
  world.release(1);
  await world.settled(issue, "done");
  return world.git("log", "--format=%s", `autoresearch/${issue}/results`);
}

test.each<[string, Meanwhile]>([
  ["was deleted", deleteIt],
  ["is of somebody who may not write any more", takeAccess],
  ["was answered by another process", answerIt],
])("an order that %s while GitHub let nothing through is not obeyed", async (_name, meanwhile) => {
  const { world, issue, trees } = await withUnwritten();
  const limit = world.github.faults.add(trees, { kind: "secondaryLimit", retryAfterSeconds: 4 });
  const comment = await world.comment(issue, "/autoresearch pause", "bob");
  await until("the limit is met", async () => limit.hits > 0);
  await meanwhile(world, comment);
  expect(await storyOf(world, issue)).not.toContain("paused");
});

test.each<[string, Meanwhile]>([
  ["was deleted", deleteIt],
  ["was answered by another process", answerIt],
])("an order that %s before a look at everything is not obeyed", async (_name, meanwhile) => {
  const { world, issue, trees } = await withUnwritten();
  const comment = Promise.withResolvers<number>();
  const first = async () => meanwhile(world, await comment.promise);
  world.github.faults.add(trees, { kind: "drop", when: "before", first });
  comment.resolve(await world.comment(issue, "/autoresearch pause", "bob"));
  expect(await storyOf(world, issue)).not.toContain("paused");
});
