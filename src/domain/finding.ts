/** One finding of the doctor: what is the case, why it matters and what to do. */

/** `fail`: no session can work; `warn`: it can, but not well; `unknown`: the app can't see it. */
export type Severity = "ok" | "warn" | "fail" | "unknown";

/** Names that stay: people and scripts refer to them. */
export type FindingId =
  | "environment"
  | "credentials"
  | "installation"
  | "permissions"
  | "events"
  | "repository"
  | "workflow"
  | "config"
  | "mutable"
  | "program"
  | "public"
  | "runners"
  | "labels";

export type Finding = {
  readonly id: FindingId;
  readonly severity: Severity;
  /** What is the case. */
  readonly what: string;
  /** Why it matters, and what to do; null where nothing is to be done. */
  readonly why: string | null;
  readonly remedy: string | null;
};

/** Whether a session could work: nothing failed. */
export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every((finding) => finding.severity !== "fail");
}

/** A finding that asks for nothing. */
export function ok(id: FindingId, what: string): Finding {
  return { id, severity: "ok", what, why: null, remedy: null };
}
