/** A repository for hostile candidates, with secrets planted around it, and a server that none of them may reach. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { makeWorld, plainSpec, type Result, type Run, startAction, type World } from "./world.ts";

export const token = "ghs_theTokenOfThisVeryJob0123456789";
export const planted = ["actions-runtime-token", "value-of-a-planted-secret", "password-in-a-dot-file"] as const;
export const block = `print("---"); print("val_bpb: 0.900000"); print("num_steps: 7")\n`;
const files = {
  "train.py": `import prepare\n${block}`,
  "prepare.py": "DATA = 1\n",
  // An evaluator with an import that a file beside it could stand in for.
  "evaluate.py": [
    "import json, os, sys",
    "files = {m.__file__ for m in sys.modules.values() if m.__name__ != '__main__' and getattr(m, '__file__', None)}",
    "print('modules', sorted(f for f in files if os.getcwd() in f))",
    "print('---')",
    "print('val_bpb:', json.loads('0.8125'))",
    "",
  ].join("\n"),
};

export function makeHostileWorld(): World {
  const world = makeWorld(files);
  writeFileSync(join(world.folder, ".netrc"), `machine github.com password ${planted[2]}\n`);
  mkdirSync(join(world.folder, ".cache/autoresearch"), { recursive: true });
  return world;
}

export type Mode = "required" | "off";
export type Wish = {
  readonly spec?: Partial<typeof plainSpec>;
  readonly env?: Readonly<Record<string, string>>;
};

/** Starts the action on a candidate with this train.py. */
export function start(world: World, train: string, sandbox: Mode, { spec = {}, env = {} }: Wish = {}): Run {
  return startAction(world, {
    INPUT_MODE: "train",
    INPUT_COMMIT: world.candidate({ "train.py": train }),
    INPUT_SPEC: JSON.stringify({ ...plainSpec, command: "python3 train.py", mutable: ["train.py"], sandbox, ...spec }),
    MY_SECRET: planted[1],
    ...env,
  });
}

export function expectNoSecretIn({ outputs, summary, printed }: Result): void {
  // The one place for the token is the line that has the runner mask it.
  const shown = printed.replaceAll(/^::add-mask::.*$/gm, "");
  for (const text of [JSON.stringify(outputs), summary, shown]) {
    for (const secret of [token, Buffer.from(`x-access-token:${token}`).toString("base64"), ...planted]) {
      expect(text).not.toContain(secret);
    }
  }
}
