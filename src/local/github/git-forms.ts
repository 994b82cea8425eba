/** The forms of git's commits and trees, as codecs. */

export type Signature = { readonly name: string; readonly email: string; readonly date: Date };
export type Commit = {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Signature;
  readonly committer: Signature;
  readonly message: string;
};

export function formatCommit(commit: Commit): Buffer {
  const head = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${formatSignature(commit.author)}`,
    `committer ${formatSignature(commit.committer)}`,
  ];
  return Buffer.from(`${head.join("\n")}\n\n${commit.message}`);
}

export function parseCommit(content: Buffer): Commit {
  const text = content.toString("utf8");
  const split = text.indexOf("\n\n");
  const head = (split < 0 ? text : text.slice(0, split)).split("\n");
  const values = (key: string): string[] =>
    head.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  return {
    tree: values("tree")[0] ?? "",
    parents: values("parent"),
    author: parseSignature(values("author")[0] ?? ""),
    committer: parseSignature(values("committer")[0] ?? ""),
    message: split < 0 ? "" : text.slice(split + 2),
  };
}

function formatSignature(who: Signature): string {
  const clean = (text: string): string => text.replaceAll(/[<>\n\0]/g, "").trim();
  return `${clean(who.name)} <${clean(who.email)}> ${Math.floor(who.date.getTime() / 1000)} +0000`;
}

function parseSignature(text: string): Signature {
  const match = /^(.*?) ?<([^>]*)> (\d+) [+-]\d{4}$/.exec(text);
  if (match === null) return { name: "", email: "", date: new Date(0) };
  return { name: match[1]!, email: match[2]!, date: new Date(Number(match[3]) * 1000) };
}

/** `mode` is as git prints it: `100644`, `100755`, `040000`, `120000`, `160000`. */
export type TreeEntry = { readonly mode: string; readonly name: string; readonly sha: string };

export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    entries.push({
      mode: content.toString("latin1", at, space).padStart(6, "0"),
      name: content.toString("utf8", space + 1, end),
      sha: content.toString("hex", end + 1, end + 21),
    });
    at = end + 21;
  }
  return entries;
}

/** Sorts the entries as git wants them. */
export function formatTree(entries: readonly TreeEntry[]): Buffer {
  const sortKey = (entry: TreeEntry): Buffer => Buffer.from(entry.mode === "040000" ? `${entry.name}/` : entry.name);
  const sorted = [...entries].sort((a, b) => Buffer.compare(sortKey(a), sortKey(b)));
  return Buffer.concat(
    sorted.flatMap((entry) => [
      Buffer.from(`${entry.mode.replace(/^0+/, "")} ${entry.name}\0`),
      Buffer.from(entry.sha, "hex"),
    ]),
  );
}

export function entryType(mode: string): "tree" | "commit" | "blob" {
  if (mode === "040000") return "tree";
  return mode === "160000" ? "commit" : "blob";
}
