import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Ledger,
  cacheHitRate,
  emptyLedger,
  formatTokens,
  formatUsd,
  inPurseUsd,
  leftUsd,
  ledgerSchema,
  noAccount,
  renewed,
  spentOf,
  wantsFilling,
} from "../../src/domain/ledger.ts";
import { type Spending, nothingSpent } from "../../src/domain/proposal.ts";
import { type OpenPurse, Money } from "../../src/researcher/purse.ts";

const usd = (dollars: number): Spending => ({ ...nothingSpent, usd: dollars });
const tiny = 1e-6;

type Event =
  | { readonly kind: "reserve"; readonly usd: number }
  | { readonly kind: "settle"; readonly part: number }
  | { readonly kind: "write" | "crash" | "finish" | "end" }
  /** A write whose answer never came: it was carried out, or not. */
  | { readonly kind: "unknown"; readonly done: boolean };

/** Dollars in steps of a cent, so that sums are nearly exact. */
const cents = (most: number) => fc.integer({ min: 1, max: most }).map((each) => each / 100);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: cents(60).map((each): Event => ({ kind: "reserve", usd: each })) },
  { weight: 5, arbitrary: fc.constantFrom(0, 0.3, 1, 1).map((part): Event => ({ kind: "settle", part })) },
  { weight: 4, arbitrary: fc.constantFrom<Event>({ kind: "write" }) },
  { weight: 3, arbitrary: fc.constantFrom<Event>({ kind: "crash" }, { kind: "finish" }, { kind: "end" }) },
  { weight: 2, arbitrary: fc.boolean().map((done): Event => ({ kind: "unknown", done })) },
);

/** A process that spends out of a session.json which any number of processes write one after the other. */
class Life {
  readonly limitUsd: number;
  ledger: Ledger = emptyLedger;
  /** What the vendor would put on the bill. */
  billUsd = 0;
  #money = new Money();
  #purse: OpenPurse | null = null;
  #held: number[] = [];

  constructor(limitUsd: number) {
    this.limitUsd = limitUsd;
    this.#money.sees(this.ledger, limitUsd);
  }

  get heldUsd(): number {
    return this.#held.reduce((sum, each) => sum + each, 0);
  }

