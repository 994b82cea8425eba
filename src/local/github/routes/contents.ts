/** Files and folders at a commit, and single files written with a commit each. */
import { z } from "zod";
import { ApiError, notFound, ok, unprocessable } from "../answer.ts";
import { signatureOf } from "../author.ts";
import { doerOf } from "../core.ts";
import { entryType, type TreeEntry } from "../git-forms.ts";
import { layTree } from "../lay-tree.ts";
import { moveRefs } from "../ref-changes.ts";
import { bodyOf, type RepoCall, repoRoute } from "../route.ts";
import { shapeGitCommit } from "../shapes/commit.ts";
import { repoApi, repoWeb } from "../shapes/links.ts";
import { checkWorkflows } from "../workflow-guard.ts";
import { wrapped } from "./git-data.ts";

const who = z.object({ name: z.string().min(1), email: z.string().min(1), date: z.string().optional() });
const fileEdit = z.object({
  message: z.string(),
  content: z.string(),
  sha: z.string().optional(),
  branch: z.string().optional(),
  author: who.optional(),
  committer: who.optional(),
});

/** Files above this come without their content. */
const mostInline = 1_000_000;

export const contentRoutes = [
  repoRoute("GET /repos/{owner}/{repo}/contents/{path}", { app: ["contents:read"], person: "read" }, async (call) => {
    const ref = call.query.get("ref") ?? call.repo.defaultBranch;
    const commit = await call.git.resolve(ref);
    if (commit === null) throw new ApiError(404, `No commit found for the ref ${ref}`);
    const path = trimmed(call.params["path"]!);
    const object = await call.git.object(`${commit}:${path}`);
    if (object === null) throw notFound();
    if (object.type === "tree") {
      const entries = (await call.git.tree(object.sha)) ?? [];
      return ok(await Promise.all(entries.map((entry) => shapeEntry(call, ref, path, entry))));
    }
    if (object.type !== "blob") throw notFound();
    const big = object.content.length > mostInline;
    return ok({
      ...shapeFileLinks(call, ref, path, { type: "file", sha: object.sha, size: object.content.length }),
      content: big ? "" : wrapped(object.content),
      encoding: big ? "none" : "base64",
    });
  }),

  repoRoute("PUT /repos/{owner}/{repo}/contents/{path}", { app: ["contents:write"], person: "write" }, (call) =>
    call.core.alone(call.repo, () => writeFile(call)),
  ),
];

async function writeFile(call: RepoCall) {
  const body = bodyOf(call, fileEdit);
  const { git } = call;
  const branch = body.branch ?? call.repo.defaultBranch;
  const path = trimmed(call.params["path"]!);
  const tip = git.branch(branch);
  if (tip === null) throw new ApiError(404, `Branch ${branch} not found`);
  const known = await git.object(`${tip}:${path}`);
  if (known !== null && body.sha === undefined) throw unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.');
  if (body.sha !== undefined && known?.sha !== body.sha) throw new ApiError(409, `${path} does not match ${body.sha}`);
  const sha = await git.writeBlob(Buffer.from(body.content, "base64"));
  const base = (await git.commit(tip))!.tree;
  const tree = await layTree(git, base, [{ path, mode: "100644", sha }]);
  const author = signatureOf(call, body.author);
  const committer = body.committer === undefined ? author : signatureOf(call, body.committer);
  const commit = { tree, parents: [tip], author, committer, message: body.message };
  const id = await git.writeCommit(commit);
  const change = { ref: `refs/heads/${branch}`, before: tip, after: id };
  await checkWorkflows(call, change);
  if (!(await moveRefs(call.core, call.repo, [change], doerOf(call.actor)))) {
    throw new ApiError(409, `${path} does not match ${body.sha ?? ""}`);
  }
  const size = Buffer.from(body.content, "base64").length;
  return {
    status: known === null ? 201 : 200,
    body: {
      content: shapeFileLinks(call, branch, path, { type: "file", sha, size }),
      commit: shapeGitCommit(call.core, call.repo, id, commit),
    },
  };
}

function trimmed(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, "");
}

async function shapeEntry(
  call: RepoCall,
  ref: string,
  folder: string,
  entry: TreeEntry,
): Promise<Record<string, unknown>> {
  const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
  const kind = entryType(entry.mode);
  const type = kind === "tree" ? "dir" : kind === "commit" ? "submodule" : entry.mode === "120000" ? "symlink" : "file";
  const size = kind === "blob" ? ((await call.git.info(entry.sha))?.size ?? 0) : 0;
  return shapeFileLinks(call, ref, path, { type, sha: entry.sha, size });
}

function shapeFileLinks(
  call: RepoCall,
  ref: string,
  path: string,
  file: { readonly type: string; readonly sha: string; readonly size: number },
): Record<string, unknown> {
  const api = repoApi(call.core, call.repo);
  const web = repoWeb(call.core, call.repo);
  const at = encodeURI(path);
  const url = `${api}/contents/${at}?ref=${encodeURIComponent(ref)}`;
  const folder = file.type === "dir";
  const gitUrl = `${api}/git/${folder ? "trees" : "blobs"}/${file.sha}`;
  const htmlUrl = `${web}/${folder ? "tree" : "blob"}/${ref}/${at}`;
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
    path,
    sha: file.sha,
    size: file.size,
    url,
    html_url: htmlUrl,
    git_url: gitUrl,
    download_url: folder ? null : `${web}/raw/${ref}/${at}`,
    type: file.type,
    _links: { self: url, git: gitUrl, html: htmlUrl },
  };
}
