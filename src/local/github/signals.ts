/** What happens in the world, for those who look on: the story in the terminal, the pages, tests, the Actions half. */
import { EventEmitter } from "node:events";
import type { Delivery } from "./entities.ts";

type Change =
  | {
      readonly kind: "ref";
      readonly repoId: number;
      readonly ref: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  | { readonly kind: "issue"; readonly repoId: number; readonly number: number; readonly action: string }
  | { readonly kind: "pull"; readonly repoId: number; readonly number: number; readonly action: string }
  | {
      readonly kind: "comment";
      readonly repoId: number;
      readonly number: number;
      readonly commentId: number;
      readonly action: string;
    }
  | { readonly kind: "check"; readonly repoId: number; readonly checkRunId: number; readonly action: string }
  /** Whatever another part wants to tell: a run, a job. */
  | {
      readonly kind: "other";
      readonly repoId: number;
      readonly topic: string;
      readonly id: number;
      readonly action: string;
    };

type Topics = { change: Change; webhook: Delivery };

export class Signals {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  /** Calls back for each; returns the function that ends it. */
  on<T extends keyof Topics>(topic: T, listener: (value: Topics[T]) => void): () => void {
    this.#emitter.on(topic, listener);
    return () => this.#emitter.off(topic, listener);
  }

  emit<T extends keyof Topics>(topic: T, value: Topics[T]): void {
    this.#emitter.emit(topic, value);
  }
}
