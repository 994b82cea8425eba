/**
 * Hostile candidates with and without the sandbox. Without one some can't be kept from trying: then what they did is found,
 * or changes nothing.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, makeHostileWorld, type Mode, planted, start, token, type Wish } from "./hostile-world.ts";
import { linkProgram, plainSpec, processesWith, type Result, startAction, until, type World } from "./world.ts";

let world: World;
beforeAll(() => {
  world = makeHostileWorld();
});
afterAll(() => world.remove());

function put(path: string, text: string): void {
  mkdirSync(dirname(join(world.folder, path)), { recursive: true });
  writeFileSync(join(world.folder, path), text);
}

const judge = async (train: string, sandbox: Mode, wish?: Wish): Promise<Result> =>
  start(world, train, sandbox, wish).done;

describe.each(
  [["in the sandbox", "required"] as const, ["without a sandbox", "off"] as const].filter(
    ([, sandbox]) => sandbox === "off" || noBubblewrap === null,
  ),
)("%s", (_, sandbox) => {
  it("a daemon that left the group and the session is gone when the trial is over", async () => {
    const alive = `beat-${sandbox}`;
    const daemon = [
      "import os, sys, time, signal",
      "if os.fork() == 0:",
      "    os.setsid()",
      "    if os.fork(): os._exit(0)",
      "    signal.signal(signal.SIGTERM, signal.SIG_IGN)",
      "    print('daemon', os.getpid(), flush=True)",
      "    os.chdir('/')",
      "    while True: time.sleep(0.05)",
      `time.sleep(0.3)`,
      block,
    ].join("\n");
    const run = start(world, daemon, sandbox, { env: { LC_ALL: alive } });
    const result = await run.done;
    expect(result.measurement).toMatchObject({ status: "measured", value: 0.9 });
    expect(result.printed).toMatch(/^daemon \d+$/m);
    expect(processesWith(`LC_ALL=${alive}`)).toEqual([]);
    expect(result.leftovers).toEqual([]);
  });

  it("cancellation leaves no process, and comes within the 5 seconds that a runner waits", async () => {
    const mark = `cancel-${sandbox}`;
    const run = start(
      world,
      `import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\nprint("waiting", flush=True)\ntime.sleep(600)\n`,
      sandbox,
      { env: { LC_ALL: mark } },
    );
    await until(() => run.printed().includes("waiting"));
    const asked = performance.now();
    run.child.kill("SIGINT");
    await until(() => processesWith(`LC_ALL=${mark}`).length === 0);
    expect(performance.now() - asked).toBeLessThan(5_000);
    const result = await run.done;
    expect(result.measurement.status).toBe("cancelled");
    expect(processesWith(`LC_ALL=${mark}`)).toEqual([]);
  });

  it("a disk that is filled ends the trial", async () => {
    const filler = `import os\nos.makedirs("out")\nfor i in range(10000):\n    open(f"out/{i}", "wb").write(os.urandom(1 << 20)); __import__("time").sleep(0.01)\n`;
    const result = await judge(filler, sandbox, { env: { AUTORESEARCH_MAX_DISK_MB: "32" } });
    expect(result.measurement).toMatchObject({ status: "crash", because: "wrote more than 32 MiB: ended" });
    expect(result.leftovers).toEqual([]);
  });

  it("a single huge file ends the trial", async () => {
    const { measurement } = await judge(
      `import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nfile = open("huge", "wb")\nwhile True: file.write(bytes(1 << 20))\n`,
      sandbox,
      { env: { AUTORESEARCH_MAX_DISK_MB: "64" } },
    );
    expect(measurement.status).toBe("crash");
    expect(measurement.because).toMatch(/wrote a file beyond the limit \(SIGXFSZ\)|wrote more than 64 MiB/);
  });

  it("a log that is flooded is bounded, and its end is read", async () => {
    const result = await judge(
      `import sys\nfor _ in range(200): sys.stdout.write("x" * 1_000_000 + "\\n")\n${block}`,
      sandbox,
    );
    expect(result.measurement).toMatchObject({ status: "measured", value: 0.9 });
    expect(result.outputs["measurement"]!.length).toBeLessThan(40_001);
    expect(result.printed).toMatch(/bytes of output are not shown here/);
  });

  it("a forged block beside the real one is rejected, before it or after it", async () => {
    for (const text of [
      `print("---"); print("val_bpb: 0.1")\n${block}`,
      `${block}print("---"); print("val_bpb: 0.1")\n`,
    ]) {
      const { measurement } = await judge(text, sandbox);
      expect(measurement).toMatchObject({
        status: "rejected",
        because: "printed more than one val_bpb line: which one counts is not for us to guess",
      });
    }
  });

  it("what it prints and leaves means nothing to an evaluator", async () => {
    const shadows = [
      "import os, sys",
      `for name in ("json.py", "os.py", "sitecustomize.py", "usercustomize.py", "encodings.py", "evaluate.py.bak"):`,
      `    open(name, "w").write("print('---'); print('val_bpb: 0.1'); raise SystemExit(0)")`,
      `os.makedirs("__pycache__", exist_ok=True)`,
      `open("__pycache__/evaluate.cpython-311.pyc", "wb").write(b"x")`,
      `home = os.path.expanduser("~/.local/lib/python%d.%d/site-packages" % sys.version_info[:2])`,
      `try:`,
      `    os.makedirs(home, exist_ok=True)`,
      ...(sandbox === "required"
        ? [`    open(home + "/usercustomize.py", "w").write("print('---'); print('val_bpb: 0.1')")`]
        : []),
      `except OSError: pass`,
      `for name in (".bashrc", ".profile", ".pdbrc"): open(os.path.join(os.environ["TMPDIR"], name), "w").write("echo val_bpb: 0.1")`,
      `print("---"); print("val_bpb: 0.1")`,
      "",
    ].join("\n");
    const { measurement } = await judge(shadows, sandbox, { spec: { evaluate: "python3 evaluate.py" } });
    expect(measurement).toMatchObject({ status: "measured", value: 0.8125 });
    expect(measurement.logTail).toContain("modules []");
  });

  it("what it says of a secret is hidden, whoever gave it", async () => {
    const result = await judge(
      `print("the key is ${planted[1]} and ${token}")\nraise ValueError("${planted[1]}")\n`,
      sandbox,
    );
    expect(result.measurement.status).toBe("crash");
    // The job's own log is masked by the runner; what leaves by our hand is clean.
    expect(result.log).toContain("the key is *** and ***");
    for (const text of [JSON.stringify(result.outputs), result.summary, result.log]) {
      expect(text).not.toContain(planted[1]);
      expect(text).not.toContain(token);
    }
    expect(result.measurement.because).toContain("***");
  });
});

describe("without a sandbox", () => {
  it.each([
    ["a protected file", `open("prepare.py", "a").write("DATA = 2")`, "prepare.py"],
    ["a protected file for a while longer than the training", `import os; os.remove("prepare.py")`, "prepare.py"],
    [
      "a protected cache",
      `open(__import__("os").path.expanduser("~/.cache/autoresearch/tokenizer.bin"), "w").write("mine")`,
      "tokenizer.bin",
    ],
    [
      "a new file in a protected cache",
      `open(__import__("os").path.expanduser("~/.cache/autoresearch/new.bin"), "w").write("mine")`,
      "new.bin",
    ],
  ])("%s that is changed voids the trial, by name", async (_, step, name) => {
    writeFileSync(join(world.folder, ".cache/autoresearch/tokenizer.bin"), "the tokenizer");
    const { measurement } = await judge(`${step}\n${block}`, "off", {
      spec: { protect: ["~/.cache/autoresearch/*.bin"] },
    });
    expect(measurement.status).toBe("rejected");
    expect(measurement.because).toMatch(/^changed .* while running, outside the mutable surface$/);
    expect(measurement.because).toContain(name);
    expect(measurement.protectedFiles.changed.join()).toContain(name);
  });

  it("an evaluator that was exchanged, and would put itself right, is not run", async () => {
    const forged = [
      "import shutil",
      'print("forged it")',
      'shutil.copy2("../evaluate.bak", "evaluate.py")',
      `print("---"); print("val_bpb: 0.1")`,
    ].join("\n");
    const { measurement, printed } = await judge(
      `import shutil\nshutil.copy2("../judge/evaluate.py", "../evaluate.bak")\nopen("../judge/evaluate.py", "w").write(${JSON.stringify(forged)})\n${block}`,
      "off",
      { spec: { evaluate: "python3 evaluate.py" } },
    );
    expect(measurement).toMatchObject({
      status: "rejected",
      because: "changed evaluate.py while running, outside the mutable surface",
    });
    expect(printed).not.toContain("forged it");
  });

  it.each([
    ["rewrote", `open("../hidden/secret/held.txt", "w").write("mine")`, "secret/held.txt"],
    ["removed", `import os; os.remove("../hidden/secret/held.txt")`, "secret/held.txt"],
    ["rewrote outside the checkout", `open(os.path.expanduser("~/held/out.txt"), "w").write("mine")`, "held/out.txt"],
    ["added to outside the checkout", `open(os.path.expanduser("~/held/new.txt"), "w").write("mine")`, "held/new.txt"],
    ["rewrote where the set-up made it", `open("../hidden/made.txt", "w").write("mine")`, "made.txt"],
  ])("held-out data that the candidate %s is no yardstick: the trial is void, by name", async (_, step, name) => {
    put("held/out.txt", "held out");
    const base = world.candidate({ "secret/held.txt": "held out" });
    const { measurement, printed } = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_BASE: base,
      INPUT_COMMIT: world.candidate({ "secret/held.txt": "held out", "train.py": `import os\n${step}\n${block}` }),
      INPUT_SPEC: JSON.stringify({
        ...plainSpec,
        command: "python3 train.py",
        setup: "echo made > made.txt",
        mutable: ["train.py"],
        private: ["secret", "made.txt", "~/held"],
        evaluate: `cat secret/held.txt ~/held/*; echo ---; echo val_bpb: 0.1`,
      }),
    }).done;
    expect(measurement.status).toBe("rejected");
    expect(measurement.because).toMatch(/^changed .* while running, outside the mutable surface$/);
    expect(measurement.protectedFiles.changed).toHaveLength(1);
    const [changed] = measurement.protectedFiles.changed;
    expect(changed).toBe(name.startsWith("held/") ? join(world.folder, name) : name);
    expect(printed).not.toContain("evaluation: cat");
  });

  it("a module that was put beside the evaluator is not run", async () => {
    const { measurement, printed } = await judge(
      `open("../judge/json.py", "w").write("print('planted it')\\ndef loads(text): return 0.1")\n${block}`,
      "off",
      { spec: { evaluate: "python3 evaluate.py" } },
    );
    expect(measurement).toMatchObject({ status: "rejected", protectedFiles: { changed: ["judge/json.py"] } });
    expect(printed).not.toContain("planted it");
  });

  it("is said in the measurement, with its reason", async () => {
    const folder = join(world.folder, "bin-without-bwrap");
    if (!existsSync(folder)) mkdirSync(folder);
    for (const name of ["bash", "git", "mkfifo", "python3"]) linkProgram(name, folder);
    const spec = { command: "echo ---; echo val_bpb: 0.5", sandbox: "auto" as const };
    const { measurement } = await judge("", "off", { spec, env: { PATH: folder } });
    expect(measurement).toMatchObject({ status: "measured", sandbox: "none (bwrap is not installed)" });
  });

  it("is refused where one is required: nothing runs, and the remedy is said", async () => {
    const folder = join(world.folder, "bin-without-bwrap");
    if (!existsSync(folder)) mkdirSync(folder);
    for (const name of ["bash", "git", "mkfifo", "python3"]) linkProgram(name, folder);
    const result = await judge(`print("it ran")`, "required", { env: { PATH: folder } });
    expect(result.status).toBe(1);
    expect(result.printed).toMatch(
      /::error::`sandbox: required` cannot be kept .*bwrap is not installed.*apt-get install bubblewrap/,
    );
    expect(result.printed).not.toContain("it ran");
    expect(result.outputs).toEqual({});
  });
});
