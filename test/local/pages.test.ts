/** The web pages as what stands between foreign texts, foreign sites and the person at this machine. Over HTTP. */
import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { describe, expect, it } from "vitest";
import { at } from "./github-world.ts";
import { ask, makeSession, picture, startPagesWorld } from "./pages-world.ts";

type Element = { readonly name: string; readonly attributes: Readonly<Record<string, string>> };

/** The elements of a page. In what the pages write, `<` and `"` of texts are always entities, so this finds them all. */
function elementsOf(text: string): Element[] {
  return [...text.matchAll(/<([a-zA-Z][\w-]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, name = "", rest = ""]) => ({
      name: name.toLowerCase(),
      attributes: Object.fromEntries(
        [...rest.matchAll(/([^\s=>"]+)(?:="([^"]*)")?/g)].map(([, key = "", value = ""]) => [
          key.toLowerCase(),
          value.replaceAll("&amp;", "&"),
        ]),
      ),
    }),
  );
}

/** What the live part of a page holds: everything that foreign texts may have had a part in. */
function liveOf(text: string): string {
  const [, live = ""] = /<div id="live"[^>]*>([\s\S]*)<\/main>/.exec(text) ?? [];
  return live;
}

/** Elements and attributes that could do something, or lead where they should not; addresses are read as browsers do. */
function dangersIn(text: string): string[] {
  const here = new URL("http://127.0.0.1/octo/lab/issues/1");
  const live = liveOf(text);
  const elements = elementsOf(live);
  if (elements.length !== live.match(/<[a-z]/gi)?.length) return ["an element that this test can't read"];
  return elements.flatMap(({ name, attributes }) => {
    const found = forbidden.has(name) ? [`<${name}>`] : [];
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on") || key === "style" || key === "srcdoc") found.push(`${name} ${key}`);
      if (!["href", "src", "action", "formaction", "xlink:href"].includes(key)) continue;
      const url = URL.canParse(value, here.href) ? new URL(value, here) : null;
      if (url !== null && !["http:", "https:", "mailto:"].includes(url.protocol)) found.push(`${name} ${key}=${value}`);
      if (name !== "a" && url?.origin !== here.origin) found.push(`${name} from ${value}`);
    }
    return found;
  });
}

const forbidden = new Set(["script", "style", "iframe", "object", "embed", "link", "meta", "base", "math"]);

const hostile = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  '<a href="javascript:alert(1)">x</a>',
  "[x](javascript:alert(1)) [y](vbscript:x) [z](data:text/html,<script>1</script>)",
  "![i](javascript:alert(1)) ![j](https://elsewhere.example/pixel.gif) ![k](//elsewhere.example/p.gif)",
  '<svg><script>alert(1)</script></svg><math><mi xlink:href="javascript:1">',
  '<iframe src="//elsewhere.example"></iframe><form action="//elsewhere.example"><button formaction="javascript:1">',
  "<details open ontoggle=alert(1)><summary>s</summary>body</details>",
  '<p style="position:fixed;inset:0" id="live" class="first">over everything</p>',
  "<<script>script>alert(1)<</script>/script>",
  "`<script>` and \n```html\n<script>alert(1)</script>\n```",
  '"><script>alert(1)</script>',
  '<img src="/&#9;/elsewhere.example/x"> <img src="/&#92;elsewhere.example/x"> ![](\\\\elsewhere.example/x)',
  "<a href='java\nscript:alert(1)'>x</a> <a href=' javascript:1'>y</a>",
];

describe("hostile text", () => {
  it("comes out harmless wherever it is shown", async () => {
    const world = await startPagesWorld();
    const session = await makeSession(world);
    const { bot, page } = world;
    const text = hostile.join("\n\n");
    await bot.rest.issues.update({ ...at, issue_number: 1, title: hostile[0]!, body: text });
    await bot.rest.issues.createComment({ ...at, issue_number: 1, body: text });
    await bot.rest.issues.createComment({ ...at, issue_number: session.won.number, body: text });
    await bot.rest.issues.addLabels({ ...at, issue_number: 1, labels: ['"><script>alert(1)</script>'] });
    const check = await bot.rest.checks.create({
      ...at,
      name: hostile[1]!,
      head_sha: session.won.head,
      details_url: 'https://elsewhere.example/"onmouseover=alert(1)',
      status: "completed",
      conclusion: "failure",
      output: {
        title: hostile[0]!,
        summary: text,
        text,
        annotations: [
          {
            path: hostile[1]!,
            start_line: 1,
            end_line: 1,
            annotation_level: "failure",
            message: text,
            title: hostile[0]!,
          },
        ],
      },
      actions: [{ label: "<b>", description: '"><script>', identifier: '"><script>' }],
    });
    const paths = [
      "/",
      "/octo/lab/issues",
      "/octo/lab/issues/1",
      `/octo/lab/pull/${session.won.number}`,
      `/octo/lab/runs/${check.data.id}`,
      `/octo/lab/actions/runs/${session.runId}`,
      "/octo/lab/blob/autoresearch/1/results/results.tsv",
      "/octo/lab/blob/autoresearch/1/results/page.html",
    ];
    for (const path of paths) {
      const { status, text: shown } = await page(path);
      expect({ path, status, dangers: dangersIn(shown) }).toEqual({ path, status: 200, dangers: [] });
    }
    const { text: shown } = await page("/octo/lab/issues/1");
    // What was meant to be read is still there.
    expect(shown).toContain("<pre><code>&lt;script&gt;alert(1)&lt;/script&gt;\n</code></pre>");
    expect(shown).toContain("over everything");
    expect(shown).toMatch(/<details open(="")?><summary>s<\/summary>/);
    expect(shown).toContain('<a href="https://elsewhere.example/pixel.gif"');
    expect(shown.match(/id="live"/g)).toHaveLength(1);
  });

  it("comes out harmless in any mixture", async () => {
    const { bot, page } = await startPagesWorld();
    const { data: issue } = await bot.rest.issues.create({ ...at, title: "One" });
    const pieces = [
      ...hostile,
      "`",
      "```\n",
      "\n\n",
      "<!--",
      "-->",
      "&#106;avascript:",
      "<a href=",
      "|",
      "**",
      "[",
      "](",
      ")",
      "\\",
    ];
    await assert(
      asyncProperty(array(constantFrom(...pieces), { minLength: 1, maxLength: 8 }), async (parts) => {
        await bot.rest.issues.update({ ...at, issue_number: issue.number, body: parts.join("") });
        expect(dangersIn((await page(`/octo/lab/issues/${issue.number}`)).text)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("finds no way past the content policy", async () => {
    const { page } = await startPagesWorld();
    const [first, second] = [await page("/"), await page("/")];
    const policy = String(first.headers["content-security-policy"]);
    const nonce = /script-src 'nonce-([\w-]+)'/.exec(policy)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(first.text).toContain(`<script nonce="${nonce}">`);
    expect(first.text.match(/<script/g)).toHaveLength(1);
    expect(second.headers["content-security-policy"]).not.toBe(policy);
    expect(first.headers["x-content-type-options"]).toBe("nosniff");
  });
});

describe("raw files", () => {
  it("serves a picture of a branch with slashes as a picture, shut in", async () => {
    const world = await startPagesWorld();
    const { resultsTip } = await makeSession(world);
    for (const path of [
      "/octo/lab/blob/autoresearch/1/results/progress.svg?raw=true",
      "/octo/lab/raw/autoresearch/1/results/progress.svg",
      `/octo/lab/raw/${resultsTip}/progress.svg`,
    ]) {
      const { status, headers, text } = await world.page(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers["content-type"]).toBe("image/svg+xml");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["content-security-policy"]).toContain("sandbox");
      expect(headers["content-security-policy"]).toContain("default-src 'none'");
      expect(text).toBe(picture);
    }
  });

  it("serves a document as text", async () => {
    const world = await startPagesWorld();
    await makeSession(world);
    const { headers, text } = await world.page("/octo/lab/raw/autoresearch/1/results/page.html");
    expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(text).toBe("<script>alert(1)</script>");
  });
});

describe("who may ask", () => {
  it("refuses a foreign Host on every page, and takes the names of this machine", async () => {
    const { page, github } = await startPagesWorld();
    const { port } = new URL(github.url);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1:1", `127.0.0.1.evil.example:${port}`]) {
      for (const path of ["/", "/octo/lab/issues", "/_pages/version"]) {
        const { status, text } = await page(path, { host });
        expect({ host, path, status }).toEqual({ host, path, status: 403 });
        expect(text).not.toContain("<");
      }
    }
    expect((await page("/", { host: `localhost:${port}` })).status).toBe(200);
  });

  it("refuses forms from elsewhere, and forms without the page's token", async () => {
    const { page, post, bot, github } = await startPagesWorld();
    await bot.rest.issues.create({ ...at, title: "One" });
    const path = "/octo/lab/issues/1";
    const token = /name="token" value="([\w-]+)"/.exec((await page(path)).text)?.[1] ?? "";
    const fields = { token, do: "comment", body: "hello" };
    const foreign: [Record<string, string>, Record<string, string>][] = [
      [fields, { origin: "http://evil.example" }],
      [fields, { origin: "null" }],
      [fields, { origin: `https://${new URL(github.url).host}` }],
      [fields, { origin: "http://evil.example", host: "evil.example" }],
      [{ ...fields, token: "guessed" }, {}],
      [{ do: "comment", body: "hello" }, {}],
    ];
    for (const [sent, headers] of foreign) expect((await post(path, sent, headers)).status).toBe(403);
    const body = new URLSearchParams(fields).toString();
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await ask(`${github.url}${path}`, { method: "POST", headers: form, body })).status).toBe(403);
    expect(github.core.store.all("comment")).toEqual([]);
    expect((await post(path, fields)).status).toBe(303);
    expect(github.core.store.all("comment").map((comment) => comment.body)).toEqual(["hello"]);
  });

  it("only shows where nobody acts", async () => {
    const world = await startPagesWorld(null);
    const session = await makeSession(world);
    for (const path of [
      "issues/1",
      `pull/${session.lost.number}`,
      `runs/${session.check.id}`,
      `actions/runs/${session.runId}`,
    ]) {
      expect((await world.page(`/octo/lab/${path}`)).text).not.toContain("<form");
      expect((await world.post(`/octo/lab/${path}`, { do: "comment", body: "x" })).status).toBe(403);
    }
  });

  it("leaves the machinery's addresses to it", async () => {
    const { page, github } = await startPagesWorld();
    github.serve((request) => (request.url.endsWith("/_other") ? new Response("mine") : null));
    expect((await page("/_other", { host: "elsewhere" })).text).toBe("mine");
    expect((await page("/nobody/nothing")).status).toBe(404);
  });
});
