/**
 * What a person does on github.com before the first session, done on the local one: an account, the repository, the app as
 * app.yml describes it, its installation, and the workflow file where the repository has none.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Octokit } from "@octokit/rest";
import { parse, parseDocument } from "yaml";
import { z } from "zod";
import { splitFrontMatter } from "../domain/config-text.ts";
import { triggerLabel, workflowFile } from "../domain/names.ts";
import { readJson, writeWhole } from "./directory.ts";
import type { LocalGitHub } from "./github/server.ts";
import type { LocalOptions } from "./options.ts";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
/** The person at this machine. */
export const person = "you";

const credentialsSchema = z.object({
  repo: z.string(),
  issue: z.int().nullable(),
  appId: z.int(),
  privateKey: z.string(),
  webhookSecret: z.string(),
  runnerCount: z.int(),
});

/** What `app.json` keeps: which repository and issue the session is, and the app's key. */
export type Setting = z.output<typeof credentialsSchema>;

const manifestSchema = z.object({
  name: z.string(),
  default_permissions: z.record(z.string(), z.enum(["read", "write"])),
  default_events: z.array(z.string()),
});

function settingPath(dir: string): string {
  return path.join(dir, "app.json");
}

/** What an earlier process set up in `dir`, or null. */
export function readSetting(dir: string): Setting | null {
  const known = readJson(settingPath(dir));
  return known === null ? null : credentialsSchema.parse(known);
}

function writeSetting(dir: string, setting: Setting): void {
  writeWhole(settingPath(dir), `${JSON.stringify(setting, null, 2)}\n`, 0o600);
}

/** An Octokit that acts as the person. */
export function asPerson(github: LocalGitHub): Octokit {
  const silent = () => {};
  return new Octokit({
    baseUrl: github.apiUrl,
    auth: github.world.personalToken(person),
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
}

/** Sets the world up, as far as it is not yet. Each step is left out where it was done before. */
export async function setUp(github: LocalGitHub, options: LocalOptions): Promise<Setting> {
  const known = readSetting(options.dir);
  if (known !== null) return known;
  const name = path
    .basename(path.resolve(options.repo!))
    .replace(/\.git$/, "")
    .replace(/[^\w.-]+/g, "-");
  github.world.createUser(person);
  await github.world.createRepo({
    owner: person,
    name,
    from: path.resolve(options.repo!),
    directory: path.join(options.dir, "repo.git"),
    private: true,
  });
  const repo = `${person}/${name}`;
  github.world.setPermission(repo, person, "admin");
  await ensureWorkflow(asPerson(github), { owner: person, repo: name });

  const manifest = manifestSchema.parse(parse(readFileSync(path.join(root, "app.yml"), "utf8")));
  const app = github.world.createApp({
    slug: manifest.name,
    permissions: manifest.default_permissions,
    events: manifest.default_events,
  });
  github.world.install(app.appId, repo);
  const { appId, privateKey, webhookSecret } = app;
  const setting = { repo, issue: null, appId, privateKey, webhookSecret, runnerCount: options.runners };
  writeSetting(options.dir, setting);
  return setting;
}

async function ensureWorkflow(octokit: Octokit, at: { owner: string; repo: string }): Promise<void> {
  const file = `.github/workflows/${workflowFile}`;
  try {
    await octokit.rest.repos.getContent({ ...at, path: file });
  } catch {
    const content = readFileSync(path.join(root, file)).toString("base64");
    await octokit.rest.repos.createOrUpdateFileContents({
      ...at,
      path: file,
      message: "Add the autoresearch workflow",
      content,
    });
  }
}

/** Opens the issue with the program and the label; once. */
export async function openIssue(
  github: LocalGitHub,
  setting: Setting,
  options: LocalOptions,
): Promise<Setting & { issue: number }> {
  if (setting.issue !== null) return { ...setting, issue: setting.issue };
  const octokit = asPerson(github);
  const [owner, repo] = setting.repo.split("/") as [string, string];
  const there = await octokit.rest.issues.listForRepo({ owner, repo, creator: person, state: "all" });
  const body = programWith(readFileSync(options.program!, "utf8"), options);
  const title = titleOf(body);
  const issue =
    there.data.find((each) => each.pull_request === undefined) ??
    (await octokit.rest.issues.create({ owner, repo, title, body })).data;
  await octokit.rest.issues.addLabels({ owner, repo, issue_number: issue.number, labels: [triggerLabel] });
  const opened = { ...setting, issue: issue.number };
  writeSetting(options.dir, opened);
  return opened;
}

function titleOf(body: string): string {
  const { text } = splitFrontMatter(body);
  const heading = /^#+\s+(.+)$/m.exec(text)?.[1] ?? text.split("\n")[0] ?? "";
  return (heading.trim() || "autoresearch").slice(0, 120);
}

/** The program with what the command line says put into its front matter, where it wins. */
export function programWith(
  program: string,
  options: Pick<LocalOptions, "runners" | "experiments" | "researcher" | "sandbox">,
): string {
  const { frontMatter, text } = splitFrontMatter(program);
  const document = parseDocument(frontMatter ?? "{}");
  document.setIn(["runner", "concurrency"], options.runners);
  if (options.experiments !== null) document.setIn(["limits", "experiments"], options.experiments);
  if (options.researcher !== null) document.setIn(["researcher", "kind"], options.researcher);
  if (options.sandbox !== null) document.setIn(["trial", "sandbox"], options.sandbox);
  return `---\n${document.toString({ flowCollectionPadding: false }).trim()}\n---\n\n${text}\n`;
}
