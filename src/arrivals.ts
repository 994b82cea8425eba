/**
 * Arrivals: the app is let into a repository (again), or a repository comes back under another name, from the archive, or with
 * another default branch. Sessions that rest are heard of by nobody else before the next sweep.
 */
import type { Probot } from "probot";
import type { SessionKey } from "./domain/names.ts";

export type Arrivals = {
  /** Sessions that this process looks after. */
  readonly known: () => Iterable<SessionKey>;
  /** Sessions of one installation. */
  readonly sessions: (installation: number) => AsyncIterable<SessionKey>;
  readonly wake: (key: SessionKey) => void;
  readonly failed: (error: unknown) => void;
};

/** The app may see more than it could: what is there is looked for. */
const installed = [
  "installation.created",
  "installation.unsuspend",
  "installation.new_permissions_accepted",
  "installation_repositories.added",
] as const;

/** What these tell of a repository may concern every session of it. */
const changed = [
  "repository.renamed",
  "repository.transferred",
  "repository.archived",
  "repository.unarchived",
  "repository.edited",
] as const;

/** The events that these are of. */
export const arrivalEvents: ReadonlySet<string> = new Set(
  [...installed, ...changed].map((each) => each.split(".")[0]!),
);

export function hearArrivals(probot: Probot, { known, sessions, wake, failed }: Arrivals): void {
  const lookThrough = async (installation: number) => {
    try {
      for await (const key of sessions(installation)) wake(key);
    } catch (error) {
      failed(error);
    }
  };
  // Nobody waits for the end of the look: GitHub wants its answer.
  probot.on([...installed], ({ payload }) => void lookThrough(payload.installation.id));
  probot.on([...changed], ({ name, payload }) => {
    const { changes, repository, installation } = payload as Changed;
    if (name === "repository" && payload.action === "edited" && changes?.default_branch === undefined) return;
    // Under its old name a session learns that it has another.
    const names = new Set([repository.name, changes?.repository?.name?.from]);
    for (const key of known()) if (names.has(key.repo)) wake(key);
    if (installation !== undefined && payload.action !== "archived") void lookThrough(installation.id);
  });
}

/** What is read of such a payload. */
type Changed = {
  readonly repository: { readonly name: string };
  readonly installation?: { readonly id: number };
  readonly changes?: {
    readonly repository?: { readonly name?: { readonly from: string } };
    readonly default_branch?: unknown;
  };
};
