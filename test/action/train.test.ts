import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledEntry, sourceEntry, startAction, plainSpec, trainOn, type World, makeWorld } from "./world.ts";

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

describe.each([
  ["the source", sourceEntry],
  ["the committed bundle", bundledEntry],
])("an honest trial with %s", (_, entry) => {
  it("hands over the value, all numbers of the summary, and the digest of exactly that", async () => {
    const commit = withTrain(
      `for i in 0 1 2; do printf '\\rstep %05d (1.0%%) | loss: %s | lrm: 1.00' $i $((9 - i)).5; done\necho\n${summaryBlock}\n`,
    );
    const result = await trainOn(world, commit, {}, entry);
    expect(result.status).toBe(0);
    expect(result.measurement).toMatchObject({
      status: "measured",
      value: 0.9979,
      trial: "12:7:1",
      commit,
      base: world.base,
      metrics: { val_bpb: 0.9979, training_seconds: 300.1, peak_vram_mb: 45060.2, num_steps: 953 },
      exitCode: 0,
      signal: null,
      sandbox: "none (switched off)",
      protectedFiles: { count: 3, changed: [] },
      runner: "gpu-1",
      curve: [
        [0, 9.5],
        [1, 8.5],
        [2, 7.5],
      ],
      at: null,
    });
    expect(result.measurement.logTail).toBe(
      "step 00002 (1.0%) | loss: 7.5 | lrm: 1.00\n---\nval_bpb:          0.997900\ntraining_seconds: 300.1\npeak_vram_mb:     45060.2\nnum_steps:        953",
    );
    expect(result.outputs["digest"]).toBe(createHash("sha256").update(result.outputs["measurement"]!).digest("hex"));
    expect(result.summary).toContain("| `num_steps` | 953 |");
    expect(result.leftovers).toEqual([]);
  });
});

describe("what is trained", () => {
  it("is the candidate's mutable files on the base's protected ones", async () => {
    const commit = world.candidate({
      "train.sh": `bash prepare.sh; cat data/words.txt new/layer.txt; ls; ${summaryBlock}\n`,
      "new/layer.txt": "layer\n",
    });
    const { measurement } = await trainOn(world, commit, { mutable: ["train.sh", "new/**"] });
    expect(measurement.logTail).toContain("prepared\na b c\nlayer\ndata\nevaluate.sh\nnew\nprepare.sh\ntrain.sh\n");
  });

  it("lacks a mutable file that the candidate deleted, and may have a folder in its place", async () => {
    const own = makeWorld({ "run.sh": "find . -type f | sort\n", "model/a.txt": "a", "model/b": "b" });
    try {
      const commit = own.candidate({ "model/a.txt": null, "model/b": null, "model/b/c.txt": "c" });
      const { measurement } = await trainOn(own, commit, { command: "bash run.sh", mutable: ["model/**"] });
      expect(measurement.logTail).toBe("./model/b/c.txt\n./run.sh");
    } finally {
      own.remove();
    }
  });

  it("may be the base itself, as the baseline is", async () => {
    const { measurement } = await trainOn(world, world.base);
    expect(measurement).toMatchObject({ status: "measured", value: 0.9979, commit: world.base });
  });
});

describe("a candidate outside its surface is rejected and never run", () => {
  it.each([
    [
      "a protected file changed",
      { "prepare.sh": "echo mine\n" },
      ["train.sh"],
      /changes prepare\.sh, outside the mutable surface/,
    ],
    ["a protected file deleted", { "data/words.txt": null }, ["train.sh"], /changes data\/words\.txt, outside/],
    ["a new file beside the surface", { "sitecustomize.py": "1" }, ["train.sh"], /changes sitecustomize\.py/],
    [
      "a dot file that a star does not reach",
      { ".github/workflows/x.yml": "x" },
      ["**"],
      /changes \.github\/workflows\/x\.yml/,
    ],
    ["a link in the surface", { "train.sh": { link: "prepare.sh" } }, ["train.sh"], /makes train\.sh a symbolic link/],
    ["a pattern with an exclamation mark opens nothing", { "prepare.sh": "x" }, ["!train.sh"], /changes prepare\.sh/],
  ])("%s", async (_, changes, mutable, because) => {
    const result = await trainOn(world, world.candidate(changes), {
      mutable,
      command: "echo it was run; bash train.sh",
    });
    expect(result.status).toBe(0);
    expect(result.measurement).toMatchObject({ status: "rejected", exitCode: null, logTail: "" });
    expect(result.measurement.because).toMatch(because);
    expect(result.printed).not.toContain("it was run");
  });
});

describe("a broken rule while running is rejected", () => {
  it.each([
    ["changed", "echo x >> prepare.sh"],
    ["removed", "rm data/words.txt"],
    ["made executable", "chmod +x prepare.sh"],
    ["replaced by a link to the same content", "cp prepare.sh ../copy; rm prepare.sh; ln -s ../copy prepare.sh"],
  ])("a protected file was %s", async (_, step) => {
    const { measurement } = await trainOn(world, withTrain(`${step}\n${summaryBlock}\n`));
    expect(measurement.status).toBe("rejected");
    expect(measurement.because).toMatch(/^changed (prepare\.sh|data\/words\.txt) while running/);
    expect(measurement.protectedFiles.changed).toHaveLength(1);
  });

  it("before anything is evaluated", async () => {
    const commit = withTrain("echo 'echo val_bpb: 0.1' > evaluate.sh\n");
    const { measurement, printed } = await trainOn(world, commit, { evaluate: "bash evaluate.sh" });
    expect(measurement).toMatchObject({
      status: "rejected",
      because: "changed evaluate.sh while running, outside the mutable surface",
    });
    expect(printed).not.toContain("evaluation: bash evaluate.sh");
  });
});

