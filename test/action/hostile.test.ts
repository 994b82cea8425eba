/** Candidates that want to cheat, to steal or to stay, each a small train.py, run by the real action in the real sandbox. */
import { readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, expectNoSecretIn, makeHostileWorld, start, type Wish } from "./hostile-world.ts";
import { childrenOf, isAlive, type Result, until, type World } from "./world.ts";

let world: World;
let server: Server;
let visits = 0;
beforeAll(async () => {
  world = makeHostileWorld();
  server = createServer((_, response) => {
    visits += 1;
    response.end("here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  world.remove();
  await new Promise((resolve) => server.close(resolve));
});

const judge = async (train: string, wish?: Wish): Promise<Result> => start(world, train, "required", wish).done;

/** Looks for secrets wherever a file system can hold them, and prints what it found in a form no redaction knows. */
const snoop = `
import os
words = [b"ghs_theTokenOf", b"actions-runtime", b"value-of-a-planted", b"password-in-a-dot"]
found, seen = [], 0
def look(path):
    global seen
    try:
        with open(path, "rb") as file:
            data = file.read(2_000_000)
    except OSError:
        return
    seen += 1
    for word in words:
        if word in data:
            found.append(path + " " + word.hex())
pids = [name for name in os.listdir("/proc") if name.isdigit()]
for pid in pids:
    for name in ("environ", "cmdline", "mem"):
        look(f"/proc/{pid}/{name}")
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if not target.startswith(("pipe:", "/dev/", "anon_inode:", "socket:")): look(f"/proc/{pid}/fd/{fd}")
    except OSError:
        pass
for top in (os.environ["HOME"], "/tmp", "/root", "/home", "/run", "/var", "/mnt", "/srv"):
    for folder, folders, names in os.walk(top):
        folders[:] = [f for f in folders if f not in (".pyenv", "node_modules", "site-packages")]
        for name in names:
            if os.path.abspath(__file__) != os.path.join(folder, name): look(os.path.join(folder, name))
print("pids", len(pids), "ppid", os.getppid(), "files", seen > 0, "found", found)
${block}`;

describe.skipIf(noBubblewrap !== null)("in the sandbox", () => {
  it("no secret is within reach: not in processes above, not in homes, not in files of the runner", async () => {
    const result = await judge(snoop);
    expect(result.measurement).toMatchObject({ status: "measured", value: 0.9, sandbox: "bubblewrap" });
    expect(result.measurement.logTail).toMatch(/pids [1-5] ppid \d files True found \[\]/);
    expectNoSecretIn(result);
  });

  it("an environment, a home and devices of its own: nothing that names the runner", async () => {
    const { measurement } = await judge(
      `import os\nprint(sorted(os.environ))\nprint(sorted(os.listdir(os.environ["HOME"])), sorted(os.listdir("/dev")))\nprint([p for p in ("/run", "/home", "/var/lib", "/mnt", "/srv", "/boot") if os.path.exists(p)])\n${block}`,
    );
    const [names, places, absent] = measurement.logTail.split("\n");
    expect(names).not.toMatch(/GITHUB_|RUNNER_|ACTIONS_|INPUT_|SECRET/);
    expect(places).toMatch(/^\['\.cache', 'temp-\w+'\] \[/);
    expect(places).not.toMatch(/'(?:sd|vd|nvme|kvm|mem|kmsg|loop|tty\d)/);
    expect(absent).toBe("[]");
  });

  it("what processes share by number or by name is its own: nothing of the machine's is there", async () => {
    const shared = join("/dev/shm", `action-test-${process.pid}`);
    writeFileSync(shared, "shared");
    try {
      const { measurement } = await judge(
        `import os\nprint(*(os.readlink("/proc/self/ns/" + n) for n in ("ipc", "pid", "net", "uts", "user", "mnt", "cgroup")))\nprint("shm", os.listdir("/dev/shm"), open("/proc/sysvipc/shm").read().count("\\n"))\n${block}`,
      );
      const [namespaces, segments] = measurement.logTail.split("\n");
      expect(namespaces!.split(" ")).toHaveLength(7);
      for (const own of namespaces!.split(" "))
        expect(own).not.toBe(readlinkSync(`/proc/self/ns/${own.split(":")[0]}`));
      expect(segments).toBe("shm [] 1");
    } finally {
      rmSync(shared);
    }
  });

  it("the runner's files are not there to be written", async () => {
    const temps = `import os, glob\nfor f in glob.glob("/tmp/**/output", recursive=True) + glob.glob("/tmp/**/summary", recursive=True):\n    open(f, "a").write("measurement=forged\\n"); print("wrote", f)\n${block}`;
    const result = await judge(temps);
    expect(Object.keys(result.outputs)).toEqual(["measurement", "digest", "log"]);
    expect(result.measurement.logTail).not.toContain("wrote");
    expect(result.summary).not.toContain("forged");
  });

  it("there is no network, not even the machine's own", async () => {
    const before = visits;
    const { port } = server.address() as AddressInfo;
    const { measurement } = await judge(
      `import urllib.request\nurllib.request.urlopen("http://127.0.0.1:${port}/", timeout=5)\n${block}`,
    );
    expect(measurement).toMatchObject({ status: "crash", at: { path: "train.py", line: 2 } });
    expect(measurement.because).toMatch(
      /^urllib\.error\.URLError: .*(Connection refused|unreachable).* at train\.py:2$/,
    );
    expect(visits).toBe(before);
  });

  it.each([
    ["a protected file", `open("prepare.py", "a").write("DATA = 2")`],
    ["a protected file by replacing it", `import os; open("x", "w").write("DATA = 2"); os.replace("x", "prepare.py")`],
    ["the cache", `open(__import__("os").path.expanduser("~/.cache/autoresearch/tokenizer.bin"), "w").write("mine")`],
    ["the system", `open("/etc/profile.d/mine.sh", "w")`],
    ["a setting of the kernel", `open("/proc/sys/vm/swappiness", "w").write(open("/proc/sys/vm/swappiness").read())`],
    ["shared folders of the system", `open("/usr/local/mine", "w")`],
  ])("%s can't be written", async (_, step) => {
    writeFileSync(join(world.folder, ".cache/autoresearch/tokenizer.bin"), "the tokenizer");
    const { measurement } = await judge(`${step}\n${block}`);
    expect(measurement.status).toBe("crash");
    expect(measurement.because).toMatch(
      /(Read-only file system|Permission denied|Device or resource busy).* at train\.py:1$/,
    );
    expect(measurement.protectedFiles.changed).toEqual([]);
    expect(readFileSync(join(world.folder, ".cache/autoresearch/tokenizer.bin"), "utf8")).toBe("the tokenizer");
  });

  it("capabilities, namespaces and privileges can't be had", async () => {
    const { measurement } = await judge(
      `import subprocess\nfor c in ("unshare -Ur true", "mount -t tmpfs none /mnt", "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status"):\n    r = subprocess.run(c, shell=True, capture_output=True, text=True); print(c[:8], r.returncode == 0, r.stdout.split())\n${block}`,
    );
    expect(measurement.logTail).toContain("unshare  False");
    expect(measurement.logTail).toContain("mount -t False");
    expect(measurement.logTail).toContain("'CapEff:', '0000000000000000'");
    expect(measurement.logTail).toContain("'NoNewPrivs:', '1'");
  });

  it("a time-out ends what ignores SIGTERM", async () => {
    const { measurement } = await judge(
      `import signal, time\nfor s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\nprint("waiting")\ntime.sleep(600)\n`,
      { spec: { timeoutSeconds: 1 } },
    );
    expect(measurement).toMatchObject({ status: "timeout", because: "timeout after 1 s", logTail: "waiting" });
  });

  it("a fork bomb ends at the number of processes", async () => {
    const bomb = `import os, time\nfor i in range(5000):\n    try:\n        if os.fork() == 0: time.sleep(600)\n    except OSError: time.sleep(0.01)\ntime.sleep(600)\n`;
    const { measurement } = await judge(bomb, {
      spec: { timeoutSeconds: 5 },
      env: { AUTORESEARCH_MAX_PROCESSES: "100" },
    });
    // A user who is not root never gets beyond the limit, and is ended by the time-out.
    expect(["started more than 100 processes and threads: ended", "timeout after 5 s"]).toContain(measurement.because);
    expect(measurement.status).not.toBe("measured");
  });

  it("one that is killed for a hole in its own memory does not take the measurement with it", async () => {
    const { measurement } = await judge("import ctypes\nctypes.string_at(0)\n");
    expect(measurement).toMatchObject({ status: "crash", because: "killed by SIGSEGV" });
  });

  it("nothing survives a kill -9 of the action", async () => {
    const run = start(
      world,
      `import time\nopen("alive", "w")\nprint("waiting", flush=True)\ntime.sleep(600)\n`,
      "required",
    );
    await until(() => run.printed().includes("waiting"));
    const pids = childrenOf(run.child.pid!);
    expect(pids.length).toBeGreaterThan(1);
    run.child.kill("SIGKILL");
    await run.done;
    await until(() => !pids.some(isAlive));
    expect(pids.filter(isAlive)).toEqual([]);
  });
});
