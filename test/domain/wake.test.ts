import { describe, expect, it } from "vitest";
import type { Trial } from "../../src/domain/trial.ts";
import { queuedLongMs, wakeAt } from "../../src/domain/wake.ts";
import { configWith, experimentWith, minuteMs, nowMs, sessionWith, startedMs, trial } from "../support/session.ts";

const dayMs = 86_400_000;
const thinking = { kind: "thinking" } as const;

function wakes(going: Trial, atMs = nowMs): number | null {
  return wakeAt(sessionWith({ desk: thinking, experiments: [experimentWith({ trials: [going] })], nowMs: atMs }));
}

describe("the next look", () => {
  it.each<[string, Trial, number]>([
    ["when an intended run should be listed", trial.intended(1, nowMs + 5_000), nowMs + 5_000],
    ["when a queued trial waits long enough to say so", trial.queued(1, nowMs - 1_000), nowMs - 1_000 + queuedLongMs],
    ["when a training should be over", trial.training(1, nowMs - minuteMs), nowMs + 4 * minuteMs + 30_000],
    ["when a training must be over", trial.training(1, nowMs - 6 * minuteMs), nowMs + minuteMs],
    ["when a training is stuck", trial.training(1, nowMs - 50 * minuteMs + 5_000), nowMs + 5_000],
    ["when a report should be there", trial.reporting(1, nowMs + 7_000), nowMs + 7_000],
    ["a minute later where a trial is long overdue", trial.queued(1, nowMs - dayMs), nowMs + minuteMs],
  ])("is %s", (_name, going, atMs) => {
    expect(wakes(going)).toBe(atMs);
  });

  it("is when the hours are over, if nothing comes before", () => {
    expect(wakeAt(sessionWith({ desk: thinking }))).toBe(startedMs + dayMs);
    const over = sessionWith({ desk: thinking, nowMs: startedMs + dayMs });
    expect(wakeAt(over)).toBe(over.nowMs + minuteMs);
  });

  it("is when a researcher that failed may be asked again", () => {
    const retryAtMs = nowMs + 20_000;
    expect(wakeAt(sessionWith({ desk: { kind: "failed", because: "", failures: 1, retryAtMs } }))).toBe(retryAtMs);
  });

  it("is when GitHub's limits let it go at full speed again, to say so", () => {
    const slow = { because: "GitHub asked us to wait", untilMs: nowMs + 20_000 };
    expect(wakeAt(sessionWith({ desk: thinking, slow }))).toBe(nowMs + 21_000);
    expect(wakeAt(sessionWith({ slow, record: { state: "paused" } }))).toBeNull();
  });

  it("is the first of all that are due", () => {
    const experiments = [
      experimentWith({ number: 1, trials: [trial.training()] }),
      experimentWith({ number: 2, trials: [trial.intended(1, nowMs + 1)] }),
    ];
    expect(wakeAt(sessionWith({ experiments }))).toBe(nowMs + 1);
  });

  it("follows the trial's own budget and time-out", () => {
    const config = configWith({ trial: { budget: "3s", timeout: "4s" } });
    const experiments = [experimentWith({ trials: [trial.training(1, nowMs)] })];
    expect(wakeAt(sessionWith({ desk: thinking, record: { config }, experiments }))).toBe(nowMs + 33_000);
  });

  it("is soon after an end while something is left to clean up, and never when nothing is", () => {
    const record = { state: "stopped" } as const;
    expect(wakeAt(sessionWith({ record, experiments: [experimentWith()] }))).toBe(nowMs + 5_000);
    expect(wakeAt(sessionWith({ record }))).toBeNull();
  });

  it.each(["paused", "blocked"] as const)("is for people to say where a session is %s and nothing trains", (state) => {
    expect(wakeAt(sessionWith({ record: { state }, experiments: [experimentWith()] }))).toBeNull();
  });
});
