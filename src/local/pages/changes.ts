/** How pages know that the world has changed: a counter of all changes, told with what the signals leave out. */
import { randomBytes } from "node:crypto";
import { logSize } from "../github/actions/job-log.ts";
import { jobsWith } from "../github/actions/rows.ts";
import type { LocalGitHub } from "../github/server.ts";

/** Gives the present version: another text after any change, and with `logs` after any growth of a job's log too. */
export type VersionOf = (of: { readonly logs: boolean }) => string;

export function watchChanges(github: Pick<LocalGitHub, "core" | "on">): VersionOf {
  // A process that starts again begins at zero: pages that are open must not take its counts for the old ones.
  const start = randomBytes(4).toString("hex");
  let changes = 0;
  github.on("change", () => {
    changes += 1;
  });
  const { core } = github;
  return ({ logs }) => {
    // Reactions, runners and the steps of jobs change without a signal.
    const quiet = [
      core.store.all("reaction").length,
      core.store.all("runner").filter((runner) => runner.online).length,
      ...jobsWith(core.store, "in_progress").flatMap((job) => [
        job.steps.filter((step) => step.status === "completed").length,
        logs ? logSize(core, job.id) : 0,
      ]),
    ];
    return [start, changes, ...quiet].join(".");
  };
}
