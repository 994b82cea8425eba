/**
 * The evaluation: a protected command, in a folder with protected files alone and a sandbox that the candidate's code
 * never was in, prints the metric. Where `trial.serve` is given the candidate's model answers it from a sandbox of its
 * own, through two pipes; nothing else is between the two.
 *
 * Always: the candidate's processes see neither the evaluator's memory, files, output and environment, nor what
 * `trial.private` names. Without a sandbox that is a matter of manners: all run as one user.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, unlinkSync } from "node:fs";
import { readlink, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Folders, move } from "./checkout.ts";
import { type Bench, runJob } from "./commands.ts";
import { openForMoving } from "./made-things.ts";
import { withoutLinks } from "./read-only.ts";
import type { CommandResult } from "./run-command.ts";

export type Evaluation = {
  readonly judge: CommandResult;
  /** The candidate's side; null when there is no `trial.serve`. */
  readonly served: CommandResult | null;
};

/**
 * Puts what judges in the place of what was trained in, so that what the set-up made (a virtual environment knows its
 * own path) is where it was made; what was trained in is at `folders.trained` from then on.
 * @param secret the private files that were put out of sight: what else lies there is not ours
 */
export async function layOut(folders: Folders, made: readonly string[], secret: readonly string[]): Promise<void> {
  await openForMoving(folders.checkout, made);
  await rename(folders.checkout, folders.trained);
  await rename(folders.judge, folders.checkout);
  for (const path of made) {
    const [from, to] = [join(folders.trained, path), join(folders.checkout, path)];
    await move(from, to);
    // A link leads from here to what it led to: its other place is in no sandbox of the answering side.
    await symlink(await readlink(to).catch(() => to), from);
  }
  for (const path of secret) await move(join(folders.hidden, path), join(folders.checkout, path));
}

/**
 * Runs the evaluate command, and with it the serve command, in what `layOut` made.
 * @param outside what `trial.private` names outside the checkout
 */
export async function evaluate(
  bench: Bench,
  folders: Folders,
  made: readonly string[],
  outside: readonly string[],
): Promise<Evaluation> {
  const { spec } = bench.inputs;
  const judge = {
    name: "evaluation",
    command: spec.evaluate!,
    cwd: folders.checkout,
    writable: [],
    readable: [folders.checkout, folders.trained, ...outside],
    hidden: [],
    variables: { AUTORESEARCH_TRAINED: folders.trained },
  };
  if (spec.serve === null) return { judge: await runJob(bench, judge), served: null };
  const { questions, answers } = await openPipes(folders.trial);
  const over = new AbortController();
  const serving = runJob(bench, {
    name: "serving",
    command: spec.serve,
    cwd: folders.trained,
    writable: [],
    readable: [folders.trained, ...withoutLinks(folders.checkout, made)],
    hidden: outside,
    pipes: { as: "answers", read: questions.read, write: answers.write },
    // Its time is the evaluation's.
    timeoutSeconds: Number.POSITIVE_INFINITY,
    signal: AbortSignal.any([bench.signal, over.signal]),
  });
  const judged = await runJob(bench, {
    ...judge,
    variables: { ...judge.variables, AUTORESEARCH_ANSWERS_FD: "3", AUTORESEARCH_QUESTIONS_FD: "4" },
    pipes: { as: "asks", read: answers.read, write: questions.write },
  }).finally(() => over.abort());
  return { judge: judged, served: await serving };
}

type Ends = { readonly read: number; readonly write: number };

/** Two pipes with no process of ours between their ends. Each end is closed here once its command has it. */
async function openPipes(folder: string): Promise<{ questions: Ends; answers: Ends }> {
  const [questions, answers] = [join(folder, "questions"), join(folder, "answers")];
  await promisify(execFile)("mkfifo", ["-m", "600", questions, answers]);
  return { questions: openEnds(questions), answers: openEnds(answers) };
}

/** Opening one end waits for the other, but not for one that opens both; so the ends are plain, blocking ones. */
function openEnds(fifo: string): Ends {
  const both = openSync(fifo, constants.O_RDWR);
  const ends = { read: openSync(fifo, constants.O_RDONLY), write: openSync(fifo, constants.O_WRONLY) };
  closeSync(both);
  unlinkSync(fifo);
  return ends;
}
