/** Pull requests. */
import { z } from "zod";
import { created, ok, validationFailed } from "../answer.ts";
import { doerOf } from "../core.ts";
import { pullFiles } from "../differences.ts";
import type { PullRequest } from "../entities.ts";
import { isPull, issuesOf, openPullsOf, pullOf, pullsWithHead, userOf } from "../finders.ts";
import { editIssue } from "../issue-changes.ts";
import { mergePull } from "../merge.ts";
import { pageOf } from "../pagination.ts";
import { closePull, freshPull, openPull, reopenPull, retargetPull } from "../pull-changes.ts";
import { bodyOf, choiceOf, numberOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeCommit, shapeFile } from "../shapes/commit.ts";
import { shapePull, shapePullSimple } from "../shapes/pull.ts";
import { checkBody, checkPerson } from "./issue-rules.ts";

const readPulls = { app: ["pull_requests:read"], person: "read" } as const;
const writePulls = { app: ["pull_requests:write"], person: "read" } as const;

const newPull = z.object({
  title: z.string().min(1),
  head: z.string().min(1),
  base: z.string().min(1),
  body: z.string().nullish(),
  draft: z.boolean().default(false),
  maintainer_can_modify: z.boolean().optional(),
});
const pullEdit = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
  maintainer_can_modify: z.boolean().optional(),
});
const merge = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).default("merge"),
});

export const pullRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/pulls", readPulls, (call) => {
    const { items, headers } = pageOf(call, listed(call));
    return ok(
      items.map((pull) => shapePullSimple(call.core, call.repo, pull)),
      headers,
    );
  }),

  repoRoute("POST /repos/{owner}/{repo}/pulls", writePulls, async (call) => {
    const body = bodyOf(call, newPull);
    checkPullBody(body.body);
    const { title, head, base, draft } = body;
    const wanted = { title, head, base, draft, body: body.body ?? null };
    const pull = await call.core.alone(call.repo, () => openPull(call.core, call.repo, wanted, doerOf(call.actor)));
    return created(await shapePull(call.core, call.repo, pull));
  }),

  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}", readPulls, async (call) =>
    ok(await shapePull(call.core, call.repo, pullIn(call))),
  ),

  repoRoute("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", writePulls, async (call) => {
    const body = bodyOf(call, pullEdit);
    checkPullBody(body.body);
    checkPerson(call, pullIn(call).userId, { role: "write", author: true });
    const pull = await call.core.alone(call.repo, () => edited(call, body));
    return ok(await shapePull(call.core, call.repo, pull));
  }),

  repoRoute(
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
    { app: ["contents:write"], person: "write" },
    async (call) => {
      const body = bodyOf(call, merge);
      const sha = await call.core.alone(call.repo, () => mergePull(call, pullIn(call), body));
      return ok({ sha, merged: true, message: "Pull Request successfully merged" });
    },
  ),

  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", readPulls, async (call) => {
    const { pull } = pullIn(call);
    const { items, headers } = pageOf(call, await pullFiles(call.git, pull.baseSha, pull.headSha));
    return ok(
      items.map((file) => shapeFile(call.core, call.repo, pull.headSha, file)),
      headers,
    );
  }),

  repoRoute("GET /repos/{owner}/{repo}/pulls/{pull_number}/commits", readPulls, async (call) => {
    const { pull } = pullIn(call);
    // GitHub lists 250 at most, whatever the page.
    const all = (await call.git.commitsBetween(pull.baseSha, pull.headSha)).slice(0, 250);
    const { items, headers } = pageOf(call, all);
    const shaped = items.map(async (id) => shapeCommit(call.core, call.repo, id, (await call.git.commit(id))!));
    return ok(await Promise.all(shaped), headers);
  }),
];

function pullIn(call: RepoCall): PullRequest {
  return pullOf(call.core.store, call.repo, numberOf(call, "pull_number"));
}

async function edited(call: RepoCall, body: z.output<typeof pullEdit>): Promise<PullRequest> {
  const { core, repo } = call;
  const doer = doerOf(call.actor);
  const edit = {
    ...(body.title === undefined ? {} : { title: body.title }),
    ...(body.body === undefined ? {} : { body: body.body }),
  };
  editIssue(core, repo, pullIn(call), edit, doer);
  if (body.base !== undefined) await retargetPull(core, repo, pullIn(call), body.base, doer);
  if (body.state === "closed") closePull(core, repo, pullIn(call), doer);
  if (body.state === "open") await reopenPull(core, repo, pullIn(call), doer);
  return freshPull(core, pullIn(call));
}

/** The body of a pull request is shorter than an issue's: 65,536 characters. */
function checkPullBody(body: string | null | undefined): void {
  checkBody("PullRequest", body);
  if (typeof body !== "string" || Array.from(body).length <= 65_536) return;
  const message = "body is too long (maximum is 65536 characters)";
  throw validationFailed({ resource: "PullRequest", field: "body", code: "custom", message });
}

function listed(call: RepoCall): PullRequest[] {
  const { core, repo, query } = call;
  const state = choiceOf(call, "state", ["open", "closed", "all"], "open");
  const sort = choiceOf(call, "sort", ["created", "updated", "popularity", "long-running"], "created");
  const direction = choiceOf(call, "direction", ["asc", "desc"], sort === "created" ? "desc" : "asc");
  const head = branchOf(call, query.get("head"));
  const base = query.get("base");
  const all =
    head !== null
      ? pullsWithHead(core.store, repo, head)
      : state === "open"
        ? openPullsOf(core.store, repo)
        : issuesOf(core.store, repo).filter(isPull);
  const found = all.filter(
    (pull) => (state === "all" || pull.state === state) && (base === null || pull.pull.base === base),
  );
  const key = (pull: PullRequest): string => (sort === "updated" ? pull.updatedAt : pull.createdAt);
  found.sort((a, b) => key(a).localeCompare(key(b)) || a.id - b.id);
  return direction === "asc" ? found : found.reverse();
}

/** The branch of `owner:branch`; GitHub ignores a `head` that is in no such form, and so does this. */
function branchOf(call: RepoCall, head: string | null): string | null {
  if (head === null || !head.includes(":")) return null;
  const [owner = "", ...rest] = head.split(":");
  const ours = owner.toLowerCase() === userOf(call.core.store, call.repo.ownerId).login.toLowerCase();
  // A name that no branch can have: nothing is found for another owner's branches.
  return ours ? rest.join(":") : "..";
}