describe("what the candidate sees", () => {
  it("is an environment without tokens and without the runner's files", async () => {
    const run = startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: withTrain("env | sort; cat; test -e .git && echo has git\n"),
      INPUT_SPEC: JSON.stringify(plainSpec),
      CUDA_VISIBLE_DEVICES: "0",
      HF_HOME: "/cache/hf",
      HF_TOKEN: "hf-secret",
      UV_INDEX_URL: "https://me:password@packages.example/simple",
      AWS_SECRET_ACCESS_KEY: "aws-secret",
    });
    const { measurement } = await run.done;
    const names = measurement.logTail.split("\n").map((line) => line.split("=")[0]);
    expect(names).toEqual([
      "AUTORESEARCH_BUDGET_SECONDS",
      "AUTORESEARCH_MARK",
      "AUTORESEARCH_TRIAL",
      "CUDA_VISIBLE_DEVICES",
      "HF_HOME",
      "HOME",
      "PATH",
      "PWD",
      "PYTHONUNBUFFERED",
      "SHLVL",
      "TMPDIR",
      "_",
    ]);
    expect(measurement.logTail).toContain("AUTORESEARCH_TRIAL=12:7:1");
  });

  it("is not read as a command of the runner", async () => {
    const { printed } = await trainOn(world, withTrain("echo '::add-mask::0'; printf 'no line end'\n"));
    const stop = /::stop-commands::(\S+)\n/.exec(printed)!;
    const resumed = printed.indexOf(`\n::${stop[1]}::\n`);
    expect(printed.indexOf("::add-mask::0")).toBeGreaterThan(stop.index);
    expect(printed.indexOf("::add-mask::0")).toBeLessThan(resumed);
  });

  it("cannot set the outputs", async () => {
    const commit = withTrain(
      "for f in ../../output /proc/$PPID/../output; do echo 'measurement=forged' >> $f; done 2>/dev/null; true\n",
    );
    const result = await trainOn(world, commit);
    expect(result.measurement.status).toBe("crash");
    expect(Object.keys(result.outputs)).toEqual(["measurement", "digest", "log"]);
  });
});

describe("the log", () => {
  it("is redacted before it leaves the machine: what looks like a secret, and the job's own token", async () => {
    const secrets = [
      "ghs_theTokenOfThisVeryJob0123456789",
      "ghp_0123456789abcdefABCDEF0123456789abcd",
      "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
      "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
      ["sk", "ant", "api03", "AbCdEfGhIjKlMnOpQrStUv", "xyz_AA"].join("-"),
      "AKIAIOSFODNN7EXAMPLE",
      "xoxb-123456789012-abcdefghijkl",
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    ];
    const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END RSA PRIVATE KEY-----";
    const commit = withTrain(
      `cat <<'X'\n${secrets.map((secret) => `key: ${secret} end`).join("\n")}\n${pem}\nX\nexit 1\n`,
    );
    const { measurement, outputs } = await trainOn(world, commit);
    for (const secret of [...secrets, "MIIEvQ"]) expect(outputs["measurement"]).not.toContain(secret);
    expect(measurement.logTail.match(/key: \*\*\* end/g)).toHaveLength(secrets.length);
  });

  it("may be a flood: the end is read, the measurement stays small", async () => {
    const commit = withTrain(
      `echo "the beginning"; head -c 100000000 /dev/zero | tr '\\0' 'x' | fold -w 1000; echo\n${summaryBlock}\n`,
    );
    const result = await trainOn(world, commit);
    expect(result.measurement).toMatchObject({ status: "measured", value: 0.9979 });
    expect(result.outputs["measurement"]!.length).toBeLessThan(40_001);
    expect(result.printed).toContain("the beginning");
    expect(result.printed).toMatch(/bytes of output are not shown here/);
  });

  it("may be one endless line of bytes that are no text", async () => {
    const { measurement } = await trainOn(
      world,
      withTrain(`head -c 30000000 /dev/urandom | tr -d '\\n'; echo\n${summaryBlock}\n`),
    );
    expect(measurement).toMatchObject({ status: "measured", value: 0.9979 });
  });
});

describe("nothing to report: exit status 1 and one sentence", () => {
  it.each([
    ["an unknown mode", { INPUT_MODE: "play" }, "input `mode` must be `train` or `report`"],
    ["a short commit", { INPUT_COMMIT: "abc" }, "input `commit` must be a full commit id (40 hexadecimal digits)"],
    ["a trial that is none", { INPUT_TRIAL: "7" }, "input `trial` must be issue:experiment:attempt, such as 12:7:1"],
    ["a spec that is no JSON", { INPUT_SPEC: "{" }, "input `spec`"],
    [
      "a spec with a wrong value",
      { INPUT_SPEC: JSON.stringify({ ...plainSpec, timeoutSeconds: -1 }) },
      "input `spec.timeoutSeconds`",
    ],
    ["a commit that is not there", { INPUT_COMMIT: "1".repeat(40) }, "git fetch failed"],
  ])("%s", async (_, env, sentence) => {
    const result = await startAction(world, {
      INPUT_MODE: "train",
      INPUT_COMMIT: world.base,
      INPUT_SPEC: JSON.stringify(plainSpec),
      ...env,
    }).done;
    expect(result.status).toBe(1);
    expect(result.printed).toContain(`::error::`);
    expect(result.printed).toContain(sentence);
    expect(result.outputs).toEqual({});
    expect(result.leftovers).toEqual([]);
  });
});
