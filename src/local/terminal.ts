/** Writes lines, and on a terminal a block below them that is drawn anew. On a pipe there are lines alone. */
import type { WriteStream } from "node:tty";

export class Terminal {
  readonly #out: NodeJS.WriteStream | WriteStream;
  #drawn = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** Whether a block can be drawn. */
  get draws(): boolean {
    return this.#out.isTTY && process.env["TERM"] !== "dumb";
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#wipe();
    this.#out.write(lines.map((line) => `${line}\n`).join(""));
  }

  draw(lines: readonly string[]): void {
    if (!this.draws) return;
    this.#wipe();
    const width = this.#out.columns ?? 120;
    this.#out.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(""));
    this.#drawn = lines.length;
  }

  #wipe(): void {
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}