  spentUsd(): number {
    return spentOf(this.ledger, this.#money.account).usd;
  }

  happens(happening: Event): void {
    switch (happening.kind) {
      case "reserve":
        this.#purse ??= this.#money.open();
        if (this.#purse.reserve(happening.usd)) this.#held.push(happening.usd);
        return;
      case "settle": {
        const held = this.#held.pop();
        if (held === undefined) return;
        this.billUsd += held * happening.part;
        this.#purse!.settle(held, usd(held * happening.part));
        return;
      }
      case "finish":
        // What was never settled may have been billed.
        this.billUsd += this.heldUsd;
        this.#held = [];
        this.#purse?.finish();
        this.#purse = null;
        return;
      case "write":
      case "end":
        this.ledger = this.#next(happening.kind !== "end");
        this.#money.sees(this.ledger, this.limitUsd);
        return;
      case "unknown":
        if (happening.done) this.ledger = this.#next(true);
        this.#money.sees(this.ledger, this.limitUsd);
        return;
      case "crash":
        this.billUsd += this.heldUsd;
        this.#held = [];
        this.#purse = null;
        this.#money = new Money();
        this.#money.sees(this.ledger, this.limitUsd);
    }
  }

  #next(runs: boolean): Ledger {
    return ledgerSchema.parse(
      JSON.parse(JSON.stringify(renewed(this.ledger, this.#money.account, this.limitUsd, runs))),
    );
  }
}

describe("the limit, whatever happens when", () => {
  it("is never passed by what was spent and what is set aside", () => {
    fc.assert(
      fc.property(cents(200), fc.array(event, { minLength: 20, maxLength: 80, size: "max" }), (limitUsd, events) => {
        const life = new Life(limitUsd);
        for (const each of events) {
          life.happens(each);
          expect(life.billUsd + life.heldUsd).toBeLessThanOrEqual(limitUsd + tiny);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is held against no less than what was spent", () => {
    fc.assert(
      fc.property(cents(200), fc.array(event, { minLength: 20, maxLength: 80, size: "max" }), (limitUsd, events) => {
        const life = new Life(limitUsd);
        for (const each of events) {
          life.happens(each);
          expect(life.spentUsd()).toBeGreaterThanOrEqual(life.billUsd - tiny);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("can be spent nearly whole while nothing crashes", () => {
    const life = new Life(2);
    for (let call = 0; call < 200; call += 1) {
      life.happens({ kind: "reserve", usd: 0.1 });
      life.happens({ kind: "settle", part: 0.5 });
      life.happens({ kind: "write" });
    }
    expect(life.billUsd).toBeGreaterThan(1.85);
    expect(life.spentUsd()).toBeCloseTo(life.billUsd, 6);
  });
});

describe("the ledger", () => {
  const account = { ...noAccount, desk: "a", total: usd(0.5), proposals: 2, wantedUsd: 1 };

  it("is left alone by a researcher that never asks for money", () => {
    const foreign = { ...emptyLedger, purse: { desk: "b", usd: 1, counted: nothingSpent, countedProposals: 0 } };
    for (const ledger of [emptyLedger, foreign]) {
      expect(renewed(ledger, { ...noAccount, desk: "a" }, 20, true)).toBe(ledger);
    }
    expect(wantsFilling(emptyLedger, { ...noAccount, desk: "a" }, 20)).toBe(false);
  });

  it("books what was spent, and fills the purse for three of the most expensive tasks", () => {
    const ledger = renewed(emptyLedger, account, 20, true);
    expect(ledger).toMatchObject({ spending: usd(0.5), proposals: 2, purse: { desk: "a", usd: 3 } });
    const seen = { ...account, counted: account.total, countedProposals: 2 };
    expect([spentOf(ledger, seen).usd, inPurseUsd(ledger, seen), leftUsd(ledger, seen, 20)]).toEqual([0.5, 3, 19.5]);
  });

  it("puts into the purse no more than is left, and nothing where the session does not run", () => {
    expect(renewed(emptyLedger, account, 2, true).purse?.usd).toBe(1.5);
    expect(renewed(emptyLedger, account, 20, false).purse?.usd).toBe(0);
    expect(renewed(emptyLedger, { ...account, heldUsd: 0.25 }, 20, false).purse?.usd).toBe(0.25);
  });

  it("takes the purse of a desk that is no more for spent", () => {
    const lost = { ...emptyLedger, purse: { desk: "b", usd: 1.25, counted: nothingSpent, countedProposals: 0 } };
    expect(spentOf(lost, noAccount).usd).toBe(1.25);
    expect(renewed(lost, account, 20, true).spending.usd).toBe(1.75);
  });

  it("is filled before a task that it would not pay for, as long as there is money", () => {
    const low = { ...emptyLedger, purse: { desk: "a", usd: 0.5, counted: account.total, countedProposals: 2 } };
    const seen = { ...account, counted: account.total, countedProposals: 2 };
    expect(wantsFilling(low, seen, 20)).toBe(true);
    expect(wantsFilling(low, seen, 0.5)).toBe(false);
    expect(wantsFilling(renewed(low, seen, 20, true), seen, 20)).toBe(false);
  });
});

describe("money in words", () => {
  it.each([
    [0, "$0.00"],
    [4.1, "$4.10"],
    [0.0412, "$0.04"],
    [0.0041234, "$0.0041"],
  ])("%d is %s", (amount, shown) => {
    expect(formatUsd(amount)).toBe(shown);
  });

  it("counts all tokens, and the part of those read that came from the cache", () => {
    const spent = {
      ...nothingSpent,
      inputTokens: 1_000,
      cacheReadTokens: 6_000,
      cacheWriteTokens: 1_000,
      outputTokens: 100,
    };
    expect(formatTokens(spent)).toBe("8.1k tokens");
    expect(formatTokens({ ...spent, inputTokens: 2_000_000 })).toBe("2.0M tokens");
    expect(cacheHitRate(spent)).toBe(0.75);
    expect(cacheHitRate(nothingSpent)).toBeNull();
  });
});
