/**
 * The app on GitHub: who it is, where it is installed, and a client for each installation. Clients are kept, because their
 * memory of answers is what makes reads free.
 */
import { z } from "zod";
import type { SessionKey } from "../domain/names.ts";
import { formatSessionKey, triggerLabel } from "../domain/names.ts";
import { sessionStates } from "../domain/session.ts";
import { Answers } from "./answers.ts";
import { Client, type OctokitLike } from "./client.ts";
import { classify, Resting } from "./errors.ts";
import type { Line } from "./line.ts";
import { Pace } from "./pace.ts";
import type { Identity } from "./view.ts";

const appSchema = z.object({ slug: z.string() });
const installationSchema = z.object({ id: z.int(), suspended_at: z.string().nullish() });
const repositoriesSchema = z.object({
  repositories: z.array(
    z.object({ name: z.string(), owner: z.object({ login: z.string() }), archived: z.boolean().optional() }),
  ),
});
const issueSchema = z.object({ number: z.int(), pull_request: z.unknown().optional() });

/** Of so many sweeps one looks at every label of a session. */
const thoroughEvery = 8;

/** Thrown at the end of a list of sessions in which some are missing, because GitHub did not answer. */
export class PartlyRead extends Error {
  override name = "PartlyRead";
}

/** Gives an Octokit that acts as the app itself (no id) or as one installation. */
export type Authenticate = (installationId?: number) => Promise<OctokitLike>;

export type GitHubAppOptions = {
  /** Hears of what a sweep could not read. */
  readonly unreadable?: (what: string, error: unknown) => void;
  /** Whether writes are kept apart as github.com asks; see `Pace`. */
  readonly spaced?: boolean;
};

export class GitHubApp {
  readonly #authenticate: Authenticate;
  readonly #options: GitHubAppOptions;
  readonly #clients = new Map<number | null, Promise<Client>>();
  readonly #answers = new Answers();
  readonly #installations = new Map<string, number>();
  #identity: Promise<Identity> | null = null;
  /** How many were read through. */
  #sweeps = 0;

  constructor(authenticate: Authenticate, options: GitHubAppOptions = {}) {
    this.#authenticate = authenticate;
    this.#options = options;
  }

