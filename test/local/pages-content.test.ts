/** The web pages: what they show. Over HTTP, against the world's rows. */
import { describe, expect, it } from "vitest";
import { appendLine } from "../../src/local/github/actions/job-log.ts";
import { jobsOf } from "../../src/local/github/actions/rows.ts";
import { at, commitOn, tipOf } from "./github-world.ts";
import { makeSession, startPagesWorld } from "./pages-world.ts";

/** The text that a reader sees, elements left out. */
function textOf(page: string): string {
  return page
    .replace(/<script[\s\S]*?<\/script>/g, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}

describe("pages", () => {
  it("show the issue with the dashboard first", async () => {
    const world = await startPagesWorld();
    const { resultsTip } = await makeSession(world);
    const { text } = await world.page("/octo/lab/issues/1");
    const order = ["autoresearch</strong> · running", "Try <em>things</em>", "/autoresearch status</p>"];
    const places = order.map((part) => text.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(text).toContain(`<img src="/octo/lab/blob/${resultsTip}/progress.svg?raw=true" alt="progress"`);
    expect(text).toContain('<a href="/octo/lab/issues/2" rel="nofollow noopener noreferrer">#2</a> exp 1');
    expect(text).toContain("👍 1");
    expect(textOf(text)).toContain("ada");
  });

  it("put only an app's dashboard first", async () => {
    const { as, page } = await startPagesWorld();
    const ada = as("ada");
    await ada.rest.issues.create({ ...at, title: "One", body: "The body" });
    await ada.rest.issues.createComment({ ...at, issue_number: 1, body: "Mine <!-- autoresearch:dashboard -->" });
    const { text } = await page("/octo/lab/issues/1");
    expect(text).not.toContain('class="pinned"');
    expect(text.indexOf("The body")).toBeLessThan(text.indexOf("Mine"));
  });

  it("show a pull request's state, checks, commits and changes", async () => {
    const world = await startPagesWorld();
    const { won, lost, merged } = await makeSession(world);
    const { text } = await world.page(`/octo/lab/pull/${won.number}`);
    expect(text).toContain('<span class="state merged">merged</span>');
    expect(text).toContain(`/octo/lab/commit/${merged}`);
    expect(text).toContain("2.1000 (−0.0200 against the frontier)");
    expect(text).toContain("<td>LR = 0.<mark>2</mark></td>");
    expect(textOf(text)).toContain("Researcher mutate Session #1");
    expect((await world.page(`/octo/lab/pull/${lost.number}`)).text).toContain(
      '<span class="state closed">closed</span>',
    );
    const list = textOf((await world.page("/octo/lab/pulls?state=closed")).text);
    expect(list).toContain("exp 1: change");
    expect(textOf((await world.page("/octo/lab/pulls?state=open")).text)).toContain("Nothing here.");
  });

  it("show a check with all that its app wrote", async () => {
    const world = await startPagesWorld();
    const { won, check } = await makeSession(world);
    const { text } = await world.page(`/octo/lab/runs/${check.id}`);
    expect(text).toContain("<td>val_bpb</td>");
    expect(text).toContain("<code>step 1\n</code>");
    expect(text).toContain(`href="/octo/lab/blob/${won.head}/train.py#L2"`);
    expect(text).toContain("it broke here");
    expect(text).toContain('<button name="action" value="keep"');
  });

  it("show a run, its jobs and the log as it grows", async () => {
    const world = await startPagesWorld();
    const { runId } = await makeSession(world);
    const path = `/octo/lab/actions/runs/${runId}`;
    expect(textOf((await world.page(path)).text)).toContain("waits for self-hosted, gpu");
    const { core } = world.github;
    const [job] = jobsOf(core.store, core.store.get("workflowRun", runId)!);
    core.store.put("workflowJob", { ...job!, status: "in_progress" });
    const version = async (query: string) => (await world.page(`/_pages/version${query}`)).text;
    const before = [await version(""), await version("?logs")];
    appendLine(core, job!.id, "step 00001 | loss: 2.5");
    expect(await version("")).toBe(before[0]);
    expect(await version("?logs")).not.toBe(before[1]);
    const { text } = await world.page(path);
    expect(text).toContain("<td>step 00001 | loss: 2.5</td>");
    expect(text).toContain('<tr class="error">');
    expect((await world.page(`${path}/job/${job!.id}/log`)).text).toContain("##[error]<img");
    expect((await world.page(`/octo/lab/runs/${job!.id}`)).headers["location"]).toBe(`${path}#job-${job!.id}`);
  });

  it("show results.tsv as a table, and a frontier's story", async () => {
    const world = await startPagesWorld();
    const { won, merged } = await makeSession(world);
    const { text } = await world.page("/octo/lab/blob/autoresearch/1/results/results.tsv");
    expect(text).toContain("<th>val_bpb</th>");
    expect(text).toContain(`<a class="sha" href="/octo/lab/commit/${won.head.slice(0, 7)}">`);
    expect(text).toContain(`<a href="/octo/lab/pull/${won.number}">#${won.number}</a>`);
    expect(text).toContain("LR &lt;b&gt;up&lt;/b&gt;");
    const story = (await world.page("/octo/lab/commits/autoresearch/1/frontier")).text;
    expect(story.indexOf(`/commit/${merged}`)).toBeGreaterThan(0);
    expect(story).not.toContain(`/commit/${won.head}`);
  });

  it("show what two branches differ in", async () => {
    const world = await startPagesWorld();
    const { main } = await makeSession(world);
    const { text } = await world.page(`/octo/lab/compare/${main}...autoresearch/1/frontier`);
    expect(text).toContain("<mark>2</mark>");
    expect(textOf(text)).toContain("2 commits that the second has");
  });

  it("find a file whose branch and path both have slashes, and say where there is none", async () => {
    const world = await startPagesWorld();
    const { bot, page } = world;
    const head = await commitOn(bot, await tipOf(bot, "main"), { "a/b c/d#e.txt": "deep\n" });
    await bot.rest.git.createRef({ ...at, ref: "refs/heads/x/y", sha: head });
    expect((await page("/octo/lab/raw/x/y/a/b%20c/d%23e.txt")).text).toBe("deep\n");
    const tree = (await page("/octo/lab/tree/x/y/a/b%20c")).text;
    expect(tree).toContain('href="/octo/lab/blob/x/y/a/b%20c/d%23e.txt"');
    for (const path of [
      "blob/x/y/none",
      "blob/nowhere/file",
      "issues/99",
      "pull/99",
      "runs/1",
      "actions/runs/1",
      "commit/ffff",
      "what",
    ])
      expect({ path, status: (await page(`/octo/lab/${path}`)).status }).toEqual({ path, status: 404 });
  });

  it("lead old addresses of this machine to where they are now", async () => {
    const { bot, page, github } = await startPagesWorld();
    const { port } = new URL(github.url);
    const body = [
      "[a](http://127.0.0.1:1/octo/lab/pulls) [b](http://localhost:2/octo/lab/issues/1#x) [c](http://127.0.0.1:1/other/thing)",
      `![p](http://127.0.0.1:1/octo/lab/raw/main/p.svg) <http://127.0.0.1:${port}/octo/lab>`,
    ].join("\n");
    await bot.rest.issues.create({ ...at, title: "One", body });
    const { text } = await page("/octo/lab/issues/1");
    for (const href of ["/octo/lab/pulls", "/octo/lab/issues/1#x", "http://127.0.0.1:1/other/thing", "/octo/lab"])
      expect(text).toContain(`<a href="${href}" rel=`);
    expect(text).toContain('<img src="/octo/lab/raw/main/p.svg"');
  });

  it("tell that something changed, and only then", async () => {
    const { bot, as, page } = await startPagesWorld();
    await bot.rest.issues.create({ ...at, title: "One" });
    const version = async () => (await page("/_pages/version")).text;
    const changes = [
      () => bot.rest.issues.createComment({ ...at, issue_number: 1, body: "x" }),
      () => as("ada").rest.reactions.createForIssue({ ...at, issue_number: 1, content: "eyes" }),
      () => bot.rest.issues.addLabels({ ...at, issue_number: 1, labels: ["l"] }),
      async () => bot.rest.git.createRef({ ...at, ref: "refs/heads/n", sha: await tipOf(bot, "main") }),
    ];
    for (const change of changes) {
      const before = await version();
      await page("/octo/lab/issues/1");
      expect(await version()).toBe(before);
      expect((await page("/octo/lab/issues/1")).text).toContain(`data-version="${before}"`);
      await change();
      expect(await version()).not.toBe(before);
    }
  });
});
