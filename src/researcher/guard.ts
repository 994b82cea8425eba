/**
 * The guard: what no proposal may do, whoever made it. Pure; it stands between every researcher and the first commit, so
 * that nothing it refuses ever has a branch, a pull request or a second of a GPU.
 */
import type { Brief, FileText, Proposal } from "../domain/proposal.ts";
import { secretsIn } from "../domain/secrets.ts";
import { isMutable, privateMatcher } from "../domain/start.ts";
import { oneLine } from "../domain/words.ts";
import { hiddenIn } from "./brief/visible.ts";
import { differInLooksOnly, differInSeedOnly } from "./substance.ts";

/** Largest text of one file, in characters. */
export const largestFile = 1_000_000;

/** What a proposal's files are laid over: the mutable files at the frontier, or, for a repair, as they crashed. */
export function baseOf(brief: Pick<Brief, "files" | "repair">): readonly FileText[] {
  return brief.repair?.files ?? brief.files;
}

/** Why the proposal is refused, in a sentence for whoever made it; null: it may be tried. */
export function refusalOf(proposal: Proposal, brief: Brief): string | null {
  const { mutable } = brief.config;
  const outside = proposal.files.find((file) => !isMutable(file.path, mutable) || !isPlain(file.path));
  if (outside !== undefined) return `${outside.path} is not in the mutable surface (${mutable.join(", ")})`;
  const isPrivate = privateMatcher(brief.config.trial.private);
  const secret = proposal.files.find((file) => isPrivate(file.path));
  if (secret !== undefined) return `${secret.path} is private to the evaluation`;
  const large = proposal.files.find((file) => file.text.length > largestFile);
  if (large !== undefined) return `${large.path} is larger than ${largestFile} characters`;
  if (oneLine(proposal.description) === "") return "it has no description";
  const base = baseOf(brief);
  const changes = changesOf(proposal, base);
  if (changes.length === 0) return "it changes nothing";
  if (brief.wasTried(resultOf(proposal, base))) return "the same code was tried before in this session";
  return unfitWords(proposal) ?? unfitText(changes) ?? unfitChange(changes);
}

/** A path that git can hold: relative, without `.`, `..`, `.git` or empty parts. */
function isPlain(path: string): boolean {
  return path.split("/").every((part) => !["", ".", "..", ".git"].includes(part.toLowerCase()));
}

type Change = { readonly before: FileText; readonly after: FileText };

function changesOf(proposal: Proposal, files: readonly FileText[]): Change[] {
  return proposal.files.flatMap((after) => {
    const before = files.find(({ path }) => path === after.path);
    if (before?.text === after.text) return [];
    return [{ before: before ?? { path: after.path, text: "" }, after }];
  });
}

/** What is said of a change stands on the pull request, for everybody to read. */
function unfitWords({ description, hypothesis, expected, refutedBy, insights }: Proposal): string | null {
  const words = [description, hypothesis, expected, refutedBy, insights.lesson];
  const said = [...words, ...insights.ideas, ...insights.foreclosed];
  return secretsIn(said.join("\n")).length === 0 ? null : "what it says of itself holds what looks like a secret";
}

function unfitText(changes: readonly Change[]): string | null {
  for (const { before, after } of changes) {
    // What stood there before is not the proposal's doing. The secret itself is not repeated.
    if (secretsIn(after.text).some((secret) => !before.text.includes(secret))) {
      return `${after.path} holds what looks like a secret`;
    }
    const hidden = hiddenIn(after.text).find((char) => !before.text.includes(char));
    if (hidden !== undefined) {
      const code = hidden.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      return `${after.path} holds a character that can't be seen (U+${code})`;
    }
  }
  return null;
}

function unfitChange(changes: readonly Change[]): string | null {
  if (changes.every(({ before, after }) => differInLooksOnly(before, after))) {
    return "it changes only white space and comments";
  }
  if (changes.every(({ before, after }) => differInSeedOnly(before, after))) {
    return "it changes only a seed, and a lucky seed is not a finding";
  }
  return null;
}

/** The mutable surface as it would be with the proposal. */
export function resultOf(proposal: Pick<Proposal, "files">, files: readonly FileText[]): FileText[] {
  const merged = new Map(files.map((file) => [file.path, file.text]));
  for (const file of proposal.files) merged.set(file.path, file.text);
  return [...merged].map(([path, text]) => ({ path, text }));
}
