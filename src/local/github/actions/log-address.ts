/** Addresses of logs: short-lived and signed, as GitHub's are, so that they need no token. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Core } from "../core.ts";
import { runnerSecret } from "./runner-secret.ts";

const validMs = 60_000;

export function logAddress(core: Core, jobId: number): string {
  const expires = core.now().getTime() + validMs;
  return `${core.url}/_local/logs/${jobId}?expires=${expires}&signature=${signatureOf(core, jobId, expires)}`;
}

/** True when the query was made by `logAddress` and is not too old. */
export function isSignedAddress(core: Core, jobId: number, query: URLSearchParams): boolean {
  const expires = Number(query.get("expires"));
  const given = Buffer.from(query.get("signature") ?? "");
  const wanted = Buffer.from(signatureOf(core, jobId, expires));
  return given.length === wanted.length && timingSafeEqual(given, wanted) && expires >= core.now().getTime();
}

function signatureOf(core: Core, jobId: number, expires: number): string {
  return createHmac("sha256", runnerSecret(core)).update(`${jobId}:${expires}`).digest("hex");
}
