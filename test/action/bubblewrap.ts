/** Whether this machine can have the sandbox at all. Where it can't, tests of it are skipped, and their name says why. */
import { spawnSync } from "node:child_process";

function reasonAgainst(): string | null {
  if (process.platform !== "linux") return "bubblewrap is for Linux";
  const args = ["--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"];
  const { error, status, stderr } = spawnSync("bwrap", args, { encoding: "utf8" });
  if (error !== undefined) return "bwrap is not installed";
  return status === 0 ? null : `bwrap does not work here: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

/** Null when it works. CI installs it and sets AUTORESEARCH_NEEDS_BWRAP, and then its absence is a failure. */
export const noBubblewrap = reasonAgainst();
if (noBubblewrap !== null && process.env["AUTORESEARCH_NEEDS_BWRAP"] !== undefined) throw new Error(noBubblewrap);

if (noBubblewrap !== null) console.warn(`tests of the sandbox are skipped: ${noBubblewrap}`);
