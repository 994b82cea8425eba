/** What a command leaves behind that is hard to remove, as a user to whom modes of files mean something. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clearAway } from "../../src/researcher/command/clear-away.ts";
import { ask, raise, sayIt } from "./command-world.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "autoresearch-leftover-test-"));
  chmodSync(dir, 0o777);
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const nobody = 65_534;

/** Does it as a user that is not root, whoever runs the tests. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid!(nobody);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

test("folders that can't be written to are removed, and no link out of them is followed", async () => {
  await unprivileged(async () => {
    const [home, outside] = [path.join(dir, "home"), path.join(dir, "outside")];
    const cache = path.join(home, "go/pkg/mod");
    mkdirSync(cache, { recursive: true });
    mkdirSync(outside, { mode: 0o555 });
    writeFileSync(path.join(cache, "go.sum"), "");
    symlinkSync(outside, path.join(cache, "link"));
    for (const folder of ["go/pkg/mod", "go/pkg", "go"]) chmodSync(path.join(home, folder), 0o555);
    await clearAway(home);
    expect(existsSync(home)).toBe(false);
    expect(statSync(outside).mode & 0o777).toBe(0o555);
  });
});

test("what can't be removed stays, without a word", async () => {
  await unprivileged(async () => {
    const home = path.join(dir, "locked/home");
    mkdirSync(home, { recursive: true });
    chmodSync(path.dirname(home), 0o555);
    await clearAway(home);
    expect(existsSync(home)).toBe(true);
    chmodSync(path.dirname(home), 0o755);
  });
});

test("an idea that was paid for is not lost for what its command left behind", async () => {
  const at = path.join(dir, "at");
  const left = 'mkdir -p "$HOME/go/mod"; echo x > "$HOME/go/mod/x"; chmod 0555 "$HOME/go/mod" "$HOME/go"';
  try {
    const answer = await unprivileged(() => ask(`dirname "$PWD" > ${at}; ${left}; ${raise}; ${sayIt}`));
    expect(answer).toMatchObject({ kind: "proposal", proposal: { description: "Twice the rate" } });
  } finally {
    // Under root the shell is root again, and leaves what nobody else can remove.
    rmSync(readFileSync(at, "utf8").trim(), { recursive: true, force: true });
  }
});
