/**
 * Who wrote an issue's text as it stands. REST does not say who edited it last, GraphQL does; text and editor come in one
 * answer, so that nobody's edit in between is taken for another's.
 * https://docs.github.com/en/graphql/reference/objects#issue
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { splitFrontMatter } from "../domain/config-text.ts";
import type { Edit } from "../domain/session.ts";
import type { Client } from "./client.ts";
import { readMayWrite } from "./observe-comments.ts";
import { type View, repoOf } from "./view.ts";

const query = `query IssueText($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    issue(number: $number) { title body lastEditedAt editor { __typename login } }
  }
}`;

const answerSchema = z.object({
  repository: z.object({
    issue: z.object({
      title: z.string(),
      body: z.string(),
      lastEditedAt: z.string().nullable(),
      editor: z.object({ __typename: z.string(), login: z.string() }).nullable(),
    }),
  }),
});

export type IssueText = {
  readonly title: string;
  readonly body: string;
  /** The last edit; null: nobody edited it. A login of null: an account that is gone, or no person's. */
  readonly edited: { readonly by: string | null; readonly at: string } | null;
};

export async function readIssueText(client: Client, view: View): Promise<IssueText> {
  const variables = { ...repoOf(view), number: view.key.issue };
  const { repository } = answerSchema.parse(await client.graphql(query, variables));
  const { title, body, lastEditedAt, editor } = repository.issue;
  const by = editor?.__typename === "User" ? editor.login : null;
  return { title, body, edited: lastEditedAt === null ? null : { by, at: lastEditedAt } };
}

/** A digest of the issue's text without its front matter; how its lines end makes no difference. */
export function issueDigest(body: string): string {
  const { text } = splitFrontMatter(body.replaceAll("\r\n", "\n"));
  return createHash("sha256").update(text.trim()).digest("hex").slice(0, 16);
}

/** Notices that the text is another than the one the session took: who wrote it is looked up once. */
export async function observeEdit(client: Client, view: View): Promise<void> {
  const known = view.record?.issueDigest ?? null;
  if (known === null || view.issue === null) return;
  const digest = issueDigest(view.issue.body);
  if (digest === view.edit?.digest) return;
  view.edit = digest === known ? null : await readEdit(client, view, known);
}

async function readEdit(client: Client, view: View, known: string): Promise<Edit | null> {
  const { body, edited } = await readIssueText(client, view);
  const digest = issueDigest(body);
  if (digest === known || edited === null) return null;
  const mayWrite = edited.by !== null && (await readMayWrite(client, view, edited.by));
  return { by: edited.by ?? "ghost", mayWrite, at: edited.at, digest, text: splitFrontMatter(body).text };
}
