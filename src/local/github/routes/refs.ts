/** Refs: `POST git/refs` is a test-and-set, `PATCH` without force a compare-and-swap. */
import { z } from "zod";
import { created, noContent, notFound, ok, unprocessable } from "../answer.ts";
import { doerOf } from "../core.ts";
import { pageOf } from "../pagination.ts";
import { moveRefs } from "../ref-changes.ts";
import { bodyOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeRef } from "../shapes/commit.ts";
import { checkWorkflows } from "../workflow-guard.ts";

const readContents = { app: ["contents:read"], person: "read" } as const;
const writeContents = { app: ["contents:write"], person: "write" } as const;

const newRef = z.object({ ref: z.string(), sha: z.string() });
const refEdit = z.object({ sha: z.string(), force: z.boolean().default(false) });

export const refRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/git/ref/{ref}", readContents, async (call) => {
    const ref = `refs/${call.params["ref"]!}`;
    const sha = call.git.refs.get(ref);
    if (sha === undefined) throw notFound();
    return ok(await shaped(call, ref, sha));
  }),

  repoRoute("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", readContents, async (call) => {
    const prefix = `refs/${call.params["ref"]!}`;
    const found = [...call.git.refs].filter(([ref]) => ref.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
    const { items, headers } = pageOf(call, found);
    return ok(await Promise.all(items.map(([ref, sha]) => shaped(call, ref, sha))), headers);
  }),

  repoRoute("POST /repos/{owner}/{repo}/git/refs", writeContents, async (call) => {
    const { ref, sha } = bodyOf(call, newRef);
    if (!/^refs\/[^/]+\/./.test(ref)) {
      throw unprocessable("Reference name must start with 'refs/' and have at least two slashes.");
    }
    checkName(ref);
    await checkObject(call, ref, sha);
    await call.core.alone(call.repo, async () => {
      if (call.git.refs.has(ref)) throw unprocessable("Reference already exists");
      const change = { ref, before: null, after: sha };
      await checkWorkflows(call, change);
      if (await moveRefs(call.core, call.repo, [change], doerOf(call.actor))) return;
      throw unprocessable(call.git.refs.has(ref) ? "Reference already exists" : "Reference update failed");
    });
    return created(await shaped(call, ref, sha));
  }),

  repoRoute("PATCH /repos/{owner}/{repo}/git/refs/{ref}", writeContents, async (call) => {
    const { sha, force } = bodyOf(call, refEdit);
    const ref = `refs/${call.params["ref"]!}`;
    checkName(ref);
    await checkObject(call, ref, sha);
    await call.core.alone(call.repo, () => moveTo(call, ref, sha, force));
    return ok(await shaped(call, ref, sha));
  }),

  repoRoute("DELETE /repos/{owner}/{repo}/git/refs/{ref}", writeContents, async (call) => {
    const ref = `refs/${call.params["ref"]!}`;
    checkName(ref);
    await call.core.alone(call.repo, async () => {
      const before = call.git.refs.get(ref);
      if (before === undefined) throw unprocessable("Reference does not exist");
      if (ref === `refs/heads/${call.repo.defaultBranch}`) throw unprocessable("Cannot delete the default branch");
      const change = { ref, before, after: null };
      if (!(await moveRefs(call.core, call.repo, [change], doerOf(call.actor)))) {
        throw unprocessable("Reference update failed");
      }
    });
    return noContent();
  }),
];

/** Moves the ref from wherever it is now, fast-forward unless forced; tries again where a push came between. */
async function moveTo(call: RepoCall, ref: string, sha: string, force: boolean): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const before = call.git.refs.get(ref);
    if (before === undefined) throw unprocessable("Reference does not exist");
    if (before === sha) return;
    if (!force && !(await call.git.isAncestor(before, sha))) throw unprocessable("Update is not a fast forward");
    const change = { ref, before, after: sha };
    await checkWorkflows(call, change);
    if (await moveRefs(call.core, call.repo, [change], doerOf(call.actor))) return;
  }
  throw unprocessable("Reference update failed");
}

async function shaped(call: RepoCall, ref: string, sha: string): Promise<Record<string, unknown>> {
  const type = ref.startsWith("refs/heads/") ? "commit" : ((await call.git.object(sha))?.type ?? "commit");
  return shapeRef(call.core, call.repo, ref, { sha, type });
}

/** 422 where git would not have the name, and for the refs that GitHub keeps to itself. */
function checkName(ref: string): void {
  const bad =
    /[\s~^:?*[\\]|\.\.|@\{|\/\/|\/$|\.$|\.lock(\/|$)|\/\./.test(ref) ||
    ref.startsWith("refs/pull/") ||
    ref.includes("\u007f");
  if (bad) throw unprocessable("Reference name is not valid");
}

async function checkObject(call: RepoCall, ref: string, sha: string): Promise<void> {
  const object = /^[0-9a-f]{40}$/.test(sha) ? await call.git.object(sha) : null;
  if (object === null) throw unprocessable("Object does not exist");
  if (ref.startsWith("refs/heads/") && object.type !== "commit") {
    throw unprocessable("Reference update failed: the object is not a commit");
  }
}
