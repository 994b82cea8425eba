/** A purse that keeps accounts, and fails a test that lets more be spent than it holds. */
import { type Purse, type Spending, nothingSpent } from "../../src/domain/proposal.ts";

export type KeptPurse = Purse & {
  readonly spent: Spending;
  /** Most that was set aside and spent together at any time. */
  readonly mostUsd: number;
  readonly reservations: readonly number[];
  readonly openUsd: number;
};

export function purseOf(limitUsd: number): KeptPurse {
  let spent = nothingSpent;
  let openUsd = 0;
  let mostUsd = 0;
  const reservations: number[] = [];
  const took = () => {
    mostUsd = Math.max(mostUsd, spent.usd + openUsd);
    if (mostUsd > limitUsd + 1e-9) throw new Error(`the limit of $${limitUsd} was passed: $${mostUsd}`);
  };
  return {
    get leftUsd() {
      return limitUsd - spent.usd - openUsd;
    },
    get spent() {
      return spent;
    },
    get mostUsd() {
      return mostUsd;
    },
    get openUsd() {
      return openUsd;
    },
    reservations,
    reserve(usd) {
      if (usd > limitUsd - spent.usd - openUsd + 1e-9) return false;
      openUsd += usd;
      reservations.push(usd);
      took();
      return true;
    },
    settle(reservedUsd, more) {
      openUsd -= reservedUsd;
      if (more.usd > reservedUsd + 1e-9 && reservedUsd > 0)
        throw new Error(`$${more.usd} were spent where $${reservedUsd} were set aside`);
      const sum = (key: keyof Spending) => spent[key] + more[key];
      spent = {
        usd: sum("usd"),
        inputTokens: sum("inputTokens"),
        outputTokens: sum("outputTokens"),
        cacheReadTokens: sum("cacheReadTokens"),
        cacheWriteTokens: sum("cacheWriteTokens"),
      };
      took();
    },
  };
}
