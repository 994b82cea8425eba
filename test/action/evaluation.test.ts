/** The evaluate command and the candidate's answers to it: two sandboxes with two pipes between them. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { isAlive, makeWorld, pidsIn, plainSpec, type Result, startAction, type World } from "./world.ts";

const evaluate = `
import os, sys
answers = open(int(os.environ["AUTORESEARCH_ANSWERS_FD"]), "rb")
questions = open(int(os.environ["AUTORESEARCH_QUESTIONS_FD"]), "wb", buffering=0)
text = open("secret/held_out.txt", "rb").read()
right = 0
for byte in text:
    answer = answers.read(1)
    if not answer: raise EOFError("the model ended")
    right += answer[0] == byte
    questions.write(bytes([byte]))
print("---")
print("val_bpb:", 1 + len(text) - right)
`;
/** Says that the byte before comes again. */
const train = `
import os, sys
if "--serve" in sys.argv:
    model = open("model.bin").read()
    questions, answers = open(0, "rb", buffering=0), open(1, "wb", buffering=0)
    answers.write(model.encode())
    while byte := questions.read(1):
        answers.write(byte)
else:
    open("model.bin", "w").write("a")
    print("---"); print("num_steps: 3")
`;
const files = {
  "train.py": train,
  "evaluate.py": evaluate,
  "secret/held_out.txt": "aabbbb",
  "prepare.py": "DATA = 1\n",
};
const spec = {
  ...plainSpec,
  command: "python3 train.py",
  evaluate: "python3 evaluate.py",
  serve: "python3 train.py --serve",
  mutable: ["train.py"],
  private: ["secret"],
};

let world: World;
/** A base with a folder that has a mutable file in it, beside what a set-up may put there. */
let withData = "";
beforeAll(() => {
  world = makeWorld(files);
  withData = world.candidate({ "data/mine.txt": "0" });
});
afterAll(() => world.remove());

type Mode = "required" | "off";
const run = async (text: string, sandbox: Mode, more: Partial<typeof spec> = {}): Promise<Result> =>
  startAction(world, {
    INPUT_MODE: "train",
    INPUT_COMMIT: world.candidate({ "train.py": text }),
    INPUT_SPEC: JSON.stringify({ ...spec, sandbox, ...more }),
  }).done;
const serving = (body: string) =>
  train.replace('    model = open("model.bin").read()', `    model = "a"\n${body.replaceAll(/^/gm, "    ")}`);

const modes = [["in the sandbox", "required"] as const, ["without a sandbox", "off"] as const];

describe.each(modes.filter(([, mode]) => mode === "off" || noBubblewrap === null))("%s", (_, sandbox) => {
  it("the value is what the evaluator says of the model's answers", async () => {
    const { measurement } = await run(train, sandbox);
    // Wrong once, where a becomes b.
    expect(measurement).toMatchObject({ status: "measured", value: 2, metrics: { val_bpb: 2, num_steps: 3 } });
    expect(measurement.protectedFiles.changed).toEqual([]);
  });

  it("the candidate finds the private files neither while it trains nor while it answers", async () => {
    const look = `import os\nfor f, _, names in os.walk(os.getcwd()):\n    print("sees", sorted(names), file=__import__("sys").stderr)\n`;
    const { measurement } = await run(look + train, sandbox);
    expect(measurement.status).toBe("measured");
    expect(measurement.logTail.match(/sees \[.*train\.py.*\]/g)).toHaveLength(2);
    expect(measurement.logTail).not.toContain("held_out");
  });

  it("a metric that the answering side prints is none", async () => {
    const forged = serving(`print("---\\nval_bpb: 0.001", file=sys.stderr, flush=True)`);
    const { measurement, log } = await run(forged, sandbox);
    expect(log).toMatch(
      /^=== training ===\n[^]*=== serving ===\n[^]*0\.001\n[^]*=== evaluation ===\n---\nval_bpb: 2\n$/,
    );
    expect(measurement).toMatchObject({ status: "measured", value: 2, metrics: { val_bpb: 2 } });
    expect(measurement.logTail).toMatch(/=== serve ===\n---\nval_bpb: 0\.001\n[^]*=== evaluate ===\n---\nval_bpb: 2/);
  });

  it("answers that are noise give a bad value, not a good one", async () => {
    const noise = serving(`os.write(1, b"\\n---\\nval_bpb: 0.001\\n" * 3)`);
    const { measurement } = await run(noise, sandbox);
    expect(measurement).toMatchObject({ status: "measured" });
    expect(measurement.metrics["val_bpb"]).toBeGreaterThan(2);
  });

  it("an answering side that breaks is told by its own traceback and line", async () => {
    const { measurement } = await run(serving(`raise KeyError("no such weight")`), sandbox);
    expect(measurement).toMatchObject({
      status: "crash",
      at: { path: "train.py", message: "KeyError: 'no such weight'" },
    });
    expect(measurement.because).toMatch(/^the serve command KeyError: 'no such weight' at train\.py:\d+$/);
  });

  it("an answering side that is silent is ended by the time-out", async () => {
    const { measurement } = await run(serving("import time; time.sleep(600)"), sandbox, { timeoutSeconds: 2 });
    expect(measurement).toMatchObject({ status: "timeout", because: "timeout after 2 s in the evaluate command" });
  });

  it("an evaluator without answers has the training's folder to look at", async () => {
    const { measurement } = await run(train, sandbox, {
      serve: null as unknown as string,
      evaluate: `ls; echo ---; echo "val_bpb: 1$(cat "$AUTORESEARCH_TRAINED/model.bin" | tr a 5)"`,
    });
    expect(measurement).toMatchObject({ status: "measured", value: 15 });
    // Protected and private files alone: nothing of the candidate's stands beside them.
    expect(measurement.logTail).toContain("=== evaluate ===\nevaluate.py\nprepare.py\nsecret\n---");
  });
});

