/** A session whose researcher costs money, needs people, and writes code that crashes. */
import { expect, test } from "vitest";
import type { Answer, Brief, FileText } from "../../src/domain/proposal.ts";
import { startWorld } from "../support/e2e.ts";
import { answerOf, pay, watched } from "../support/researchers.ts";
import { trainPy, until } from "../support/world.ts";

const over: Answer = { kind: "nothing", because: "the script is at its end" };
/** An idea that is a little worse than the one before it. */
const idea = (brief: Brief, asked: number, given: Parameters<typeof answerOf>[1] = { title: `idea ${asked}` }) =>
  answerOf(brief, { set: { OTHER: asked / 100 }, ...given });

test("what the researcher costs is booked with the rest, shown, and never passes the limit", async () => {
  const researcher = watched((brief, asked) => {
    // Two calls a proposal, each of them a quarter of what it might have cost.
    if (!pay(brief.purse, 0.2, 0.05) || !pay(brief.purse, 0.2, 0.05)) return { kind: "nothing", because: "no money" };
    return idea(brief, asked);
  });
  const world = await startWorld({ researcher, config: "limits: {experiments: 50, cost_usd: 0.6}\n" });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const record = (await world.record(issue))!;
  expect(record.because).toBe("what is left of limits.cost_usd does not pay for another call of the model");
  const { usd } = record.ledger.spending;
  expect(usd).toBeLessThanOrEqual(0.6);
  // 0.1 a proposal; at 0.45 a call that may cost 0.2 is not made any more.
  expect(usd).toBeCloseTo(0.45, 6);
  expect(record.ledger.proposals).toBe(4);
  const settled = (await world.rows(issue)).filter((row) => row.experiment > 0);
  expect(settled).toHaveLength(4);
  expect((await world.pulls())[0]!.body).toMatch(/script, 8\.4k tokens, \$0\.10<\/sub>/);
  expect(await world.dashboard(issue)).toContain("$0.45 of $0.6 (");
  expect(await world.git("log", "-1", "--format=%B", `autoresearch/${issue}/exp-0001`)).toContain("Cost-Usd: 0.100000");
});

test("a crash of the bot costs no more than the purse, and the limit holds", async () => {
  let calls = 0;
  const researcher = watched((brief, asked) => {
    if (!pay(brief.purse, 0.1, 0.1)) return { kind: "nothing", because: "no money" };
    calls += 1;
    return asked > 3
      ? new Promise<Answer>(() => {})
      : idea(brief, asked, { title: `idea ${asked}`, set: { SLEEP: 1, OTHER: asked } });
  });
  const world = await startWorld({ researcher, config: "limits: {experiments: 50, cost_usd: 2}\n" });
  const issue = await world.openSession();
  await until("the first row is there", async () => (await world.rows(issue)).length > 1);
  const before = (await world.record(issue))!.ledger;
  expect(before.purse!.usd).toBeCloseTo(0.3, 6);
  // To the ledger a bot is dead that can't write any more.
  const trees = { method: "POST", route: "/repos/{owner}/{repo}/git/trees", by: "bot", times: 1_000 } as const;
  const dead = world.github.faults.add(trees, { kind: "fail", when: "before", status: 502 });
  await world.stopBot();
  dead.remove();
  await world.startBot();
  await until("another desk has the purse", async () => {
    const { purse } = (await world.record(issue))!.ledger;
    return purse !== null && purse.desk !== before.purse!.desk;
  });
  const { spending } = (await world.record(issue))!.ledger;
  expect(spending.usd).toBeGreaterThanOrEqual(before.spending.usd + 0.3 - 1e-9);
  expect(spending.usd).toBeGreaterThanOrEqual(0.1 * (calls - 1) - 1e-9);
  await world.comment(issue, "/autoresearch stop");
  await world.settled(issue, "stopped");
});

test("an orderly restart gives the purse back: what was spent is what counts", async () => {
  let calls = 0;
  let isSlow = true;
  const researcher = watched((brief, asked) => {
    if (!pay(brief.purse, 0.1, 0.02)) return { kind: "nothing", because: "no money" };
    calls += 1;
    return asked > 3 && isSlow ? new Promise<Answer>(() => {}) : idea(brief, asked);
  });
  const world = await startWorld({ researcher, config: "limits: {experiments: 5, cost_usd: 2}\n" });
  const issue = await world.openSession();
  await until(
    "it thinks without end",
    async () => researcher.briefs.length > 3 && (await world.rows(issue)).length > 2,
  );
  await world.stopBot();
  const { ledger } = (await world.record(issue))!;
  expect(ledger.purse?.usd).toBe(0);
  expect(ledger.spending.usd).toBeCloseTo(0.02 * calls, 6);
  isSlow = false;
  await world.startBot();
  await world.settled(issue, "done");
  expect((await world.record(issue))!.ledger.spending.usd).toBeCloseTo(0.02 * calls, 6);
});

