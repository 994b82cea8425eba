/** What a trial names outside its checkout: files to be protected, files to be hidden from the candidate. */
import { existsSync } from "node:fs";
import picomatch from "picomatch";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { holds, homeOf, realOf } from "./machine.ts";
import { expandHome, filesThrough, fixedPart, matchingFiles } from "./protected-files.ts";

export type Outside = {
  /** `trial.protect`, absolute. */
  readonly protectedGlobs: readonly string[];
  /** Where those lie: shown to the candidate, read-only. */
  readonly shown: readonly string[];
  /** Files and folders of `trial.private` outside the checkout, and what links in them lead to: for the evaluate command alone. */
  readonly hidden: readonly string[];
  /** `trial.private` outside the checkout, absolute. */
  readonly privateGlobs: readonly string[];
  /** `trial.private` inside the checkout: relative globs. */
  readonly privateInside: readonly string[];
};

export async function outsideFiles(
  spec: Pick<TrialSpec, "protect" | "private">,
  own: Readonly<Record<string, string | undefined>>,
): Promise<Outside> {
  const home = homeOf(own);
  const protectedGlobs = spec.protect.map((pattern) => expandHome(pattern, home));
  const secret = spec.private.map((pattern) => expandHome(pattern, home));
  const [single, globs] = [false, true].map((isGlob) =>
    secret.filter((pattern) => pattern.startsWith("/") && picomatch.scan(pattern).isGlob === isGlob),
  ) as [string[], string[]];
  const named = [...single.filter((path) => existsSync(path)), ...(await matchingFiles(globs))];
  return {
    protectedGlobs,
    shown: protectedGlobs.map(fixedPart),
    hidden: [...new Set([...named, ...(await Promise.all(named.map(linkedFrom))).flat()])],
    privateGlobs: secret.filter((pattern) => pattern.startsWith("/")),
    privateInside: secret.filter((pattern) => !pattern.startsWith("/")),
  };
}

/** Where links lead from here to, if not to what is in here anyway. */
async function linkedFrom(path: string): Promise<string[]> {
  const links = (await filesThrough(path)).filter(({ isLinked }) => isLinked);
  const own = realOf(path);
  return links.map((link) => realOf(link.path)).filter((end) => !holds(own, end));
}

/** @throws Error when a pattern of `trial.protect` matches no file: what it was to protect, it would not. */
export async function expectFiles({ protectedGlobs }: Outside): Promise<void> {
  for (const pattern of protectedGlobs) {
    if ((await matchingFiles([pattern])).length > 0) continue;
    throw new Error(
      `\`trial.protect\` names ${pattern}, and no file on this runner matches it: nothing would be protected. Put there ` +
        "what the training reads (or let `trial.setup` make it), or take the pattern out. Nothing was trained.",
    );
  }
}
