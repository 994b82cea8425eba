/** Pages of lists, with the `Link` header that GitHub gives. */
import type { Call } from "./route.ts";

export type Page<T> = { readonly items: readonly T[]; readonly headers: Record<string, string> };

/** The part of the list that `page` and `per_page` (30, at most 100) ask for. */
export function pageOf<T>(call: Call, all: readonly T[]): Page<T> {
  const perPage = whole(call.query.get("per_page"), 30, 100);
  const page = whole(call.query.get("page"), 1, Number.MAX_SAFE_INTEGER);
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const links: string[] = [];
  const link = (to: number, rel: string): void => {
    const url = new URL(call.url);
    url.searchParams.set("page", String(to));
    links.push(`<${url.href}>; rel="${rel}"`);
  };
  if (page > 1) link(Math.min(page - 1, last), "prev");
  if (page < last) {
    link(page + 1, "next");
    link(last, "last");
  }
  if (page > 1) link(1, "first");
  const headers: Record<string, string> = links.length > 0 ? { link: links.join(", ") } : {};
  return { items: all.slice((page - 1) * perPage, page * perPage), headers };
}

function whole(text: string | null, otherwise: number, most: number): number {
  const value = Number(text ?? otherwise);
  return Number.isInteger(value) && value > 0 ? Math.min(value, most) : otherwise;
}
