/**
 * One bare repository: its refs in memory, kept in step with git; its objects; its questions to git.
 *
 * Always: git decides who wins a ref (`update-ref` with the old value); the table in memory follows. What else writes to
 * the repository (a push, a person at the terminal) is seen by `readRefs`, which is called after every push.
 */
import { type GitResult, git, tryGit } from "./git-command.ts";
import { type Commit, formatCommit, formatTree, parseCommit, parseTree, type TreeEntry } from "./git-forms.ts";
import { type RefChange, RefWriter } from "./git-refs.ts";
import { type GitObject, type ObjectInfo, ObjectReader, writeObject } from "./git-objects.ts";

export { noObject, type RefChange } from "./git-refs.ts";

export class GitRepository {
  readonly directory: string;
  /** Full names (`refs/heads/main`) and what they point to. */
  refs: ReadonlyMap<string, string> = new Map();
  readonly #objects: ObjectReader;
  readonly #writer: RefWriter;
  readonly #commits = new Map<string, Commit>();
  /** Answers that follow from object ids alone, and so hold for ever. */
  readonly #remembered = new Map<string, unknown>();

  constructor(directory: string) {
    this.directory = directory;
    this.#objects = new ObjectReader(directory);
    this.#writer = new RefWriter(directory);
  }

  close(): void {
    this.#objects.close();
    this.#writer.close();
  }

  /** Reads all refs from git and says what differs from what was known. */
  async readRefs(): Promise<RefChange[]> {
    const lines = (await git(this.directory, ["for-each-ref", "--format=%(objectname) %(refname)"])).split("\n");
    const fresh = new Map<string, string>();
    for (const line of lines) if (line !== "") fresh.set(line.slice(41), line.slice(0, 40));
    const known = this.refs;
    this.refs = fresh;
    const changes: RefChange[] = [];
    for (const ref of new Set([...known.keys(), ...fresh.keys()])) {
      const [before, after] = [known.get(ref) ?? null, fresh.get(ref) ?? null];
      if (before !== after) changes.push({ ref, before, after });
    }
    return changes;
  }

