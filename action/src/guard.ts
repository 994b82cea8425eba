/**
 * Tells what is not as it was before anything of the candidate ran: protected files, private ones, what the set-up made.
 *
 * Always: a file is named as the repository knows it, wherever it lies meanwhile.
 */
import { dirname, relative } from "node:path";
import type { Folders } from "./checkout.ts";
import { identitiesOf } from "./made-things.ts";
import { changedPaths, filesBelow, hashFiles, type Hashes } from "./protected-files.ts";

export type Guarded = {
  /** Protected files in the checkout. */
  readonly visible: readonly string[];
  /** Private files of the repository and of the set-up: out of sight, and in the checkout once all is laid out. */
  readonly secret: readonly string[];
  /** What must stand where the set-up made it. */
  readonly standing: readonly string[];
  /** Files outside the checkout, protected and private. */
  readonly outsideNow: () => Promise<string[]>;
};

export type Guard = {
  readonly count: number;
  /** What was trained in, before it is taken away. */
  readonly changedByTraining: () => Promise<string[]>;
  /** What judges, without the files outside, which may be large. */
  readonly changedInCheckout: () => Promise<string[]>;
  readonly changedByEvaluation: () => Promise<string[]>;
};

export async function guardOver({ checkout, hidden, judge }: Folders, guarded: Guarded): Promise<Guard> {
  const { visible, secret, standing, outsideNow } = guarded;
  const outside = await hashFiles(checkout, await outsideNow());
  const seen = await hashFiles(checkout, visible);
  const unseen = await hashFiles(hidden, secret);
  const judging = new Set(await filesBelow(judge));
  const identities = await identitiesOf(checkout, standing);
  const changedIn = async (root: string, before: Hashes): Promise<string[]> =>
    changedPaths(before, await hashFiles(root, [...before.keys()], before));
  const changedOutside = async () => changedPaths(outside, await hashFiles(checkout, await outsideNow(), outside));
  const within = async (secretsAt: string) => [
    ...(await changedIn(checkout, seen)),
    ...(await changedIn(secretsAt, unseen)),
    ...changedPaths(identities, await identitiesOf(checkout, standing)),
  ];
  // Python, for one, takes what it imports from beside the program first.
  const planted = async () => (await filesBelow(judge)).filter((file) => !judging.has(file));
  return {
    count: seen.size + unseen.size + outside.size,
    changedByTraining: async () => [
      ...(await within(hidden)),
      ...(await planted()).map((file) => relative(dirname(judge), file)),
      ...(await changedOutside()),
    ],
    changedInCheckout: async () => within(checkout),
    changedByEvaluation: async () => [...(await within(checkout)), ...(await changedOutside())],
  };
}
