/** What a person who looks at the session sees, read through the API as anybody could: for the story and the summary. */
import type { Octokit } from "@octokit/rest";
import { frontierBranch, parseExperimentBranch, parseRunName, resultsBranch } from "../domain/names.ts";
import { type Row, parseResults } from "../domain/results.ts";
import { type SessionRecord, recordSchema } from "../domain/session.ts";
import { descriptionOf } from "../domain/words.ts";

export type TrialSeen = {
  readonly attempt: number;
  readonly status: string;
  readonly conclusion: string | null;
  readonly startedMs: number;
};

export type ExperimentSeen = {
  readonly number: number;
  readonly pullRequest: number;
  readonly description: string;
  readonly headSha: string;
  readonly trials: readonly TrialSeen[];
};

export type SessionSeen = {
  readonly issue: number;
  readonly record: SessionRecord | null;
  readonly rows: readonly Row[];
  readonly frontierSha: string | null;
  readonly baseline: readonly TrialSeen[];
  readonly experiments: readonly ExperimentSeen[];
  /** The bot's answer where no session was started. */
  readonly refusal: string | null;
};

type At = { readonly owner: string; readonly repo: string };

/** Reads everything; lists of any length are read whole. */
export async function readSession(octokit: Octokit, at: At, issue: number): Promise<SessionSeen> {
  const results = resultsBranch(issue);
  const recordText = await readText(octokit, at, "session.json", results);
  const rows = parseResults((await readText(octokit, at, "results.tsv", results)) ?? "");
  const record = recordText === null ? null : recordSchema.parse(JSON.parse(recordText));
  const runs = await octokit.paginate(octokit.rest.actions.listWorkflowRunsForRepo, { ...at, per_page: 100 });
  const trials = (experiment: number): TrialSeen[] =>
    runs
      .flatMap((run) => {
        const id = parseRunName(run.display_title);
        if (id === null || id.issue !== issue || id.experiment !== experiment) return [];
        const startedMs = Date.parse(run.run_started_at ?? run.created_at);
        return [{ attempt: id.attempt, status: run.status ?? "queued", conclusion: run.conclusion, startedMs }];
      })
      .sort((a, b) => a.attempt - b.attempt);
  const base = frontierBranch(issue);
  const pulls = await octokit.paginate(octokit.rest.pulls.list, { ...at, base, state: "all", per_page: 100 });
  const experiments = pulls.flatMap((pull): ExperimentSeen[] => {
    const named = parseExperimentBranch(pull.head.ref);
    if (named === null) return [];
    const { experiment: number } = named;
    const description = descriptionOf(pull.title);
    return [{ number, pullRequest: pull.number, description, headSha: pull.head.sha, trials: trials(number) }];
  });
  return {
    issue,
    record,
    rows,
    frontierSha: await readRef(octokit, at, base),
    baseline: trials(0),
    experiments: experiments.sort((a, b) => a.number - b.number),
    refusal: record === null ? await readRefusal(octokit, at, issue) : null,
  };
}

async function readText(octokit: Octokit, at: At, path: string, ref: string): Promise<string | null> {
  try {
    const { data } = await octokit.rest.repos.getContent({ ...at, path, ref });
    return "content" in data && typeof data.content === "string"
      ? Buffer.from(data.content, "base64").toString("utf8")
      : null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

async function readRef(octokit: Octokit, at: At, branch: string): Promise<string | null> {
  try {
    return (await octokit.rest.git.getRef({ ...at, ref: `heads/${branch}` })).data.object.sha;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

async function readRefusal(octokit: Octokit, at: At, issue: number): Promise<string | null> {
  const { data } = await octokit.rest.issues.listComments({ ...at, issue_number: issue });
  const said = data.find(
    (comment) => comment.user?.type === "Bot" && comment.body?.includes("<!-- autoresearch:start -->"),
  );
  return said?.body?.split("\n")[0] ?? null;
}

function isNotFound(error: unknown): boolean {
  return typeof error === "object" && error !== null && "status" in error && error.status === 404;
}
