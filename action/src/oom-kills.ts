/** How often the kernel has killed for lack of memory: in the action's own control group, where it has one, or at all. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A counter that only grows; 0 where the kernel does not tell. @param root where `/proc` and `/sys` are */
export function oomKills(root = "/"): number {
  return counter(ownGroupEvents(root), "oom_kill") ?? counter(join(root, "proc/vmstat"), "oom_kill") ?? 0;
}

function ownGroupEvents(root: string): string {
  const group = /^0::(.*)$/m.exec(textOf(join(root, "proc/self/cgroup")))?.[1] ?? "/";
  return join(root, "sys/fs/cgroup", group, "memory.events");
}

function counter(file: string, name: string): number | null {
  const match = new RegExp(`^${name} (\\d+)$`, "m").exec(textOf(file));
  return match === null ? null : Number(match[1]);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
