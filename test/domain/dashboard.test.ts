import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dashboardOf, isDashboard, saysTheSame } from "../../src/domain/dashboard.ts";
import type { Row } from "../../src/domain/results.ts";
import { hasStarted } from "../../src/domain/session.ts";
import {
  baselineRow,
  configWith,
  crashRow,
  experimentWith,
  minuteMs,
  nowMs,
  rowWith,
  sessionWith,
  shaOf,
  trial,
  unmeasuredFrontier,
} from "../support/session.ts";
import { session as anySession } from "./arbitrary-session.ts";

const rows = [
  baselineRow,
  rowWith({ experiment: 1, outcome: "keep", value: 0.9793, description: "batch 2^19 → 2^18" }),
  crashRow(2, { description: "depth 12", because: "out of memory at train.py:412" }),
  rowWith({ experiment: 3, value: 0.9801, outcome: "within_noise", description: "warmup 5 %" }),
];
const frontier = { tip: shaOf(20), value: 0.9793, trials: 1, experiment: 1 };
const noise = { sumOfSquares: 3.2e-7, degrees: 2 };

describe("the dashboard", () => {
  it("of a session that begins", () => {
    const frontier = unmeasuredFrontier({ ownTrials: [trial.training(1, nowMs - minuteMs)] });
    expect(dashboardOf(sessionWith({ rows: [], frontier, nowMs: nowMs - 60 * minuteMs }))).toMatchInlineSnapshot(`
      "**autoresearch** · running · 0 of 100 experiments

      The untouched code is being measured; its val_bpb is what experiments are held against.

      | now | |
      | --- | --- |
      | frontier | [training](https://github.test/ada/nano/actions/runs/9001) since 2026-11-23 12:59 UTC, budget 5m |

      [results.tsv](https://github.test/ada/nano/blob/autoresearch/12/results/results.tsv) · [frontier](https://github.test/ada/nano/commits/autoresearch/12/frontier) · [compare with main](https://github.test/ada/nano/compare/0000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...autoresearch/12/frontier)

      <sub>\`/autoresearch stop\`, \`pause\`, \`resume\`, \`status\` · \`/autoresearch help\`</sub>

      <!-- autoresearch:dashboard -->"
    `);
  });

  it("of a session that runs", () => {
    const experiments = [
      experimentWith({
        number: 4,
        description: "raise matrix LR to 0.05",
        trials: [trial.training(1, nowMs - 3 * minuteMs)],
      }),
      experimentWith({ number: 5, description: "drop value | embeddings", trials: [trial.lost()] }),
    ];
    expect(dashboardOf(sessionWith({ rows, frontier, experiments, record: { noise } }))).toMatchInlineSnapshot(`
      "**autoresearch** · running · 3 of 100 experiments · 1h

      **val_bpb 0.9793** ← 1.0000 baseline (**−2.07 %**, 1 kept) · last gain 2 experiments ago · noise ±0.0004

      ![progress](https://github.test/ada/nano/blob/0000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/progress.svg?raw=true)

      | now | |
      | --- | --- |
      | #104 exp 4 *raise matrix LR to 0.05* | [training](https://github.test/ada/nano/actions/runs/9001) since 2026-11-23 12:57 UTC, budget 5m |
      | #105 exp 5 *drop value \\| embeddings* | waiting for a runner (lost 1 time) |

      | exp | | val_bpb | Δ frontier | idea |
      | --- | --- | --- | --- | --- |
      | #103 exp 3 | within noise | 0.9801 | +0.0008 | warmup 5 % |
      | #102 exp 2 | crash |  |  | depth 12 (out of memory at train.py:412) |
      | #101 exp 1 | **keep** | 0.9793 | −0.0207 | batch 2^19 → 2^18 |

      [results.tsv](https://github.test/ada/nano/blob/autoresearch/12/results/results.tsv) · [frontier](https://github.test/ada/nano/commits/autoresearch/12/frontier) · [compare with main](https://github.test/ada/nano/compare/0000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...autoresearch/12/frontier)

      <sub>\`/autoresearch stop\`, \`pause\`, \`resume\`, \`status\` · \`/autoresearch help\`</sub>

      <!-- autoresearch:dashboard -->"
    `);
  });

  it("of a session that was stopped", () => {
    const record = { state: "stopped", by: "ada", because: "stopped by @ada" } as const;
    const session = sessionWith({ rows, frontier, record, cutOff: 2 });
    expect(dashboardOf(session)).toMatchInlineSnapshot(`
      "**autoresearch** · stopped · 3 of 100 experiments · 1h

      > **stopped by @ada, 2026-11-23 12:00 UTC** · 2 running trials cancelled · what was found is on \`autoresearch/12/frontier\`.

      **val_bpb 0.9793** ← 1.0000 baseline (**−2.07 %**, 1 kept) · last gain 2 experiments ago

      ![progress](https://github.test/ada/nano/blob/0000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/progress.svg?raw=true)

      | exp | | val_bpb | Δ frontier | idea |
      | --- | --- | --- | --- | --- |
      | #103 exp 3 | within noise | 0.9801 | +0.0008 | warmup 5 % |
      | #102 exp 2 | crash |  |  | depth 12 (out of memory at train.py:412) |
      | #101 exp 1 | **keep** | 0.9793 | −0.0207 | batch 2^19 → 2^18 |

      [results.tsv](https://github.test/ada/nano/blob/autoresearch/12/results/results.tsv) · [frontier](https://github.test/ada/nano/commits/autoresearch/12/frontier) · [compare with main](https://github.test/ada/nano/compare/0000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...autoresearch/12/frontier)

      <sub>\`/autoresearch stop\`, \`pause\`, \`resume\`, \`status\` · \`/autoresearch help\`</sub>

      <!-- autoresearch:dashboard -->"
    `);
  });

  it("of a session that is blocked", () => {
    const because = "3 experiments in a row gave no value; the last: out of memory | @ada";
    const record = { state: "blocked", by: null, because, since: new Date(nowMs).toISOString() } as const;
    expect(dashboardOf(sessionWith({ rows: rows.slice(0, 1), record }))).toMatchInlineSnapshot(`
      "**autoresearch** · blocked · 0 of 100 experiments · 1h

      > **blocked: 3 experiments in a row gave no value; the last: out of memory \\| @⁠ada, 2026-11-23 13:00 UTC** · When the cause is mended, \`/autoresearch resume\` goes on.

      **val_bpb 1.0000** ← 1.0000 baseline (**0.00 %**, 0 kept)

      ![progress](https://github.test/ada/nano/blob/0000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/progress.svg?raw=true)

      [results.tsv](https://github.test/ada/nano/blob/autoresearch/12/results/results.tsv) · [frontier](https://github.test/ada/nano/commits/autoresearch/12/frontier) · [compare with main](https://github.test/ada/nano/compare/0000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...autoresearch/12/frontier)

      <sub>\`/autoresearch stop\`, \`pause\`, \`resume\`, \`status\` · \`/autoresearch help\`</sub>

      <!-- autoresearch:dashboard -->"
    `);
  });

  it("of a session that is done", () => {
    const record = { state: "done", by: null, because: "3 experiments were made" } as const;
    expect(dashboardOf(sessionWith({ rows, frontier, record, report: 61 }))).toMatchInlineSnapshot(`
      "**autoresearch** · done · 3 of 100 experiments · 1h

      > **done: 3 experiments were made, 2026-11-23 12:00 UTC** · what was found: #61

      **val_bpb 0.9793** ← 1.0000 baseline (**−2.07 %**, 1 kept) · last gain 2 experiments ago

      ![progress](https://github.test/ada/nano/blob/0000002aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/progress.svg?raw=true)

      | exp | | val_bpb | Δ frontier | idea |
      | --- | --- | --- | --- | --- |
      | #103 exp 3 | within noise | 0.9801 | +0.0008 | warmup 5 % |
      | #102 exp 2 | crash |  |  | depth 12 (out of memory at train.py:412) |
      | #101 exp 1 | **keep** | 0.9793 | −0.0207 | batch 2^19 → 2^18 |

      [results.tsv](https://github.test/ada/nano/blob/autoresearch/12/results/results.tsv) · [frontier](https://github.test/ada/nano/commits/autoresearch/12/frontier) · [compare with main](https://github.test/ada/nano/compare/0000001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...autoresearch/12/frontier)

      <sub>\`/autoresearch stop\`, \`pause\`, \`resume\`, \`status\` · \`/autoresearch help\`</sub>

      <!-- autoresearch:dashboard -->"
    `);
  });

  it("of a session that is paused says how to go on", () => {
    const record = { state: "paused", by: "ada", because: "paused by @ada" } as const;
    expect(dashboardOf(sessionWith({ record }))).toContain("`/autoresearch resume` goes on.");
  });

  it("says that no runner takes a trial, and which labels it needs", () => {
    const waits = (sinceMs: number) =>
      sessionWith({ experiments: [experimentWith({ trials: [trial.queued(1, sinceMs)] })] });
    expect(dashboardOf(waits(nowMs - 2 * minuteMs))).toContain(
      "> **No runner has taken the trial that waits since 2026-11-23 12:58 UTC.** A runner with the labels `self-hosted`, `gpu` must be online",
    );
    expect(dashboardOf(waits(nowMs - 30_000))).not.toContain("No runner");
  });

  it("says that it goes slowly, and until when, while it runs", () => {
    const slow = { because: "GitHub asked us to wait", untilMs: nowMs + 10 * minuteMs };
    expect(dashboardOf(sessionWith({ slow }))).toContain(
      "> **GitHub asked us to wait.** The session goes slowly until 2026-11-23 13:10 UTC; nothing is lost.",
    );
    expect(dashboardOf(sessionWith({ slow, record: { state: "done" } }))).not.toContain("slowly");
  });

  it("says that the model that was named did not make the last proposal, and why", () => {
    const passedOver = "the Anthropic API does not know the model claude_x";
    expect(dashboardOf(sessionWith({ passedOver }))).toContain(
      "another model than the one you named**: the Anthropic API does not know the model claude\\_x.",
    );
    expect(dashboardOf(sessionWith({ passedOver, record: { state: "paused" } }))).not.toContain("claude");
  });

  it("says that the researcher could not answer, in words that harm nobody", () => {
    const desk = { kind: "failed", because: "no answer for @ada | 5 s", failures: 2, retryAtMs: nowMs } as const;
    expect(dashboardOf(sessionWith({ desk }))).toContain(
      "could not answer: no answer for @\u2060ada \\| 5 s. It is asked again.",
    );
  });

  it("shows the difference to the frontier as it was then, a person's pushes too", () => {
    const moved: Row = { ...baselineRow, commit: "0000021", value: 0.95 };
    const later = rowWith({ experiment: 4, value: 0.96 });
    const body = dashboardOf(sessionWith({ rows: [...rows, moved, later] }));
    expect(body).toContain("| #104 exp 4 | discard | 0.9600 | +0.0100 | idea 4 |");
    expect(body).toContain("| #103 exp 3 | within noise | 0.9801 | +0.0008 | warmup 5 % |");
  });
});

