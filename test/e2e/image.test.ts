/**
 * The image, as far as it can be tried without Docker: the files that the Dockerfile copies are all that the bot needs, its
 * packages are runtime dependencies, and the compose file says what the bot understands.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { parse } from "yaml";
import { variables } from "../../src/environment.ts";
import { freePort } from "../../src/local/port.ts";
import { startWorld } from "../support/e2e.ts";
import { until } from "../support/world.ts";

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const dockerfile = read("Dockerfile").replaceAll("\\\n", " ").split("\n");
const ignored = read(".dockerignore").split("\n");
const made: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A folder with what the last stage of the Dockerfile copies from the repository. */
function imageFolder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "autoresearch-image-"));
  made.push(dir);
  const last = dockerfile.slice(dockerfile.findLastIndex((line) => line.startsWith("FROM ")));
  for (const line of last.filter((each) => each.startsWith("COPY ") && !each.includes("--from="))) {
    const names = line.split(" ").slice(1);
    const to = names.pop()!;
    for (const name of names) {
      // What the builder is not sent can't be copied.
      expect(ignored).toContain(`!${name}`);
      const target = path.join(dir, to.endsWith("/") || to === "./" ? path.join(to, path.basename(name)) : to);
      const sent = (file: string) => !ignored.includes(path.relative(root, file));
      cpSync(path.join(root, name), target, { recursive: true, filter: sent });
    }
  }
  symlinkSync(path.join(root, "node_modules"), path.join(dir, "node_modules"));
  return dir;
}

test("what the image holds starts, is healthy by its own check, and ends on SIGTERM", async () => {
  const world = await startWorld();
  await world.stopBot();
  const port = await freePort();
  /** The JSON after the word, in its last line. */
  const command = (word: string) => {
    const line = dockerfile.findLast((each) => each.startsWith(word))!;
    return JSON.parse(line.slice(line.indexOf("["))) as string[];
  };
  const env: Record<string, string> = {
    APP_ID: String(world.app.appId),
    PRIVATE_KEY: world.app.privateKey,
    WEBHOOK_SECRET: world.app.webhookSecret,
    GITHUB_API_URL: world.github.apiUrl,
    PORT: String(port),
    LOG_FORMAT: "json",
  };
  const cwd = imageFolder();
  const start = ([program, ...args]: string[]) => {
    expect(program).toBe("node");
    const child = spawn(process.execPath, args, { cwd, env, stdio: "ignore" });
    children.push(child);
    return { child, ended: new Promise<number | null>((resolve) => child.once("exit", resolve)) };
  };
  const bot = start(command("CMD "));
  const check = command("HEALTHCHECK ");
  await until("the health check passes", async () => (await start(check).ended) === 0);
  const ready = `http://127.0.0.1:${port}/readyz`;
  await until("the bot is ready", async () => (await fetch(ready)).status === 200);
  bot.child.kill("SIGTERM");
  expect(await bot.ended).toBe(0);
  expect(await start(check).ended).toBe(1);
});

test("every package that the bot imports is a runtime dependency", () => {
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  const files = globSync("src/**/*.ts", { cwd: root }).filter((file) => !file.startsWith("src/local/"));
  const packages = files.flatMap((file) =>
    [...read(file).matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?"([^".][^"]*)"/gm)]
      .map(([, name]) => name!)
      .filter((name) => !isBuiltin(name))
      .map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      ),
  );
  expect(packages).toContain("probot");
  expect([...new Set(packages)].filter((name) => !(name in dependencies))).toEqual([]);
  expect(dockerfile.filter((line) => line.startsWith("FROM ")).every((line) => line.includes("node:24-slim"))).toBe(
    true,
  );
  expect(dockerfile).toContain("USER node");
});

test("every program that the bot starts is in the image", () => {
  const files = globSync("src/**/*.ts", { cwd: root }).filter((file) => !file.startsWith("src/local/"));
  const started = files.flatMap((file) =>
    [...read(file).matchAll(/\b(?:spawn|exec[aF]\w*)\(\s*"([^"]+)"/g)].map(([, program]) => program!),
  );
  expect([...new Set(started)].toSorted()).toEqual(["/bin/sh", "git", "python3"]);
  const last = dockerfile.slice(dockerfile.findLastIndex((line) => line.startsWith("FROM ")));
  const [installs] = last.filter((line) => line.startsWith("RUN ")).map((line) => /apt-get install ([^&]*)/.exec(line));
  expect(installs?.[1]!.split(/\s+/)).toEqual(expect.arrayContaining(["git", "python3"]));
  expect(dockerfile.indexOf("USER node")).toBeGreaterThan(dockerfile.indexOf(installs!.input));
});

test("compose.yaml starts the bot after a healthy Redis, with variables that there are", () => {
  type Service = {
    environment?: Record<string, string>;
    depends_on?: Record<string, { condition: string }>;
    healthcheck?: object;
    env_file?: string;
    stop_grace_period?: string;
  };
  const { services } = parse(read("compose.yaml")) as { services: Record<string, Service> };
  const { bot, redis } = services as { bot: Service; redis: Service };
  expect(bot.depends_on).toEqual({ redis: { condition: "service_healthy" } });
  expect(redis.healthcheck).toBeDefined();
  expect(bot.env_file).toBe(".env");
  for (const name of Object.keys(bot.environment!)) expect(variables).toContain(name);
});

test("every variable stands in .env.example and in the admin's page, and no other does", () => {
  const example = [...read(".env.example").matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name!);
  expect(example.toSorted()).toEqual(variables.toSorted());
  const table = [...read("docs/operations.md").matchAll(/^\| ((?:`[A-Z][A-Z_]+`(?:, )?)+) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name!),
  );
  expect(table.toSorted()).toEqual(variables.toSorted());
});
