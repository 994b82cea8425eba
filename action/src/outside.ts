/** What a trial names outside its checkout: files to be protected, files to be hidden from the candidate. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import picomatch from "picomatch";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { expandHome, fixedPart, matchingFiles } from "./protected-files.ts";

export type Outside = {
  /** `trial.protect`, absolute. */
  readonly protectedGlobs: readonly string[];
  /** Where those lie: shown to the candidate, read-only. */
  readonly shown: readonly string[];
  /** Files and folders of `trial.private` outside the checkout: for the evaluate command alone. */
  readonly hidden: readonly string[];
  /** `trial.private` inside the checkout: relative globs. */
  readonly privateInside: readonly string[];
};

export async function outsideFiles(
  spec: Pick<TrialSpec, "protect" | "private">,
  own: Readonly<Record<string, string | undefined>>,
): Promise<Outside> {
  const home = own["HOME"] ?? homedir();
  const protectedGlobs = spec.protect.map((pattern) => expandHome(pattern, home));
  const secret = spec.private.map((pattern) => expandHome(pattern, home));
  const [single, globs] = [false, true].map((isGlob) =>
    secret.filter((pattern) => pattern.startsWith("/") && picomatch.scan(pattern).isGlob === isGlob),
  ) as [string[], string[]];
  return {
    protectedGlobs,
    shown: protectedGlobs.map(fixedPart),
    hidden: [...single.filter((path) => existsSync(path)), ...(await matchingFiles(globs))],
    privateInside: secret.filter((pattern) => !pattern.startsWith("/")),
  };
}