describe.skipIf(noBubblewrap !== null)("in the sandbox", () => {
  it("the answering side sees neither the evaluator nor its files, and can write nothing", async () => {
    const spy = serving(
      [
        "import glob",
        `say = lambda *words: print(*words, file=sys.stderr, flush=True)`,
        `say("pids", len([p for p in os.listdir("/proc") if p.isdigit()]) < 6)`,
        `fds = [os.path.join("/proc/self/fd", f) for f in os.listdir("/proc/self/fd")]`,
        `say("fds", sorted({os.path.basename(os.readlink(f)).split(":")[0] for f in fds if os.path.exists(f)}))`,
        `say("texts", glob.glob("/tmp/**/held_out.txt", recursive=True) + glob.glob("/tmp/**/evaluate.py", recursive=True))`,
        `try: open("train.py", "a")`,
        `except OSError as error: say(error.strerror)`,
      ].join("\n"),
    );
    const { measurement } = await run(spy, "required");
    expect(measurement).toMatchObject({ status: "measured", value: 2 });
    expect(measurement.logTail).toContain("pids True\nfds ['answers (deleted)', 'questions (deleted)', 'socket']\n");
    // Of the candidate's own folder there is the protected evaluate.py, which is no secret.
    expect(measurement.logTail).toMatch(/texts \['\S+\/trained\/evaluate\.py'\]\nRead-only file system/);
  });

  it("private files outside the repository are there for the evaluator alone", async () => {
    const outside = join(world.folder, "bin");
    mkdirSync(outside, { recursive: true });
    writeFileSync(join(outside, "held_out.txt"), "aab");
    const { measurement } = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: world.candidate({
        "train.py": `import sys\nprint("text:", open("${outside}/held_out.txt").read(), file=sys.stderr)\n${train}`,
      }),
      INPUT_SPEC: JSON.stringify({
        ...spec,
        sandbox: "required",
        evaluate: `sed 's#"secret/#"${outside}/#' evaluate.py > /tmp/evaluate.py && python3 /tmp/evaluate.py`,
        private: [`${outside}/held_out.txt`],
      }),
      // The folder is on the search path, so it is shown: the file in it must be hidden all the same.
      PATH: `${outside}:${process.env["PATH"]}`,
    }).done;
    expect(measurement).toMatchObject({ status: "measured", value: 2 });
    expect(measurement.logTail.match(/text: $/gm)).toHaveLength(2);
  });
});

