/**
 * Forgetting: the view of a session with a thousand settled experiments is as large as that of one with ten. What is dropped is
 * read again when somebody asks for it, so that forgetting costs requests at most, and never a decision.
 *
 * Kept are the experiments that are not settled, the newest that are, and the frontier, with what hangs on them: commits,
 * files, checks, runs and jobs. Runs of the frontier itself are kept, because their attempts are counted.
 */
import { type Sha, parseExperimentBranch, parseRunName } from "../domain/names.ts";
import { historyOf } from "../domain/history.ts";
import type { View } from "./view.ts";

/** Settled experiments that are kept at hand, for the researcher to look back on. */
const recentExperiments = 8;
/** Generations of commits above those that count: a head, the frontier it stands on, the candidate that this one merged. */
const generations = 3;
/** Nothing is looked through before so much has come together. */
const muchMore = 12;

/** Drops what neither an open experiment nor the frontier needs, when enough has come together. */
export function forgetSettled(view: View): void {
  // After an end everything that was cut off is told of, and nothing comes any more.
  if (view.record?.state !== "running") return;
  const { byExperiment } = historyOf(view.rows);
  const numberOf = (branch: string) => parseExperimentBranch(branch)!.experiment;
  const settled = [...view.pulls.values()]
    .filter((pull) => pull.state !== "open" && byExperiment.has(numberOf(pull.branch)))
    .sort((a, b) => a.number - b.number);
  if (settled.length < recentExperiments + muchMore) return;
  for (const pull of settled.slice(0, -recentExperiments)) view.pulls.delete(pull.number);

  const pulls = [...view.pulls.values()];
  const commits = commitsFrom(
    view,
    pulls.map((pull) => pull.head),
  );
  for (const each of [view.commits, view.files, view.checks]) keepOnly<Sha>(each, commits);
  const conflicts = [...view.conflicts.keys()].filter((name) => commits.has(name.slice(0, 40) as Sha));
  keepOnly(view.conflicts, new Set(conflicts));
  const experiments = new Set([0, ...pulls.map((pull) => numberOf(pull.branch))]);
  const runs = [...view.runs.values()].filter(
    (run) => run.status !== "completed" || experiments.has(parseRunName(run.name)?.experiment ?? -1),
  );
  const kept = new Set(runs.map((run) => run.id));
  keepOnly(view.runs, kept);
  keepOnly(view.jobs, kept);
}

/** The commits that count, and those above them. */
function commitsFrom(view: View, heads: readonly Sha[]): Set<Sha> {
  const found = new Set<Sha>();
  let next: readonly (Sha | null | undefined)[] = [view.frontier, view.results, view.record?.base, ...heads];
  for (let generation = 0; generation <= generations; generation += 1) {
    const fresh = next.filter((id): id is Sha => id != null && !found.has(id));
    for (const id of fresh) found.add(id);
    next = fresh.flatMap((id) => view.commits.get(id)?.parents ?? []);
  }
  return found;
}

function keepOnly<K>(map: Map<K, unknown>, kept: ReadonlySet<K>): void {
  for (const key of map.keys()) if (!kept.has(key)) map.delete(key);
}
