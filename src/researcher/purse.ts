/**
 * The desk's money in this process: what it has spent in its life, what is set aside for calls under way, and the purse
 * out of which a task may take (domain/ledger.ts says what that is and why the limit holds).
 */
import { randomUUID } from "node:crypto";
import { type Account, type Ledger, emptyLedger, inPurseUsd, leftUsd, noAccount, plus } from "../domain/ledger.ts";
import { type Purse, type Spending, nothingSpent } from "../domain/proposal.ts";

/** Why a task was given no money. */
export type Refused = "purse" | "limit";

/** A task's purse, with what came of it. */
export type OpenPurse = Purse & {
  readonly spent: () => Spending;
  readonly refused: () => Refused | null;
  /** No money is set aside any more; what is under way is still settled. */
  readonly close: () => void;
  /** The task is over: what was set aside and never settled counts as spent. */
  readonly finish: () => void;
};

/** Sums of floating-point dollars may be off by as much. */
const tinyUsd = 1e-9;

export class Money {
  #account: Account = { ...noAccount, desk: randomUUID().slice(0, 8) };
  #ledger: Ledger = emptyLedger;
  #limitUsd = 0;
  #open = 0;

  get account(): Account {
    return { ...this.#account, thinking: this.#open > 0 };
  }

  /** Takes note of what stands in session.json. */
  sees(ledger: Ledger, limitUsd: number): void {
    this.#ledger = ledger;
    this.#limitUsd = limitUsd;
    if (ledger.purse?.desk !== this.#account.desk) return;
    const { counted, countedProposals } = ledger.purse;
    this.#account = { ...this.#account, counted, countedProposals };
  }

  /** Money for one task. */
  open(): OpenPurse {
    let spent = nothingSpent;
    let heldUsd = 0;
    let refused: Refused | null = null;
    let closed = false;
    const left = () => leftUsd(this.#ledger, this.#account, this.#limitUsd);
    this.#open += 1;
    const settle = (reservedUsd: number, took: Spending) => {
      heldUsd = Math.max(0, heldUsd - reservedUsd);
      spent = plus(spent, took);
      const { total, heldUsd: held } = this.#account;
      this.#account = { ...this.#account, total: plus(total, took), heldUsd: Math.max(0, held - reservedUsd) };
    };
    const close = () => {
      if (!closed) this.#open -= 1;
      closed = true;
    };
    return {
      get leftUsd() {
        return left();
      },
      reserve: (usd) => {
        if (closed) return false;
        const needUsd = spent.usd + heldUsd + usd;
        this.#account = { ...this.#account, wantedUsd: Math.max(this.#account.wantedUsd, needUsd) };
        if (usd > left() + tinyUsd) refused = "limit";
        else if (usd > inPurseUsd(this.#ledger, this.#account) + tinyUsd) refused = "purse";
        else {
          refused = null;
          heldUsd += usd;
          this.#account = { ...this.#account, heldUsd: this.#account.heldUsd + usd };
          return true;
        }
        return false;
      },
      settle,
      spent: () => spent,
      refused: () => refused,
      close,
      finish: () => {
        close();
        if (heldUsd > 0) settle(heldUsd, { ...nothingSpent, usd: heldUsd });
      },
    };
  }

  /** Asks for no more until a task does; whether the purse holds money that nothing is set aside of. */
  letGo(): boolean {
    this.#account = { ...this.#account, wantedUsd: 0 };
    return inPurseUsd(this.#ledger, this.#account) > tinyUsd;
  }

  /** A proposal was made that cost something. */
  countProposal(): void {
    this.#account = { ...this.#account, proposals: this.#account.proposals + 1 };
  }
}
