/**
 * Objects of one bare repository, read through one long-lived `git cat-file --batch-command` and written as loose objects: a
 * request that reads a commit or makes one costs no process.
 *
 * Always: an object is complete under its name or not there (written beside, then renamed), as git itself does it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { gitEnvironment } from "./git-command.ts";

export type ObjectType = "commit" | "tree" | "blob" | "tag";
export type GitObject = { readonly sha: string; readonly type: ObjectType; readonly content: Buffer };

const deflated = promisify(deflate);

/** What an object is, without its content; `size` is in bytes. */
export type ObjectInfo = { readonly sha: string; readonly type: ObjectType; readonly size: number };

type Waiting = {
  readonly withContent: boolean;
  readonly resolve: (found: { info: ObjectInfo; content: Buffer } | null) => void;
  readonly reject: (error: Error) => void;
};

/** Reads objects of the repository in `directory`, in the order they are asked for. */
export class ObjectReader {
  readonly #directory: string;
  #child: ChildProcessWithoutNullStreams | null = null;
  #buffered: Buffer[] = [];
  #size = 0;
  readonly #waiting: Waiting[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The object that git's `rev` names (`main:train.py`, an id, a ref), or null where there is none. */
  async read(rev: string): Promise<GitObject | null> {
    const found = await this.#ask("contents", rev);
    return found === null ? null : { sha: found.info.sha, type: found.info.type, content: found.content };
  }

  /** Its type and size, without reading it. */
  async info(rev: string): Promise<ObjectInfo | null> {
    return (await this.#ask("info", rev))?.info ?? null;
  }

  #ask(command: "contents" | "info", rev: string): Promise<{ info: ObjectInfo; content: Buffer } | null> {
    if (/[\n\0]/.test(rev)) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ withContent: command === "contents", resolve, reject });
      this.#process().stdin.write(`${command} ${rev}\n`);
    });
  }

  close(): void {
    this.#child?.stdin.end();
    this.#child?.kill();
    this.#child = null;
  }

  #process(): ChildProcessWithoutNullStreams {
    if (this.#child !== null) return this.#child;
    const child = spawn("git", ["--git-dir", this.#directory, "cat-file", "--batch-command"], {
      env: { ...process.env, ...gitEnvironment },
    });
    child.stdout.on("data", (bytes: Buffer) => {
      this.#buffered.push(bytes);
      this.#size += bytes.length;
      this.#drain();
    });
    child.stderr.resume();
    child.stdin.on("error", () => {});
    child.on("error", (error) => this.#fail(error));
    child.on("close", () => this.#child === child && this.#fail(new Error("git cat-file ended")));
    this.#child = child;
    return child;
  }

  #drain(): void {
    let all = this.#buffered.length === 1 ? this.#buffered[0]! : null;
    while (this.#waiting.length > 0) {
      if (all === null) {
        // Joining is put off until the pieces can be enough for what is awaited.
        if (this.#size < this.#needed) return;
        all = Buffer.concat(this.#buffered);
      }
      const taken = takeObject(all, this.#waiting[0]!.withContent);
      if ("needed" in taken) {
        this.#needed = taken.needed;
        break;
      }
      this.#needed = 0;
      all = taken.rest;
      this.#waiting.shift()!.resolve(taken.found);
    }
    if (all === null) return;
    this.#buffered = all.length === 0 ? [] : [all];
    this.#size = all.length;
  }
  #needed = 0;

  #fail(error: Error): void {
    this.#child = null;
    this.#buffered = [];
    this.#size = 0;
    this.#needed = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

type Taken = { readonly found: { info: ObjectInfo; content: Buffer } | null; readonly rest: Buffer };

function takeObject(bytes: Buffer, withContent: boolean): Taken | { readonly needed: number } {
  const lineEnd = bytes.indexOf(10);
  if (lineEnd < 0) return { needed: bytes.length + 1 };
  const words = bytes.toString("utf8", 0, lineEnd).split(" ");
  const size = Number(words[2]);
  const afterLine = bytes.subarray(lineEnd + 1);
  if (!/^[0-9a-f]{40}$/.test(words[0] ?? "") || words.length !== 3 || !Number.isInteger(size)) {
    return { found: null, rest: afterLine };
  }
  const info = { sha: words[0]!, type: words[1] as ObjectType, size };
  if (!withContent) return { found: { info, content: Buffer.alloc(0) }, rest: afterLine };
  if (afterLine.length < size + 1) return { needed: lineEnd + 1 + size + 1 };
  const content = Buffer.from(afterLine.subarray(0, size));
  return { found: { info, content }, rest: afterLine.subarray(size + 1) };
}

/** Writes an object and gives its id. */
export async function writeObject(directory: string, type: ObjectType, content: Buffer): Promise<string> {
  const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
  const id = createHash("sha1").update(whole).digest("hex");
  const folder = path.join(directory, "objects", id.slice(0, 2));
  const file = path.join(folder, id.slice(2));
  if (existsSync(file)) return id;
  await mkdir(folder, { recursive: true });
  const fresh = path.join(folder, `tmp_obj_${randomUUID()}`);
  await writeFile(fresh, await deflated(whole), { mode: 0o444 });
  await rename(fresh, file);
  return id;
}