test("a researcher that needs a person blocks the session, and is asked again when one says so", async () => {
  let hasKey = false;
  const researcher = watched((brief, asked) => {
    if (!hasKey) return { kind: "person", because: "the key in ANTHROPIC_API_KEY is not valid" };
    return asked > 4 ? over : idea(brief, asked);
  });
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await world.settled(issue, "blocked");
  expect(await world.dashboard(issue)).toContain(
    "the researcher needs help: the key in ANTHROPIC\\_API\\_KEY is not valid",
  );
  expect(researcher.briefs).toHaveLength(1);
  hasKey = true;
  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
  expect((await world.rows(issue)).length).toBeGreaterThan(1);
});

test("while a session waits for a person its purse is empty: whoever goes on with it may be another process", async () => {
  let hasKey = false;
  const researcher = watched((brief, asked) => {
    if (!pay(brief.purse, 0.1, 0.02)) return { kind: "nothing", because: "no money" };
    if (asked > 6) return over;
    return asked < 4 || hasKey ? idea(brief, asked) : { kind: "person", because: "the key is not valid" };
  });
  const world = await startWorld({ researcher, config: "limits: {experiments: 50, cost_usd: 2}\n" });
  const issue = await world.openSession();
  await until("the session is blocked", async () => (await world.record(issue))?.state === "blocked");
  expect((await world.record(issue))!.ledger.purse?.usd).toBe(0);
  hasKey = true;
  await world.comment(issue, "/autoresearch resume");
  await world.settled(issue, "done");
  expect((await world.rows(issue)).length).toBeGreaterThan(3);
});

test("a pass that fails leaves the researcher at its work", async () => {
  const ends: AbortSignal[] = [];
  const thought = Promise.withResolvers<void>();
  const researcher = watched((brief, asked) => (asked > 1 ? over : thought.promise.then(() => idea(brief, asked))));
  const world = await startWorld({
    researcher: {
      propose: (brief, signal) => {
        ends.push(signal);
        return researcher.propose(brief, signal);
      },
    },
  });
  const issue = await world.openSession();
  await until("it thinks", async () => ends.length > 0);
  const { faults } = world.github;
  const refused = { kind: "fail", when: "before", status: 403 } as const;
  const gone = { kind: "fail", when: "before", status: 502 } as const;
  // Every look at what people say reads this list.
  faults.add({ method: "GET", route: "/repos/{owner}/{repo}/issues/comments", by: "bot" }, refused);
  const away = faults.add({ route: "/repos/{owner}/{repo}/installation", times: 1_000 }, gone);
  await world.comment(issue, "/autoresearch note this wakes it");
  await until("a pass has failed", async () =>
    /passes_total\{[^}]*end="failed"[^}]*\} [1-9]/.test(await world.metrics()),
  );
  away.remove();
  thought.resolve();
  await world.settled(issue, "done");
  expect(ends[0]!.aborted).toBe(false);
  expect((await world.rows(issue)).map((row) => row.description)).toEqual(["baseline", "idea 1"]);
});

test("a crash is mended on its own pull request; the same failure twice ends it", async () => {
  const researcher = watched(
    (brief, asked): Answer => {
      const { repair } = brief;
      if (repair?.description === "broken")
        return answerOf(brief, { title: "do not divide by zero", set: { CRASH: 0, VALUE: 1.8 } });
      if (repair?.description === "hopeless") return answerOf(brief, { title: "try a bit", set: { OTHER: 0.25 } });
      if (asked === 1) return answerOf(brief, { title: "broken", set: { CRASH: 1 } });
      if (!brief.rows.some((row) => row.description === "hopeless") && !brief.inFlight.includes("hopeless"))
        return answerOf(brief, { title: "hopeless", set: { CRASH: 1, OTHER: 0.5 } });
      return over;
    },
    { repairs: true },
  );
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const rows = (await world.rows(issue)).filter((row) => row.experiment > 0);
  expect(rows.map(({ description, outcome, value }) => ({ description, outcome, value }))).toEqual(
    expect.arrayContaining([
      { description: "broken", outcome: "keep", value: 1.8 },
      { description: "hopeless", outcome: "crash", value: null },
    ]),
  );
  expect(rows.find((row) => row.description === "hopeless")!.because).toMatch(/; the same again after a repair$/);
  const repairs = researcher.briefs.filter((brief) => brief.repair !== null);
  expect(repairs.map((brief) => [brief.repair!.description, brief.repair!.attempt])).toEqual([
    ["broken", 1],
    ["hopeless", 1],
  ]);
  expect(repairs[0]!.repair).toMatchObject({ experiment: 1, failure: "ZeroDivisionError: division by zero" });
  expect(repairs[0]!.repair!.traceback).toContain("Traceback (most recent call last):");
  expect(repairs[0]!.repair!.diff).toContain("+CRASH = 1");
  const pulls = await world.pulls();
  const mended = pulls.find((pull) => pull.title.endsWith("broken"))!;
  expect(mended.body).toContain(
    "**Repair 1.** It crashed with ZeroDivisionError: division by zero; mended: do not divide by zero.",
  );
  expect(mended.merged_at).not.toBeNull();
  const log = await world.git("log", "-1", "--format=%B", `autoresearch/${issue}/exp-0001`);
  expect(log).toContain("Repair: 1\nFailure: ZeroDivisionError: division by zero\nMended: do not divide by zero\n");
  expect(log).toContain("Attempts-Before: 1\n");
  // No attempt's number is given twice.
  const names = (await world.runs()).map((run) => run.display_title);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining([`autoresearch ${issue}:1:1`, `autoresearch ${issue}:1:2`]));
});

