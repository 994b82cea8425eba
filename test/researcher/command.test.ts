import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { command } from "../../src/researcher/command/command.ts";
import { briefWith, repairWith, train } from "../support/brief.ts";
import { purseOf } from "../support/purse.ts";
import { configWith } from "../support/session.ts";
import { until } from "../support/world.ts";
import { ask, raise, sayIt } from "./command-world.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "autoresearch-command-test-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("a command changes the files of the frontier and says why", async () => {
  expect(await ask(`${raise}; ${sayIt}`)).toEqual({
    kind: "proposal",
    proposal: {
      description: "Twice the rate",
      hypothesis: "It is too small.",
      expected: null,
      refutedBy: null,
      researcher: "agent",
      kind: "other",
      askedBy: null,
      files: [{ path: "train.py", text: train.text.replace("0.02", "0.04") }],
      insights: { lesson: null, ideas: [], foreclosed: [] },
    },
  });
});

test("it works in a repository of its own, with the brief beside it, and leaves nothing behind", async () => {
  const answer = await ask(
    `pwd > ${dir}/pwd; git status --porcelain > ${dir}/status; git log --format=%s > ${dir}/log; ls -A > ${dir}/files; cp "$AUTORESEARCH_BRIEF" ${dir}/brief.md; cp "$AUTORESEARCH_BRIEF_JSON" ${dir}/brief.json; ${raise}; ${sayIt}`,
    { inFlight: ["Half the \u200Bdepth"] },
  );
  expect(answer.kind).toBe("proposal");
  const read = (name: string) => readFileSync(path.join(dir, name), "utf8");
  expect(read("status")).toBe("");
  expect(read("log")).toBe("The frontier\n");
  expect(read("files").trim().split("\n")).toEqual([".git", "prepare.py", "train.py"]);
  expect(read("brief.md")).toContain("AUTORESEARCH_ANSWER");
  expect(read("brief.md")).toContain("- Half the depth");
  expect(JSON.parse(read("brief.json"))).toMatchObject({ experiment: 1, inFlight: ["Half the depth"], refused: null });
  expect(existsSync(path.dirname(read("pwd").trim()))).toBe(false);
});

test("its environment is what is named, and no more", async () => {
  await ask(`env | sort > ${dir}/env; ${raise}; ${sayIt}`, {
    env: ["OPENAI_API_KEY", "NOT_SET"],
    environment: { OPENAI_API_KEY: "sk-of-the-agent", AWS_SECRET_ACCESS_KEY: "aws" },
  });
  const names = readFileSync(path.join(dir, "env"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]!);
  const own = new Set(["_", "PWD", "SHLVL", "OLDPWD"]);
  expect(names.filter((name) => !own.has(name))).toEqual([
    "AUTORESEARCH_ANSWER",
    "AUTORESEARCH_BRIEF",
    "AUTORESEARCH_BRIEF_JSON",
    "HOME",
    "LANG",
    "OPENAI_API_KEY",
    "PATH",
  ]);
});

test("what is refused comes back to it, in the same folder", async () => {
  const script = `echo run >> ${dir}/runs; if grep -q 'was refused' "$AUTORESEARCH_BRIEF"; then ${raise}; cp "$AUTORESEARCH_BRIEF" ${dir}/again.md; fi; ${sayIt}`;
  expect((await ask(script)).kind).toBe("proposal");
  expect(readFileSync(path.join(dir, "runs"), "utf8")).toBe("run\nrun\n");
  expect(readFileSync(path.join(dir, "again.md"), "utf8")).toContain("it changes nothing. Mend it");
});

describe("what is refused", () => {
  const last = (asked: Promise<unknown>) =>
    asked.then(
      () => "taken",
      (error: Error) => /; the last: (.*)$/s.exec(error.message)?.[1] ?? error.message,
    );

  it.each([
    [
      "a change of a protected file",
      `echo 'DATA = 2' > prepare.py; ${raise}; ${sayIt}`,
      "prepare.py is not in the mutable surface (train.py, model/*.py)",
    ],
    ["a deleted file", `rm prepare.py; ${raise}; ${sayIt}`, "prepare.py was deleted: empty it instead"],
    ["a link", `rm train.py; ln -s /etc/passwd train.py; ${sayIt}`, "train.py is no plain file any more"],
    ["a link to a folder", `ln -s /etc model; ${raise}; ${sayIt}`, "taken"],
    ["a pipe", `rm train.py; mkfifo train.py; ${sayIt}`, "train.py is no plain file any more"],
    ["what is not text", `printf '\\377\\376' > train.py; ${sayIt}`, "train.py is too large, or is not text"],
    ["no answer", raise, "there is no answer in the file that AUTORESEARCH_ANSWER names"],
    [
      "an answer that is a link",
      `${raise}; ln -s /etc/hostname "$AUTORESEARCH_ANSWER"`,
      "there is no answer in the file that AUTORESEARCH_ANSWER names",
    ],
    ["an answer that is not JSON", `${raise}; echo hello > "$AUTORESEARCH_ANSWER"`, "the answer is not JSON"],
  ])("is %s", async (_name, script, because) => {
    expect(await last(ask(script))).toBe(because);
  });

  it("is an answer of another form", async () => {
    const script = `${raise}; echo '{"title": 7}' > "$AUTORESEARCH_ANSWER"`;
    expect(await last(ask(script))).toMatch(/^the answer is not of the form asked for/);
  });
});