  /** Moves refs all together, each only from its `before`; false (and nothing moved) where one was elsewhere. */
  async moveRefs(changes: readonly RefChange[]): Promise<boolean> {
    if (!(await this.#writer.move(changes))) return false;
    const refs = new Map(this.refs);
    for (const { ref, after } of changes) {
      if (after === null) refs.delete(ref);
      else refs.set(ref, after);
    }
    this.refs = refs;
    return true;
  }

  branch(name: string): string | null {
    return this.refs.get(`refs/heads/${name}`) ?? null;
  }

  /** The object that `rev` names, or null. */
  object(rev: string): Promise<GitObject | null> {
    return this.#objects.read(rev);
  }

  /** Its type and size, or null. */
  info(rev: string): Promise<ObjectInfo | null> {
    return this.#objects.info(rev);
  }

  /** The id of the commit that a branch, tag, full ref or id (also shortened) names, or null. */
  async resolve(rev: string): Promise<string | null> {
    for (const ref of [`refs/heads/${rev}`, `refs/tags/${rev}`, `refs/${rev}`, rev]) {
      const id = this.refs.get(ref);
      if (id !== undefined) return this.#peeled(id);
    }
    return /^[0-9a-f]{4,40}$/.test(rev) ? this.#peeled(rev) : null;
  }

  async #peeled(id: string): Promise<string | null> {
    if (this.#commits.has(id)) return id;
    const object = await this.object(`${id}^{commit}`);
    if (object === null) return null;
    this.#commits.set(object.sha, parseCommit(object.content));
    return object.sha;
  }

  async commit(id: string): Promise<Commit | null> {
    const known = this.#commits.get(id);
    if (known !== undefined) return known;
    const object = await this.object(id);
    if (object?.type !== "commit") return null;
    const commit = parseCommit(object.content);
    this.#commits.set(id, commit);
    return commit;
  }

  async tree(id: string): Promise<TreeEntry[] | null> {
    const object = await this.object(id);
    return object?.type === "tree" ? parseTree(object.content) : null;
  }

  writeBlob(content: Buffer): Promise<string> {
    return writeObject(this.directory, "blob", content);
  }

  writeTree(entries: readonly TreeEntry[]): Promise<string> {
    return writeObject(this.directory, "tree", formatTree(entries));
  }

  async writeCommit(commit: Commit): Promise<string> {
    const id = await writeObject(this.directory, "commit", formatCommit(commit));
    this.#commits.set(id, commit);
    return id;
  }

  /** Runs git here; throws where it fails. */
  run(args: readonly string[]): Promise<string> {
    return git(this.directory, args);
  }

  /** Runs git here; an exit status is an answer. */
  try(args: readonly string[]): Promise<GitResult> {
    return tryGit(this.directory, args);
  }

  /** True when `ancestor` is reachable from `descendant` (a commit reaches itself). */
  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    if ((await this.#near(ancestor, descendant)) !== null) return true;
    return this.remember(`ancestor ${ancestor} ${descendant}`, async () => {
      const result = await this.try(["merge-base", "--is-ancestor", ancestor, descendant]);
      if (result.exitCode > 1) throw new Error(result.stderr);
      return result.exitCode === 0;
    });
  }

  /** The best common ancestor, or null. */
  async mergeBase(a: string, b: string): Promise<string | null> {
    if ((await this.#near(a, b)) !== null) return a;
    if ((await this.#near(b, a)) !== null) return b;
    return this.remember(`base ${a} ${b}`, async () => {
      const result = await this.try(["merge-base", a, b]);
      return result.exitCode === 0 ? result.stdout.trim() : null;
    });
  }

  /** Commits that `head` has and `base` has not, oldest first. */
  async commitsBetween(base: string, head: string): Promise<readonly string[]> {
    const near = await this.#near(base, head);
    if (near?.straight === true) return near.path.toReversed();
    if ((await this.#near(head, base)) !== null) return [];
    return this.remember(`commits ${base} ${head}`, async () => {
      const output = await this.run(["rev-list", "--reverse", "--topo-order", head, `^${base}`]);
      return output.split("\n").filter((line) => line !== "");
    });
  }

  /** The tree of the three-way merge of two commits; null where they conflict. */
  async mergeTree(ours: string, theirs: string): Promise<string | null> {
    if ((await this.#near(ours, theirs)) !== null) return (await this.commit(theirs))!.tree;
    if ((await this.#near(theirs, ours)) !== null) return (await this.commit(ours))!.tree;
    return this.remember(`merge ${ours} ${theirs}`, async () => {
      const args = ["merge-tree", "--write-tree", "--allow-unrelated-histories", ours, theirs];
      const result = await this.try(args);
      if (result.exitCode > 1) throw new Error(result.stderr);
      return result.exitCode === 0 ? result.stdout.slice(0, 40) : null;
    });
  }

  /**
   * Looks for `ancestor` a few commits behind `descendant`, with no process: what is asked is mostly so near. `straight`:
   * the way has no merge, and `path` is all of it, newest first. null: not found here, git must say.
   */
  async #near(ancestor: string, descendant: string): Promise<{ straight: boolean; path: string[] } | null> {
    let straight = true;
    const path: string[] = [];
    const queue = [descendant];
    for (let at = 0; at < queue.length && at < 64; at++) {
      const id = queue[at]!;
      if (id === ancestor) return { straight, path };
      path.push(id);
      const parents = (await this.commit(id))?.parents ?? [];
      straight &&= parents.length === 1;
      for (const parent of parents) if (!queue.includes(parent)) queue.push(parent);
    }
    return null;
  }

  /** Computes once what follows from object ids alone. */
  async remember<T>(key: string, compute: () => Promise<T>): Promise<T> {
    if (this.#remembered.has(key)) return this.#remembered.get(key) as T;
    const value = await compute();
    if (this.#remembered.size >= 2_000) this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(key, value);
    return value;
  }
}
