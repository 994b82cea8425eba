/** The secret that runners show: a file in the world's folder, for who may read that folder. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export function runnerSecretFile(world: { readonly dir: string }): string {
  return path.join(world.dir, "world", "runner-secret");
}

/** The secret; made when it is first asked for. */
export function runnerSecret(world: { readonly dir: string }): string {
  const file = runnerSecretFile(world);
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" });
  }
  return readFileSync(file, "utf8");
}
