/** Worlds that end with the test that started them; ending one fails the test if GitHub's contract was broken. */
import { afterEach } from "vitest";
import { type World, type WorldOptions, startWorld as start } from "./world.ts";

const open = new Set<World>();

afterEach(async () => {
  const worlds = [...open];
  open.clear();
  for (const world of worlds) await world.close();
});

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const world = await start(options);
  open.add(world);
  return world;
}