test("code that crashed stays tried when it is mended, while its experiment is open and afterwards", async () => {
  const crashed: FileText = { path: "train.py", text: trainPy({ value: 2, crash: true }) };
  const researcher = watched(
    (brief, asked): Answer => {
      if (brief.repair !== null) return answerOf(brief, { title: "mended", set: { CRASH: 0, OTHER: 0.5, SLEEP: 3 } });
      if (asked === 1) return answerOf(brief, { title: "broken", text: crashed.text });
      return asked > 4 ? over : answerOf(brief, { title: `idea ${asked}`, set: { OTHER: asked } });
    },
    { repairs: true },
  );
  const world = await startWorld({ researcher, config: "limits: {experiments: 3}\n" });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  // The head's own key is that of what mended it.
  const branch = `autoresearch/${issue}/exp-0001`;
  const keys = async (commit: string) =>
    [...(await world.git("log", "-1", "--format=%B", commit)).matchAll(/^Contents(?:-Before)?: (\w+)$/gm)].map(
      ([, key]) => key!,
    );
  const [first] = await keys(`${branch}^1`);
  expect(await keys(branch)).toEqual([first, expect.not.stringMatching(first!)]);
  expect((await world.record(issue))!.tried).toEqual(expect.arrayContaining(await keys(branch)));
  const afterwards = researcher.briefs.slice(researcher.briefs.findIndex((brief) => brief.repair !== null) + 1);
  expect(afterwards.length).toBeGreaterThan(0);
  for (const brief of afterwards) expect(brief.wasTried([crashed])).toBe(true);
});

test("a crash that was being mended when the bot died is mended all the same", async () => {
  let isSlow = true;
  const researcher = watched(
    (brief, asked): Answer | Promise<Answer> => {
      if (brief.repair !== null && isSlow) return new Promise<Answer>(() => {});
      if (brief.repair !== null) return answerOf(brief, { title: "mended", set: { CRASH: 0 } });
      return asked === 1 ? answerOf(brief, { title: "broken", set: { CRASH: 1, VALUE: 1.8 } }) : over;
    },
    { repairs: true },
  );
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await until("the crash is on the desk", async () => researcher.briefs.some((brief) => brief.repair !== null));
  await world.stopBot();
  isSlow = false;
  await world.startBot();
  await world.settled(issue, "done");
  expect((await world.rows(issue)).filter((row) => row.experiment > 0)).toMatchObject([
    { outcome: "keep", value: 1.8 },
  ]);
});

test("the check of a commit that was mended ends, though the bot forgot it while its repair was put on", async () => {
  const researcher = watched(
    (brief, asked): Answer => {
      if (brief.repair !== null) return answerOf(brief, { title: "mended", set: { CRASH: 0 } });
      return asked === 1 ? answerOf(brief, { title: "broken", set: { CRASH: 1, VALUE: 1.8 } }) : over;
    },
    { repairs: true },
  );
  const world = await startWorld({ researcher });
  // The repair is on the branch, and whoever put it there looks at the heads alone from then on.
  const lost = world.github.faults.add(
    { method: "PATCH", route: /\/git\/refs\/.*exp-/ },
    { kind: "fail", when: "after", status: 500 },
  );
  const issue = await world.openSession();
  await world.settled(issue, "done");
  expect(lost.hits).toBe(1);
  expect((await world.rows(issue)).at(-1)).toMatchObject({ outcome: "keep", value: 1.8 });
  const commits = (await world.git("log", "--format=%H", `autoresearch/${issue}/exp-0001`)).split("\n");
  const checks = (await Promise.all(commits.map((commit) => world.checks(commit)))).flat();
  const own = checks.filter((check) => check.name === "autoresearch" && check.external_id?.startsWith(`${issue}:1:`));
  expect(own.map((check) => check.conclusion ?? "open").sort()).toEqual(["failure", "success"]);
});

test("equal and shorter wins", async () => {
  const text = trainPy({ value: 2 }).replace("SLEEP = 0\n", "").replace("time.sleep(SLEEP)\n", "");
  const researcher = watched((brief, asked) =>
    asked > 1 ? over : answerOf(brief, { title: "no sleep", kind: "simplify", text }),
  );
  const world = await startWorld({ researcher });
  const issue = await world.openSession();
  await world.settled(issue, "done");
  const row = (await world.rows(issue)).find((each) => each.experiment > 0);
  expect(row).toMatchObject({ outcome: "keep", value: 2, because: "equal to the frontier and 2 lines shorter" });
  expect((await world.record(issue))!.kinds).toEqual({ simplify: { tried: 1, kept: 1 } });
  expect(await world.git("show", `autoresearch/${issue}/frontier:train.py`)).not.toContain("SLEEP");
});
