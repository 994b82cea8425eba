/** What hangs on a commit: its checks, and the pull requests of which it is the head. */
import type { CheckRun, PullRequest } from "../github/entities.ts";
import { isPull } from "../github/finders.ts";
import { indexOf } from "../github/store.ts";
import type { Place } from "./site.ts";

const checksByCommit = indexOf("checkRun", (run) => `${run.repoId}:${run.headSha}`);
const pullsByHead = indexOf("issue", (issue) => `${issue.repoId}:${issue.pull?.headSha ?? ""}`);

/** Oldest first. */
export function checksAt(place: Place, sha: string): CheckRun[] {
  return place.core.store.by(checksByCommit, `${place.repo.id}:${sha}`);
}

export function pullsAt(place: Place, sha: string): PullRequest[] {
  return place.core.store.by(pullsByHead, `${place.repo.id}:${sha}`).filter(isPull);
}
