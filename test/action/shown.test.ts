/** What the sandbox shows of a machine, by made-up homes with secrets in the places where programs keep them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bubblewrapArguments } from "../../action/src/bubblewrap.ts";
import { devicesOf, type Machine, otherRunners, readMachine, systemRoots } from "../../action/src/machine.ts";
import { noBubblewrap } from "./bubblewrap.ts";
import { block, makeHostileWorld, start } from "./hostile-world.ts";
import type { World } from "./world.ts";

let home: string;
let world: World | null = null;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "action-shown-")));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  world?.remove();
  world = null;
});

function put(folder: string, ...paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), "secret\n");
  }
}

const machineOf = (path: string, named: readonly string[] = []): Machine =>
  readMachine({ HOME: home, PATH: path }, "/tmp/nothing-here", named, "/dev/null");

const searchPath = (folder: string, ...names: readonly string[]): string =>
  names.map((name) => join(folder, name)).join(":");

describe("of a home", () => {
  it("uv's pythons and tools are shown, its credentials are not", () => {
    put(home, ".local/share/uv/credentials/credentials.toml", ".local/share/uv/python/p", ".local/share/uv/tools/t");
    const { shown } = machineOf("/nowhere/bin");
    expect(shown).toEqual([join(home, ".local/share/uv/python"), join(home, ".local/share/uv/tools")]);
  });

  it("of a program's own folder on the search path its programs and libraries are shown, and not its tokens", () => {
    put(home, ".docker/bin/docker", ".docker/config.json", ".fly/bin/fly", ".fly/lib64/x", ".fly/config.yml");
    const { shown } = machineOf(searchPath(home, ".docker/bin", ".fly/bin", ".absent/bin"));
    expect(shown.map((path) => path.slice(home.length + 1))).toEqual([".docker/bin", ".fly/bin", ".fly/lib64"]);
  });

  it("a Python environment and a toolchain that is in plain sight are shown whole", () => {
    put(home, ".venvs/a/bin/python", ".venvs/a/pyvenv.cfg", "cuda-12/bin/nvcc", "cuda-12/nvvm/x");
    const { shown } = machineOf(searchPath(home, ".venvs/a/bin", "cuda-12/bin"));
    expect(shown).toEqual([join(home, ".venvs/a"), join(home, "cuda-12")]);
  });

  it("a link to the home, or to a folder above it, shows nothing", () => {
    put(home, "x/secret");
    mkdirSync(join(home, ".cache"));
    symlinkSync(home, join(home, ".cache/torch"));
    symlinkSync(dirname(home), join(home, ".cache/uv"));
    expect(machineOf("/nowhere/bin").shown).toEqual([]);
  });
});

describe("of the system", () => {
  it("the store of Nix is shown, and nothing beside it: there lies a socket that gives root's work to whoever connects", () => {
    expect(systemRoots.filter((root) => root.startsWith("/nix"))).toEqual(["/nix/store"]);
  });

  it("folders that hold a runner's credentials are found, wherever they are below /opt", () => {
    put(home, "runner-2/.credentials", "runners/gpu-0/.credentials", "a/b/c/.credentials", "conda/bin/python");
    expect(otherRunners(home).toSorted()).toEqual(["a/b/c", "runner-2", "runners/gpu-0"].map((p) => join(home, p)));
  });

  it("of /dev the GPUs are let through", () => {
    const names = "null nvidia0 nvidia1 nvidiactl nvidia-uvm nvidia-caps dri kfd dxg sda kvm mem driver".split(" ");
    expect(devicesOf(names)).toEqual(
      "nvidia0 nvidia1 nvidiactl nvidia-uvm nvidia-caps dri kfd dxg".split(" ").map((name) => `/dev/${name}`),
    );
  });
});

it("a folder of a runner is covered where a link shows it", () => {
  put(home, "data/runner/.credentials", "data/x");
  symlinkSync(join(home, "data"), join(home, "opt"));
  const machine: Machine = {
    path: "",
    home,
    system: [join(home, "opt")],
    shown: [],
    hiddenFolders: [join(home, "data/runner")],
    hiddenFiles: [],
    devices: [],
    emptyFile: "/dev/null",
  };
  const place = { cwd: "/", writable: [], readable: [], hidden: [], scratch: "/tmp/scratch" };
  const args = bubblewrapArguments(machine, place, { forbidsNesting: true, boundsSharedMemory: true }).join(" ");
  expect(args).toContain(`--tmpfs ${join(home, "opt/runner")}`);
});

/** Prints which of these files can be read. */
const readers = (...paths: readonly string[]): string =>
  `import os\nfor p in ${JSON.stringify(paths)}:\n    try: print("read", p, open(os.path.expanduser(p)).read().strip())\n    except OSError: print("not", p)\n${block}`;

describe.skipIf(noBubblewrap !== null)("a candidate", () => {
  beforeEach(() => {
    world = makeHostileWorld();
  });

  it("reads no token beside programs on the search path, nor uv's credentials", async () => {
    put(world!.folder, ".docker/bin/docker", ".docker/config.json", ".local/share/uv/credentials/credentials.toml");
    const paths = ["~/.docker/bin/docker", "~/.docker/config.json", "~/.local/share/uv/credentials/credentials.toml"];
    const PATH = `${join(world!.folder, ".docker/bin")}:${process.env["PATH"] ?? ""}`;
    const { measurement } = await start(world!, readers(...paths), "required", { env: { PATH } }).done;
    expect(measurement.logTail).toContain(`read ${paths[0]} secret`);
    for (const path of paths.slice(1)) expect(measurement.logTail).toContain(`not ${path}`);
  });

  it("reads no private file by another name, and the evaluator reads it", async () => {
    const data = join(world!.folder, "data/autoresearch");
    put(data, "held_out.bin", "train.bin", "secret/a", "blobs/b1", "blobs/b2");
    mkdirSync(join(data, "snapshot"));
    symlinkSync("../blobs/b1", join(data, "snapshot/one"));
    rmSync(join(world!.folder, ".cache/autoresearch"), { recursive: true });
    symlinkSync(data, join(world!.folder, ".cache/autoresearch"));
    const names = ["held_out.bin", "secret/a", "snapshot/one", "blobs/b1", "blobs/b2", "train.bin"];
    const paths = [...names.map((name) => `~/.cache/autoresearch/${name}`), join(data, "held_out.bin")];
    const cache = join(world!.folder, ".cache/autoresearch");
    for (const [top, told, last] of [
      [data, data, "snapshot"],
      [cache, "~/.cache/autoresearch", "snapshot/*"],
      [cache, "~/.cache/autoresearch", "snapshot/one"],
    ] as const) {
      const files = ["held_out.bin", "secret/a", "snapshot/one"].map((name) => join(top, name));
      const { measurement } = await start(world!, readers(...paths), "required", {
        spec: {
          private: ["held_out.bin", "secret", last].map((name) => `${told}/${name}`),
          evaluate: `cat ${files.join(" ")} && echo --- && echo val_bpb: 0.5`,
        },
      }).done;
      expect(measurement).toMatchObject({ status: "measured", value: 0.5 });
      const read = paths.filter((path) => measurement.logTail.includes(`read ${path} secret`));
      expect(read).toEqual([paths[4], paths[5]]);
    }
  });
});
