/** Commits, trees and blobs as objects. */
import { z } from "zod";
import { ApiError, created, notFound, ok, unprocessable } from "../answer.ts";
import { signatureOf } from "../author.ts";
import { entryType } from "../git-forms.ts";
import { bodyOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeGitCommit } from "../shapes/commit.ts";
import { nodeId, repoApi } from "../shapes/links.ts";
import { layTree } from "../lay-tree.ts";

const readContents = { app: ["contents:read"], person: "read" } as const;
const writeContents = { app: ["contents:write"], person: "write" } as const;

const who = z.object({
  name: z.string().min(1),
  email: z.string().min(1),
  date: z.iso.datetime({ offset: true }).optional(),
});
const newCommit = z.object({
  message: z.string(),
  tree: z.string(),
  parents: z.array(z.string()).default([]),
  author: who.optional(),
  committer: who.partial().optional(),
});
const modes = ["100644", "100755", "040000", "160000", "120000"] as const;
const newTree = z.object({
  base_tree: z.string().optional(),
  tree: z.array(
    z.object({
      path: z.string().min(1),
      mode: z.enum(modes),
      type: z.enum(["blob", "tree", "commit"]).optional(),
      sha: z.string().nullish(),
      content: z.string().optional(),
    }),
  ),
});
const newBlob = z.object({ content: z.string(), encoding: z.enum(["utf-8", "base64"]).default("utf-8") });

export const gitDataRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", readContents, async (call) => {
    const sha = call.params["commit_sha"]!;
    const commit = /^[0-9a-f]{40}$/.test(sha) ? await call.git.commit(sha) : null;
    if (commit === null) throw notFound();
    return ok(shapeGitCommit(call.core, call.repo, sha, commit));
  }),

  repoRoute("POST /repos/{owner}/{repo}/git/commits", writeContents, async (call) => {
    const body = bodyOf(call, newCommit);
    await checkIs(call, body.tree, "tree", "Tree SHA does not exist");
    for (const parent of body.parents) {
      await checkIs(call, parent, "commit", "Parent SHA does not exist or is not a commit object");
    }
    const author = signatureOf(call, body.author);
    const given = body.committer;
    const committer =
      given?.name === undefined || given.email === undefined
        ? author
        : signatureOf(call, { name: given.name, email: given.email, date: given.date });
    const commit = { tree: body.tree, parents: body.parents, author, committer, message: body.message };
    const sha = await call.git.writeCommit(commit);
    return created(shapeGitCommit(call.core, call.repo, sha, commit));
  }),

  repoRoute("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", readContents, async (call) => {
    const wanted = call.params["tree_sha"]!;
    const commit = await call.git.resolve(wanted);
    const sha = commit === null ? wanted : (await call.git.commit(commit))!.tree;
    if (!/^[0-9a-f]{40}$/.test(sha) || (await call.git.tree(sha)) === null) throw notFound();
    return ok(await shapeTree(call, sha, call.query.has("recursive")));
  }),

  repoRoute("POST /repos/{owner}/{repo}/git/trees", writeContents, async (call) => {
    const body = bodyOf(call, newTree);
    if (body.base_tree === undefined && body.tree.length === 0) throw unprocessable("Invalid tree info");
    const base = body.base_tree === undefined ? null : await treeOf(call, body.base_tree);
    const sha = await layTree(call.git, base, body.tree);
    return created(await shapeTree(call, sha, false));
  }),

  repoRoute("GET /repos/{owner}/{repo}/git/blobs/{file_sha}", readContents, async (call) => {
    const sha = call.params["file_sha"]!;
    const blob = /^[0-9a-f]{40}$/.test(sha) ? await call.git.object(sha) : null;
    if (blob?.type !== "blob") throw notFound();
    return ok({
      sha,
      node_id: nodeId("Blob", `${call.repo.id}:${sha}`),
      size: blob.content.length,
      url: blobUrl(call, sha),
      content: wrapped(blob.content),
      encoding: "base64",
    });
  }),

  repoRoute("POST /repos/{owner}/{repo}/git/blobs", writeContents, async (call) => {
    const { content, encoding } = bodyOf(call, newBlob);
    const sha = await call.git.writeBlob(Buffer.from(content, encoding === "base64" ? "base64" : "utf8"));
    return created({ sha, url: blobUrl(call, sha) });
  }),
];

/** Base64 in lines of 60 characters, as GitHub writes it. */
export function wrapped(content: Buffer): string {
  return content.toString("base64").replaceAll(/.{1,60}/g, "$&\n");
}

function blobUrl(call: RepoCall, sha: string): string {
  return `${repoApi(call.core, call.repo)}/git/blobs/${sha}`;
}

async function checkIs(call: RepoCall, sha: string, type: string, message: string): Promise<void> {
  const object = /^[0-9a-f]{40}$/.test(sha) ? await call.git.object(sha) : null;
  if (object?.type !== type) throw unprocessable(message);
}

/** The tree that `base_tree` names: a tree's or a commit's id. */
async function treeOf(call: RepoCall, sha: string): Promise<string> {
  const object = /^[0-9a-f]{40}$/.test(sha) ? await call.git.object(`${sha}^{tree}`) : null;
  if (object === null) throw new ApiError(404, "Not Found");
  return object.sha;
}

async function shapeTree(call: RepoCall, sha: string, recursive: boolean): Promise<Record<string, unknown>> {
  const api = `${repoApi(call.core, call.repo)}/git`;
  const tree: Record<string, unknown>[] = [];
  const walk = async (id: string, prefix: string): Promise<void> => {
    for (const { mode, name, sha } of (await call.git.tree(id)) ?? []) {
      const type = entryType(mode);
      const entry = { path: `${prefix}${name}`, mode, type, sha };
      if (type === "commit") tree.push(entry);
      if (type === "tree") tree.push({ ...entry, url: `${api}/trees/${sha}` });
      if (type === "blob")
        tree.push({ ...entry, size: (await call.git.info(sha))?.size ?? 0, url: `${api}/blobs/${sha}` });
      if (type === "tree" && recursive) await walk(sha, `${entry.path}/`);
    }
  };
  await walk(sha, "");
  return { sha, url: `${api}/trees/${sha}`, tree, truncated: false };
}