  /** The bot's slug and login; read once. */
  identity(): Promise<Identity> {
    this.#identity ??= this.#readIdentity().catch((error: unknown) => {
      this.#identity = null;
      throw error;
    });
    return this.#identity;
  }

  async #readIdentity(): Promise<Identity> {
    const app = await this.#clientOf(null);
    const { slug } = appSchema.parse(await app.read("GET /app"));
    return { slug, login: `${slug}[bot]` };
  }

  /** The client of the installation that has the session's repository. Throws `Resting` where there is none that is awake. */
  async clientFor({ owner, repo }: Pick<SessionKey, "owner" | "repo">): Promise<Client> {
    const name = `${owner}/${repo}`.toLowerCase();
    let installation = this.#installations.get(name);
    if (installation === undefined) {
      const app = await this.#clientOf(null);
      const found = await app.readIfThere("GET /repos/{owner}/{repo}/installation", { owner, repo });
      if (found === null) throw new Resting(`the app is not installed on ${owner}/${repo}`);
      const { id, suspended_at } = installationSchema.parse(found);
      if (suspended_at != null) throw new Resting(`the installation on ${owner}/${repo} is suspended`);
      installation = id;
      this.#installations.set(name, installation);
    }
    return this.#clientOf(installation);
  }

  /** The line of the app itself: what goes out here shares the app's own limits. */
  async ownLine(): Promise<Line> {
    return (await this.#clientOf(null)).line;
  }

  /** Throws `Resting` where the app lost its access to the session's repository since it was last asked for. */
  async confirm(at: Pick<SessionKey, "owner" | "repo">): Promise<void> {
    this.forget(at);
    await this.clientFor(at);
  }

  /** Forgets where a repository is installed: the app was removed, or the repository moved. */
  forget({ owner, repo }: Pick<SessionKey, "owner" | "repo">): void {
    this.#installations.delete(`${owner}/${repo}`.toLowerCase());
  }

  /** The client of an installation; null: of the app itself. */
  #clientOf(installation: number | null): Promise<Client> {
    const known = this.#clients.get(installation);
    if (known !== undefined) return known;
    const { spaced = false } = this.#options;
    const options = { installation, pace: new Pace({ spaced }) };
    const client = this.#authenticate(installation ?? undefined).then(
      (octokit) => new Client(octokit, options, this.#answers),
    );
    client.catch(() => this.#clients.delete(installation));
    this.#clients.set(installation, client);
    return client;
  }

  /**
   * Every issue that is or may be a session: the open ones with the trigger label, and those whose label says that the
   * session has not ended (the issue may be closed, or the trigger label gone, with nobody having heard of it). Those are
   * looked for now and then only: until that was done once, every few sweeps, and when one installation is asked for; between,
   * `known` has them.
   */
  async *sessions(known: Iterable<SessionKey> = [], only: number | null = null): AsyncGenerator<SessionKey> {
    const found = new Set<string>();
    const thorough = only !== null || this.#sweeps % thoroughEvery === 0;
    for await (const key of this.#listed(thorough, only)) {
      found.add(formatSessionKey(key));
      yield key;
    }
    for (const key of known) if (!found.has(formatSessionKey(key))) yield key;
    // One that was not read through has not looked for all: the next one does.
    if (only === null) this.#sweeps += 1;
  }

  async *#listed(thorough: boolean, only: number | null): AsyncGenerator<SessionKey> {
    const app = await this.#clientOf(null);
    const installations = z.array(installationSchema).parse(await app.readAll("GET /app/installations", {}));
    const failed: string[] = [];
    const orNone = async <T>(what: string, read: () => Promise<T[]>): Promise<T[]> => {
      try {
        return await read();
      } catch (error) {
        this.#options.unreadable?.(what, error);
        if (classify(error, Date.now()).kind === "later") failed.push(what);
        return [];
      }
    };
    for (const { id, suspended_at } of installations) {
      if (suspended_at != null || (only !== null && id !== only)) continue;
      // One installation or repository that can't be read must not hide the others.
      for (const at of await orNone(`installation ${id}`, () => this.#repositoriesOf(id))) {
        const client = await this.#clientOf(id);
        yield* await orNone(`${at.owner}/${at.repo}`, () => sessionsOf(client, at, thorough));
      }
    }
    if (failed.length > 0) throw new PartlyRead(`not read: ${failed.join(", ")}`);
  }

  async #repositoriesOf(installation: number): Promise<{ owner: string; repo: string }[]> {
    const client = await this.#clientOf(installation);
    const pick = (data: unknown): unknown[] => repositoriesSchema.parse(data).repositories;
    const repositories = await client.readAll("GET /installation/repositories", {}, 10, pick);
    const live = repositoriesSchema.parse({ repositories }).repositories.filter((each) => each.archived !== true);
    return live.map((repository) => {
      const at = { owner: repository.owner.login, repo: repository.name };
      this.#installations.set(`${at.owner}/${at.repo}`.toLowerCase(), installation);
      return at;
    });
  }
}

async function sessionsOf(
  client: Client,
  at: { owner: string; repo: string },
  thorough: boolean,
): Promise<SessionKey[]> {
  const live = sessionStates
    .filter((state) => thorough && state !== "stopped" && state !== "done")
    .map((state) => `autoresearch:${state}`);
  const seen = new Set<number>();
  const queries = [{ labels: triggerLabel, state: "open" }, ...live.map((labels) => ({ labels, state: "all" }))];
  for (const query of queries) {
    const listed = await client.readAll("GET /repos/{owner}/{repo}/issues", { ...at, ...query });
    for (const issue of z.array(issueSchema).parse(listed)) {
      if (issue.pull_request === undefined) seen.add(issue.number);
    }
  }
  return [...seen].map((issue) => ({ ...at, issue }));
}
