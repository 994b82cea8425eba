/** What a pass works with: what the process remembers of the session, and what the process gives it. */
import type { Action } from "./domain/action.ts";
import type { Config } from "./domain/config.ts";
import type { SessionKey } from "./domain/names.ts";
import type { Researcher } from "./domain/proposal.ts";
import type { Client } from "./github/client.ts";
import { contentKey } from "./github/files.ts";
import { type Identity, type View, emptyView } from "./github/view.ts";
import { Desk } from "./researcher/desk.ts";

export type Log = {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
};

/** What the process remembers of a session between passes: a cache, a desk, and who sits at it. */
export type Memory = {
  view: View;
  readonly desk: Desk;
  hired: { readonly config: Config; readonly researcher: Researcher } | null;
  lastAction: string;
  repeats: number;
  failures: number;
};

export type Deps = {
  readonly clientFor: (key: SessionKey) => Promise<Client>;
  /** Throws `Resting` where the app lost its access to the session's repository. */
  readonly confirm: (key: SessionKey) => Promise<void>;
  readonly identity: () => Promise<Identity>;
  readonly researcherFor: (config: Config) => Researcher;
  readonly wake: (key: SessionKey) => void;
  readonly now: () => number;
  /** Of this pass: it names the session and the pass in every line. */
  readonly log: Log;
  /** Hears of every action that was carried out. */
  readonly acted: (action: Action) => void;
  /** True when the process is about to end: the pass begins no action any more. */
  readonly stopping: () => boolean;
};

export function emptyMemory(key: SessionKey): Memory {
  return { view: emptyView(key), desk: new Desk(contentKey), hired: null, lastAction: "", repeats: 0, failures: 0 };
}
