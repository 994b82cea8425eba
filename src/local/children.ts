/**
 * The processes of a local session: the bot and the runners, each of them what it would be without us. They are on a leash
 * (leash.ts): when this process dies, however it dies, they end. One that ends by itself is started again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const leash = path.join(here, "leash.ts");

export type ChildSpec = {
  readonly name: string;
  /** The module that it runs. */
  readonly module: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** What every child may see of our environment; nothing else is handed on. */
const passedOn = new Set([
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TMPDIR",
  "USER",
  "SHELL",
  "TERM",
  "XDG_CACHE_HOME",
  "LD_LIBRARY_PATH",
]);
const passedOnPrefixes = ["CUDA_", "NVIDIA_", "HF_", "UV_"];

function environment(own: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => passedOn.has(name) || passedOnPrefixes.some((prefix) => name.startsWith(prefix)),
  );
  return { ...(Object.fromEntries(inherited) as Record<string, string>), ...own };
}

const restartsAtMost = 20;
const endWithinMs = 20_000;

export class Children {
  readonly #logs: string;
  readonly #running = new Map<string, ChildProcess>();
  readonly #onTrouble: (sentence: string) => void;
  #ending = false;

  /** Logs go to `logs/NAME.log`; `onTrouble` hears of a child that ended by itself. */
  constructor(logs: string, onTrouble: (sentence: string) => void) {
    this.#logs = logs;
    this.#onTrouble = onTrouble;
    mkdirSync(logs, { recursive: true });
  }

  start(spec: ChildSpec, restarts = 0): void {
    const log = createWriteStream(path.join(this.#logs, `${spec.name}.log`), { flags: "a" });
    const child = spawn(process.execPath, ["--import", leash, spec.module, ...spec.args], {
      env: environment(spec.env),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // Not in the terminal's group: Ctrl-C reaches us alone, and we end them in order.
      detached: true,
    });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    this.#running.set(spec.name, child);
    child.once("exit", (code, signal) => {
      log.end();
      this.#running.delete(spec.name);
      if (this.#ending) return;
      this.#onTrouble(
        `${spec.name} ended by itself (${signal ?? `exit ${code}`}); see ${path.join(this.#logs, `${spec.name}.log`)}`,
      );
      if (restarts < restartsAtMost)
        setTimeout(() => !this.#ending && this.start(spec, restarts + 1), 500 + 250 * restarts);
    });
  }

  /** Ends all: SIGTERM, and SIGKILL for what is still there after a while. Resolves when they are gone. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#running.values()].map(endOne));
  }
}

/** Runners for the local GitHub at `url` whose world is in `dir`: `count` with a "GPU", and one machine of GitHub's. */
export function startRunners(children: Children, at: { url: string; dir: string; count: number }): void {
  const start = (name: string, labels: string): void =>
    children.start({
      name,
      module: path.join(here, "runner.ts"),
      args: Object.entries({
        "--url": at.url,
        "--secret-file": path.join(at.dir, "world", "runner-secret"),
        "--name": name,
        "--labels": labels,
        "--work": path.join(at.dir, "work", name),
      }).flat(),
      env: {},
    });
  for (let number = 1; number <= at.count; number += 1) start(`gpu-${number}`, "self-hosted,gpu");
  start("hosted-1", "ubuntu-latest");
}

async function endOne(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), endWithinMs);
  await gone;
  clearTimeout(timer);
}