describe("the dashboard, at any time", () => {
  it("says the same, unless something happened", () => {
    const record = { noise };
    const at = (minutes: number) =>
      dashboardOf(sessionWith({ rows, frontier, record, nowMs: nowMs + minutes * minuteMs }));
    expect(at(90)).not.toBe(at(0));
    expect(saysTheSame(at(0), at(90))).toBe(true);
    expect(saysTheSame(at(0).replaceAll("\n", "\r\n"), `${at(90)}\n`)).toBe(true);
    const one = sessionWith({ rows: rows.slice(0, 3), frontier, record });
    expect(saysTheSame(at(0), dashboardOf(one))).toBe(false);
  });

  it("says the same whatever the session, while no trial waits for a runner", () => {
    fc.assert(
      fc.property(anySession, fc.integer({ min: 0, max: 100_000 }), (session, minutes) => {
        if (!hasStarted(session)) return;
        const all = [...session.frontier.ownTrials, ...session.experiments.flatMap((each) => each.trials)];
        // A crash is mended until the hours are over.
        if (all.some(({ phase }) => phase.kind === "queued") || session.traits.repairs) return;
        const later = { ...session, nowMs: session.nowMs + minutes * minuteMs };
        expect(saysTheSame(dashboardOf(session), dashboardOf(later))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("is known as the dashboard, and other comments are not", () => {
    expect(isDashboard(dashboardOf(sessionWith()))).toBe(true);
    expect(isDashboard("I like the dashboard.")).toBe(false);
  });

  const night = (count: number, given: Partial<Row> = {}) =>
    Array.from({ length: count }, (_, index) => rowWith({ experiment: index + 1, ...given }));

  it("shows ten rows, and folds the last hundred of a thousand", () => {
    const body = dashboardOf(sessionWith({ rows: [baselineRow, ...night(1_000)] }));
    expect(body).toContain("1000 of 100 experiments");
    expect(body).toContain("The last 100 of 1000");
    expect(body.match(/^\| #\d+ exp/gm)).toHaveLength(110);
    expect(body.length).toBeLessThan(15_000);
    expect(dashboardOf(sessionWith({ rows: [baselineRow, ...night(11)] }))).toContain("<summary>All 11</summary>");
    expect(dashboardOf(sessionWith({ rows: [baselineRow, ...night(10)] }))).not.toContain("<summary>");
  });

  it("fits into a comment whatever the rows and the experiments say", () => {
    const words = "|".repeat(900);
    const config = configWith({ runner: { concurrency: 64 } });
    const experiments = Array.from({ length: 65 }, (_, index) =>
      experimentWith({ number: 2_000 + index, description: words }),
    );
    const worst = [baselineRow, ...night(1_000, { description: words, because: words, value: null, outcome: "crash" })];
    const body = dashboardOf(sessionWith({ rows: worst, experiments, record: { config } }));
    expect(body.length).toBeLessThan(60_000);
    expect(isDashboard(body)).toBe(true);
  });
});
