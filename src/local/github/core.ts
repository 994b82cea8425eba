/**
 * What every part of the local GitHub works on: the rows, the repositories, the webhooks, the faults. One per server.
 * Functions of the parts take it as their first argument.
 */
import type { Repository } from "./entities.ts";
import type { Faults } from "./faults.ts";
import type { GitRepository } from "./git-repository.ts";
import type { Limits } from "./limits.ts";
import type { Actor } from "./auth.ts";
import type { Signals } from "./signals.ts";
import type { Store } from "./store.ts";
import type { Webhooks } from "./webhooks.ts";

export type Core = {
  /** Folder of the world. */
  readonly dir: string;
  /** Web root, without a slash at the end. */
  readonly url: string;
  /** Root of the REST API. */
  readonly apiUrl: string;
  readonly store: Store;
  /** The bare repository of a repository. */
  readonly git: (repo: Repository) => GitRepository;
  /** Runs the work alone: nothing else that moves this repository's refs or follows from them runs at the same time. */
  readonly alone: <T>(repo: Repository, work: () => Promise<T>) => Promise<T>;
  readonly webhooks: Webhooks;
  readonly faults: Faults;
  readonly limits: Limits;
  readonly signals: Signals;
  readonly now: () => Date;
};

/** Who does something: the account it is shown under, and the app it came through. */
export type Doer = { readonly userId: number; readonly appId: number | null };

/** The doer for an actor that may write. */
export function doerOf(actor: Actor): Doer {
  if (actor.kind === "person") return { userId: actor.user.id, appId: null };
  if (actor.kind === "anonymous") throw new Error("nobody is signed in");
  return { userId: actor.app.botId, appId: actor.app.id };
}

/** The present moment as GitHub writes it: whole seconds. */
export function timestamp(core: { readonly now: () => Date }): string {
  return `${core.now().toISOString().slice(0, 19)}Z`;
}
