/**
 * The log file of a command, bounded on disk: its head and its end are kept, the middle of a flood is dropped.
 *
 * The file is written by the action, never by the command, so that a command cannot fill the disk through it. The end is
 * kept in memory until the command is over.
 */
import { closeSync, openSync, writeSync } from "node:fs";

export class BoundedLog {
  readonly #file: number;
  readonly #headLimit: number;
  readonly #endLimit: number;
  #written = 0;
  #end: Buffer[] = [];
  #endBytes = 0;
  #dropped = 0;

  /** @param limitBytes the file never grows beyond this, but for one line that says what was dropped */
  constructor(path: string, limitBytes: number) {
    this.#file = openSync(path, "w", 0o600);
    this.#headLimit = Math.floor(limitBytes / 2);
    this.#endLimit = limitBytes - this.#headLimit;
  }

  write(chunk: Buffer): void {
    const room = this.#headLimit - this.#written;
    if (room > 0) this.#put(chunk.subarray(0, room));
    if (chunk.length > room) this.#keepEnd(chunk.subarray(Math.max(0, room)));
  }

  /** Writes the end and closes the file. Gives the number of bytes that were dropped. */
  close(): number {
    const end = Buffer.concat(this.#end);
    const kept = end.subarray(Math.max(0, end.length - this.#endLimit));
    this.#dropped += end.length - kept.length;
    if (this.#dropped > 0) this.#put(Buffer.from(`\n[… ${this.#dropped} bytes of the log were dropped here …]\n`));
    this.#put(kept);
    closeSync(this.#file);
    return this.#dropped;
  }

  #put(bytes: Buffer): void {
    this.#written += bytes.length;
    for (let offset = 0; offset < bytes.length;) offset += writeSync(this.#file, bytes, offset);
  }

  #keepEnd(bytes: Buffer): void {
    this.#end.push(bytes);
    this.#endBytes += bytes.length;
    while (this.#endBytes - this.#end[0]!.length >= this.#endLimit) {
      const first = this.#end.shift()!;
      this.#endBytes -= first.length;
      this.#dropped += first.length;
    }
  }
}
