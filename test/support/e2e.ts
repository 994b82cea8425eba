/**
 * Worlds that end with the test that started them. Ending one checks what holds of every world (invariants.ts), and fails
 * the test where something does not, or where GitHub's contract was broken.
 */
import { onTestFinished } from "vitest";
import { type Exempt, unfinishedIn, wrongsIn } from "./invariants.ts";
import { type World, type WorldOptions, startWorld as start } from "./world.ts";

/** A world may take its time to come to its end. */
const endWithinMs = 120_000;

/** `exempt`: what the test itself breaks, each with the reason. */
export async function startWorld({
  exempt = {},
  ...options
}: WorldOptions & { readonly exempt?: Exempt } = {}): Promise<World> {
  const world = await start(options);
  onTestFinished(() => end(world, exempt), endWithinMs);
  return world;
}

async function end(world: World, exempt: Exempt): Promise<void> {
  const wrongs: string[] = [];
  try {
    // The bot is given the time to finish; then nobody is at work, and nothing changes under the look.
    if (world.hasBot()) wrongs.push(...(await unfinishedIn(world.site, exempt)));
    await world.stopBot();
    wrongs.push(...(await wrongsIn(world.site, exempt)));
  } finally {
    await world.close();
  }
  if (wrongs.length > 0) throw new Error(`the world is not as every world must be:\n${wrongs.join("\n")}`);
}
