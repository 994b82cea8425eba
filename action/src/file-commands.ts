/**
 * The files through which a step speaks to its runner. Values are written in the multi-line form with a random delimiter,
 * so that no value can end itself and begin another.
 */
import { randomUUID } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";

/** The multi-line form: `name<<delimiter`, the value, `delimiter`. */
export function outputText(outputs: Readonly<Record<string, string>>, delimiter: () => string): string {
  return Object.entries(outputs)
    .map(([name, value]) => {
      const end = delimiter();
      if (value.includes(end) || name.includes(end)) throw new Error("the delimiter is in the value");
      return `${name}<<${end}\n${value}\n${end}\n`;
    })
    .join("");
}

/**
 * Sets the step's outputs. The file is overwritten, not appended to: until now nobody of ours wrote to it, so whatever
 * is in it came from the code under trial.
 */
export function writeOutputs(file: string | undefined, outputs: Readonly<Record<string, string>>): void {
  if (file === undefined || file === "")
    throw new Error("GITHUB_OUTPUT is not set: this runs inside GitHub Actions only");
  writeFileSync(
    file,
    outputText(outputs, () => `autoresearch_${randomUUID()}`),
  );
}

const maxSummaryBytes = 1_000_000;

/** Shows markdown on the run's page. Does nothing where there is no such page, or where the text is too long for it. */
export function appendStepSummary(file: string | undefined, markdown: string): void {
  if (file === undefined || file === "" || Buffer.byteLength(markdown) > maxSummaryBytes) return;
  appendFileSync(file, `${markdown}\n`);
}
