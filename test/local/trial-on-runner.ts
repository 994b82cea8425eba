/** A trial by the shipped workflow, on runners that a test starts. */
import { expect } from "vitest";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { type ActionsWorld, at, shippedWorkflow } from "./actions-world.ts";

const spec: TrialSpec = {
  version: 1,
  command: "bash train.sh",
  setup: null,
  evaluate: null,
  serve: null,
  protect: [],
  private: [],
  budgetSeconds: 1,
  timeoutSeconds: 60,
  mutable: ["train.sh"],
  metric: "val_bpb",
  direction: "lower",
  // Process ids in a sandbox are its own.
  sandbox: "off",
  frontier: null,
};

export const filesWith = (train: string) => ({
  ".github/workflows/autoresearch.yml": shippedWorkflow,
  "train.sh": train,
  "prepare.py": "DATA = 1\n",
});
/** Measures. */
export const good = "echo \"the trial is $AUTORESEARCH_TRIAL\"\nprintf '%s\\n' --- 'val_bpb: 0.9979' 'num_steps: 9'\n";

/** Dispatches it, and gives its run. */
export async function trialOn(world: ActionsWorld): Promise<number> {
  const { data } = await world.as("ada").rest.repos.get(at);
  expect(data.default_branch).toBe("main");
  const commit = world.github.core.git(world.github.world.repo("ada/model")).branch("main")!;
  return world.dispatch({
    trial: "12:0:1",
    commit,
    base: commit,
    spec: JSON.stringify(spec),
    runs_on: JSON.stringify(["self-hosted", "GPU"]),
  });
}
