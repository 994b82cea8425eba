/** The admin's side of the local GitHub: what one does on github.com with the mouse, before a bot can work there. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import path from "node:path";
import { digest, mintToken } from "./auth.ts";
import { type Core, timestamp } from "./core.ts";
import type { App, CollaboratorPermission, Permissions, Repository, User } from "./entities.ts";
import { findRepository, findUser, repositoryOf } from "./finders.ts";
import { install } from "./installing.ts";
import { requestAction, rerequestCheck } from "./check-changes.ts";
import { makeBareRepository } from "./bare-repository.ts";
import { indexOf } from "./store.ts";

export type NewRepository = {
  readonly owner: string;
  readonly name: string;
  /** An existing git repository: every ref of it is copied. */
  readonly from?: string;
  /** Files of a first commit, where `from` is not given. */
  readonly files?: Readonly<Record<string, string>>;
  readonly private?: boolean;
  readonly defaultBranch?: string;
  /** Where the bare repository is to be; `OWNER/NAME.git` in the world's folder when not said. */
  readonly directory?: string;
  readonly description?: string;
};

export type NewApp = {
  readonly slug: string;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly webhookUrl?: string | null;
  readonly webhookSecret?: string;
  /** The account that owns the app; made where there is none. */
  readonly owner?: string;
  /** A key (PEM) that the app has already; a fresh one is made when not said. */
  readonly privateKey?: string;
};

export type AppCredentials = {
  readonly appId: number;
  readonly clientId: string;
  readonly slug: string;
  /** PEM; shown once. */
  readonly privateKey: string;
  readonly webhookSecret: string;
};

/** The built-in app in whose name jobs act. */
const actionsAppSlug = "github-actions";

const appsBySlug = indexOf("app", (app) => app.slug);
const collaborators = indexOf("collaborator", (row) => `${row.repoId}:${row.userId}`);

/** An account; the one that is there where the login is taken. */
export function createUser(core: Core, login: string, type: User["type"] = "User"): User {
  const known = findUser(core.store, login);
  if (known !== undefined) return known;
  return core.store.put("user", {
    id: core.store.nextId(),
    login,
    type,
    name: null,
    email: null,
    createdAt: timestamp(core),
  });
}

/** A repository with its bare git repository. */
export async function createRepository(core: Core, wanted: NewRepository): Promise<Repository> {
  const owner = createUser(core, wanted.owner);
  const known = findRepository(core.store, wanted.owner, wanted.name);
  if (known !== undefined) return known;
  const directory = path.resolve(wanted.directory ?? path.join(core.dir, wanted.owner, `${wanted.name}.git`));
  const defaultBranch = await makeBareRepository(directory, wanted, core.now());
  const now = timestamp(core);
  const repo = core.store.put("repository", {
    id: core.store.nextId(),
    ownerId: owner.id,
    name: wanted.name,
    private: wanted.private ?? false,
    defaultBranch,
    description: wanted.description ?? null,
    directory,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
  });
  await core.git(repo).readRefs();
  install(core, actionsApp(core).id, repo);
  return repo;
}

/** An app with its key. Where there is an app of this name it gets the new settings and the new key, and keeps its id. */
export function createApp(core: Core, wanted: NewApp): AppCredentials {
  const privateKey = wanted.privateKey ?? newPrivateKey();
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
  const webhookSecret = wanted.webhookSecret ?? digest(privateKey).slice(0, 32);
  const app = putApp(core, { ...wanted, webhookSecret }, publicKey);
  return { appId: app.id, clientId: app.clientId, slug: app.slug, privateKey, webhookSecret };
}

/** An RSA key as GitHub hands it out: PKCS #1, PEM. */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs1", format: "pem" }).toString();
}

function putApp(core: Core, wanted: NewApp & { webhookSecret: string }, publicKey: string): App {
  const known = core.store.one(appsBySlug, wanted.slug);
  const id = known?.id ?? core.store.nextId();
  return core.store.put("app", {
    id,
    slug: wanted.slug,
    name: wanted.slug,
    clientId: `Iv23li${String(id).padStart(14, "0")}`,
    ownerId: createUser(core, wanted.owner ?? "octo-org", "Organization").id,
    botId: createUser(core, `${wanted.slug}[bot]`, "Bot").id,
    permissions: wanted.permissions,
    events: wanted.events,
    webhookUrl: wanted.webhookUrl ?? null,
    webhookSecret: wanted.webhookSecret,
    publicKey,
    createdAt: known?.createdAt ?? timestamp(core),
  });
}

/** The app of the jobs; made with the first repository. It has no key: its tokens are minted for jobs alone. */
function actionsApp(core: Core): App {
  const known = core.store.one(appsBySlug, actionsAppSlug);
  if (known !== undefined) return known;
  const write = ["actions", "checks", "contents", "issues", "pull_requests", "statuses"];
  const permissions = Object.fromEntries(write.map((name) => [name, "write" as const]));
  return putApp(core, { slug: actionsAppSlug, permissions, events: [], owner: "github", webhookSecret: "none" }, "");
}

export function setPermission(core: Core, repo: Repository, login: string, permission: CollaboratorPermission): void {
  const user = createUser(core, login);
  const known = core.store.one(collaborators, `${repo.id}:${user.id}`);
  const id = known?.id ?? `${repo.id}:${user.id}`;
  core.store.put("collaborator", { id, repoId: repo.id, userId: user.id, permission });
}

/** A token with which tests and the demo act as a person. */
export function personalToken(core: Core, login: string): string {
  return mintToken(core.store, { kind: "personal", userId: createUser(core, login).id }, null);
}

/** A job's GITHUB_TOKEN: the app `github-actions`, this repository alone, for 24 hours. */
export function jobToken(core: Core, repo: Repository, permissions: Permissions): string {
  const installationId = install(core, actionsApp(core).id, repo);
  const expiresAt = new Date(core.now().getTime() + 24 * 3_600_000).toISOString();
  const grant = { kind: "installation", installationId, permissions, repositoryIds: [repo.id], job: true } as const;
  return mintToken(core.store, grant, expiresAt);
}

export function setWebhookUrl(core: Core, appId: number, url: string | null): void {
  const app = core.store.get("app", appId);
  if (app === undefined) throw new Error(`no app ${appId}`);
  core.store.put("app", { ...app, webhookUrl: url });
}

/** A person presses a button of a check: the app that posted the check is told, and no other. */
export function pressButton(core: Core, checkRunId: number, identifier: string, login: string): void {
  const run = core.store.get("checkRun", checkRunId);
  if (run === undefined) throw new Error(`no check run ${checkRunId}`);
  if (!run.actions.some((action) => action.identifier === identifier)) throw new Error(`no button ${identifier}`);
  const doer = { userId: createUser(core, login).id, appId: null };
  requestAction(core, repositoryOf(core.store, run.repoId), run, identifier, doer);
}

/** A person asks for a check run once more. */
export function askForRerun(core: Core, checkRunId: number, login: string): void {
  const run = core.store.get("checkRun", checkRunId);
  if (run === undefined) throw new Error(`no check run ${checkRunId}`);
  const doer = { userId: createUser(core, login).id, appId: null };
  rerequestCheck(core, repositoryOf(core.store, run.repoId), run, doer);
}
