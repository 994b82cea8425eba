/**
 * Whether a text is Python, by Python's own compiler: it compiles and does not execute. In a child without an environment,
 * with bounds on time and memory, since the text may be made to break a compiler.
 */
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";

const withinMs = 10_000;
const outputAtMost = 2_000;

const program = `
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
except Exception:
    pass
try:
    compile(sys.stdin.buffer.read(), sys.argv[1], "exec", dont_inherit=True)
except SyntaxError as error:
    print(f"{type(error).__name__}: {error.msg} (line {error.lineno})")
    print((error.text or "").rstrip()[:300])
    sys.exit(1)
except (ValueError, MemoryError, RecursionError) as error:
    print(f"{type(error).__name__}: {str(error)[:300]}")
    sys.exit(1)
`;

export type Syntax =
  | { readonly kind: "good" }
  | { readonly kind: "bad"; readonly because: string }
  /** There is no python3, or it gave no answer in time. */
  | { readonly kind: "unknown"; readonly because: string };

/** Compiles the text of a file; `path` is the PATH on which python3 is looked for. */
export function checkSyntax(file: { path: string; text: string }, path: string, signal: AbortSignal): Promise<Syntax> {
  return new Promise((resolve) => {
    const child = spawn("python3", ["-I", "-W", "ignore", "-c", program, file.path], {
      cwd: tmpdir(),
      env: { PATH: path },
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      timeout: withinMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (output.length < outputAtMost) output += chunk.toString();
    });
    // It may end before it has read all.
    child.stdin.on("error", () => {});
    child.on("error", () => resolve({ kind: "unknown", because: "there is no python3 where the bot runs" }));
    child.on("close", (code) => {
      if (code === 0) resolve({ kind: "good" });
      else if (code === 1 && output.trim() !== "")
        resolve({ kind: "bad", because: output.trim().slice(0, outputAtMost) });
      else resolve({ kind: "unknown", because: "Python's compiler gave no answer" });
    });
    child.stdin.end(file.text);
  });
}
