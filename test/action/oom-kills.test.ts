/** The kernel's counter of what it killed for memory, on made-up machines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { oomKills } from "../../action/src/oom-kills.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "action-oom-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const events = (kills: number): string => `low 0\nhigh 9\nmax 9\noom 8\noom_kill ${kills}\noom_group_kill 7\n`;
const vmstat = "nr_free_pages 1\noom_kill 41\nswap_ra 2\n";

it("is that of the action's own control group: what others lost for memory is not ours", () => {
  write("proc/self/cgroup", "0::/system.slice/runner.service\n");
  write("sys/fs/cgroup/system.slice/runner.service/memory.events", events(3));
  write("sys/fs/cgroup/memory.events", events(5));
  write("proc/vmstat", vmstat);
  expect(oomKills(root)).toBe(3);
  write("sys/fs/cgroup/system.slice/runner.service/memory.events", events(4));
  expect(oomKills(root)).toBe(4);
});

it.each([
  ["old control groups", "12:memory:/user.slice\n1:name=systemd:/x\n"],
  ["a group whose files are not there", "0::/elsewhere\n"],
  ["no control groups", null],
])("is the whole machine's with %s", (_, groups) => {
  if (groups !== null) write("proc/self/cgroup", groups);
  write("proc/vmstat", vmstat);
  expect(oomKills(root)).toBe(41);
});

it("is nothing where the kernel does not tell", () => {
  expect(oomKills(root)).toBe(0);
});

it("is read of this machine", () => {
  expect(oomKills()).toBeGreaterThanOrEqual(0);
});
