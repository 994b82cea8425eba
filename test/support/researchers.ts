/** Researchers for tests that look at what they are given: every brief is kept, and each answer is a function of it. */
import {
  type Answer,
  type Brief,
  type Purse,
  type Proposal,
  type Researcher,
  noInsights,
} from "../../src/domain/proposal.ts";
import { withConstants } from "./train-py.ts";

export type Idea = Partial<Omit<Proposal, "files">> & {
  readonly title: string;
  readonly set?: Readonly<Record<string, number>>;
  /** The whole file instead. */
  readonly text?: string;
};

/** What an answer is made of; a repair starts from the files as they crashed. */
export function answerOf(brief: Brief, { title, set = {}, text, ...given }: Idea): Answer {
  const files = brief.repair?.files ?? brief.files;
  const before = files.find((file) => file.path === "train.py")!.text;
  const proposal: Proposal = {
    description: title,
    hypothesis: `${title} is better`,
    expected: null,
    refutedBy: null,
    researcher: "script",
    kind: "other",
    askedBy: null,
    insights: noInsights,
    ...given,
    files: [{ path: "train.py", text: text ?? withConstants(before, set) }],
  };
  return { kind: "proposal", proposal };
}

/** Spends out of the purse as a call of a model would: null where it is given no money. */
export function pay(purse: Purse, reservedUsd: number, usd: number): boolean {
  if (!purse.reserve(reservedUsd)) return false;
  purse.settle(reservedUsd, {
    usd,
    inputTokens: 1_000,
    outputTokens: 200,
    cacheReadTokens: 3_000,
    cacheWriteTokens: 0,
  });
  return true;
}

/** A researcher that keeps the briefs it was given. */
export function watched(
  propose: (brief: Brief, asked: number) => Promise<Answer> | Answer,
  traits: Pick<Researcher, "repairs" | "wordless"> = {},
): Researcher & { readonly briefs: Brief[] } {
  const briefs: Brief[] = [];
  return {
    ...traits,
    briefs,
    propose: async (brief) => {
      briefs.push(brief);
      return propose(brief, briefs.length);
    },
  };
}
