/** The whole log of a trial, for the artifact: what its commands printed, redacted, one after the other. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bench, logFileOf } from "./commands.ts";
import { redact } from "../../src/domain/secrets.ts";

/** In the order of the trial; those that did not run have no file. */
const parts = ["training", "serving", "evaluation"];

/** Where the log is now, in the runner's temporary folder; null when nothing was printed, or it can't be kept. */
export async function keepLog({ inputs, folder, log, secrets }: Bench): Promise<string | null> {
  const texts: string[] = [];
  for (const name of parts) {
    const text = await readFile(logFileOf(folder, name), "utf8").catch(() => "");
    if (text !== "") texts.push(`=== ${name} ===\n${redact(text, secrets)}`);
  }
  if (texts.length === 0) return null;
  const file = join(inputs.RUNNER_TEMP, `autoresearch-${inputs.trial.replaceAll(":", "-")}.log`);
  try {
    await writeFile(file, texts.join("\n"), { mode: 0o600 });
    return file;
  } catch (error) {
    log.say(`the log was not kept: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
