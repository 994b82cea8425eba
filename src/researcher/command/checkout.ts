/**
 * The folder that a command works in: the mutable files and readable others at the frontier, without links and without
 * anything of the bot's. What is taken back is plain files alone, read without following a link.
 */
import { type Dirent, constants } from "node:fs";
import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import type { Brief, FileText } from "../../domain/proposal.ts";
import { isMutable } from "../../domain/start.ts";
import { baseOf, largestFile } from "../guard.ts";

/** Protected files laid down beside the mutable ones, at most; each has to be read from GitHub once. */
const protectedAtMost = 200;
const bytesAtMost = 8_000_000;

export type Checkout = {
  readonly dir: string;
  /** What was laid down, by path. */
  readonly laid: ReadonlyMap<string, string>;
};

/** Lays the files down in an empty folder; `PATH` is where git is looked for. */
export async function layCheckout(dir: string, brief: Brief, PATH: string): Promise<Checkout> {
  const laid = new Map(baseOf(brief).map(({ path: name, text }) => [name, text]));
  let bytes = 0;
  const others = (await brief.library.paths()).filter((name) => !laid.has(name) && !name.startsWith(".github/"));
  for (const name of others.slice(0, protectedAtMost)) {
    const text = await brief.library.read(name);
    if (text === null || bytes + text.length > bytesAtMost) continue;
    bytes += text.length;
    laid.set(name, text);
  }
  for (const [name, text] of laid) {
    const at = path.join(dir, name);
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, text);
  }
  await asRepository(dir, PATH);
  return { dir, laid };
}

/** Many agents want a repository to work in. Where there is no git they get a folder. */
async function asRepository(dir: string, PATH: string): Promise<void> {
  const who = { NAME: "autoresearch", EMAIL: "autoresearch@localhost" };
  const env = {
    PATH,
    ...Object.fromEntries(
      Object.entries(who).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
  };
  const git = (...args: string[]) => execa("git", ["-C", dir, ...args], { env, extendEnv: false, reject: false });
  await git("init", "--quiet", "--initial-branch=frontier");
  await git("add", "--all", "--force");
  await git("commit", "--quiet", "--no-verify", "--message", "The frontier");
}

export type Changes =
  | { readonly ok: true; readonly files: readonly FileText[] }
  | { readonly ok: false; readonly because: string };

/**
 * The files that the command changed: those of the mutable surface, and protected ones that were laid down (which the guard
 * refuses). New files outside the surface are what a tool leaves behind, and are passed over.
 */
export async function changesIn({ dir, laid }: Checkout, mutable: readonly string[]): Promise<Changes> {
  const files: FileText[] = [];
  const found = new Set<string>();
  for await (const { name, entry } of walk(dir, "")) {
    const wanted = laid.has(name) || isMutable(name, mutable);
    if (!wanted) continue;
    found.add(name);
    if (!entry.isFile()) return { ok: false, because: `${name} is no plain file any more` };
    const text = await readPlain(path.join(dir, name));
    if (text === null) return { ok: false, because: `${name} is too large, or is not text` };
    if (laid.get(name) !== text) files.push({ path: name, text });
  }
  const missing = [...laid.keys()].find((name) => !found.has(name));
  if (missing !== undefined) return { ok: false, because: `${missing} was deleted: empty it instead` };
  return { ok: true, files };
}

const entriesAtMost = 20_000;

async function* walk(dir: string, under: string): AsyncGenerator<{ name: string; entry: Dirent }> {
  let seen = 0;
  const folders = [under];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(path.join(dir, folder), { withFileTypes: true })) {
      seen += 1;
      if (seen > entriesAtMost) throw new Error(`the command left more than ${entriesAtMost} files`);
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (entry.name !== ".git") folders.push(name);
      } else yield { name, entry };
    }
  }
}

/** The text of a file that is no link, and not much larger than the guard lets pass; null otherwise. */
export async function readPlain(at: string): Promise<string | null> {
  const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size > 4 * largestFile) return null;
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await handle.readFile());
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}
