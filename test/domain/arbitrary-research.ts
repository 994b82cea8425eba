/** What a session knows of its researcher, for properties: ideas in commits, money booked and not. */
import * as fc from "fast-check";
import { type Account, type Ledger, emptyLedger, noAccount } from "../../src/domain/ledger.ts";
import { type Idea, changeKinds, nothingSpent, untold } from "../../src/domain/proposal.ts";

const words = fc.oneof(fc.constantFrom("raise LR to 0.05", "a | b", "@ada closes #1"), fc.string({ maxLength: 30 }));

export const idea: fc.Arbitrary<Idea> = fc
  .record({
    description: words,
    kind: fc.constantFrom(...changeKinds),
    lines: fc.option(fc.constantFrom(-12, 0, 3), { nil: null }),
    heeded: fc.subarray(["note 4", "try 5"]),
    repair: fc.option(
      fc
        .record({
          attempt: fc.integer({ min: 1, max: 2 }),
          failure: fc.constantFrom("NameError: name 'x' is not defined", "another"),
          description: words,
        })
        .map((each) => ({ ...each })),
    ),
  })
  .map((each) => ({
    ...untold,
    ...each,
    hypothesis: "because",
    expected: null,
    refutedBy: null,
    researcher: "claude",
    askedBy: null,
    key: "k1",
  }));

export const ledger: fc.Arbitrary<Ledger> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(emptyLedger) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        usd: fc.constantFrom(0, 1, 19.5, 20),
        desk: fc.constantFrom("mine", "another"),
        purseUsd: fc.constantFrom(0, 0.5),
      })
      .map(({ usd, desk, purseUsd }) => ({
        spending: { ...nothingSpent, usd },
        proposals: 3,
        purse: { desk, usd: Math.min(purseUsd, 20 - usd), counted: nothingSpent, countedProposals: 0 },
      })),
  },
);

/** What a desk in this process has spent, and is known to have booked. */
export const account: fc.Arbitrary<Account> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(noAccount) },
  {
    weight: 1,
    arbitrary: fc
      .record({
        totalUsd: fc.constantFrom(0, 0.5, 3),
        bookedUsd: fc.constantFrom(0, 0.5),
        wantedUsd: fc.constantFrom(0, 1, 30),
      })
      .map(({ totalUsd, bookedUsd, wantedUsd }) => ({
        ...noAccount,
        desk: "mine",
        total: { ...nothingSpent, usd: Math.max(totalUsd, bookedUsd) },
        counted: { ...nothingSpent, usd: bookedUsd },
        wantedUsd,
      })),
  },
);
