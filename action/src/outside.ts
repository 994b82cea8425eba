/** What a trial names beside its mutable files: files to be protected, files to be hidden from the candidate. */
import { existsSync } from "node:fs";
import picomatch from "picomatch";
import type { TrialSpec } from "../../src/domain/measurement.ts";
import { holds, homeOf, realOf } from "./machine.ts";
import { expandHome, filesThrough, fixedPart, matchingFiles } from "./protected-files.ts";
import { privateSurface } from "./surface.ts";

export type Outside = {
  /** `trial.protect`, absolute. */
  readonly protectedGlobs: readonly string[];
  /** Where those lie: shown to the candidate, read-only. */
  readonly shown: readonly string[];
  /** `trial.private` outside the checkout, absolute. */
  readonly privateGlobs: readonly string[];
  /** `trial.private` inside the checkout: relative globs. */
  readonly privateInside: readonly string[];
};

export function outsideOf(
  spec: Pick<TrialSpec, "protect" | "private">,
  own: Readonly<Record<string, string | undefined>>,
): Outside {
  const home = homeOf(own);
  const protectedGlobs = spec.protect.map((pattern) => expandHome(pattern, home));
  const secret = spec.private.map((pattern) => expandHome(pattern, home));
  return {
    protectedGlobs,
    shown: protectedGlobs.map(fixedPart),
    privateGlobs: secret.filter((pattern) => pattern.startsWith("/")),
    privateInside: secret.filter((pattern) => !pattern.startsWith("/")),
  };
}

/**
 * The files and folders of `trial.private` outside the checkout, and what links in them lead to: for the evaluate command
 * alone. Looked for after the set-up, which may make them.
 */
export async function hiddenOutside({ privateGlobs }: Outside): Promise<string[]> {
  const [single, globs] = [false, true].map((isGlob) =>
    privateGlobs.filter((pattern) => picomatch.scan(pattern).isGlob === isGlob),
  ) as [string[], string[]];
  // A link that leads to nothing hides nothing, and can't be shown to the evaluator.
  const named = [...single, ...(await matchingFiles(globs))].filter((path) => existsSync(path));
  return [...new Set([...named, ...(await Promise.all(named.map(linkedFrom))).flat()])];
}

/** Where links lead from here to, if not to what is in here anyway. */
async function linkedFrom(path: string): Promise<string[]> {
  const links = (await filesThrough(path)).filter(({ isLinked }) => isLinked);
  const own = realOf(path);
  return links.map((link) => realOf(link.path)).filter((end) => !holds(own, end));
}

/**
 * @param inside the protected files of the repository, and what the set-up made
 * @throws Error when a pattern of `trial.protect` or `trial.private` matches no file: what it was to keep, it would not
 */
export async function expectFiles(outside: Outside, inside: readonly string[]): Promise<void> {
  const { protectedGlobs, privateGlobs, privateInside } = outside;
  const missing = async (pattern: string) => (await matchingFiles([pattern])).length === 0;
  for (const pattern of protectedGlobs) {
    if (await missing(pattern)) throw nothingAt("protect", pattern, "on this runner", "the training reads");
  }
  for (const pattern of privateGlobs) {
    if (await missing(pattern)) throw nothingAt("private", pattern, "on this runner", "the evaluation reads");
  }
  for (const pattern of privateInside) {
    if (inside.some(privateSurface([pattern]).isPrivate)) continue;
    throw nothingAt("private", pattern, "of the repository that is not mutable", "the evaluation reads");
  }
}

function nothingAt(key: "protect" | "private", pattern: string, where: string, what: string): Error {
  return new Error(
    `\`trial.${key}\` names ${pattern}, and no file ${where} matches it: nothing would be ` +
      `${key === "protect" ? "protected" : "hidden"}. Put there what ${what} (or let \`trial.setup\` make it), or take the ` +
      "pattern out. Nothing was trained.",
  );
}
