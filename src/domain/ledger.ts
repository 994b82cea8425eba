/**
 * The ledger: what a session's researcher has cost, and the purse it may spend from. `limits.cost_usd` is never passed,
 * whatever dies when, because money is durable before it is spent: a call is made only out of the purse that stands in
 * session.json, and what stands in the purse of a desk that is no more (a crash) counts as spent.
 *
 * Always: booked + purse <= limit; what was spent since the last write <= purse. Every write of session.json books what
 * was spent and fills the purse again, so that the steady state costs no request of its own. A researcher that never asks
 * for money leaves no trace here.
 *
 * Races: two processes beside each other take the purse from one another with each write; the one that took it counted
 * the other's as spent, all of it, so that together they stay below the limit.
 */
import { z } from "zod";
import { type Spending, nothingSpent } from "./proposal.ts";

const amount = z.number().min(0).default(0);
const spendingSchema = z.object({
  usd: amount,
  inputTokens: amount,
  outputTokens: amount,
  cacheReadTokens: amount,
  cacheWriteTokens: amount,
});

export const ledgerSchema = z.object({
  /** Booked: everything that the desks up to now have spent, purses that were lost included. */
  spending: spendingSchema.default(nothingSpent),
  /** Proposals that were made for it. */
  proposals: z.int().min(0).default(0),
  purse: z
    .object({
      /** Whose it is. */
      desk: z.string(),
      /** Dollars that this desk may spend before the next write. */
      usd: amount,
      /** Of what this desk has spent in its life, so much is booked. */
      counted: spendingSchema,
      countedProposals: z.int().min(0).default(0),
    })
    .nullable()
    .default(null),
});

export type Ledger = z.output<typeof ledgerSchema>;

export const emptyLedger: Ledger = ledgerSchema.parse({});

/** What the desk in this process has spent in its life, as `total`, and what the ledger is known to have of that. */
export type Account = {
  readonly desk: string;
  readonly total: Spending;
  readonly proposals: number;
  readonly counted: Spending;
  readonly countedProposals: number;
  /** Set aside for calls that are under way. */
  readonly heldUsd: number;
  /** What the most expensive task had need of so far; 0: nobody asked for money. */
  readonly wantedUsd: number;
  /** Whether a task is under way that may spend from the purse. */
  readonly thinking: boolean;
};

export const noAccount: Account = {
  desk: "",
  total: nothingSpent,
  proposals: 0,
  counted: nothingSpent,
  countedProposals: 0,
  heldUsd: 0,
  wantedUsd: 0,
  thinking: false,
};

/** A full purse pays for so many of the most expensive task. */
const tasksInPurse = 3;

export function plus(a: Spending, b: Spending): Spending {
  return combined(a, b, 1);
}

export function minus(a: Spending, b: Spending): Spending {
  return combined(a, b, -1);
}

function combined(a: Spending, b: Spending, sign: 1 | -1): Spending {
  return {
    usd: Math.max(0, a.usd + sign * b.usd),
    inputTokens: Math.max(0, a.inputTokens + sign * b.inputTokens),
    outputTokens: Math.max(0, a.outputTokens + sign * b.outputTokens),
    cacheReadTokens: Math.max(0, a.cacheReadTokens + sign * b.cacheReadTokens),
    cacheWriteTokens: Math.max(0, a.cacheWriteTokens + sign * b.cacheWriteTokens),
  };
}

function isMine(ledger: Ledger, account: Account): boolean {
  return ledger.purse !== null && ledger.purse.desk === account.desk;
}

/** What the desk has spent and the ledger does not have yet. */
function unbooked(account: Account): Spending {
  return minus(account.total, account.counted);
}

/** Everything spent up to now. A purse of another desk is spent: nobody knows better. */
export function spentOf(ledger: Ledger, account: Account): Spending {
  const lostUsd = isMine(ledger, account) ? 0 : (ledger.purse?.usd ?? 0);
  return plus(plus(ledger.spending, unbooked(account)), { ...nothingSpent, usd: lostUsd });
}

export function proposalsOf(ledger: Ledger, account: Account): number {
  return ledger.proposals + account.proposals - account.countedProposals;
}

/** Dollars of the limit that are neither spent nor set aside for a call. */
export function leftUsd(ledger: Ledger, account: Account, limitUsd: number): number {
  return Math.max(0, limitUsd - spentOf(ledger, account).usd - account.heldUsd);
}

/** Dollars that the desk may set aside now without another write. */
export function inPurseUsd(ledger: Ledger, account: Account): number {
  const { purse } = ledger;
  if (purse === null || !isMine(ledger, account)) return 0;
  return Math.max(0, purse.usd - unbooked(account).usd - account.heldUsd);
}

/** Whether the purse is to be filled before the next task: it would not pay for it, and there is money for more. */
export function wantsFilling(ledger: Ledger, account: Account, limitUsd: number): boolean {
  const has = inPurseUsd(ledger, account);
  return has < account.wantedUsd && leftUsd(ledger, account, limitUsd) > has + limitUsd * 1e-9;
}

/**
 * The ledger of the next write of session.json: what was spent is booked and the purse is filled; where the session
 * does not run (it ended, or waits for a person) it holds what is still under way and no more. Never less than what may be
 * spent while the write is under way.
 */
export function renewed(ledger: Ledger, account: Account, limitUsd: number, runs: boolean): Ledger {
  const mine = isMine(ledger, account);
  if (!mine && account.wantedUsd === 0 && account.total.usd === 0 && account.proposals === 0) return ledger;
  const spending = spentOf(ledger, account);
  const left = Math.max(0, limitUsd - spending.usd);
  const before = mine ? Math.max(0, ledger.purse!.usd - unbooked(account).usd) : 0;
  const exposed = Math.max(account.heldUsd, account.thinking ? before : 0);
  const filled = runs ? Math.min(left, account.wantedUsd * tasksInPurse) : 0;
  const { desk, total, proposals } = account;
  return {
    spending,
    proposals: proposalsOf(ledger, account),
    purse: { desk, usd: Math.max(exposed, filled), counted: total, countedProposals: proposals },
  };
}

/** `$4.10`; of sums below a cent two digits that say something. */
export function formatUsd(usd: number): string {
  return usd !== 0 && usd < 0.01 ? `$${Number(usd.toPrecision(2))}` : `$${usd.toFixed(2)}`;
}

/** `8.1k tokens`: everything that was read and written. */
export function formatTokens(spent: Spending): string {
  const all = spent.inputTokens + spent.cacheReadTokens + spent.cacheWriteTokens + spent.outputTokens;
  if (all >= 1_000_000) return `${(all / 1_000_000).toFixed(1)}M tokens`;
  return all >= 1_000 ? `${(all / 1_000).toFixed(1)}k tokens` : `${all} tokens`;
}

/** Part of the tokens read that came from the cache, from 0 to 1; null where nothing was read. */
export function cacheHitRate(spent: Spending): number | null {
  const read = spent.inputTokens + spent.cacheReadTokens + spent.cacheWriteTokens;
  return read === 0 ? null : spent.cacheReadTokens / read;
}