test("new files outside of the surface are passed over, new ones inside are taken", async () => {
  const script = `mkdir -p model __pycache__; echo 'A = 1' > model/a.py; echo x > __pycache__/x.pyc; echo x > notes.txt; ${sayIt}`;
  expect(await ask(script)).toMatchObject({ proposal: { files: [{ path: "model/a.py", text: "A = 1\n" }] } });
});

test("a repair begins with what crashed", async () => {
  const repair = repairWith({ files: [{ path: "train.py", text: "LR = 0.04 +\n" }] });
  const asked = await ask(`cp train.py ${dir}/crashed.py; echo 'LR = 0.04' > train.py; ${sayIt}`, { repair });
  expect(readFileSync(path.join(dir, "crashed.py"), "utf8")).toBe("LR = 0.04 +\n");
  expect(asked).toMatchObject({ proposal: { files: [{ path: "train.py", text: "LR = 0.04\n" }] } });
});

test("having no idea is an answer, and so is what it cost", async () => {
  const purse = purseOf(1);
  const script = `echo '{"nothing": "all was tried", "cost_usd": 0.25}' > "$AUTORESEARCH_ANSWER"`;
  expect(await ask(script, { purse })).toEqual({ kind: "nothing", because: "all was tried" });
  expect(purse.spent.usd).toBe(0.25);
  const poor = purseOf(0);
  expect(await ask(`touch ${dir}/ran`, { purse: poor })).toMatchObject({ kind: "nothing" });
  expect(existsSync(path.join(dir, "ran"))).toBe(false);
});

/** Whether the process is there and no zombie. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const pidIn = (name: string) => Number(readFileSync(path.join(dir, name), "utf8"));

test("it is ended in time, with all that it started", async () => {
  const script = `sleep 300 & echo $! > ${dir}/pid; trap '' TERM; sleep 300`;
  const asked = ask(script, { timeout: "1s" });
  await expect(asked).rejects.toThrow("the command agent failed: it was ended after 1 s");
  await until("its child is gone", () => Promise.resolve(!lives(pidIn("pid"))));
}, 30_000);

test("what it leaves behind when it ends by itself is ended too", async () => {
  await ask(`sleep 300 & echo $! > ${dir}/pid; ${raise}; ${sayIt}`);
  await until("its child is gone", () => Promise.resolve(!lives(pidIn("pid"))));
});

test("it is ended when the session stops", async () => {
  const stop = new AbortController();
  const asked = ask(`echo $$ > ${dir}/pid; sleep 300`, { signal: stop.signal });
  await Promise.all([
    expect(asked).rejects.toThrow("stopped"),
    until("it runs", () => Promise.resolve(existsSync(path.join(dir, "pid")))).then(() =>
      stop.abort(new Error("stopped")),
    ),
  ]);
  await until("it is gone", () => Promise.resolve(!lives(pidIn("pid"))));
});

test("a repository can name a command, and never bring one", async () => {
  const means = { commands: {}, environment: { PATH: process.env["PATH"] } };
  const config = configWith({ researcher: { kind: "command", command: "rm" } });
  const answer = await command("rm", means).propose(briefWith({ config }), new AbortController().signal);
  expect(answer).toEqual({
    kind: "person",
    because: "`researcher.command` is `rm`, which the bot's admin has not allowed (RESEARCHER_COMMANDS)",
  });
  expect(() => configWith({ researcher: { kind: "command", command: "rm -rf /" } })).toThrow("not a command line");
  expect(() => configWith({ researcher: { kind: "command" } })).toThrow("must name the command");
  for (const name of ["constructor", "__proto__", "toString"])
    expect(await command(name, means).propose(briefWith({ config }), new AbortController().signal)).toMatchObject({
      kind: "person",
    });
});

test("a file of the checkout can't be one that git or the shell obeys", async () => {
  writeFileSync(path.join(dir, "x"), "");
  const answer = await ask(`cat .git/config > ${dir}/config; ${raise}; ${sayIt}`, {
    files: [train],
    library: {
      paths: () => Promise.resolve([".gitattributes", "train.py"]),
      read: (name) => Promise.resolve(name === ".gitattributes" ? "* filter=evil\n" : null),
      experiment: () => Promise.resolve(null),
    },
  });
  expect(answer.kind).toBe("proposal");
  expect(readFileSync(path.join(dir, "config"), "utf8")).not.toContain("evil");
});
