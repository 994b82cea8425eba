/**
 * Several bots beside each other on one app: who looks after which session.
 *
 * Always: this saves work and keeps nothing right. What is merged and recorded goes by compare-and-swap on GitHub, so a lease
 * needs no fencing: two holders of one session (a process that slept through its lease, a Redis that forgot) do some work
 * twice and corrupt nothing.
 */
import type { Hint } from "./github/view.ts";

export type Replicas = {
  /** Tells of a session, heard from `source`: whoever looks after it makes a pass. */
  tell(session: string, hint: Hint, source: string): void;
  /** Before a pass: what the others were told of the session since the last one; null: another process looks after it. */
  begin(session: string): Promise<Hint | null>;
  /**
   * After a pass; `rests`: nothing of the session lives in this process any more. True: something was told meanwhile, and
   * another pass is due.
   */
  end(session: string, rests: boolean): Promise<boolean>;
  /** Whether it is this process that does what one is to do for all, such as the sweep. */
  isMine(task: string): Promise<boolean>;
  /** Hands everything over. */
  close(): Promise<void>;
};

/** What the process does when it is told to. */
export type Hooks = {
  readonly wake: (session: string, hint: Hint, source: string) => void;
  /** Another process looks after the session now. */
  readonly lost: (session: string) => void;
};

/** One process, which looks after everything that it hears of. */
export function alone({ wake }: Hooks): Replicas {
  return {
    tell: wake,
    begin: () => Promise.resolve(new Set()),
    end: () => Promise.resolve(false),
    isMine: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
}
