/**
 * GitHub's answers, remembered for conditional reads: one memory for the whole process, because it is the process that
 * has only so much. The least recently used go first; what is forgotten is asked for at full price.
 *
 * They are held as text, whose size is known; a list of pull requests is hundreds of kilobytes, and as objects several times
 * that.
 */

export type Remembered = { readonly etag: string; readonly text: string; readonly next: boolean };

/** Characters of all answers together: 200 sessions of some 300 000 each are remembered, and a process stays below 512 MB. */
const charactersAtMost = 64 * 1024 * 1024;

export class Answers {
  readonly #answers = new Map<string, Remembered>();
  readonly #most: number;
  #size = 0;

  constructor(most = charactersAtMost) {
    this.#most = most;
  }

  /** What was answered to this question, or undefined. */
  get(key: string): Remembered | undefined {
    const known = this.#answers.get(key);
    if (known === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, known);
    return known;
  }

  set(key: string, answer: Remembered): void {
    this.#forget(key);
    this.#answers.set(key, answer);
    this.#size += sizeOf(key, answer);
    while (this.#size > this.#most) this.#forget(this.#answers.keys().next().value!);
  }

  /** Characters held. */
  get size(): number {
    return this.#size;
  }

  #forget(key: string): void {
    const known = this.#answers.get(key);
    if (known === undefined) return;
    this.#answers.delete(key);
    this.#size -= sizeOf(key, known);
  }
}

function sizeOf(key: string, { etag, text }: Remembered): number {
  return key.length + etag.length + text.length;
}
