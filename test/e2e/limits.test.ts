/** GitHub's limits: what a session under them comes to is what it comes to without them. */
import { expect, test } from "vitest";
import type { Tight } from "../../src/local/github/limits.ts";
import { startWorld } from "../support/e2e.ts";
import { type WorldSnapshot, worldSnapshot } from "../support/world-snapshot.ts";
import { scripted, until } from "../support/world.ts";

const ideas = [
  { title: "better", set: { VALUE: 1.9 } },
  { title: "worse", set: { OTHER: 0.5 } },
  { title: "better still", set: { OTHER: -0.1 } },
];
const config = "limits: {experiments: 3}\n";

let unlimited: Promise<WorldSnapshot> | null = null;

async function liveUnlimited(): Promise<WorldSnapshot> {
  const world = await startWorld({ researcher: scripted(ideas), config });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  return worldSnapshot(world.site);
}

test.each<[string, Tight, string]>([
  [
    "few requests an hour",
    // Few at full speed, and what is left after them spread to the reset.
    { requests: { most: 300, used: 220, withinSeconds: 20 } },
    "GitHub's hourly limit of requests is nearly used up",
  ],
  ["little content a minute", { content: { most: 2, withinSeconds: 6 } }, "GitHub asked us to wait"],
])("a session with %s comes to the same, and says that it goes slowly", async (_name, limits, because) => {
  const world = await startWorld({ researcher: scripted(ideas), config });
  world.github.core.limits.tighten(limits);
  const said = new Set<string>();
  world.onExchange(({ requestBody }) => {
    const body = (requestBody as { body?: unknown } | undefined)?.body;
    if (typeof body === "string") for (const [line] of body.matchAll(/^> \*\*GitHub.*$/gm)) said.add(line);
  });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect([...said].join("\n")).toContain(because);
  expect(await world.dashboard(issue)).not.toContain("goes slowly");
  const names = (await world.runs()).map((run) => run.display_title);
  expect(new Set(names).size).toBe(names.length);
  unlimited ??= liveUnlimited();
  expect(await worldSnapshot(world.site)).toEqual(await unlimited);
});

test("secondary limits on writes lose nothing and repeat nothing", async () => {
  const world = await startWorld({ researcher: scripted(ideas), config });
  const limit = { kind: "secondaryLimit", retryAfterSeconds: 1 } as const;
  const armed = [
    ["/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches", { skip: 1, times: 4 }],
    ["/repos/{owner}/{repo}/pulls", { skip: 0, times: 1 }],
    ["/repos/{owner}/{repo}/git/trees", { skip: 1, times: 2 }],
  ].map(([route, match]) =>
    world.github.faults.add({ method: "POST", route: route as string, ...(match as object) }, limit),
  );
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect(armed.map(({ hits }) => hits)).toEqual([4, 1, 2]);
  // No attempt was given up for a dispatch that never went out.
  expect((await world.runs()).map((run) => run.display_title).sort()).toEqual(
    [0, 1, 2, 3].map((experiment) => `autoresearch ${issue}:${experiment}:1`),
  );
  expect((await world.rows(issue)).map((row) => row.outcome)).toEqual(["keep", "keep", "discard", "keep"]);
});

test("a limit of one installation holds its sessions, and nobody else's", async () => {
  const world = await startWorld({ researcher: scripted(ideas), config, exempt: { furtherPass: "it is held" } });
  const { github } = world;
  github.world.createUser("bob");
  const there = { owner: "bob", repo: "other" };
  const files = Object.fromEntries(
    await Promise.all(
      ["train.py", ".github/workflows/autoresearch.yml", ".github/autoresearch.yml"].map(
        async (file) => [file, (await world.text(file, "main"))!] as const,
      ),
    ),
  );
  await github.world.createRepo({ owner: "bob", name: "other", files, private: true });
  github.world.setPermission("bob/other", "bob", "admin");
  github.world.install(world.app.appId, "bob/other");

  const limit = { kind: "secondaryLimit", retryAfterSeconds: 3_600 } as const;
  const held = github.faults.add({ method: "POST", route: /^\/repos\/ada\/model\/git\/refs/ }, limit);
  const first = await world.openSession();
  await until("the limit is met", () => Promise.resolve(held.hits === 1));
  const sent: string[] = [];
  world.onExchange(({ actor, path }) => void (actor === "installation" && sent.push(path)));
  await world.openSession();
  const bob = world.as("bob");
  const { data } = await bob.rest.issues.create({ ...there, title: "Mine", body: "Lower val_bpb." });
  await bob.rest.issues.addLabels({ ...there, issue_number: data.number, labels: ["autoresearch"] });
  const branch = `refs/heads/autoresearch/${data.number}/results`;
  const begun = () => github.core.git(github.world.repo("bob/other")).refs.has(branch);
  await until("bob's session is begun", () => Promise.resolve(begun()));
  expect(sent.filter((path) => path.startsWith("/repos/ada/"))).toEqual([]);
  expect(await world.record(first)).toBeNull();
});
