/** The filters of the lists of runs. */
import type { RepoCall } from "../route.ts";
import { userOf } from "../finders.ts";
import type { WorkflowRun } from "./rows.ts";

type Test = (run: WorkflowRun, wanted: string) => boolean;

/** The runs that the query asks for, in the order given. */
export function filterRuns(call: RepoCall, runs: readonly WorkflowRun[]): WorkflowRun[] {
  const tests: Readonly<Record<string, Test>> = {
    event: (run, wanted) => run.event === wanted,
    branch: (run, wanted) => run.headBranch === wanted,
    // One parameter for both: `completed` and `success` are asked for in the same way.
    status: (run, wanted) => run.status === wanted || run.conclusion === wanted,
    actor: (run, wanted) => userOf(call.core.store, run.actorId).login.toLowerCase() === wanted.toLowerCase(),
    head_sha: (run, wanted) => run.headSha === wanted,
    check_suite_id: (run, wanted) => String(run.suiteId) === wanted,
    created: (run, wanted) => isWithin(run.createdAt, wanted),
  };
  const asked = Object.entries(tests).flatMap(([name, test]) => {
    const wanted = call.query.get(name);
    return wanted === null || wanted === "" ? [] : [(run: WorkflowRun) => test(run, wanted)];
  });
  return runs.filter((run) => asked.every((test) => test(run)));
}

/** GitHub's search form of dates: `2026-01-01`, `>=2026-01-01T00:00:00Z`, `2026-01-01..2026-02-01`, `*..2026-02-01`. */
export function isWithin(created: string, wanted: string): boolean {
  const at = Date.parse(created);
  const range = /^(.*)\.\.(.*)$/.exec(wanted);
  if (range !== null) return at >= startOf(range[1]!, -Infinity) && at <= endOf(range[2]!, Infinity);
  const compared = /^(>=|<=|>|<)(.*)$/.exec(wanted);
  switch (compared?.[1]) {
    case ">=":
      return at >= startOf(compared[2]!, Number.NaN);
    case ">":
      return at > endOf(compared[2]!, Number.NaN);
    case "<=":
      return at <= endOf(compared[2]!, Number.NaN);
    case "<":
      return at < startOf(compared[2]!, Number.NaN);
    default:
      return at >= startOf(wanted, Number.NaN) && at <= endOf(wanted, Number.NaN);
  }
}

function startOf(text: string, open: number): number {
  return text === "*" || text === "" ? open : Date.parse(text);
}

/** A date without a time means the whole day; a time, its whole second. */
function endOf(text: string, open: number): number {
  if (text === "*" || text === "") return open;
  return Date.parse(text) + (/^\d{4}-\d{2}-\d{2}$/.test(text) ? 86_400_000 - 1 : 999);
}
