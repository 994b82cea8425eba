/**
 * Who may ask, and what browsers are told to refuse. The pages act as a person without a password, so a page of somebody
 * else's must neither post here (its `Origin` is not ours, and it has no form token) nor read here by a name of its own that
 * leads to this machine (its `Host` is not ours).
 */
import { timingSafeEqual } from "node:crypto";

/** The `Host` headers by which this server is known: its own address, and the loopback names with the same port. */
export function hostsOf(url: string): ReadonlySet<string> {
  const { host, port } = new URL(url);
  const end = port === "" ? "" : `:${port}`;
  return new Set([host, `localhost${end}`, `127.0.0.1${end}`, `[::1]${end}`]);
}

/** Why the request is refused, as a sentence; null: it is not. */
export function refusalOf(request: Request, hosts: ReadonlySet<string>): string | null {
  const host = (request.headers.get("host") ?? "").toLowerCase();
  if (!hosts.has(host)) return "This server is not known by that name.";
  if (request.method === "GET" || request.method === "HEAD") return null;
  return request.headers.get("origin") === `http://${host}` ? null : "Forms are taken from this site's own pages only.";
}

export function isFormToken(given: unknown, formToken: string): boolean {
  if (typeof given !== "string") return false;
  const [a, b] = [Buffer.from(given), Buffer.from(formToken)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Headers of a page: nothing from elsewhere, one script by its nonce, no frame. */
export function pageHeaders(nonce: string): Record<string, string> {
  return {
    ...commonHeaders,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": [
      "default-src 'none'",
      "style-src 'self'",
      "img-src 'self'",
      `script-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "cache-control": "no-store",
  };
}

/** Headers of anything that is not a page: opened by itself it may do nothing at all. */
export const fileHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // SVG that a library drew has its styles inside.
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
};

const commonHeaders = {
  "x-content-type-options": "nosniff",
  // Not `no-referrer`: with it browsers send `Origin: null` from our own forms.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};
