/** `trial.protect` and `trial.private` in caches as they are: folders that are links, files that are links into `blobs/`. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outsideFiles } from "../../action/src/outside.ts";
import { changedPaths, hashFiles, matchingFiles } from "../../action/src/protected-files.ts";
import { block, makeHostileWorld, start } from "./hostile-world.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "action-protected-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text = "1"): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function link(path: string, to: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(to, join(folder, path));
}

const matched = async (...patterns: readonly string[]): Promise<string[]> =>
  (await matchingFiles(patterns.map((pattern) => join(folder, pattern)))).map((path) => path.slice(folder.length + 1));

async function changedBy(pattern: string, change: () => void): Promise<string[]> {
  const hashes = async () => hashFiles(folder, await matchingFiles([join(folder, pattern)]));
  const before = await hashes();
  change();
  return changedPaths(before, await hashes()).map((path) => path.slice(folder.length + 1));
}

describe("of a cache that is a link", () => {
  beforeEach(() => {
    write("data/tokenizer.bin");
    write("data/shards/0.bin");
    write("data/.index");
    link("cache/autoresearch", join(folder, "data"));
  });

  it.each([
    ["cache/autoresearch/**", [".index", "shards/0.bin", "tokenizer.bin"]],
    ["cache/autoresearch/*.bin", ["tokenizer.bin"]],
    ["cache/*/shards/*", ["shards/0.bin"]],
    ["cache/autoresearch", [".index", "shards/0.bin", "tokenizer.bin"]],
    ["cache/autoresearch/shards/", ["shards/0.bin"]],
    ["cache/autoresearch/tokenizer.bin", ["tokenizer.bin"]],
    ["cache/autoresearch/token", []],
  ])("%s matches what is in it", async (pattern, names) => {
    expect(await matched(pattern)).toEqual(names.map((name) => `cache/autoresearch/${name}`));
  });

  it("a change is seen, by the name that matched", async () => {
    expect(await changedBy("cache/autoresearch/**", () => write("data/shards/0.bin", "2"))).toEqual([
      "cache/autoresearch/shards/0.bin",
    ]);
  });

  it("links in a circle come to an end", async () => {
    link("data/again", "../data");
    link("data/self", "self");
    link("data/nowhere", "absent");
    expect(await matched("cache/autoresearch/**")).toEqual(
      [".index", "again", "nowhere", "self", "shards/0.bin", "tokenizer.bin"].map(
        (name) => `cache/autoresearch/${name}`,
      ),
    );
  });
});

describe("of a snapshot whose files are links into blobs/", () => {
  beforeEach(() => {
    write("hub/blobs/aa");
    write("hub/blobs/bb");
    link("hub/snapshots/main/train.parquet", "../../blobs/aa");
  });

  it("another content and another target are both a change", async () => {
    const pattern = "hub/snapshots/**";
    const changed = ["hub/snapshots/main/train.parquet"];
    expect(await changedBy(pattern, () => write("hub/blobs/aa", "2"))).toEqual(changed);
    expect(
      await changedBy(pattern, () => {
        rmSync(join(folder, changed[0]!));
        link(changed[0]!, "../../blobs/bb");
      }),
    ).toEqual(changed);
    expect(await changedBy(pattern, () => write("hub/blobs/cc"))).toEqual([]);
  });

  it("of a private folder what its links lead to is private, too", async () => {
    const { hidden } = await outsideFiles(
      { protect: [], private: [join(folder, "hub/snapshots/main")] },
      { HOME: folder },
    );
    expect(hidden).toEqual([join(folder, "hub/snapshots/main"), join(folder, "hub/blobs/aa")]);
  });
});

it("a link in the checkout is its target's name: what it leads to is hashed by its own", async () => {
  write("a");
  link("b", "a");
  expect((await hashFiles(folder, ["b"])).get("b")).toBe("link a");
});

it("a pattern that matches nothing is an error that names it, and nothing is trained", async () => {
  const world = makeHostileWorld();
  try {
    const spec = { protect: ["~/.cache/autoresearch/*.bni"] };
    const result = await start(world, `print("it ran")\n${block}`, "off", { spec }).done;
    expect(result.status).toBe(1);
    expect(result.printed).toMatch(
      /::error::`trial\.protect` names .*\/\.cache\/autoresearch\/\*\.bni, and no file on this runner matches it/,
    );
    expect(result.printed).not.toContain("it ran");
    expect(result.outputs).toEqual({});
  } finally {
    world.remove();
  }
});
