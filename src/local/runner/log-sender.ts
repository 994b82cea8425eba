/**
 * Sends a job's log in parts, in order, a little behind the job.
 *
 * Always: lines arrive once and in order, since each part says where it belongs; sending never holds up the step.
 */
import { setTimeout as sleep } from "node:timers/promises";

const pauseMs = 200;

export class LogSender {
  readonly #send: (offset: number, text: Buffer) => Promise<"kept" | "gone">;
  readonly #now: () => Date;
  #waiting: string[] = [];
  #offset = 0;
  #running: Promise<void> | null = null;
  #gone = false;

  constructor(send: (offset: number, text: Buffer) => Promise<"kept" | "gone">, now: () => Date) {
    this.#send = send;
    this.#now = now;
  }

  /** A line, which may hold line ends; each gets the time. */
  line(text: string): void {
    const time = this.#now().toISOString().replace("Z", "0000Z");
    for (const part of text.split(/\r?\n/)) this.#waiting.push(`${time} ${part}\n`);
    this.#running ??= this.#run();
  }

  /** Resolves when everything so far was sent, or the job is not ours any more. */
  async flush(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async #run(): Promise<void> {
    await sleep(pauseMs);
    while (this.#waiting.length > 0 && !this.#gone) {
      const text = Buffer.from(this.#waiting.splice(0).join(""));
      // A server that stays away is the end of the log, not of the runner.
      this.#gone = (await this.#send(this.#offset, text).catch(() => "gone")) === "gone";
      this.#offset += text.length;
    }
    this.#running = null;
  }
}
