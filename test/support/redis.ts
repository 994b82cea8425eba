/** A real redis-server for a test: on a free port, in a folder of its own, keeping nothing. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createConnection } from "node:net";
import { freePort } from "../../src/local/port.ts";
import { until } from "./world.ts";

export type TestRedis = {
  readonly url: string;
  /** Kills it, as a crash would; what it held is gone. */
  stop(): Promise<void>;
  /** Starts it again, at the same address. */
  start(): Promise<void>;
  close(): Promise<void>;
};

/** Fails with a sentence where there is no redis-server. */
export async function startRedis(): Promise<TestRedis> {
  const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-redis-"));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const stop = async () => {
    const running = child;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => running.once("exit", () => resolve()));
    running.kill("SIGKILL");
    await gone;
  };
  const start = async () => {
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir];
    const started = spawn("redis-server", options, { stdio: "ignore" });
    child = started;
    const failed = new Promise<never>((_, reject) => {
      started.once("error", (error: NodeJS.ErrnoException) => {
        const missing =
          "redis-server is not installed, and replicas are tested with a real one: apt-get install redis-server";
        reject(error.code === "ENOENT" ? new Error(missing) : error);
      });
    });
    await Promise.race([failed, until("Redis answers", () => answers(port), 10_000)]);
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    start,
    close: async () => {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("error", () => end(false));
    socket.once("data", (data) => end(data.toString().startsWith("+PONG")));
    socket.write("PING\r\n");
  });
}
