/** Links in the base and of the set-up, wherever they lead; and a sandbox that can't be made all the same. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, makeHostileWorld, start } from "./hostile-world.ts";
import { plainSpec, type Result, startAction, type World } from "./world.ts";

const links = { "gone.txt": "nothing", "log/all": "/var/log", share: "/usr/share", "held.txt": "secret/held.txt" };
const spec = {
  ...plainSpec,
  command: "python3 train.py",
  setup: "ln -s /var/log made-log; ln -s nowhere made-gone; mkdir made && echo 1 > made/one && ln -s made made-near",
  mutable: ["train.py"],
  private: ["secret"],
  evaluate: "cat held.txt made-near/one && echo --- && echo val_bpb: 0.5",
};
let world: World;
let withLinks = "";
beforeAll(() => {
  world = makeHostileWorld();
  const targets = Object.entries(links).map(([path, link]) => [path, { link }]);
  withLinks = world.candidate({ ...Object.fromEntries(targets), "secret/held.txt": "held out" });
});
afterAll(() => world.remove());

/** A candidate with this train.py on the base that has the links. */
async function judge(train: string, more: Partial<typeof spec> & { serve?: string } = {}): Promise<Result> {
  const targets = Object.entries(links).map(([path, link]) => [path, { link }]);
  const files = { ...Object.fromEntries(targets), "secret/held.txt": "held out" };
  return startAction(world, {
    INPUT_MODE: "train",
    INPUT_COMMIT: world.candidate({ ...files, "train.py": train }),
    INPUT_BASE: withLinks,
    INPUT_SPEC: JSON.stringify({ ...spec, sandbox: "required", ...more }),
  }).done;
}

describe.skipIf(noBubblewrap !== null)("in the sandbox", () => {
  it("links that lead to nothing, out of the checkout and to what is private keep no trial from being held", async () => {
    const look = `import os\nprint([os.path.exists(p) for p in ("gone.txt", "log/all", "share", "held.txt", "made-near/one")])\n`;
    const { measurement } = await judge(look + block);
    expect(measurement).toMatchObject({ status: "measured", value: 0.5, sandbox: "bubblewrap" });
    expect(measurement.logTail).toContain("[False, False, True, False, True]");
    expect(measurement.logTail).toContain("held out1\n");
  });

  it("the answering side follows a link of the set-up as the training does", async () => {
    const look = `import sys\nprint("one", open("made-near/one").read(), file=sys.stderr)\n${block}`;
    const { measurement } = await judge(look, {
      serve: "python3 train.py",
      evaluate: `cat <&"$AUTORESEARCH_ANSWERS_FD" >/dev/null; ${spec.evaluate}`,
    });
    expect(measurement).toMatchObject({ status: "measured", value: 0.5 });
    expect(measurement.logTail.match(/^one 1$/gm)).toHaveLength(2);
  });

  it.each([
    ["of the base", "held.txt", {}],
    ["of the set-up", "made-near", {}],
    ["of the set-up, with nothing to be evaluated", "made-near", { evaluate: null as unknown as string, private: [] }],
  ])("a link %s that the candidate exchanged voids the trial", async (_, path, more) => {
    const deed = `import os; os.remove("${path}"); os.symlink("train.py", "${path}")\n`;
    const { measurement } = await judge(deed + block, more);
    expect(measurement).toMatchObject({
      status: "rejected",
      because: `changed ${path} while running, outside the mutable surface`,
    });
  });
});

describe.skipIf(noBubblewrap !== null)("a sandbox that can't be made", () => {
  /** A search path whose bwrap works as long as it is tried out, and fails where the call has this in it. */
  function failing(where: string): string {
    const folder = join(world.folder, `failing-${where.replaceAll(/\W/g, "")}`);
    mkdirSync(folder);
    const real = execFileSync("bash", ["-c", "command -v bwrap"], { encoding: "utf8" }).trim();
    writeFileSync(
      join(folder, "bwrap"),
      `#!/bin/bash\ncase "$*" in *"${where}"*) exec ${real} --ro-bind /not/there /not/there "$@" ;; esac\nexec ${real} "$@"\n`,
    );
    chmodSync(join(folder, "bwrap"), 0o755);
    return `${folder}:${process.env["PATH"] ?? ""}`;
  }

  it("before the training is the machine's fault: its own words are said, and nothing is reported", async () => {
    const PATH = failing("bash -c");
    const result = await start(world, `print("it ran")\n${block}`, "required", { env: { PATH } }).done;
    expect(result.status).toBe(1);
    expect(result.printed).toMatch(
      /::error::the sandbox could not be made: bwrap: Can't find source path \/not\/there: .*\. Nothing was trained\./,
    );
    expect(result.outputs).toEqual({});
  });

  it("before the evaluation is told as its reason", async () => {
    const env = { PATH: failing("python3 evaluate.py") };
    const { measurement } = await start(world, block, "required", { spec: { evaluate: "python3 evaluate.py" }, env })
      .done;
    expect(measurement.status).toBe("crash");
    expect(measurement.because).toMatch(
      /^the evaluate command could not be started: bwrap: Can't find source path \/not\/there/,
    );
  });

  it("is told from a candidate that says the same words and fails", async () => {
    const words = "bwrap: Can't find source path /mine";
    const { measurement } = await start(
      world,
      `import os, sys\ntry: open("/proc/1/fd/2", "w").write("${words}")\nexcept OSError: pass\nprint("${words}"); sys.exit(1)\n`,
      "required",
    ).done;
    expect(measurement).toMatchObject({ status: "crash", because: `exit status 1: ${words}`, exitCode: 1 });
  });
});
