/** Reads what the doctor judges, as the app: each step only where the one before it allows the question. */
import { z } from "zod";
import type { Facts, InstallationFacts, Unread } from "../domain/findings.ts";
import type { RepositoryFacts } from "../domain/findings-repository.ts";
import { configPath, triggerLabel } from "../domain/names.ts";
import { workflowPath } from "../domain/start.ts";
import { messageOf } from "../domain/thrown.ts";
import type { Authenticate } from "./app.ts";
import { Client } from "./client.ts";
import { isStatus } from "./errors.ts";
import { pathsOf, readText, readTree } from "./files.ts";
import { readBranch } from "./git.ts";
import { shippedManifest, shippedWorkflow } from "./shipped.ts";
import type { Repo } from "./view.ts";

const appSchema = z.object({ slug: z.string() });
const installationSchema = z.object({
  id: z.int(),
  suspended_at: z.string().nullish(),
  permissions: z.record(z.string(), z.string()),
  events: z.array(z.string()),
  html_url: z.string(),
});
const repositorySchema = z.object({
  full_name: z.string(),
  private: z.boolean(),
  archived: z.boolean().default(false),
  default_branch: z.string(),
  owner: z.object({ type: z.string() }),
});
const runnersSchema = z.object({
  runners: z.array(z.object({ name: z.string(), status: z.string(), labels: z.array(z.object({ name: z.string() })) })),
});

/** Everything the findings are made of. Never throws for an answer of GitHub: what could not be read says why. */
export async function examine(authenticate: Authenticate, at: Repo): Promise<Facts> {
  const unasked = {
    asked: `${at.owner}/${at.repo}`,
    wanted: shippedManifest(),
    shippedWorkflow: shippedWorkflow(),
    installation: null,
    repository: null,
  };
  const app = await orUnread(async () => {
    const client = new Client(await authenticate());
    return { client, slug: appSchema.parse(await client.read("GET /app")).slug };
  });
  if ("because" in app) return { ...unasked, app };
  const known = { ...unasked, app: { slug: app.slug } };
  const found = await orUnread(() => readInstallation(app.client, at));
  if (found === null || "because" in found) return { ...known, installation: found };
  const { id, ...installation } = found;
  if (installation.suspended) return { ...known, installation };
  const repository = await orUnread(async () => readRepository(new Client(await authenticate(id)), at));
  return { ...known, installation, repository };
}

async function orUnread<T>(read: () => Promise<T>): Promise<T | Unread> {
  try {
    return await read();
  } catch (error) {
    const message = messageOf(error);
    return { because: message.split("\n")[0]!.slice(0, 200) };
  }
}

async function readInstallation(client: Client, at: Repo): Promise<(InstallationFacts & { id: number }) | null> {
  const answer = await client.readIfThere("GET /repos/{owner}/{repo}/installation", at);
  if (answer === null) return null;
  const { id, suspended_at, permissions, events, html_url } = installationSchema.parse(answer);
  return { id, suspended: suspended_at != null, permissions, events, url: html_url };
}

async function readRepository(client: Client, at: Repo): Promise<RepositoryFacts> {
  const repository = repositorySchema.parse(await client.read("GET /repos/{owner}/{repo}", at));
  const files = await readTree(client, at, await readBranch(client, at, repository.default_branch));
  const label = { ...at, name: triggerLabel };
  return {
    fullName: repository.full_name,
    isPublic: !repository.private,
    ofOrganization: repository.owner.type === "Organization",
    archived: repository.archived,
    baseBranch: repository.default_branch,
    paths: pathsOf(files),
    configText: await readText(client, at, files, configPath),
    workflowText: await readText(client, at, files, workflowPath),
    hasTriggerLabel: (await client.readIfThere("GET /repos/{owner}/{repo}/labels/{name}", label)) !== null,
    runners: await readRunners(client, at),
  };
}

/** The repository's runners; null where the app may not see them: app.yml does not ask for `administration`. */
async function readRunners(client: Client, at: Repo): Promise<RepositoryFacts["runners"]> {
  const pick = (data: unknown): unknown[] => runnersSchema.parse(data).runners;
  try {
    const runners = await client.readAll("GET /repos/{owner}/{repo}/actions/runners", { ...at }, 10, pick);
    return runnersSchema.parse({ runners }).runners.map(({ name, status, labels }) => ({
      name,
      online: status === "online",
      labels: labels.map((label) => label.name),
    }));
  } catch (error) {
    if (isStatus(error, 403, 404)) return null;
    throw error;
  }
}
