/** Limits of a session that nothing can be done about but by a person: time and money. */
import { leftUsd, spentOf } from "./ledger.ts";
import type { Running } from "./session.ts";

export function hoursAreOver(session: Running): boolean {
  const { startedAt, config } = session.record;
  return session.nowMs >= Date.parse(startedAt) + config.limits.hours * 3_600_000;
}

/** Why the researcher can't be paid any more, or null. Nothing is spent where nobody asked for money. */
export function moneyIsSpent(session: Running): string | null {
  const { record, account, desk } = session;
  const { cost_usd: limit } = record.config.limits;
  if (desk.kind === "spent") return desk.because;
  const spent = spentOf(record.ledger, account).usd;
  if (spent === 0 || leftUsd(record.ledger, account, limit) > 0 || account.heldUsd > 0) return null;
  return `the $${limit} of limits.cost_usd are spent`;
}
