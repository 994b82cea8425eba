/**
 * What people see in the job's log on GitHub.
 *
 * Always: writing never blocks the process (a blocked write would stop the clock of the trial), and what a candidate
 * prints is not read as a command by the runner: its output stands between `::stop-commands::` and a word it can't know, and
 * what is said of it afterwards is made plain. The runner knows two forms: `::command::` at the beginning of a line, and
 * `##[command]` anywhere in one (ActionCommand.cs of actions/runner).
 */
import { randomUUID } from "node:crypto";
import { write as writeFile } from "node:fs";

/** The candidate's output beyond this many bytes, or while the runner is slow to read, is left out of the job's log. */
const maxForeignBytes = 16 * 1024 * 1024;
const maxWaitingBytes = 4 * 1024 * 1024;

export type JobLog = {
  /** One line of ours. Line ends in it become spaces. */
  readonly say: (line: string) => void;
  readonly beginGroup: (title: string) => void;
  readonly endGroup: () => void;
  /** Hides a value in everything that is printed from here on. */
  readonly mask: (value: string) => void;
  readonly error: (message: string) => void;
  readonly notice: (message: string) => void;
  /** From here on until the returned function is called, `write` takes output that is not ours. */
  readonly beginForeign: () => { readonly write: (chunk: Buffer) => void; readonly end: () => void };
  /** Resolves when everything was written, or nobody reads any more. */
  readonly flush: () => Promise<void>;
};

/** Data of a workflow command, as the runner reads it: one line, percent-encoded where it must be. */
function commandData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

/** One line that is no command, whatever stands in it. */
function plain(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, " ")
    .replace(/^(?=\s*::)/, "·")
    .replaceAll("##[", "##·[");
}

/** A log on an open file descriptor (1 in the action). */
export function openJobLog(fd: number): JobLog {
  const out = openWriter(fd);
  const line = (text: string) => out.write(Buffer.from(`${text}\n`));
  return {
    say: (text) => line(plain(text)),
    beginGroup: (title) => line(`::group::${commandData(title)}`),
    endGroup: () => line("::endgroup::"),
    mask: (value) => line(`::add-mask::${commandData(value)}`),
    error: (message) => line(`::error::${commandData(message)}`),
    notice: (message) => line(`::notice::${commandData(message)}`),
    beginForeign: () => foreignPart(out),
    flush: out.flush,
  };
}

type Writer = {
  readonly write: (bytes: Buffer) => void;
  readonly waiting: () => number;
  readonly flush: () => Promise<void>;
};

function foreignPart(out: Writer): { write: (chunk: Buffer) => void; end: () => void } {
  const word = randomUUID();
  let left = maxForeignBytes;
  let dropped = 0;
  let lastByte = 10;
  out.write(Buffer.from(`::stop-commands::${word}\n`));
  return {
    write: (chunk) => {
      if (left < chunk.length || out.waiting() > maxWaitingBytes) {
        dropped += chunk.length;
        return;
      }
      left -= chunk.length;
      lastByte = chunk.at(-1) ?? lastByte;
      out.write(chunk);
    },
    end: () => {
      const note = dropped > 0 ? `[… ${dropped} bytes of output are not shown here …]\n` : "";
      out.write(Buffer.from(`${lastByte === 10 ? "" : "\n"}${note}::${word}::\n`));
    },
  };
}

/** Writes in order, one write at a time, without blocking. When the reader is gone (EPIPE) what is left is dropped. */
function openWriter(fd: number): Writer {
  let queue: Buffer[] = [];
  let queued = 0;
  let busy = false;
  let broken = false;
  let idle: (() => void)[] = [];
  const next = (): void => {
    if (queue.length === 0 || broken) {
      busy = false;
      queue = [];
      queued = 0;
      for (const resolve of idle.splice(0)) resolve();
      return;
    }
    busy = true;
    const bytes = Buffer.concat(queue);
    queue = [];
    put(bytes, 0);
  };
  const put = (bytes: Buffer, offset: number): void => {
    writeFile(fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => put(bytes, offset), 10);
        return;
      }
      if (error !== null) {
        broken = true;
        return next();
      }
      queued -= written;
      if (offset + written < bytes.length) put(bytes, offset + written);
      else next();
    });
  };
  return {
    write: (bytes) => {
      if (broken) return;
      queue.push(bytes);
      queued += bytes.length;
      if (!busy) next();
    },
    waiting: () => queued,
    flush: async () => {
      if (busy) await new Promise<void>((resolve) => idle.push(resolve));
    },
  };
}
