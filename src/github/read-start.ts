/** Reads what a start needs from the default branch, in as few requests as it takes. */
import { configPath, sha } from "../domain/names.ts";
import type { Start } from "../domain/session.ts";
import { programPath, startOf } from "../domain/start.ts";
import type { Client } from "./client.ts";
import { refSchema } from "./facts.ts";
import { readBlob, readTree } from "./files.ts";
import { readMayWrite } from "./observe-comments.ts";
import { type View, repoOf } from "./view.ts";

export async function readStart(client: Client, view: View, by: string, nowMs: number): Promise<Start> {
  const baseBranch = view.repository!.default_branch;
  const ref = `heads/${baseBranch}`;
  const base = refSchema.parse(await client.read("GET /repos/{owner}/{repo}/git/ref/{ref}", { ...repoOf(view), ref }));
  const mayWrite = await readMayWrite(client, view, by, nowMs);
  const entries = (await readTree(client, repoOf(view), base)).tree.filter((entry) => entry.type === "blob");
  const textOf = async (path: string | null) => {
    const entry = path === null ? undefined : entries.find((each) => each.path === path);
    return entry === undefined ? null : readBlob(client, repoOf(view), sha(entry.sha));
  };
  const configText = await textOf(configPath);
  const issueBody = view.issue!.body;
  const programText = await textOf(programPath(configText, issueBody));
  const paths = entries.map((entry) => entry.path);
  return startOf({ by, mayWrite, base, baseBranch, paths, configText, issueBody, programText });
}
