/** `trial.protect` and `trial.private` in caches as they are: folders that are links, files that are links into `blobs/`. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hiddenOutside, outsideOf } from "../../action/src/outside.ts";
import { changedPaths, hashFiles, matchingFiles } from "../../action/src/protected-files.ts";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, makeHostileWorld, start } from "./hostile-world.ts";
import type { World } from "./world.ts";

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
    const spec = { protect: [], private: [join(folder, "hub/snapshots/main")] };
    expect(await hiddenOutside(outsideOf(spec, { HOME: folder }))).toEqual([
      join(folder, "hub/snapshots/main"),
      join(folder, "hub/blobs/aa"),
    ]);
  });
});

it("a link in the checkout is its target's name: what it leads to is hashed by its own", async () => {
  write("a");
  link("b", "a");
  expect((await hashFiles(folder, ["b"])).get("b")).toBe("link a");
});

describe("a pattern that matches nothing", () => {
  let world: World;
  beforeAll(() => {
    world = makeHostileWorld();
  });
  afterAll(() => world.remove());

  it.each([
    ["protect", "~/.cache/autoresearch/*.bni", "on this runner"],
    ["private", "~/.cache/autoresearch/held_out.bni", "on this runner"],
    ["private", "~/.cache/autoresearch/*.bni", "on this runner"],
    ["private", "secrets", "of the repository that is not mutable"],
    ["private", "made/*.bni", "of the repository that is not mutable"],
    ["private", "train.py", "of the repository that is not mutable"],
  ])("of `%s`: %s is an error that names it, and nothing is trained", async (key, pattern, where) => {
    const spec = {
      [key]: [pattern],
      setup: "mkdir made && echo 1 > made/held_out.bin",
      evaluate: "python3 evaluate.py",
    };
    const result = await start(world, `print("it ran")\n${block}`, "off", { spec }).done;
    expect(result.status).toBe(1);
    const name = pattern.replace("~", world.folder);
    expect(result.printed).toContain(
      `::error::\`trial.${key}\` names ${name}, and no file ${where} matches it: nothing would be ${key === "protect" ? "protected" : "hidden"}. Put there`,
    );
    expect(result.printed).toContain("or take the pattern out. Nothing was trained.");
    expect(result.printed).not.toContain("it ran");
    expect(result.outputs).toEqual({});
  });
});

describe.each((["required", "off"] as const).filter((sandbox) => sandbox === "off" || noBubblewrap === null))(
  "sandbox: %s",
  (sandbox) => {
    it("private files that the set-up makes are the evaluator's alone, in a folder with others, too", async () => {
      const world = makeHostileWorld();
      try {
        const cache = "~/.cache/autoresearch";
        const looks = ["made/a.bin", "made/deep/a.bin", "made/a.txt", "made/none/a.txt"];
        const look = `import os\nprint("sees", [p for p in ${JSON.stringify(looks)} if os.path.exists(p)])\n`;
        const outside = `print("text", open(os.path.expanduser("${cache}/held.bin")).read())\n`;
        const { measurement } = await start(world, `${look}${outside}${block}`, sandbox, {
          spec: {
            setup: `mkdir -p made/deep made/none && for f in ${looks.join(" ")} ${cache}/held.bin; do echo held out > $f; done; ln -s nowhere ${cache}/gone.bin`,
            private: ["made/**/*.bin", `${cache}/*.bin`],
            evaluate: `cat ${looks.join(" ")} ${cache}/held.bin && echo --- && echo val_bpb: 0.5`,
          },
        }).done;
        expect(measurement).toMatchObject({ status: "measured", value: 0.5 });
        expect(measurement.logTail).toContain("sees ['made/a.txt', 'made/none/a.txt']\n");
        if (sandbox === "required") expect(measurement.logTail).toMatch(/^text $/m);
      } finally {
        world.remove();
      }
    });
  },
);
