/** A process that outlives the action for as long as it takes to kill the action's command. */
import { spawn } from "node:child_process";

export type Watchdog = { readonly watch: (group: number | undefined) => void; readonly dismiss: () => void };

/** Started before the command, so that there is no moment in which the command has none. */
export function startWatchdog(): Watchdog {
  const script = 'read -r group && { read -r _; kill -KILL -- "-$group"; } 2>/dev/null';
  const dog = spawn("bash", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true, env: searchPath() });
  dog.on("error", () => {});
  dog.stdin.on("error", () => {});
  dog.unref();
  return {
    watch: (group) => void (group !== undefined && dog.stdin.write(`${group}\n`)),
    dismiss: () => {
      dog.kill("SIGKILL");
      dog.stdin.destroy();
    },
  };
}

function searchPath(): Record<string, string> {
  return process.env["PATH"] === undefined ? {} : { PATH: process.env["PATH"] };
}
