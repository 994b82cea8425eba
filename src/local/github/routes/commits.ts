/** Commits as people read them: one, a list, a comparison. */
import { notFound, ok } from "../answer.ts";
import { filesBetween } from "../differences.ts";
import { pageOf } from "../pagination.ts";
import { type RepoCall, repoRoute } from "../route.ts";
import { shapeCommit, shapeFile } from "../shapes/commit.ts";
import { repoApi, repoWeb } from "../shapes/links.ts";

const readContents = { app: ["contents:read"], person: "read" } as const;

/** Files that a comparison or a commit lists at most. */
const mostFiles = 300;

export const commitRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/commits", readContents, async (call) => {
    const start = await resolved(call, call.query.get("sha") ?? call.repo.defaultBranch);
    const { items, headers } = pageOf(call, await history(call, start));
    return ok(await Promise.all(items.map((id) => shaped(call, id))), headers);
  }),

  repoRoute("GET /repos/{owner}/{repo}/commits/{ref}", readContents, async (call) => {
    const id = await resolved(call, call.params["ref"]!);
    const commit = (await call.git.commit(id))!;
    const files = await filesBetween(call.git, commit.parents[0] ?? null, id);
    const additions = files.reduce((sum, file) => sum + file.additions, 0);
    const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
    return ok({
      ...shapeCommit(call.core, call.repo, id, commit),
      stats: { total: additions + deletions, additions, deletions },
      files: files.slice(0, mostFiles).map((file) => shapeFile(call.core, call.repo, id, file)),
    });
  }),

  repoRoute("GET /repos/{owner}/{repo}/compare/{basehead}", readContents, async (call) => {
    const [left = "", right = ""] = call.params["basehead"]!.split("...");
    const [base, head] = [await resolved(call, withoutOwner(left)), await resolved(call, withoutOwner(right))];
    const common = await call.git.mergeBase(base, head);
    if (common === null) throw notFound();
    const ahead = await call.git.commitsBetween(base, head);
    const behind = await call.git.commitsBetween(head, base);
    const files = await filesBetween(call.git, common, head);
    const { items, headers } = pageOf(call, ahead);
    const status = statusOf(ahead.length, behind.length);
    const api = `${repoApi(call.core, call.repo)}/compare`;
    const web = `${repoWeb(call.core, call.repo)}/compare`;
    const body = {
      url: `${api}/${left}...${right}`,
      html_url: `${web}/${left}...${right}`,
      permalink_url: `${web}/${base.slice(0, 7)}...${head.slice(0, 7)}`,
      diff_url: `${web}/${left}...${right}.diff`,
      patch_url: `${web}/${left}...${right}.patch`,
      base_commit: await shaped(call, base),
      merge_base_commit: await shaped(call, common),
      status,
      ahead_by: ahead.length,
      behind_by: behind.length,
      total_commits: ahead.length,
      commits: await Promise.all(items.map((id) => shaped(call, id))),
      files: files.slice(0, mostFiles).map((file) => shapeFile(call.core, call.repo, head, file)),
    };
    return ok(body, headers);
  }),
];

function statusOf(ahead: number, behind: number): string {
  if (ahead === 0 && behind === 0) return "identical";
  if (ahead > 0 && behind > 0) return "diverged";
  return ahead > 0 ? "ahead" : "behind";
}

function withoutOwner(rev: string): string {
  return rev.slice(rev.indexOf(":") + 1);
}

async function resolved(call: RepoCall, rev: string): Promise<string> {
  const id = await call.git.resolve(rev);
  if (id === null) throw notFound();
  return id;
}

async function shaped(call: RepoCall, id: string): Promise<Record<string, unknown>> {
  return shapeCommit(call.core, call.repo, id, (await call.git.commit(id))!);
}

/** Ids from `start` back, newest first, within the path and the times that the query names. */
async function history(call: RepoCall, start: string): Promise<readonly string[]> {
  const limits: string[] = [];
  for (const name of ["since", "until", "author", "committer"] as const) {
    const value = call.query.get(name);
    if (value !== null) limits.push(`--${name}=${value}`);
  }
  const path = call.query.get("path");
  const tail = path === null || path === "" ? [] : ["--", path];
  return call.git.remember(`history ${start} ${limits.join(" ")} ${path ?? ""}`, async () => {
    const output = await call.git.run(["rev-list", ...limits, start, ...tail]);
    return output.split("\n").filter((line) => line !== "");
  });
}
