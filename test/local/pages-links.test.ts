/** Where links lead: those in the API's answers, and those in the pages. */
import { describe, expect, it } from "vitest";
import { at } from "./github-world.ts";
import { makeSession, type PagesWorld, startPagesWorld, workflowPath } from "./pages-world.ts";

describe("links", () => {
  it("of the API's answers all lead to pages", async () => {
    const world = await startPagesWorld();
    await makeSession(world);
    for (const exchange of world.exchanges) collect(exchange.responseBody, world);
    await world.github.webhooks.settled();
    for (const hook of world.hooks) collect(hook.body, world);
    const [, , ...rest] = await Promise.all([
      world.bot.rest.actions.listRepoWorkflows(at),
      world.bot.rest.actions.listJobsForWorkflowRun({ ...at, run_id: world.exchanges.flatMap(runIds)[0]! }),
      world.bot.rest.pulls.listFiles({ ...at, pull_number: 2 }),
      world.bot.rest.repos.compareCommitsWithBasehead({ ...at, basehead: "main...autoresearch/1/frontier" }),
      world.bot.rest.repos.getContent({ ...at, path: workflowPath }),
    ]);
    expect(rest).toHaveLength(3);
    for (const exchange of world.exchanges) collect(exchange.responseBody, world);
    const kinds = new Set([...found].map((link) => new URL(link).pathname.split("/")[3] ?? ""));
    expect([...kinds].toSorted()).toEqual(
      expect.arrayContaining(["", "actions", "blob", "commit", "issues", "pull", "raw", "runs"]),
    );
    for (const link of found) expect({ link, status: await statusOf(world, link) }).toEqual({ link, status: 200 });
  });

  it("that github.com knows by other names lead on", async () => {
    const world = await startPagesWorld();
    const { won } = await makeSession(world);
    const moved: [string, string][] = [
      ["", "/issues"],
      [`/issues/${won.number}`, `/pull/${won.number}`],
      ["/pull/1", "/issues/1"],
      [`/pull/${won.number}/files`, `/pull/${won.number}#files`],
      [`/pull/${won.number}/commits`, `/pull/${won.number}#commits`],
      [`/pull/${won.number}/checks`, `/pull/${won.number}#checks`],
      ["/commits", "/commits/main"],
    ];
    for (const [from, to] of moved)
      expect((await world.page(`/OCTO/lab${from}`)).headers["location"]).toBe(`/octo/lab${to}`);
  });

  it("of the pages all lead to pages", async () => {
    const world = await startPagesWorld();
    await makeSession(world);
    const seen = new Set<string>(["/"]);
    for (const path of seen) {
      const { status, text } = await follow(world, path);
      expect({ path, status }).toEqual({ path, status: 200 });
      for (const [, target = ""] of text.matchAll(/(?:href|src)="(\/[^"#]*)/g))
        seen.add(target.replaceAll("&amp;", "&"));
    }
    expect(seen.size).toBeGreaterThan(40);
  });
});

const found = new Set<string>();
const linkKeys = new Set([
  "html_url",
  "blob_url",
  "raw_url",
  "diff_url",
  "patch_url",
  "details_url",
  "avatar_url",
  "svn_url",
  "permalink_url",
  "compare",
]);

/** Takes the addresses of web pages out of an answer of the API. */
function collect(value: unknown, world: PagesWorld): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string" && linkKeys.has(key) && inner.startsWith(world.github.url)) found.add(inner);
    else collect(inner, world);
  }
}

function runIds(exchange: { readonly responseBody: unknown }): number[] {
  const body = exchange.responseBody as { workflow_run_id?: number } | undefined;
  return body?.workflow_run_id === undefined ? [] : [body.workflow_run_id];
}

async function follow(world: PagesWorld, path: string) {
  const answer = await world.page(path);
  return answer.status === 302 ? world.page(String(answer.headers["location"])) : answer;
}

async function statusOf(world: PagesWorld, link: string): Promise<number> {
  const { pathname, search } = new URL(link);
  return (await follow(world, `${pathname}${search}`)).status;
}
