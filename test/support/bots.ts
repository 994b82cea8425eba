/**
 * Several bots on one world, each a process of its own (crash-bot.ts), and the address that GitHub knows: every delivery is
 * handed to all of them that live, or to one after the other, as a load balancer would.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import path from "node:path";
import { freePort } from "../../src/local/port.ts";
import type { CrashBotStart } from "./crash-bot.ts";
import type { World } from "./world.ts";

type Bot = { readonly port: number; readonly child: ChildProcess };

export type BotsOptions = {
  readonly count: number;
  readonly redisUrl: string | null;
  readonly ideas: CrashBotStart["ideas"];
  /** Who hears of a delivery. */
  readonly deliverTo: "all" | "one";
};

export class Bots {
  readonly #world: World;
  readonly #options: BotsOptions;
  readonly #bots: Bot[] = [];
  readonly #close: (() => Promise<void>)[] = [];
  #turn = 0;

  constructor(world: World, options: BotsOptions) {
    this.#world = world;
    this.#options = options;
  }

  /** Starts the bots in the place of the world's own one; resolves when each of them hears. */
  async start(): Promise<void> {
    await this.#world.stopBot();
    const server = createServer((request, response) => {
      void this.#handOn(request).then((status) => response.writeHead(status).end());
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    this.#close.push(() => new Promise((resolve) => server.close(() => resolve())));
    this.#world.github.world.setWebhookUrl(this.#world.app.appId, `http://127.0.0.1:${port}/`);
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#startOne()));
  }

  async #startOne(): Promise<void> {
    const port = await freePort();
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "crash-bot.ts")], {
      stdio: ["ignore", process.env["TEST_LOG"] === undefined ? "ignore" : "inherit", "inherit", "ipc"],
    });
    await new Promise((resolve) => child.once("message", resolve));
    const { github, app } = this.#world;
    const { appId, privateKey, webhookSecret } = app;
    const { ideas, redisUrl } = this.#options;
    const logLevel = process.env["TEST_LOG"] === undefined ? "fatal" : "info";
    const start: CrashBotStart = {
      apiUrl: github.apiUrl,
      port,
      appId,
      privateKey,
      webhookSecret,
      logLevel,
      redisUrl,
      ideas,
    };
    child.send(start);
    await untilListening(port);
    this.#bots.push({ port, child });
  }

  async #handOn(request: IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
    delete headers["connection"];
    const to =
      this.#options.deliverTo === "all" ? this.#bots : this.#bots.slice(this.#turn++ % this.#bots.length).slice(0, 1);
    const answers = await Promise.all(
      to.map(({ port }) =>
        fetch(`http://127.0.0.1:${port}/api/github/webhooks`, { method: "POST", headers, body: Buffer.concat(chunks) })
          .then((answer) => answer.status)
          .catch(() => 502),
      ),
    );
    return Math.min(502, ...answers);
  }

  /** Process ids of those that live. */
  get pids(): number[] {
    return this.#bots.map(({ child }) => child.pid!);
  }

  /** Kills one of them, as `kill -9` does; no delivery is handed to it any more. */
  async kill(pid: number): Promise<void> {
    const index = this.#bots.findIndex(({ child }) => child.pid === pid);
    const [bot] = this.#bots.splice(index, 1);
    await end(bot!.child);
  }

  async close(): Promise<void> {
    await Promise.all(this.#bots.splice(0).map(({ child }) => end(child)));
    for (const close of this.#close.splice(0)) await close();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await gone;
}

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
