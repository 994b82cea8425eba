import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { conclude } from "../../action/src/conclude.ts";
import { readLog } from "../../action/src/read-log.ts";
import type { CommandResult } from "../../action/src/run-command.ts";
import { plainSpec, isAlive, pidsIn, startTrain, trainOn, until, type World, makeWorld } from "./world.ts";

const summaryBlock = `printf '%s\\n' --- 'val_bpb:          0.997900' 'training_seconds: 300.1' 'peak_vram_mb:     45060.2' 'num_steps:        953'`;
const files = {
  "train.sh": `echo untouched\n${summaryBlock}\n`,
  "prepare.sh": "echo prepared\n",
  "data/words.txt": "a b c\n",
  "evaluate.sh": "printf '%s\\n' --- \"val_bpb: $(cat $AUTORESEARCH_TRAINED/prediction)\" 'eval_seconds: 2'\n",
};

let world: World;
beforeAll(() => {
  world = makeWorld(files);
});
afterAll(() => world.remove());

const withTrain = (script: string) => world.candidate({ "train.sh": script });

const traceback = (line: string) =>
  `printf '%s\\n' 'Traceback (most recent call last):' '  File "train.sh", line ${line}, in f' 'ValueError: no'`;

describe("a crash", () => {
  it("is told as code on the run's page: what a candidate says is no Markdown", async () => {
    const { summary } = await trainOn(world, withTrain("echo '[x](https://e)'; exit 3\n"));
    expect(summary.split("\n")[0]).toBe("### `crash: exit status 3: [x](https://e)`");
  });

  it("is told by its exception and its place in a mutable file", async () => {
    const own = makeWorld({
      "train.py": "",
      "prepare.py": "def evaluate(model):\n    raise ValueError('the model gave no distribution')\n",
    });
    try {
      const commit = own.candidate({
        "train.py": "from prepare import evaluate\n\ndef main():\n    evaluate(None)\n\nmain()\n",
      });
      const result = await trainOn(own, commit, { command: "python3 train.py", mutable: ["train.py"] });
      expect(result.status).toBe(0);
      expect(result.measurement).toMatchObject({
        status: "crash",
        exitCode: 1,
        because: "ValueError: the model gave no distribution at train.py:4",
        at: { path: "train.py", line: 4, message: "ValueError: the model gave no distribution" },
      });
    } finally {
      own.remove();
    }
  });

  it.each([
    ["exit 3", "exit status 3"],
    ["echo the disk is full; exit 28", "exit status 28: the disk is full"],
    ["kill -SEGV $$", "killed by SIGSEGV"],
    ["kill -KILL $$", "killed (SIGKILL), often for lack of memory"],
    ["echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB'; exit 1", "CUDA out of memory"],
    [
      "echo 'Traceback (most recent call last):'; echo '  File \"train.sh\", line 412, in step'; echo '    loss.backward()'; echo 'torch.OutOfMemoryError: CUDA out of memory. Tried'; exit 1",
      "CUDA out of memory at train.sh:412",
    ],
    // A place that no file has is none; what was survived is no reason.
    [`${traceback("99999999999999999999")}; exit 1`, "ValueError: no"],
    [`${traceback("1".repeat(400))}; exit 1`, "ValueError: no"],
    [`${traceback("0")}; exit 1`, "ValueError: no"],
    [`${traceback("3")}; exit 1`, "ValueError: no at train.sh:3"],
    [`${traceback("3")}; kill -KILL $$`, "killed (SIGKILL), often for lack of memory"],
    [`${traceback("3")}; exit 137`, "killed (SIGKILL), often for lack of memory"],
    [`${traceback("3")}; echo went on`, "finished without a val_bpb line after a line ---"],
    [`${traceback("3")} | cat`, "ValueError: no at train.sh:3"],
    ["echo 'terminate called: std::bad_alloc'; kill -ABRT $$", "out of memory"],
  ])("%s", async (script, because) => {
    const { measurement } = await trainOn(world, withTrain(`${script}\n`), { command: "exec bash train.sh" });
    expect(measurement).toMatchObject({ status: "crash", because });
  });
});

describe("time-out and cancellation", () => {
  const stubborn =
    'trap \'\' TERM\n(trap \'\' TERM; echo "pid: $BASHPID"; sleep 600 & echo "pid: $!"; wait) &\necho "pid: $$"\nwhile :; do sleep 0.1; done\n';

  it("ends the whole group at the time-out, also where it ignores SIGTERM", async () => {
    const result = await trainOn(world, withTrain(stubborn), { timeoutSeconds: 1 });
    expect(result.status).toBe(0);
    expect(result.measurement).toMatchObject({
      status: "timeout",
      because: "timeout after 1 s",
      exitCode: null,
      signal: "SIGKILL",
    });
    const pids = pidsIn(result.measurement.logTail);
    expect(pids).toHaveLength(3);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s cancels: the group is gone when the action ends", async (signal) => {
    const run = startTrain(world, withTrain(stubborn));
    await until(() => pidsIn(run.printed()).length === 3);
    run.child.kill(signal);
    const result = await run.done;
    expect(result.status).toBe(0);
    expect(result.measurement).toMatchObject({ status: "cancelled" });
    expect(pidsIn(result.printed).filter(isAlive)).toEqual([]);
    expect(result.leftovers).toEqual([]);
  });

  it("kills what the command leaves in its group when it ends well", async () => {
    const result = await trainOn(world, withTrain(`sleep 600 & echo "pid: $!"\n${summaryBlock}\n`));
    expect(result.measurement.status).toBe("measured");
    expect(pidsIn(result.printed)).toHaveLength(1);
    expect(pidsIn(result.printed).filter(isAlive)).toEqual([]);
  });

  it("finds and kills a process that left the group, and does not wait for its output", async () => {
    const result = await trainOn(world, withTrain(`setsid sleep 60 & echo "pid: $!"\n${summaryBlock}\n`));
    expect(result.measurement.status).toBe("measured");
    expect(pidsIn(result.printed)).toHaveLength(1);
    expect(pidsIn(result.printed).filter(isAlive)).toEqual([]);
  });

  it("leaves no process when the action is killed with kill -9", async () => {
    const run = startTrain(world, withTrain(stubborn));
    await until(() => pidsIn(run.printed()).length === 3);
    const pids = pidsIn(run.printed());
    run.child.kill("SIGKILL");
    await run.done;
    await until(() => !pids.some(isAlive));
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe("a process that the kernel killed", () => {
  const log = readLog("step 1\n", "val_bpb");
  const killed = {
    ended: "itself",
    exceeded: null,
    exitCode: 137,
    signal: null,
    notStarted: null,
    killedForMemory: true,
    seconds: 1,
    log,
  } as const;
  const because = (result: CommandResult) =>
    conclude({ training: result, evaluation: null, changed: [] }, plainSpec, { roots: ["/x"], isMutable: () => true })
      .because;

  it("for lack of memory is told from one that was killed for another reason", () => {
    expect(because(killed)).toBe("out of memory: killed by the kernel");
    expect(because({ ...killed, exitCode: null, signal: "SIGKILL" })).toBe("out of memory: killed by the kernel");
    expect(because({ ...killed, killedForMemory: false })).toBe("killed (SIGKILL), often for lack of memory");
    expect(because({ ...killed, exitCode: 3 })).toBe("exit status 3: step 1");
  });
});
