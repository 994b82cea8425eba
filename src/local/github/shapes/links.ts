/** Addresses and node ids as GitHub writes them. */
import type { Core } from "../core.ts";
import type { Repository } from "../entities.ts";
import { fullName } from "../finders.ts";

/** Opaque, as GitHub's are; one for every kind and id. */
export function nodeId(kind: string, id: number | string): string {
  return Buffer.from(`${kind}:${id}`).toString("base64");
}

/** `…/api/v3/repos/owner/name` */
export function repoApi(core: Core, repo: Repository): string {
  return `${core.apiUrl}/repos/${fullName(core.store, repo)}`;
}

/** `…/owner/name`, the web page. */
export function repoWeb(core: Core, repo: Repository): string {
  return `${core.url}/${fullName(core.store, repo)}`;
}
