/** A world whose trials take no time, but for those that the test holds in training until it lets them go. */
import { startWorld } from "./e2e.ts";
import type { Exempt } from "./invariants.ts";
import { type World, type WorldOptions, until } from "./world.ts";

export type HeldWorld = World & {
  /** Waits until a trial of the experiment is in training. */
  readonly inTraining: (issue: number, experiment: number) => Promise<unknown>;
  /** Lets the trials of an experiment end, now and later. */
  readonly release: (...experiments: number[]) => void;
};

/** `held`: experiments whose trials don't end before they are released. */
export async function startHeldWorld(
  held: readonly number[],
  options: WorldOptions & { readonly exempt?: Exempt } = {},
): Promise<HeldWorld> {
  const waiting = new Set(held);
  const world = await startWorld({
    ...options,
    runners: 2,
    training: ({ trial }) => !waiting.has(trial.experiment),
  });
  return {
    ...world,
    inTraining: (issue, experiment) =>
      until(`experiment ${experiment} is in training`, async () =>
        (await world.runs()).find(
          (run) => run.display_title.startsWith(`autoresearch ${issue}:${experiment}:`) && run.status === "in_progress",
        ),
      ),
    release: (...experiments) => {
      for (const experiment of experiments) waiting.delete(experiment);
      // Runners look again whenever something has happened.
      world.github.core.signals.emit("change", { kind: "other", repoId: 0, topic: "test", id: 0, action: "released" });
    },
  };
}

export function pullOf(world: World, experiment: number) {
  return until(`experiment ${experiment} has its pull request`, async () =>
    (await world.pulls()).find((pull) => pull.title.startsWith(`exp ${experiment}:`)),
  );
}

export async function labelsOf(world: World, number: number): Promise<string[]> {
  const pull = (await world.pulls()).find((each) => each.number === number)!;
  return pull.labels.map((label) => label.name).sort();
}
