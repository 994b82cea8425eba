/**
 * The guard: what no proposal may do, whoever made it. Pure; it stands between every researcher and the first commit, so
 * that nothing it refuses ever has a branch, a pull request or a second of a GPU.
 */
import type { Brief, FileText, Proposal } from "../domain/proposal.ts";
import { isMutable } from "../domain/start.ts";
import { oneLine } from "../domain/words.ts";

/** Largest text of one file, in characters. */
const largestFile = 1_000_000;

/** Why the proposal is refused, in a sentence for whoever made it; null: it may be tried. */
export function refusalOf(proposal: Proposal, brief: Brief): string | null {
  const { mutable } = brief.config;
  const outside = proposal.files.find((file) => !isMutable(file.path, mutable) || !isPlain(file.path));
  if (outside !== undefined) return `${outside.path} is not in the mutable surface (${mutable.join(", ")})`;
  const large = proposal.files.find((file) => file.text.length > largestFile);
  if (large !== undefined) return `${large.path} is larger than ${largestFile} characters`;
  if (oneLine(proposal.description) === "") return "it has no description";
  const changed = changedFiles(proposal, brief.files);
  if (changed.length === 0) return "it changes nothing";
  if (brief.wasTried(resultOf(proposal, brief.files))) return "the same code was tried before in this session";
  return null;
}

/** A path that git can hold: relative, without `.`, `..`, `.git` or empty parts. */
function isPlain(path: string): boolean {
  return path.split("/").every((part) => !["", ".", "..", ".git"].includes(part.toLowerCase()));
}

function changedFiles(proposal: Proposal, files: readonly FileText[]): FileText[] {
  return proposal.files.filter((file) => files.find((each) => each.path === file.path)?.text !== file.text);
}

/** The mutable surface as it would be with the proposal. */
export function resultOf(proposal: Pick<Proposal, "files">, files: readonly FileText[]): FileText[] {
  const merged = new Map(files.map((file) => [file.path, file.text]));
  for (const file of proposal.files) merged.set(file.path, file.text);
  return [...merged].map(([path, text]) => ({ path, text }));
}
