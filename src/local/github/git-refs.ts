/**
 * Moves refs through one long-lived `git update-ref --stdin`: each move is a transaction of git's own, with the old values,
 * and costs no process.
 *
 * Always: one transaction at a time. git ends the process when a transaction fails; the next one starts another.
 * Race "the process dies between `commit` and its answer": the answer is false although the refs have moved, and who asked
 * reads the refs again (see ref-changes.ts).
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { gitEnvironment } from "./git-command.ts";

export const noObject = "0".repeat(40);

/** One ref that moved; `null` is "not there". */
export type RefChange = { readonly ref: string; readonly before: string | null; readonly after: string | null };

export class RefWriter {
  readonly #directory: string;
  #child: ChildProcessWithoutNullStreams | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Moves all of them, each only from its `before`; false where git refused, and then nothing has moved. */
  move(changes: readonly RefChange[]): Promise<boolean> {
    const turn = this.#turn.then(() => this.#transact(changes));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  close(): void {
    this.#child?.kill();
    this.#child = null;
  }

  #transact(changes: readonly RefChange[]): Promise<boolean> {
    if (changes.some(({ ref }) => /[\s\0]/.test(ref))) return Promise.resolve(false);
    const lines = changes.map(({ ref, before, after }) =>
      after === null ? `delete ${ref} ${before ?? noObject}` : `update ${ref} ${after} ${before ?? noObject}`,
    );
    const child = this.#process();
    return new Promise((resolve) => {
      let answers = "";
      const settle = (moved: boolean): void => {
        child.stdout.off("data", onData);
        child.off("close", onClose);
        child.off("error", onClose);
        if (!moved) this.#child = null;
        resolve(moved);
      };
      const onData = (bytes: Buffer): void => {
        answers += bytes.toString("utf8");
        if (answers.includes("commit: ok\n")) settle(true);
      };
      const onClose = (): void => settle(false);
      child.stdout.on("data", onData);
      child.once("close", onClose);
      child.once("error", onClose);
      child.stdin.write(["start", ...lines, "prepare", "commit", ""].join("\n"));
    });
  }

  #process(): ChildProcessWithoutNullStreams {
    if (this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null) return this.#child;
    const child = spawn("git", ["--git-dir", this.#directory, "update-ref", "--stdin"], {
      env: { ...process.env, ...gitEnvironment },
    });
    child.stderr.resume();
    child.stdin.on("error", () => {});
    child.on("error", () => {});
    this.#child = child;
    return child;
  }
}
