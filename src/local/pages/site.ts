/** What every page is made from, and what a page is before the layout is put around it. */
import type { Core } from "../github/core.ts";
import type { Repository } from "../github/entities.ts";
import { findRepository, fullName, nextNumber } from "../github/finders.ts";
import type { GitRepository } from "../github/git-repository.ts";
import type { Html } from "./html.ts";

export type Site = {
  readonly core: Core;
  /** The login that the forms act as; null: the pages only show. */
  readonly actAs: string | null;
  /** Proves that a form came from a page of this process. */
  readonly formToken: string;
};

/** One repository, with what its pages need at hand. */
export type Place = {
  readonly site: Site;
  readonly core: Core;
  readonly repo: Repository;
  readonly git: GitRepository;
  /** `owner/name` */
  readonly name: string;
  /** `/owner/name`: the beginning of its pages' addresses. */
  readonly base: string;
};

export type Tab = "issues" | "pulls" | "actions" | "code";

export type Page = {
  readonly title: string;
  readonly place?: Place;
  readonly tab?: Tab;
  /** What is replaced when the world changed. */
  readonly live: Html;
  /** What stays as it is, below: a form in which somebody may be writing. */
  readonly still?: Html | null;
  /** It shows logs: it is looked at again when one of them grows. */
  readonly logs?: boolean;
  /** Of a page that says why there is none; it stands still. */
  readonly status?: 403 | 404 | 502;
};

/** There is nothing at this address; `message` is a sentence for people. */
export class Missing extends Error {}

/** The place of `owner/name`, or null. */
export function placeOf(site: Site, owner: string, name: string): Place | null {
  const repo = findRepository(site.core.store, owner, name);
  return repo === undefined ? null : placeOfRow(site, repo);
}

export function placeOfRow(site: Site, repo: Repository): Place {
  const { core } = site;
  const name = fullName(core.store, repo);
  return { site, core, repo, git: core.git(repo), name, base: `/${name}` };
}

/** Whether `number` is an issue or a pull request here. */
export function isNumber(place: Place, number: number): boolean {
  // One sequence without gaps: nothing is ever deleted.
  return number >= 1 && number < nextNumber(place.core.store, place.repo);
}

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The path of an address that leads into this site, or null. A world that was started again may have another port, and what
 * was written before still names the old one: any port of this machine counts, if the repository is one of ours.
 */
export function ownPathOf(site: Site, address: string): string | null {
  const own = new URL(site.core.url);
  if (!/^(https?:|\/)/i.test(address) || !URL.canParse(address, own.href)) return null;
  // Read as browsers read it: in `/TAB/elsewhere` they leave out the tab.
  const url = new URL(address, own);
  const path = `${url.pathname}${url.search}${url.hash}`;
  if (url.origin === own.origin) return path;
  const [, owner = "", name = ""] = url.pathname.split("/");
  const isHere = loopback.has(url.hostname) && loopback.has(own.hostname);
  return isHere && findRepository(site.core.store, owner, name) !== undefined ? path : null;
}
