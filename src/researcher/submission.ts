/** What a researcher says of its change: the form of the tool `submit`, and of the file that a command writes. */
import { z } from "zod";
import { type Brief, type ChangeKind, type FileText, type Proposal, changeKinds } from "../domain/proposal.ts";
import { visibleLine } from "./brief/visible.ts";

const lines = z.array(z.string());

/** No field may be left out, and none is null: that is what a strict tool's schema can say. */
export const submissionSchema = z.strictObject({
  title: z
    .string()
    .describe(
      "The change in a few words, 80 characters at most, as a line of a table: `Halve the depth, double the width`.",
    ),
  hypothesis: z.string().describe("Why it should help, in one to three sentences."),
  kind: z.enum(changeKinds).describe("What the change is about."),
  expected: z.string().describe("What you expect of the metric, with a number if you can; empty if you can't say."),
  refuted_by: z.string().describe("The result that would prove the hypothesis wrong; empty if there is none."),
  lesson: z.string().describe("What the last results taught, in one sentence; empty if nothing new."),
  ideas: lines.describe("Ideas worth trying later, one sentence each, at most five; only new ones."),
  foreclosed: lines.describe("Avenues that the results have closed for good, with the reason; only new ones."),
});
export type Submission = z.output<typeof submissionSchema>;

const listAtMost = 5;

/** The proposal that a submission and changed files make. */
export function proposalOf(said: Submission, files: readonly FileText[], brief: Brief, researcher: string): Proposal {
  const line = (text: string, most: number) => {
    const clean = visibleLine(text, most);
    return clean === "" ? null : clean;
  };
  const list = (texts: readonly string[]) => texts.flatMap((text) => line(text, 300) ?? []).slice(0, listAtMost);
  return {
    description: line(said.title, 120) ?? "",
    hypothesis: line(said.hypothesis, 1_000) ?? "",
    expected: line(said.expected, 300),
    refutedBy: line(said.refuted_by, 300),
    researcher,
    kind: said.kind satisfies ChangeKind,
    askedBy: brief.repair === null ? (requestIn(brief)?.by ?? null) : null,
    files,
    insights: { lesson: line(said.lesson, 400), ideas: list(said.ideas), foreclosed: list(said.foreclosed) },
  };
}

/** The idea of a person that this experiment is to try. */
export function requestIn({ steering }: Pick<Brief, "steering">): Brief["steering"][number] | undefined {
  return steering.find(({ kind }) => kind === "try");
}
