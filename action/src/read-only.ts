/**
 * What a sandbox binds read-only over itself.
 *
 * Always: no link is bound. A bind follows it, and where it leads to nothing, or to what is not shown, there would be no
 * sandbox at all. A candidate may replace one: that is found afterwards, by the name it leads to.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";

const mostBinds = 1_000;

/** Each protected file is read-only by itself, so that the training may write beside it; of very many, hashes must do. */
export function readOnlyParts(checkout: string, visible: readonly string[], made: readonly string[]): string[] {
  return withoutLinks(checkout, [...(visible.length <= mostBinds ? visible : []), ...made]);
}

/** Where those of the paths are that are no links. */
export function withoutLinks(root: string, paths: readonly string[]): string[] {
  return paths.map((path) => join(root, path)).filter((file) => !isLink(file));
}

/** Those of the paths that are links. */
export function linksAmong(root: string, paths: readonly string[]): string[] {
  return paths.filter((path) => isLink(join(root, path)));
}

function isLink(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}