describe("the set-up", () => {
  const setUp = async (more: Partial<typeof spec> & { setup: string }, text = train) => run(text, "off", more);

  it("runs in the base's files, before the candidate's are there, without the runner's variables", async () => {
    const { measurement, printed } = await setUp(
      {
        setup:
          "cat train.py | head -3; mkdir -p .venv data && cp prepare.py .venv/ && echo 'aab' > secret/held_out.txt.made; env | grep -cE '^(INPUT|GITHUB|ACTIONS|RUNNER)_'; true",
        command: "ls -a; cat .venv/prepare.py; python3 train.py",
      },
      `# mine\n${train}`,
    );
    expect(measurement.status).toBe("measured");
    expect(measurement.logTail).toMatch(/\.venv\ndata\nevaluate\.py\nprepare\.py\ntrain\.py\nDATA = 1/);
    const shown = /set-up: [^]*?::endgroup::/.exec(printed)![0];
    expect(shown).not.toContain("# mine");
    expect(shown).toMatch(/^0$/m);
  });

  it("that leaves a daemon behind is over when its command is: the daemon holds nothing up, and is killed", async () => {
    const { measurement, printed } = await setUp({ setup: "setsid sleep 600 & echo pid: $!" });
    expect(measurement.status).toBe("measured");
    expect(pidsIn(printed)).toHaveLength(1);
    expect(pidsIn(printed).filter(isAlive)).toEqual([]);
  });

  it("that fails is not the candidate's crash: nothing is trained, nothing reported", async () => {
    const result = await setUp({ setup: "echo the index is away; exit 3" });
    expect(result.status).toBe(1);
    expect(result.printed).toContain("failed (exit status 3): the index is away. Nothing was trained.");
    expect(result.outputs).toEqual({});
    expect(result.leftovers).toEqual([]);
  });

  it.each([
    ["removes it", "import shutil; shutil.rmtree('data/made')"],
    ["has another in its place", "import shutil; shutil.rmtree('data/made'); os.mkdir('data/made')"],
    ["has a link in its place", "os.rename('data/made', 'data/other'); os.symlink('other', 'data/made')"],
    ["has a link in the place of its folder", "os.rename('data', 'other'); os.symlink('FOREIGN', 'data')"],
    ["has a file in the place of its folder", "os.rename('data', 'other'); open('data', 'w')"],
  ])("is what the evaluation finds, or nothing is judged: the candidate %s", async (_, deed) => {
    const foreign = join(world.folder, "foreign");
    mkdirSync(join(foreign, "made"), { recursive: true });
    const setup = "mkdir -p data/made && echo 1 > data/made/file";
    const wide = { mutable: ["train.py", "data/**"], setup };
    const commit = world.candidate({
      "train.py": `import os\nif "--serve" not in __import__("sys").argv:\n  ${deed.replace("FOREIGN", foreign)}\n${train}`,
      "data/mine.txt": "1",
    });
    const own = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: commit,
      INPUT_BASE: withData,
      INPUT_SPEC: JSON.stringify({ ...spec, ...wide, sandbox: "off" }),
    }).done;
    expect(own.measurement).toMatchObject({ status: "rejected", protectedFiles: { changed: ["data/made"] } });
    expect(readdirSync(foreign)).toEqual(["made"]);
    expect(own.leftovers).toEqual([]);
  });

  it("is judged where the candidate shut the folders that it trained in, and nothing is left of them", async () => {
    const shut = `import os, sys\nif "--serve" not in sys.argv:\n  os.makedirs("a/b"); os.chmod("a", 0)\n  for f in ("data", "."): os.chmod(f, 0o555)\n`;
    const result = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: world.candidate({
        "train.py": train.replace(/^ {4}print\("---"\).*$/m, (line) => `${line}\n${shut.replaceAll(/^/gm, "    ")}`),
        "data/mine.txt": "1",
      }),
      INPUT_BASE: withData,
      INPUT_SPEC: JSON.stringify({
        ...spec,
        mutable: ["train.py", "data/**"],
        setup: "mkdir data/made",
        sandbox: "off",
      }),
    }).done;
    expect(result.measurement).toMatchObject({ status: "measured", value: 2 });
    expect(result.leftovers).toEqual([]);
  });

  it.each([
    ["a file in the place of its folder", { "data/mine.txt": null, data: "1" }, "data"],
    ["a file in the place of a folder above", { "data/mine.txt": null, "data/deep": "1" }, "data/deep"],
    ["a file in its place", { "data/deep/made": "1" }, "data/deep/made"],
    ["a folder in its place", { "data/deep/made/more/x": "1" }, "data/deep/made/more/x"],
    ["a file in the place of what is private", { "data/secret": "1" }, "data/secret"],
    ["a file in the place of a folder that was not there before", { new: "1" }, "new"],
  ])("has its place: a candidate with %s is rejected", async (_, changes, path) => {
    const { measurement } = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: world.candidate({ "data/mine.txt": "0", "data/deep/mine.txt": "0", ...changes }),
      INPUT_BASE: world.candidate({ "data/mine.txt": "0", "data/deep/mine.txt": "0" }),
      INPUT_SPEC: JSON.stringify({
        ...spec,
        mutable: ["train.py", "data/**", "new"],
        private: ["secret", "data/secret/a"],
        setup: "mkdir -p data/deep data/secret new/one && echo 1 > data/deep/made && echo 1 > data/secret/a",
      }),
    }).done;
    expect(measurement).toMatchObject({ status: "rejected", because: `changes ${path}, which the set-up makes` });
  });

  it("is trained with where the candidate deletes all that stood beside it", async () => {
    const { measurement } = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: world.candidate({ "data/mine.txt": null }),
      INPUT_BASE: withData,
      INPUT_SPEC: JSON.stringify({ ...spec, mutable: ["train.py", "data/**"], setup: "mkdir data/made" }),
    }).done;
    expect(measurement).toMatchObject({ status: "measured", value: 2 });
  });

  it("is not overwritten by a candidate whose surface is wide", async () => {
    const commit = world.candidate({ ".venv/sitecustomize.py": "1" });
    const result = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: commit,
      INPUT_SPEC: JSON.stringify({ ...spec, mutable: ["train.py", ".venv/**"], setup: "mkdir .venv" }),
    }).done;
    expect(result.measurement).toMatchObject({
      status: "rejected",
      because: "changes .venv/sitecustomize.py, which the set-up makes",
    });
  });
});
